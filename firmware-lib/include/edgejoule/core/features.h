// Features: the float columns a row of a table multiplies, derived from facts by
// one plain function that the fit and the predictor share, so they cannot drift.
//
// Units: bytes, elements, operations as named in Feature; time in seconds; counter
// energy in joules. Counts are computed exactly in uint64 and cast once.
// Source of dram_bytes: ARCHITECTURE.md, "Traffic is DRAM traffic": a tensor that
// fits the last-level cache is not paid for again. Weights are paid on every use
// when the weights of the whole model do not fit, activations when the op's own
// inputs and outputs do not.
// Source of tiled_macs: libraries compute whole tiles, ceil(m/tm)*tm and so on.
#pragma once

#include <cstdint>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/result.h"

namespace edgejoule {

// Hardware tile of a tiled feature; 0 means "not tiled in this dimension".
struct Tile {
  std::uint16_t m = 0;
  std::uint16_t n = 0;
  std::uint16_t k = 0;
};

// What decides residency in the last-level cache.
struct CacheState {
  std::uint64_t last_level_bytes = 0;     // 0: unknown, then all traffic counts as DRAM traffic
  std::uint64_t model_weight_bytes = 0;   // unique weights of the whole model (of the op alone: its own)
};

// Everything exact that features are cast from; made once per op.
struct OpQuantities {
  OpClass op_class = OpClass::kUnknown;
  WorkCounts work;
  MatrixView matrix;
  Facts facts;
};

[[nodiscard]] Result<OpQuantities> measure_op(OpClass op_class, const Facts& facts) noexcept;

// One feature; run-time features (time, counter_energy, utilisation_time) are 0 here.
[[nodiscard]] float feature_value(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept;

}  // namespace edgejoule
