// What each TFLite operator code means to us: one row per code.
//
// Growth: a new code is one row in ops.cpp. Lifetime: rows are static.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::import {

// How the result's shape follows from the operands, and where the operands stand.
enum class TfliteRule : std::uint8_t {
  kStated,     // only what the file states
  kSame,       // like input 0
  kBroadcast,  // numpy broadcasting of all inputs
  kConv2d,
  kDepthwiseConv2d,
  kTransposeConv2d,
  kTransposeConvBias,
  kConv3d,
  kTransposeConv3d,
  kPool2d,
  kFullyConnected,
  kBatchMatmul,
  kStablehloConvolution,
  kStablehloDot,
  kLstm,
  kSequenceLstm,
  kBidirectionalLstm,
  kRnn,
  kSequenceRnn,
  kBidirectionalRnn,
  kSvdf,
  kReshape,
  kSqueeze,
  kExpandDims,
  kConcatenation,
  kPack,
  kUnpack,
  kSplit,
  kSplitV,
  kSlice,
  kStridedSlice,
  kTranspose,
  kPad,
  kReduce,
  kArg,
  kTopK,
  kResize,
  kSpaceToDepth,
  kDepthToSpace,
  kSpaceToBatch,
  kBatchToSpace,
  kGather,
  kGatherNd,
  kEmbedding,
  kOneHot,
  kTile,
  kShapeFromInput,
  kFill,
  kShape,
  kRank,
  kRange,
  kMatrixDiag,
  kControl
};

struct TfliteOp {
  std::string_view name;
  OpKind kind = OpKind::kUnknown;
  TfliteRule rule = TfliteRule::kStated;
  OpClass op_class = OpClass::kUnknown;  // kUnknown: class_of(kind)
};

inline constexpr std::int32_t kTfliteCustom = 32;

// Rows 0 to 209, in the order of the codes.
[[nodiscard]] std::span<const TfliteOp> tflite_ops() noexcept;

// The row of a builtin or custom operator; a row named "" of an unknown kind where
// nobody knows it.
[[nodiscard]] const TfliteOp& tflite_op(std::int32_t code, std::string_view custom_code) noexcept;

}  // namespace edgejoule::import
