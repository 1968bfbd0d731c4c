// Numbers as JSON text, for answers too small for a schema (strings: text/escape.h).
#pragma once

#include <string>

namespace edgejoule::predict {

// The shortest text that reads back the same; null for what JSON cannot hold.
[[nodiscard]] std::string json_number(float value);

}  // namespace edgejoule::predict
