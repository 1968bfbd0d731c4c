#include "edgejoule/core/features.h"

#include <cstddef>

#include "work.h"

namespace edgejoule {
namespace {

float rounded_up(std::uint64_t size, std::uint16_t tile) noexcept {
  if (tile <= 1) {
    return to_float(size);
  }
  std::uint64_t whole = quotient(size, tile);
  whole += whole * tile != size ? 1U : 0U;
  return to_float(whole) * static_cast<float>(tile);
}

// A product in float: rounding up to tiles may leave 64 bits, but not float32,
// because the exact product fits 64 bits and each tile is below 2^16.
float tiled(const MatrixView& view, Tile tile, bool with_depth) noexcept {
  if (view.batch == 0 || view.m == 0 || view.n == 0 || view.k == 0) {
    return 0.0F;
  }
  const float outputs = to_float(view.batch) * rounded_up(view.m, tile.m) * rounded_up(view.n, tile.n);
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
  float bytes_each = to_float((*op.facts)[Fact::kInputBytes]) / to_float(elements);
  bytes_each = bytes_each < kWidestElement ? bytes_each : kWidestElement;
  return to_float(op.matrix.batch) * to_float(op.matrix.m) * to_float(op.matrix.k) * bytes_each;
}

std::uint16_t shrunk_to(std::uint64_t rows, std::uint16_t tile) noexcept {
  std::uint16_t shrunk = tile;
  while (shrunk > 1 && shrunk / 2U >= rows) {
    shrunk = static_cast<std::uint16_t>(shrunk / 2U);
  }
  return shrunk;
}

// A product of what is not negative; contradictory facts must not make it infinite.
EDGEJOULE_INLINE_ON_64_BIT float finite_product(float a, float b) noexcept {
  constexpr float kLargest = 1e30F;
  const float product = a * b;
  return product < kLargest ? product : kLargest;
}

float rounded_up(float value) noexcept {
  constexpr float kAllWhole = 8388608.0F;  // from 2^23 on
  if (!(value < kAllWhole)) {
    return value;
  }
  const auto whole = static_cast<float>(static_cast<std::int32_t>(value));
  return whole < value ? whole + 1.0F : whole;
}

std::uint64_t of_one_group(const Facts& facts, Fact channels) noexcept {
  return facts[Fact::kGroups] == 0 ? 0 : quotient(facts[channels], facts[Fact::kGroups]);
}

// Tiles of `tile` points along one axis: each yields tile - kernel + 1 outputs of
// stride 1 from the points that the outputs together see. None where the kernel takes more
// than half of the tile: nobody transforms then, and the count would explode.
float tiles_along(const Facts& facts, Fact out, Fact kernel, Fact stride, Fact dilation, std::uint16_t tile) noexcept {
  const std::uint64_t size = facts[kernel];
  const float seen = (to_float(facts[out]) - 1.0F) * to_float(facts[stride]) +
                     (to_float(size) - 1.0F) * to_float(facts[dilation]) + 1.0F;
  if (size > tile / 2U) {
    return 0.0F;
  }
  const auto step = static_cast<float>(tile - static_cast<std::uint16_t>(size) + 1);
  return rounded_up(finite_product(seen > 0.0F ? seen : 0.0F, 1.0F) / step);
}

// Points of one channel, transformed tile by tile.
float transform_points(const OpQuantities& op, Tile tile) noexcept {
  const Facts& facts = *op.facts;
  if (op.op_class != OpClass::kConvolution || tile.m == 0) {
    return 0.0F;
  }
  const auto side = static_cast<float>(tile.m);
  const float tiles = tiles_along(facts, Fact::kOutH, Fact::kKernelH, Fact::kStrideH, Fact::kDilationH, tile.m) *
                      tiles_along(facts, Fact::kOutW, Fact::kKernelW, Fact::kStrideW, Fact::kDilationW, tile.m);
  return finite_product(finite_product(tiles, to_float(facts[Fact::kBatch])), side * side);
}

float padded_elements(const Facts& facts, Tile tile) noexcept {
  const std::uint64_t rows = facts[Fact::kRowsM];
  return rows == 0 ? 0.0F : to_float(rows) * rounded_up(quotient(facts[Fact::kOutputElements], rows), tile.n);
}

bool weights_leave_cache(const CacheState& cache) noexcept {
  return cache.last_level_bytes == 0 || cache.model_weight_bytes > cache.last_level_bytes;
}

bool activations_leave_cache(const OpQuantities& op, const CacheState& cache) noexcept {
  return cache.last_level_bytes == 0 || op.activation_bytes > cache.last_level_bytes;
}

enum class BatchRule : std::uint8_t { kConstant, kProportional, kTensorBytes, kDramBytes, kProduct, kInexact };

// Where a feature's value comes from: a fact, a count of OpQuantities, or a formula.
constexpr std::uint8_t kComputed = 255;
constexpr std::uint8_t kCount = 128;  // and the 64-bit word of OpQuantities
constexpr std::uint8_t from(Fact fact) noexcept {
  return static_cast<std::uint8_t>(fact);
}
static_assert(kFactCount <= kCount);
#define EDGEJOULE_COUNT(field) static_cast<std::uint8_t>(kCount + offsetof(OpQuantities, field) / sizeof(std::uint64_t))

// One row per feature, in the order of its number: what it is, and how it follows the
// batch.
struct FeatureRow {
  std::uint8_t source;
  BatchRule rule;
};
constexpr FeatureRow kFeatures[] = {
    {kComputed, BatchRule::kConstant},                              // one
    {EDGEJOULE_COUNT(work.macs), BatchRule::kProportional},         // macs
    {EDGEJOULE_COUNT(work.alu_ops), BatchRule::kProportional},      // alu_ops
    {EDGEJOULE_COUNT(work.special_ops), BatchRule::kProportional},  // special_ops
    {from(Fact::kTransistorOps), BatchRule::kProportional},         // transistor_ops
    {from(Fact::kInputBytes), BatchRule::kProportional},            // input_bytes
    {from(Fact::kOutputBytes), BatchRule::kProportional},           // output_bytes
    {EDGEJOULE_COUNT(activation_bytes), BatchRule::kProportional},  // activation_bytes
    {from(Fact::kWeightBytes), BatchRule::kConstant},               // weight_bytes
    {from(Fact::kUniqueWeightBytes), BatchRule::kConstant},         // unique_weight_bytes
    {from(Fact::kScaleBytes), BatchRule::kConstant},                // scale_bytes
    {kComputed, BatchRule::kTensorBytes},                           // tensor_bytes
    {kComputed, BatchRule::kDramBytes},                             // dram_bytes
    {from(Fact::kInputElements), BatchRule::kProportional},         // input_elements
    {from(Fact::kOutputElements), BatchRule::kProportional},        // output_elements
    {from(Fact::kParameters), BatchRule::kConstant},                // parameters
    {kComputed, BatchRule::kInexact},                               // tiled_macs
    {kComputed, BatchRule::kInexact},                               // tiled_outputs
    {kComputed, BatchRule::kProportional},                          // patch_bytes
    {from(Fact::kBatch), BatchRule::kProportional},                 // batch
    {from(Fact::kTokens), BatchRule::kProportional},                // tokens
    {from(Fact::kSequence), BatchRule::kConstant},                  // sequence
    {from(Fact::kSoftmaxBytes), BatchRule::kProportional},          // softmax_bytes
    {from(Fact::kOwnBytes), BatchRule::kInexact},                   // own_bytes: weights or not?
    {from(Fact::kOwnMacs), BatchRule::kProportional},               // own_macs
    {EDGEJOULE_COUNT(matrix.batch), BatchRule::kProduct},           // gemm_batch
    {EDGEJOULE_COUNT(matrix.m), BatchRule::kProduct},               // gemm_m
    {EDGEJOULE_COUNT(matrix.n), BatchRule::kConstant},              // gemm_n
    {EDGEJOULE_COUNT(matrix.k), BatchRule::kConstant},              // gemm_k
    {EDGEJOULE_COUNT(kernel_volume), BatchRule::kConstant},         // kernel_area
    {EDGEJOULE_COUNT(stride_volume), BatchRule::kConstant},         // stride_area
    {EDGEJOULE_COUNT(dilation_area), BatchRule::kConstant},         // dilation_area
    {from(Fact::kGroups), BatchRule::kConstant},                    // groups
    {kComputed, BatchRule::kConstant},                              // channels_per_group
    {from(Fact::kOutC), BatchRule::kConstant},                      // out_channels
    {EDGEJOULE_COUNT(out_positions), BatchRule::kProportional},     // out_positions
    {kComputed, BatchRule::kInexact},                               // arithmetic_intensity
    {kComputed, BatchRule::kTensorBytes},                           // working_set_bytes
    {from(Fact::kContext), BatchRule::kConstant},                   // context
    {kComputed, BatchRule::kConstant},                              // output_pixels_per_channel
    {kComputed, BatchRule::kInexact},                               // shrunk_tiled_macs
    {kComputed, BatchRule::kInexact},                               // padded_elements
    {kComputed, BatchRule::kConstant},                              // out_channels_per_group
    {kComputed, BatchRule::kConstant},                              // in_pixels_per_channel
    {kComputed, BatchRule::kConstant},                              // channel_ratio
    {kComputed, BatchRule::kConstant},                              // channel_product
    {kComputed, BatchRule::kConstant},                              // least_channels
    {kComputed, BatchRule::kConstant},                              // most_channels
    {kComputed, BatchRule::kProportional},                          // transform_inputs
    {kComputed, BatchRule::kProportional},                          // transform_outputs
    {kComputed, BatchRule::kProportional},                          // transform_products
    {kComputed, BatchRule::kConstant},                              // transform_weights
    {kComputed, BatchRule::kInexact},                               // rows
    {from(Fact::kAttentionBytes), BatchRule::kProportional},        // attention_bytes
    {from(Fact::kChildKinds), BatchRule::kConstant},                // child_kinds
    {from(Fact::kChildClasses), BatchRule::kConstant},              // child_classes
    {from(Fact::kModuleShape), BatchRule::kConstant},               // module_shape
};
constexpr std::size_t kFeatureCount = sizeof kFeatures / sizeof kFeatures[0];
static_assert(kFeatureCount == static_cast<std::size_t>(Feature::kModuleShape) + 1);
#undef EDGEJOULE_COUNT

BatchRule rule_of(Feature feature) noexcept {
  const auto number = static_cast<std::size_t>(feature);
  return number < kFeatureCount ? kFeatures[number].rule : BatchRule::kInexact;
}

}  // namespace

float feature_value(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept {
  const Facts& facts = *op.facts;
  const auto number = static_cast<std::size_t>(feature);
  if (number >= kFeatureCount) {
    return 0.0F;  // known only while running
  }
  const std::uint8_t source = kFeatures[number].source;
  if (source < kCount) {
    return to_float(facts[static_cast<Fact>(source)]);
  }
  if (source != kComputed) {
    return to_float(count_at(op, source - kCount));
  }
  const auto in = [&facts] { return to_float(of_one_group(facts, Fact::kInC)); };
  const auto out = [&facts] { return to_float(of_one_group(facts, Fact::kOutC)); };
  const auto times_fact = [&facts](float value, Fact fact) { return finite_product(value, to_float(facts[fact])); };
  switch (feature) {
    case Feature::kOne: return 1.0F;
    case Feature::kShrunkTiledMacs: return tiled(op.matrix, {shrunk_to(op.matrix.m, tile.m), tile.n, tile.k}, true);
    case Feature::kTiledMacs: return tiled(op.matrix, tile, true);
    case Feature::kTiledOutputs: return tiled(op.matrix, tile, false);
    case Feature::kPaddedElements: return padded_elements(facts, tile);
    case Feature::kChannelRatio: return out() == 0.0F ? 0.0F : in() / out();
    case Feature::kChannelProduct: return finite_product(in(), out());
    case Feature::kChannelsPerGroup: return in();
    case Feature::kOutChannelsPerGroup: return out();
    case Feature::kLeastChannels: return in() < out() ? in() : out();
    case Feature::kMostChannels: return in() < out() ? out() : in();
    case Feature::kInPixelsPerChannel:
      return times_fact(times_fact(to_float(facts[Fact::kInH]), Fact::kInW), Fact::kInD);
    case Feature::kOutputPixelsPerChannel:
      return facts[Fact::kBatch] == 0 ? 0.0F : to_float(quotient(op.out_positions, facts[Fact::kBatch]));
    case Feature::kTransformInputs: return times_fact(transform_points(op, tile), Fact::kInC);
    case Feature::kTransformOutputs: return times_fact(transform_points(op, tile), Fact::kOutC);
    case Feature::kTransformProducts: return finite_product(times_fact(transform_points(op, tile), Fact::kInC), out());
    case Feature::kTransformWeights: {
      const auto side = static_cast<float>(op.op_class == OpClass::kConvolution ? tile.m : 0);
      return finite_product(times_fact(out(), Fact::kInC), side * side);
    }
    // Of a product each of the batch has its own; other ops state them all.
    case Feature::kRows: return times_fact(to_float(op.matrix.m != 0 ? op.matrix.batch : 1U), Fact::kRowsM);
    case Feature::kPatchBytes: return patch_bytes(op);
    case Feature::kArithmeticIntensity: {
      const std::uint64_t bytes = op.activation_bytes + op.constant_bytes;
      return bytes == 0 ? 0.0F : to_float(op.work.macs) / to_float(bytes);
    }
    case Feature::kTensorBytes:
    case Feature::kWorkingSetBytes: return to_float(op.activation_bytes + op.constant_bytes);
    case Feature::kDramBytes:
      return to_float((weights_leave_cache(cache) ? op.constant_bytes : 0U) +
                      (activations_leave_cache(op, cache) ? op.activation_bytes : 0U));
    default: return 0.0F;  // one with a source of its own
  }
}

BatchParts split_by_batch(Feature feature, const OpQuantities& op, Tile tile, const CacheState& cache) noexcept {
  const float value = feature_value(feature, op, tile, cache);
  switch (rule_of(feature)) {
    case BatchRule::kConstant: return {value, 0.0F, true};
    case BatchRule::kProportional: return {0.0F, value, true};
    case BatchRule::kTensorBytes: return {to_float(op.constant_bytes), to_float(op.activation_bytes), true};
    // A larger batch may push activations out of the cache: exact only where the
    // cache's size, and with it residency, plays no part.
    case BatchRule::kDramBytes:
      return {weights_leave_cache(cache) ? to_float(op.constant_bytes) : 0.0F,
              activations_leave_cache(op, cache) ? to_float(op.activation_bytes) : 0.0F, cache.last_level_bytes == 0};
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
  return number < kFeatureCount ||
         (is_runtime(feature) && number <= static_cast<std::uint16_t>(Feature::kUtilisationTime));
}

}  // namespace edgejoule
