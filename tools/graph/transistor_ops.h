// Transistor operations (TO): how many transistors the arithmetic of an op would
// switch if each scalar operation ran once through a textbook circuit.
//
// Units: transistors per scalar operation.
// Source: "Transistor Operations" (IEEE TAI 2024, arXiv 2205.15062) names the idea;
// its tables are not public, so the circuits are those of digital-logic textbooks
// (Weste and Harris, CMOS VLSI Design): mirror full adder 28, half adder 14, AND 6.
// Check: the ratios of Horowitz (ISSCC 2014, 45 nm) for int32 and fp32 addition and
// multiplication are met within a factor of two (tests/unit/graph).
#pragma once

#include <cstdint>

#include "edgejoule/core/op_kinds.h"
#include "graph/op_work.h"

namespace edgejoule::graph {

// Ripple-carry adder: n-1 full adders and a half adder.
[[nodiscard]] constexpr std::uint64_t adder_transistors(std::uint32_t bits) {
  return 28ULL * (bits - 1) + 14;
}

// Array multiplier: n^2 AND gates, n(n-2) full adders, n half adders (n >= 2).
[[nodiscard]] constexpr std::uint64_t multiplier_transistors(std::uint32_t bits) {
  const std::uint64_t n = bits;
  return 6 * n * n + 28 * n * (n - 2) + 14 * n;
}

struct TransistorCost {
  std::uint64_t add = 0;
  std::uint64_t multiply = 0;
  std::uint64_t compare = 0;
  std::uint64_t divide = 0;
  std::uint64_t square_root = 0;
  std::uint64_t exponential = 0;
  std::uint64_t multiply_accumulate = 0;  // with the accumulator this type has
};

// All zero for types without arithmetic (string, unknown).
[[nodiscard]] TransistorCost transistor_cost(DataType type);

// One element's work; ReLU = one comparison, softmax = its row of work_of, and so on.
[[nodiscard]] std::uint64_t transistor_ops(const ScalarWork& work, const TransistorCost& cost);

}  // namespace edgejoule::graph
