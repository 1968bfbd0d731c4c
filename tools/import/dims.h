// Dimensions of tensors as model files state them, and exact products of them.
//
// Errors: graph::GraphError naming the op where a product exceeds 64 bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edgejoule/core/op_kinds.h"
#include "graph/exact.h"

namespace edgejoule::import {

using Dims = std::vector<std::int64_t>;

inline constexpr std::size_t kNoOperand = ~std::size_t{0};
// Constant integers up to here say how an op works (axes, a shape); more of them are its data.
inline constexpr std::uint64_t kMaxParameterElements = 64;

// A dimension; the readers of files and the inference of shapes let no negative one pass.
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

// numpy broadcasting; nothing where the two do not fit.
[[nodiscard]] std::optional<Dims> broadcast(const Dims& a, const Dims& b);

// Of a negative axis too; nothing where it is out of range.
[[nodiscard]] std::optional<std::size_t> axis_of(std::int64_t axis, std::size_t rank);

}  // namespace edgejoule::import
