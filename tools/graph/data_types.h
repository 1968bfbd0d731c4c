// What data types have in common.
#pragma once

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::graph {

[[nodiscard]] constexpr bool is_float(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBfloat16 || type == DataType::kFloat32 ||
         type == DataType::kFloat64;
}

// As weights are stored: 4 and 8 bits.
[[nodiscard]] constexpr bool is_narrow_integer(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8 || type == DataType::kInt4 || type == DataType::kUint4;
}

}  // namespace edgejoule::graph
