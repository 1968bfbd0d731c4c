#include "timeline/foreign_json.h"

#include <flatbuffers/idl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "text/escape.h"
#include "timeline/timeline_error.h"

namespace edgejoule::timeline {
namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

ForeignJson::ForeignJson(std::string_view text, std::string file_name, std::string next)
    : file_name_(std::move(file_name)), next_(std::move(next)) {
  check_whole(text);
  flatbuffers::Parser parser;
  flexbuffers::Builder builder;
  const std::string source(text);
  if (!parser.ParseFlexBuffer(source.c_str(), nullptr, &builder)) {
    // "  line: column: error: message"
    std::string_view said = parser.error_;
    while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.remove_suffix(1);
    damaged("", fmt::format("it is no JSON that can be read (line {})",
                            text::printable(said.substr(std::min(said.find_first_not_of(" :"), said.size())))));
  }
  bytes_ = builder.GetBuffer();
}

void ForeignJson::damaged(std::string_view place, std::string_view what) const {
  throw TimelineError(
      fmt::format("{}: {}{}{}; {}", text::printable(file_name_), place, place.empty() ? "" : ": ", what, next_));
}

double ForeignJson::number(const flexbuffers::Map& object, const char* key, const std::string& place) const {
  const flexbuffers::Reference value = object[key];
  if (!value.IsNumeric()) damaged(place, fmt::format("'{}' is {}", key, value.IsNull() ? "missing" : "no number"));
  const double number = value.AsDouble();
  if (!(number >= 0) || !std::isfinite(number)) damaged(place, fmt::format("'{}' is {}", key, number));
  return number;
}

std::string ForeignJson::text(const flexbuffers::Map& object, const char* key, const std::string& place) const {
  const flexbuffers::Reference value = object[key];
  if (!value.IsString()) damaged(place, fmt::format("'{}' is {}", key, value.IsNull() ? "missing" : "no text"));
  return value.AsString().str();
}

void ForeignJson::check_whole(std::string_view text) const {
  std::string open;  // brackets
  std::size_t line = 1;
  const auto fail = [&](std::string_view what) { damaged(fmt::format("line {}", line), what); };
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) damaged("", "it is empty");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (c == '\0') fail("a zero byte");
    if (c == '[' || c == '{') open += c;
    if (c == ']' || c == '}') {
      if (open.empty() || open.back() != (c == ']' ? '[' : '{')) fail(fmt::format("'{}' closes nothing", c));
      open.pop_back();
    }
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      if (i >= text.size()) fail("it ends in the middle of a text");
    }
    if (is_digit(c) && (i == 0 || !is_digit(text[i - 1]))) {
      std::size_t end = i;
      while (end < text.size() && is_digit(text[end])) ++end;
      std::int64_t value = 0;
      const bool is_integer = end == text.size() || (text[end] != '.' && text[end] != 'e' && text[end] != 'E');
      const bool is_fraction = i > 0 && text[i - 1] == '.';
      if (is_integer && !is_fraction && std::from_chars(&text[i], text.data() + end, value).ec != std::errc()) {
        fail(fmt::format("the number {} needs more than 64 bits", text.substr(i, end - i)));
      }
    }
  }
  if (!open.empty()) fail("it ends in the middle");
}

}  // namespace edgejoule::timeline
