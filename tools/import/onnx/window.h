// The window that a convolution or a pool slides over its input, as the attributes of
// an ONNX node state it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "import/dims.h"
#include "import/onnx/file.h"

namespace edgejoule::import {

// Shape: one entry per spatial dimension; pads twice as many, beginnings first.
struct OnnxWindow {
  std::vector<std::int64_t> kernel, strides, dilations, pads;
  std::string_view auto_pad;
  bool ceil_mode = false;
};

// Nothing where an attribute has the wrong length or a value that cannot be.
[[nodiscard]] std::optional<OnnxWindow> window_of(const OnnxNode& node, std::size_t spatial_rank,
                                                  std::vector<std::int64_t> kernel);

// Extent of the result along spatial dimension `i`; nothing where the window does not fit.
[[nodiscard]] std::optional<std::int64_t> window_extent(const OnnxWindow& window, std::size_t i, std::int64_t input);

}  // namespace edgejoule::import
