// What the options of a TFLite operator say, and products of its dimensions: shared by
// the files that count operators.
//
// Errors: graph::GraphError naming the op where a product exceeds 64 bits or an
// attribute cannot be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "edgejoule/core/op_kinds.h"
#include "graph/exact.h"
#include "graph/ops.h"
#include "import/tflite_file.h"

namespace edgejoule::import {

inline constexpr std::size_t kNoOperand = ~std::size_t{0};

// A dimension; infer_shapes and the reader of the file let no negative one pass.
[[nodiscard]] inline std::uint64_t extent_of(std::int64_t dimension) {
  return static_cast<std::uint64_t>(dimension);
}

// A dimension of zero makes an empty tensor, whatever the others multiply to.
template <class Iterator>
[[nodiscard]] std::uint64_t elements_of(Iterator first, Iterator last, const std::string& name) {
  const graph::Exact exact(name);
  if (std::find(first, last, 0) != last) return 0;
  std::uint64_t out = 1;
  for (; first != last; ++first) out = exact.mul(out, extent_of(*first));
  return out;
}
[[nodiscard]] inline std::uint64_t elements_of(const Dims& dims, const std::string& name) {
  return elements_of(dims.begin(), dims.end(), name);
}

// kUnknown: none.
[[nodiscard]] OpKind fused_activation(const tflite_wire::Operator& op);

// Refuses what is not positive.
[[nodiscard]] std::uint64_t attribute(const graph::OpContext& context, const char* what, std::int32_t value);

[[nodiscard]] bool is_float(DataType type);
[[nodiscard]] bool is_narrow_integer(DataType type);  // as weights are stored: 4 and 8 bits

}  // namespace edgejoule::import
