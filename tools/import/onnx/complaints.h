// How complaints about an ONNX file name its parts, and what they advise.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "import/onnx/file.h"

namespace edgejoule::import {

inline constexpr const char* kDamaged = "the file is damaged or was edited by hand: export it again";

// Names come from the file, of any length.
[[nodiscard]] inline std::string short_name(std::string_view name) {
  return std::string(name.substr(0, 80));
}

[[nodiscard]] inline std::string describe(const OnnxNode& node) {
  return fmt::format("node '{}' ({})", short_name(node.name), short_name(node.op_type));
}

}  // namespace edgejoule::import
