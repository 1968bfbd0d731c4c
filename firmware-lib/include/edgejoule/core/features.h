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
// Features describe one execution; an op with `repeats` costs that many times its row.
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
  std::uint64_t last_level_bytes = 0;    // 0: unknown, then all traffic counts as DRAM traffic
  std::uint64_t model_weight_bytes = 0;  // unique weights of the whole model (of the op alone: its own)
};

// Everything exact that features are cast from; made once per op.
// Lifetime: views the facts it was measured from.
struct OpQuantities {
  OpClass op_class = OpClass::kUnknown;
  WorkCounts work;  // of one execution
  MatrixView matrix;
  std::uint64_t kernel_volume = 1;
  std::uint64_t stride_volume = 1;
  std::uint64_t dilation_area = 1;
  std::uint64_t out_positions = 1;     // batch * out_d * out_h * out_w
  std::uint64_t activation_bytes = 0;  // input + output
  std::uint64_t constant_bytes = 0;    // weights + scales, per use
  const Facts* facts = nullptr;
};

// Errors: kOverflow, kBadRange (see count_work). A temporary would dangle.
[[nodiscard]] Result<OpQuantities> measure_op(OpClass op_class, const Facts& facts) noexcept;
Result<OpQuantities> measure_op(OpClass op_class, const Facts&& facts) = delete;

// One feature; run-time features (time, counter_energy, utilisation_time) are 0 here.
//   activation_bytes           input + output
//   tensor_bytes               input + output + weights + scales; so is working_set_bytes
//   patch_bytes                the im2col matrix of a convolution; 0 where there is nothing to
//                              rearrange (pointwise at stride 1) and for every other class
//   tiled_macs, tiled_outputs  b*m*n*k and b*m*n of the matrix view, rounded up to the tile
//   out_positions              batch * out_d * out_h * out_w
//   output_pixels_per_channel  out_d * out_h * out_w
//   kernel_area, stride_area, dilation_area  products over the dimensions
//   shrunk_tiled_macs          as tiled_macs, with the tile in m no larger than the smallest
//                              power of two that holds m: libraries have kernels for few rows
//   rows, padded_elements      rows of the output (rows_m of the facts, of each product) and
//                              its elements with each row rounded up to tile.n
//   channels_per_group, out_channels_per_group, channel_ratio (in/out), channel_product,
//   least_channels, most_channels  of one group: libraries choose kernels by them
//   in_pixels_per_channel      in_d * in_h * in_w
//   transform_*                work of a convolution by transform (FFT, Winograd) on tiles of tile.m x tile.m: points
//                              of the inputs, of the outputs, of the products (none where the kernel takes more
//                              than half of a tile), of the transformed weights
//   arithmetic_intensity       MACs per tensor byte; 0 where no bytes are known
// Never NaN, infinite or negative.
[[nodiscard]] float feature_value(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept;

// How a feature changes with the batch: constant + ratio * proportional, where
// ratio = batch now / batch of the facts. Not exact for whole tiles, ratios of
// features, cache residency and bytes of unknown origin; these count as proportional.
struct BatchParts {
  float constant = 0.0F;
  float proportional = 0.0F;
  bool exact = true;
};
[[nodiscard]] BatchParts split_by_batch(Feature feature, const OpQuantities& op, Tile tile,
                                        const CacheState& cache) noexcept;

[[nodiscard]] constexpr bool is_runtime(Feature feature) noexcept {
  return static_cast<std::uint16_t>(feature) >= static_cast<std::uint16_t>(Feature::kTime);
}
// Whether the feature's value depends on the batch of the facts.
[[nodiscard]] bool changes_with_batch(Feature feature) noexcept;
// False for a number this build does not know.
[[nodiscard]] bool is_known(Feature feature) noexcept;

}  // namespace edgejoule
