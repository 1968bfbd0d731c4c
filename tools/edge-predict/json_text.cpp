#include "json_text.h"

#include <fmt/format.h>

#include <cmath>

#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text::valid_utf8(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_number(float value) {
  return std::isfinite(value) ? text::exact(value) : "null";
}

}  // namespace edgejoule::predict
