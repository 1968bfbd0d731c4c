// What each ONNX operator means to us: one row per operator.
//
// Growth: a new operator is one row in ops.cpp. Lifetime: rows are static.
// Source: ONNX operators (opset 1 to 23) and ONNX Runtime's contributed operators.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::import {

// How the results' shapes follow from the operands.
enum class OnnxRule : std::uint8_t {
  kStated,  // what the file states, else what libonnx infers
  kSame,    // the first result is like the first operand
  kBroadcast,
  kCompare,  // kBroadcast with a boolean result
  kWhere,
  kCast,
  kConv,
  kConvTranspose,
  kPool,
  kGlobalPool,
  kGemm,
  kMatmul,
  kMatmulNBits,
  kQlinearElementwise,
  kQlinearPool,
  kQlinearConcat,
  kPackedAttention,  // com.microsoft Attention, QAttention: projection and attention
  kMultiHeadAttention,
  kGroupQueryAttention,
  kStandardAttention,  // ai.onnx Attention (opset 23)
  kRecurrent,
  kNormalisation,
  kSkipNormalisation,
  kEmbedNormalisation,
  kSoftmax,
  kReduce,
  kArg,
  kTopK,
  kReshape,
  kFlatten,
  kSqueeze,
  kUnsqueeze,
  kConcat,
  kSplit,
  kSlice,
  kTranspose,
  kPad,
  kResize,
  kDepthToSpace,
  kSpaceToDepth,
  kGather,
  kGatherElements,
  kGatherNd,
  kScatter,
  kOneHot,
  kTile,
  kExpand,
  kConstantOfShape,
  kConstant,
  kShape,
  kSize,
  kRange,
  kNonZero,
  kEyeLike,
  kRandom,
  kQuantize,
  kDequantize,
  kDynamicQuantize,
  kEinsum,
  kIf,
  kLoop,
  kScan
};

enum class OnnxDomain : std::uint8_t { kStandard, kMicrosoft };

// Where operands of a product stand; -1: it has none.
struct OnnxOperands {
  std::int8_t data = 0;
  std::int8_t weights = 1;
  std::int8_t bias = -1;
  std::int8_t weight_scale = -1;
  std::int8_t output_zero_point = -1;  // whose type the result has
};

struct OnnxOp {
  std::string_view name;
  OpKind kind = OpKind::kUnknown;
  OnnxRule rule = OnnxRule::kStated;
  OnnxOperands operands{};
  OpClass op_class = OpClass::kUnknown;  // kUnknown: class_of(kind)
  OnnxDomain domain = OnnxDomain::kStandard;
  OpKind fused = OpKind::kUnknown;  // activation that the name promises
};

[[nodiscard]] std::span<const OnnxOp> onnx_ops() noexcept;

// The row of an operator; a row named "" of an unknown kind where nobody knows it.
// Exporters put contributed operators into the standard domain, and optimisers
// standard ones into theirs: a name is looked up in its own domain first.
[[nodiscard]] const OnnxOp& onnx_op(std::string_view domain, std::string_view op_type) noexcept;

}  // namespace edgejoule::import
