// The shape of every tensor of a subgraph: as stated, else inferred from the operator
// that makes it.
//
// Integers that only serve to compute shapes (SHAPE, STRIDED_SLICE, PACK and so on of
// small tensors) are followed through; no other tensor data is read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "import/tflite/file.h"

namespace edgejoule::import {

using Ints = std::vector<std::int64_t>;

struct TfliteShapes {
  std::vector<std::optional<Dims>> dims;  // per tensor; nothing where nobody can tell
  std::vector<std::optional<Ints>> ints;  // values of small integer tensors, where known
};

// `arguments`: dims of the subgraph's inputs as its caller knows them; empty where
// there is no caller.
[[nodiscard]] TfliteShapes infer_shapes(const TfliteSubgraph& graph, std::span<const std::optional<Dims>> arguments);

// Spatial extent of a convolution's or a pool's result; nothing where it cannot fit.
[[nodiscard]] std::optional<std::int64_t> window_output(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                                        std::int64_t dilation, tflite_wire::Padding padding);

}  // namespace edgejoule::import
