#include "edgejoule/core/features.h"

#include "work.h"

namespace edgejoule {
namespace {

float rounded_up(std::uint64_t size, std::uint16_t tile) noexcept {
  if (tile <= 1) {
    return static_cast<float>(size);
  }
  const std::uint64_t whole = size / tile + (size % tile != 0 ? 1U : 0U);
  return static_cast<float>(whole) * static_cast<float>(tile);
}

// A product in float: rounding up to tiles may leave 64 bits, but not float32,
// because the exact product fits 64 bits and each tile is below 2^16.
float tiled(const MatrixView& view, Tile tile, bool with_depth) noexcept {
  if (view.batch == 0 || view.m == 0 || view.n == 0 || view.k == 0) {
    return 0.0F;
  }
  const float outputs = static_cast<float>(view.batch) * rounded_up(view.m, tile.m) * rounded_up(view.n, tile.n);
  return with_depth ? outputs * rounded_up(view.k, tile.k) : outputs;
}

// The bytes of the matrix that im2col writes: every input position a kernel reads.
float patch_bytes(const OpQuantities& op) noexcept {
  const std::uint64_t elements = (*op.facts)[Fact::kInputElements];
  if (op.op_class != OpClass::kConvolution || elements == 0 || op.matrix.n == 0 ||
      (op.kernel_volume == 1 && op.stride_volume == 1)) {
    return 0.0F;
  }
  constexpr float kWidestElement = 16.0F;  // bytes; keeps contradictory facts finite
  float bytes_each = static_cast<float>((*op.facts)[Fact::kInputBytes]) / static_cast<float>(elements);
  bytes_each = bytes_each < kWidestElement ? bytes_each : kWidestElement;
  return static_cast<float>(op.matrix.batch) * static_cast<float>(op.matrix.m) * static_cast<float>(op.matrix.k) *
         bytes_each;
}

bool weights_leave_cache(const CacheState& cache) noexcept {
  return cache.last_level_bytes == 0 || cache.model_weight_bytes > cache.last_level_bytes;
}

bool activations_leave_cache(const OpQuantities& op, const CacheState& cache) noexcept {
  return cache.last_level_bytes == 0 || op.activation_bytes > cache.last_level_bytes;
}

enum class BatchRule : std::uint8_t { kConstant, kProportional, kTensorBytes, kDramBytes, kProduct, kInexact };

BatchRule rule_of(Feature feature) noexcept {
  switch (feature) {
    case Feature::kOne:
    case Feature::kWeightBytes:
    case Feature::kUniqueWeightBytes:
    case Feature::kScaleBytes:
    case Feature::kParameters:
    case Feature::kSequence:
    case Feature::kGemmN:
    case Feature::kGemmK:
    case Feature::kKernelArea:
    case Feature::kStrideArea:
    case Feature::kDilationArea:
    case Feature::kGroups:
    case Feature::kChannelsPerGroup:
    case Feature::kOutChannels:
    case Feature::kContext:
    case Feature::kOutputPixelsPerChannel: return BatchRule::kConstant;
    case Feature::kMacs:
    case Feature::kAluOps:
    case Feature::kSpecialOps:
    case Feature::kTransistorOps:
    case Feature::kInputBytes:
    case Feature::kOutputBytes:
    case Feature::kActivationBytes:
    case Feature::kInputElements:
    case Feature::kOutputElements:
    case Feature::kPatchBytes:
    case Feature::kBatch:
    case Feature::kTokens:
    case Feature::kSoftmaxBytes:
    case Feature::kOwnMacs:
    case Feature::kOutPositions: return BatchRule::kProportional;
    case Feature::kTensorBytes:
    case Feature::kWorkingSetBytes: return BatchRule::kTensorBytes;
    case Feature::kDramBytes: return BatchRule::kDramBytes;
    case Feature::kGemmBatch:
    case Feature::kGemmM: return BatchRule::kProduct;
    case Feature::kTiledMacs:
    case Feature::kTiledOutputs:
    case Feature::kOwnBytes:
    case Feature::kArithmeticIntensity:
    case Feature::kTime:
    case Feature::kCounterEnergy:
    case Feature::kUtilisationTime: return BatchRule::kInexact;
  }
  return BatchRule::kInexact;
}

}  // namespace

Result<OpQuantities> measure_op(OpClass op_class, const Facts& facts) noexcept {
  if (!groups_divide_channels(op_class, facts)) {
    return Error::kBadRange;
  }
  Checked exact;
  OpQuantities op;
  op.op_class = op_class;
  op.matrix = view_of(op_class, facts, exact);
  op.work = counts_of(op_class, facts, op.matrix, exact);
  op.facts = &facts;
  op.kernel_volume = exact.mul(facts[Fact::kKernelH], facts[Fact::kKernelW], facts[Fact::kKernelD]);
  op.stride_volume = exact.mul(facts[Fact::kStrideH], facts[Fact::kStrideW], facts[Fact::kStrideD]);
  op.dilation_area = exact.mul(facts[Fact::kDilationH], facts[Fact::kDilationW]);
  op.out_positions =
      exact.mul(facts[Fact::kBatch], exact.mul(facts[Fact::kOutH], facts[Fact::kOutW], facts[Fact::kOutD]));
  op.activation_bytes = exact.add(facts[Fact::kInputBytes], facts[Fact::kOutputBytes]);
  op.constant_bytes = exact.add(facts[Fact::kWeightBytes], facts[Fact::kScaleBytes]);
  static_cast<void>(exact.add(op.activation_bytes, op.constant_bytes));  // tensor_bytes
  if (exact.overflowed()) {
    return Error::kOverflow;
  }
  return op;
}

float feature_value(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept {
  const Facts& facts = *op.facts;
  const auto cast = [](std::uint64_t value) { return static_cast<float>(value); };
  switch (feature) {
    case Feature::kOne: return 1.0F;
    case Feature::kMacs: return cast(op.work.macs);
    case Feature::kAluOps: return cast(op.work.alu_ops);
    case Feature::kSpecialOps: return cast(op.work.special_ops);
    case Feature::kTransistorOps: return cast(facts[Fact::kTransistorOps]);
    case Feature::kInputBytes: return cast(facts[Fact::kInputBytes]);
    case Feature::kOutputBytes: return cast(facts[Fact::kOutputBytes]);
    case Feature::kActivationBytes: return cast(op.activation_bytes);
    case Feature::kWeightBytes: return cast(facts[Fact::kWeightBytes]);
    case Feature::kUniqueWeightBytes: return cast(facts[Fact::kUniqueWeightBytes]);
    case Feature::kScaleBytes: return cast(facts[Fact::kScaleBytes]);
    case Feature::kTensorBytes:
    case Feature::kWorkingSetBytes: return cast(op.activation_bytes + op.constant_bytes);
    case Feature::kDramBytes:
      return cast((weights_leave_cache(cache) ? op.constant_bytes : 0U) +
                  (activations_leave_cache(op, cache) ? op.activation_bytes : 0U));
    case Feature::kInputElements: return cast(facts[Fact::kInputElements]);
    case Feature::kOutputElements: return cast(facts[Fact::kOutputElements]);
    case Feature::kParameters: return cast(facts[Fact::kParameters]);
    case Feature::kTiledMacs: return tiled(op.matrix, tile, true);
    case Feature::kTiledOutputs: return tiled(op.matrix, tile, false);
    case Feature::kPatchBytes: return patch_bytes(op);
    case Feature::kBatch: return cast(facts[Fact::kBatch]);
    case Feature::kTokens: return cast(facts[Fact::kTokens]);
    case Feature::kSequence: return cast(facts[Fact::kSequence]);
    case Feature::kSoftmaxBytes: return cast(facts[Fact::kSoftmaxBytes]);
    case Feature::kOwnBytes: return cast(facts[Fact::kOwnBytes]);
    case Feature::kOwnMacs: return cast(facts[Fact::kOwnMacs]);
    case Feature::kGemmBatch: return cast(op.matrix.batch);
    case Feature::kGemmM: return cast(op.matrix.m);
    case Feature::kGemmN: return cast(op.matrix.n);
    case Feature::kGemmK: return cast(op.matrix.k);
    case Feature::kKernelArea: return cast(op.kernel_volume);
    case Feature::kStrideArea: return cast(op.stride_volume);
    case Feature::kDilationArea: return cast(op.dilation_area);
    case Feature::kGroups: return cast(facts[Fact::kGroups]);
    case Feature::kChannelsPerGroup:
      return facts[Fact::kGroups] == 0 ? 0.0F : cast(facts[Fact::kInC] / facts[Fact::kGroups]);
    case Feature::kOutChannels: return cast(facts[Fact::kOutC]);
    case Feature::kOutPositions: return cast(op.out_positions);
    case Feature::kArithmeticIntensity: {
      const std::uint64_t bytes = op.activation_bytes + op.constant_bytes;
      return bytes == 0 ? 0.0F : cast(op.work.macs) / cast(bytes);
    }
    case Feature::kContext: return cast(facts[Fact::kContext]);
    case Feature::kOutputPixelsPerChannel:
      return facts[Fact::kBatch] == 0 ? 0.0F : cast(op.out_positions / facts[Fact::kBatch]);
    case Feature::kTime:
    case Feature::kCounterEnergy:
    case Feature::kUtilisationTime: return 0.0F;
  }
  return 0.0F;
}

BatchParts split_by_batch(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept {
  const float value = feature_value(feature, op, tile, cache);
  switch (rule_of(feature)) {
    case BatchRule::kConstant: return {value, 0.0F, true};
    case BatchRule::kProportional: return {0.0F, value, true};
    case BatchRule::kTensorBytes:
      return {static_cast<float>(op.constant_bytes), static_cast<float>(op.activation_bytes), true};
    // A larger batch may push activations out of the cache: exact only where the
    // cache's size, and with it residency, plays no part.
    case BatchRule::kDramBytes:
      return {weights_leave_cache(cache) ? static_cast<float>(op.constant_bytes) : 0.0F,
              activations_leave_cache(op, cache) ? static_cast<float>(op.activation_bytes) : 0.0F,
              cache.last_level_bytes == 0};
    // The batch multiplies the rows of a product that is not batched, and the number
    // of products of one that is.
    case BatchRule::kProduct: {
      const bool batched = op.op_class == OpClass::kMatrix || op.op_class == OpClass::kAttention;
      const bool scales = (feature == Feature::kGemmBatch) == batched;
      return {scales ? 0.0F : value, scales ? value : 0.0F, true};
    }
    case BatchRule::kInexact: break;
  }
  return {0.0F, value, false};
}

bool changes_with_batch(Feature feature) noexcept {
  return rule_of(feature) != BatchRule::kConstant;
}

bool is_known(Feature feature) noexcept {
  const auto number = static_cast<std::uint16_t>(feature);
  return number <= static_cast<std::uint16_t>(Feature::kOutputPixelsPerChannel) ||
         (is_runtime(feature) && number <= static_cast<std::uint16_t>(Feature::kUtilisationTime));
}

}  // namespace edgejoule
