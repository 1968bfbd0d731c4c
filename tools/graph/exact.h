// Products, sums and byte counts that refuse to wrap around.
//
// Errors: throws GraphError naming the op.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::graph {

class Exact {
 public:
  explicit Exact(std::string op_name) : op_name_(std::move(op_name)) {}

  template <class... Rest>
  [[nodiscard]] std::uint64_t mul(std::uint64_t a, std::uint64_t b, Rest... rest) const {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
      refuse();
    }
    if constexpr (sizeof...(rest) == 0) {
      return product;
    } else {
      return mul(product, rest...);
    }
  }

  template <class... Rest>
  [[nodiscard]] std::uint64_t add(std::uint64_t a, std::uint64_t b, Rest... rest) const {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
      refuse();
    }
    if constexpr (sizeof...(rest) == 0) {
      return sum;
    } else {
      return add(sum, rest...);
    }
  }

  // Rounded up to whole bytes; 0 for types without a size.
  [[nodiscard]] std::uint64_t bytes(std::uint64_t elements, DataType type) const;

 private:
  [[noreturn]] void refuse() const;
  std::string op_name_;
};

}  // namespace edgejoule::graph
