// Pieces of JSON text, for answers too small for a schema.
#pragma once

#include <string>
#include <string_view>

namespace edgejoule::predict {

// Quoted and escaped; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

// The shortest text that reads back the same; null for what JSON cannot hold.
[[nodiscard]] std::string json_number(float value);

}  // namespace edgejoule::predict
