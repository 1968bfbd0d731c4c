// Facts: exact integers about one op (dimensions, strides, tensor bytes), and the
// work counts that follow from them.
//
// Units: elements and bytes as named; MACs are multiply-accumulates (1 MAC = 2 FLOP,
// bias not counted, batch as given).
// Errors: kOverflow where a count exceeds 2^64 - 2, kBadRange where the facts
// contradict each other (groups that do not divide the channels).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/result.h"

namespace edgejoule {

// X(enumerator, wire name, number); meaning: schemas/kinds.fbs
// clang-format off
#define EDGEJOULE_FACTS(X) \
  X(kBatch, batch, 0) \
  X(kInH, in_h, 1) \
  X(kInW, in_w, 2) \
  X(kInC, in_c, 3) \
  X(kOutH, out_h, 4) \
  X(kOutW, out_w, 5) \
  X(kOutC, out_c, 6) \
  X(kKernelH, kernel_h, 7) \
  X(kKernelW, kernel_w, 8) \
  X(kStrideH, stride_h, 9) \
  X(kStrideW, stride_w, 10) \
  X(kDilationH, dilation_h, 11) \
  X(kDilationW, dilation_w, 12) \
  X(kGroups, groups, 13) \
  X(kInD, in_d, 14) \
  X(kOutD, out_d, 15) \
  X(kKernelD, kernel_d, 16) \
  X(kStrideD, stride_d, 17) \
  X(kRowsM, rows_m, 18) \
  X(kColsN, cols_n, 19) \
  X(kDepthK, depth_k, 20) \
  X(kRecurrentK, recurrent_k, 21) \
  X(kGates, gates, 22) \
  X(kSteps, steps, 23) \
  X(kDirections, directions, 24) \
  X(kProjection, projection, 25) \
  X(kHeads, heads, 26) \
  X(kKvHeads, kv_heads, 27) \
  X(kContext, context, 28) \
  X(kValueK, value_k, 29) \
  X(kInputElements, input_elements, 32) \
  X(kOutputElements, output_elements, 33) \
  X(kInputBytes, input_bytes, 34) \
  X(kOutputBytes, output_bytes, 35) \
  X(kWeightBytes, weight_bytes, 36) \
  X(kUniqueWeightBytes, unique_weight_bytes, 37) \
  X(kParameters, parameters, 38) \
  X(kScaleBytes, scale_bytes, 39) \
  X(kAluPerInput, alu_per_input, 40) \
  X(kAluPerOutput, alu_per_output, 41) \
  X(kSpecialPerInput, special_per_input, 42) \
  X(kSpecialPerOutput, special_per_output, 43) \
  X(kFusedActivation, fused_activation, 44) \
  X(kStatedMacs, stated_macs, 45) \
  X(kStatedAlu, stated_alu, 46) \
  X(kStatedSpecial, stated_special, 47) \
  X(kTransistorOps, transistor_ops, 48) \
  X(kTokens, tokens, 49) \
  X(kSequence, sequence, 50) \
  X(kOwnBytes, own_bytes, 51) \
  X(kOwnMacs, own_macs, 52) \
  X(kSoftmaxBytes, softmax_bytes, 53) \
  X(kRepeats, repeats, 54) \
  X(kAttentionBytes, attention_bytes, 55) \
  X(kChildKinds, child_kinds, 56) \
  X(kChildClasses, child_classes, 57) \
  X(kModuleShape, module_shape, 58)

// X(enumerator, wire name, number); meaning: features.h
#define EDGEJOULE_FEATURES(X) \
  X(kOne, one, 0) \
  X(kMacs, macs, 1) \
  X(kAluOps, alu_ops, 2) \
  X(kSpecialOps, special_ops, 3) \
  X(kTransistorOps, transistor_ops, 4) \
  X(kInputBytes, input_bytes, 5) \
  X(kOutputBytes, output_bytes, 6) \
  X(kActivationBytes, activation_bytes, 7) \
  X(kWeightBytes, weight_bytes, 8) \
  X(kUniqueWeightBytes, unique_weight_bytes, 9) \
  X(kScaleBytes, scale_bytes, 10) \
  X(kTensorBytes, tensor_bytes, 11) \
  X(kDramBytes, dram_bytes, 12) \
  X(kInputElements, input_elements, 13) \
  X(kOutputElements, output_elements, 14) \
  X(kParameters, parameters, 15) \
  X(kTiledMacs, tiled_macs, 16) \
  X(kTiledOutputs, tiled_outputs, 17) \
  X(kPatchBytes, patch_bytes, 18) \
  X(kBatch, batch, 19) \
  X(kTokens, tokens, 20) \
  X(kSequence, sequence, 21) \
  X(kSoftmaxBytes, softmax_bytes, 22) \
  X(kOwnBytes, own_bytes, 23) \
  X(kOwnMacs, own_macs, 24) \
  X(kGemmBatch, gemm_batch, 25) \
  X(kGemmM, gemm_m, 26) \
  X(kGemmN, gemm_n, 27) \
  X(kGemmK, gemm_k, 28) \
  X(kKernelArea, kernel_area, 29) \
  X(kStrideArea, stride_area, 30) \
  X(kDilationArea, dilation_area, 31) \
  X(kGroups, groups, 32) \
  X(kChannelsPerGroup, channels_per_group, 33) \
  X(kOutChannels, out_channels, 34) \
  X(kOutPositions, out_positions, 35) \
  X(kArithmeticIntensity, arithmetic_intensity, 36) \
  X(kWorkingSetBytes, working_set_bytes, 37) \
  X(kContext, context, 38) \
  X(kOutputPixelsPerChannel, output_pixels_per_channel, 39) \
  X(kShrunkTiledMacs, shrunk_tiled_macs, 40) \
  X(kPaddedElements, padded_elements, 41) \
  X(kOutChannelsPerGroup, out_channels_per_group, 42) \
  X(kInPixelsPerChannel, in_pixels_per_channel, 43) \
  X(kChannelRatio, channel_ratio, 44) \
  X(kChannelProduct, channel_product, 45) \
  X(kLeastChannels, least_channels, 46) \
  X(kMostChannels, most_channels, 47) \
  X(kTransformInputs, transform_inputs, 48) \
  X(kTransformOutputs, transform_outputs, 49) \
  X(kTransformProducts, transform_products, 50) \
  X(kTransformWeights, transform_weights, 51) \
  X(kRows, rows, 52) \
  X(kAttentionBytes, attention_bytes, 53) \
  X(kChildKinds, child_kinds, 54) \
  X(kChildClasses, child_classes, 55) \
  X(kModuleShape, module_shape, 56) \
  X(kTime, time, 64) \
  X(kCounterEnergy, counter_energy, 65) \
  X(kUtilisationTime, utilisation_time, 66)

// clang-format on

#define EDGEJOULE_ENUMERATOR(name, wire, number) name = number,
enum class Fact : std::uint16_t { EDGEJOULE_FACTS(EDGEJOULE_ENUMERATOR) };
enum class Feature : std::uint16_t { EDGEJOULE_FEATURES(EDGEJOULE_ENUMERATOR) };
#undef EDGEJOULE_ENUMERATOR

inline constexpr std::size_t kFactCount = 59;

[[nodiscard]] std::string_view name_of(Fact fact) noexcept;
[[nodiscard]] std::string_view name_of(Feature feature) noexcept;

// Facts that multiply count as 1 where nobody stated them; all others as 0.
[[nodiscard]] constexpr bool is_one_by_default(Fact fact) noexcept {
  const auto n = static_cast<std::uint16_t>(fact);
  return n <= static_cast<std::uint16_t>(Fact::kStrideD) || fact == Fact::kRowsM || fact == Fact::kColsN ||
         fact == Fact::kDepthK || fact == Fact::kGates || fact == Fact::kSteps || fact == Fact::kDirections ||
         fact == Fact::kHeads || fact == Fact::kKvHeads || fact == Fact::kRepeats;
}

// All facts of one op, dense; what was never set has its default.
class Facts {
 public:
  constexpr Facts() noexcept { reset(); }
  constexpr void reset() noexcept {
    for (std::size_t i = 0; i < kFactCount; ++i) {
      values_[i] = is_one_by_default(static_cast<Fact>(i)) ? 1U : 0U;
    }
  }
  constexpr Facts& set(Fact fact, std::uint64_t value) noexcept {
    values_[static_cast<std::size_t>(fact)] = value;
    return *this;
  }
  [[nodiscard]] constexpr std::uint64_t operator[](Fact fact) const noexcept {
    return values_[static_cast<std::size_t>(fact)];
  }

 private:
  std::uint64_t values_[kFactCount] = {};
};

// What one execution of an op does, exactly.
struct WorkCounts {
  std::uint64_t macs = 0;
  std::uint64_t alu_ops = 0;      // additions, comparisons, multiplications outside the MACs
  std::uint64_t special_ops = 0;  // exp, log, division, square root, tanh
};

// The formula is chosen by class, so that a kind newer than this build is counted
// right as long as its class is known. MACs, besides stated_macs, which every class
// adds:
//   convolution             batch * output positions * out_c * (in_c/groups) * kernel volume
//   transposed convolution  batch * input positions * in_c * (out_c/groups) * kernel volume
//   matrix                  batch * m * n * k
//   recurrent               batch * steps * directions * (gates*n*(k + recurrent_k) + n*projection)
//   attention               batch * heads * m * context * (k + value_k); value_k 0 means k
// `count_work` counts all `repeats` of an inference, `count_once` one execution.
[[nodiscard]] Result<WorkCounts> count_once(OpClass op_class, const Facts& facts) noexcept;
[[nodiscard]] Result<WorkCounts> count_work(OpClass op_class, const Facts& facts) noexcept;

// One execution of the op as `batch` matrix products of (m x k) by (k x n).
// Shape: convolution: batch = groups, m = batch*output positions, n = out_c/groups,
// k = (in_c/groups)*kernel volume. Transposed convolution: batch = groups,
// m = batch*input positions, n = (out_c/groups)*kernel volume, k = in_c/groups.
// Recurrent: batch = steps*directions, m = batch, n = gates*n, k = k + recurrent_k
// (without the projection). Attention: batch = batch*heads, m, n = context,
// k = k + value_k. Everything without MACs: all zero.
struct MatrixView {
  std::uint64_t batch = 0;
  std::uint64_t m = 0;
  std::uint64_t n = 0;
  std::uint64_t k = 0;
};
[[nodiscard]] Result<MatrixView> matrix_view(OpClass op_class, const Facts& facts) noexcept;

}  // namespace edgejoule
