// What one element costs in each kind of op besides its multiply-accumulates: the
// one table behind the facts alu_per_*, special_per_* and transistor_ops.
//
// Units: scalar operations per element of the input, per element of the output and
// per row (softmax and normalisation: one reduction; elsewhere zero).
// Source: METHODS "Transistor Operations" for softmax, sigmoid, tanh, GELU and ReLU;
// the textbook definition of each function for the rest, stated beside its row.
#pragma once

#include <cstdint>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::graph {

struct ScalarWork {
  std::uint32_t add = 0;  // and subtract, floor, round, sign, bitwise, convert
  std::uint32_t multiply = 0;
  std::uint32_t compare = 0;  // and minimum, maximum, select
  std::uint32_t divide = 0;
  std::uint32_t square_root = 0;  // and its reciprocal
  std::uint32_t exponential = 0;  // and logarithm, sine, cosine: a range reduction and a polynomial

  // What the features alu_ops and special_ops count.
  [[nodiscard]] constexpr std::uint32_t alu() const { return add + multiply + compare; }
  [[nodiscard]] constexpr std::uint32_t special() const { return divide + square_root + exponential; }

  friend constexpr ScalarWork operator+(ScalarWork a, ScalarWork b) {
    return {a.add + b.add,       a.multiply + b.multiply,       a.compare + b.compare,
            a.divide + b.divide, a.square_root + b.square_root, a.exponential + b.exponential};
  }
};

struct OpWork {
  ScalarWork per_input;
  ScalarWork per_output;
  ScalarWork per_row;
};

// Kinds whose work depends on a parameter (pooling windows, add_n, normalisation
// windows) are completed in ops.cpp; kinds without element work answer zero.
[[nodiscard]] OpWork work_of(OpKind kind);

}  // namespace edgejoule::graph
