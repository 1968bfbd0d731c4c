// The vocabulary of ops, classes and data types: one row each.
//
// Source: schemas/kinds.fbs holds the same names and numbers for files; core's
// sources assert that both agree, so a new op is one line there and one row here.
// Lifetime: names are string literals.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgejoule {

// X(enumerator, wire name, number)
// clang-format off
#define EDGEJOULE_DATA_TYPES(X) \
  X(kUnknown, unknown, 0) \
  X(kFloat32, float32, 1) \
  X(kFloat16, float16, 2) \
  X(kBfloat16, bfloat16, 3) \
  X(kFloat64, float64, 4) \
  X(kInt8, int8, 5) \
  X(kUint8, uint8, 6) \
  X(kInt16, int16, 7) \
  X(kUint16, uint16, 8) \
  X(kInt32, int32, 9) \
  X(kUint32, uint32, 10) \
  X(kInt64, int64, 11) \
  X(kUint64, uint64, 12) \
  X(kInt4, int4, 13) \
  X(kUint4, uint4, 14) \
  X(kBoolean, boolean, 15) \
  X(kComplex64, complex64, 16) \
  X(kString, string, 17) \
  X(kFloat8, float8, 18)

#define EDGEJOULE_OP_CLASSES(X) \
  X(kUnknown, unknown, 0) \
  X(kConvolution, convolution, 1) \
  X(kTransposedConvolution, transposed_convolution, 2) \
  X(kMatrix, matrix, 3) \
  X(kRecurrent, recurrent, 4) \
  X(kAttention, attention, 5) \
  X(kElementwise, elementwise, 6) \
  X(kActivation, activation, 7) \
  X(kSoftmax, softmax, 8) \
  X(kNormalisation, normalisation, 9) \
  X(kReduction, reduction, 10) \
  X(kPooling, pooling, 11) \
  X(kLookup, lookup, 12) \
  X(kDataMovement, data_movement, 13) \
  X(kControl, control, 14) \
  X(kOpaque, opaque, 15) \
  X(kModule, module_node, 16)

// X(enumerator, wire name, number, class)
#define EDGEJOULE_OP_KINDS(X) \
  X(kUnknown, unknown, 0, kUnknown) \
  X(kConv2d, conv_2d, 1, kConvolution) \
  X(kDepthwiseConv2d, depthwise_conv_2d, 2, kConvolution) \
  X(kTransposeConv2d, transpose_conv_2d, 3, kTransposedConvolution) \
  X(kConv1d, conv_1d, 4, kConvolution) \
  X(kConv3d, conv_3d, 5, kConvolution) \
  X(kTransposeConv3d, transpose_conv_3d, 6, kTransposedConvolution) \
  X(kDense, dense, 7, kMatrix) \
  X(kBatchMatmul, batch_matmul, 8, kMatrix) \
  X(kAttention, attention, 9, kAttention) \
  X(kLstm, lstm, 16, kRecurrent) \
  X(kGru, gru, 17, kRecurrent) \
  X(kRnn, rnn, 18, kRecurrent) \
  X(kSvdf, svdf, 19, kRecurrent) \
  X(kAdd, add, 32, kElementwise) \
  X(kSub, sub, 33, kElementwise) \
  X(kMul, mul, 34, kElementwise) \
  X(kDiv, div, 35, kElementwise) \
  X(kMinimum, minimum, 36, kElementwise) \
  X(kMaximum, maximum, 37, kElementwise) \
  X(kPow, pow, 38, kElementwise) \
  X(kSquaredDifference, squared_difference, 39, kElementwise) \
  X(kModulo, modulo, 40, kElementwise) \
  X(kCompare, compare, 41, kElementwise) \
  X(kLogical, logical, 42, kElementwise) \
  X(kSelect, select, 43, kElementwise) \
  X(kAbs, abs, 44, kElementwise) \
  X(kNeg, neg, 45, kElementwise) \
  X(kExp, exp, 46, kElementwise) \
  X(kLog, log, 47, kElementwise) \
  X(kSqrt, sqrt, 48, kElementwise) \
  X(kRsqrt, rsqrt, 49, kElementwise) \
  X(kSin, sin, 50, kElementwise) \
  X(kCos, cos, 51, kElementwise) \
  X(kErf, erf, 52, kElementwise) \
  X(kFloor, floor, 53, kElementwise) \
  X(kRound, round, 54, kElementwise) \
  X(kSign, sign, 55, kElementwise) \
  X(kReciprocal, reciprocal, 56, kElementwise) \
  X(kSquare, square, 57, kElementwise) \
  X(kClip, clip, 58, kElementwise) \
  X(kBitwise, bitwise, 59, kElementwise) \
  X(kAddN, add_n, 60, kElementwise) \
  X(kWhere, where, 61, kElementwise) \
  X(kRelu, relu, 80, kActivation) \
  X(kRelu6, relu6, 81, kActivation) \
  X(kLeakyRelu, leaky_relu, 82, kActivation) \
  X(kPrelu, prelu, 83, kActivation) \
  X(kElu, elu, 84, kActivation) \
  X(kSigmoid, sigmoid, 85, kActivation) \
  X(kHardSigmoid, hard_sigmoid, 86, kActivation) \
  X(kTanh, tanh, 87, kActivation) \
  X(kHardSwish, hard_swish, 88, kActivation) \
  X(kSilu, silu, 89, kActivation) \
  X(kGelu, gelu, 90, kActivation) \
  X(kSoftplus, softplus, 91, kActivation) \
  X(kMish, mish, 92, kActivation) \
  X(kRelu0To1, relu_0_to_1, 93, kActivation) \
  X(kReluN1To1, relu_n1_to_1, 94, kActivation) \
  X(kSoftmax, softmax, 112, kSoftmax) \
  X(kLogSoftmax, log_softmax, 113, kSoftmax) \
  X(kLayerNorm, layer_norm, 120, kNormalisation) \
  X(kBatchNorm, batch_norm, 121, kNormalisation) \
  X(kRmsNorm, rms_norm, 122, kNormalisation) \
  X(kInstanceNorm, instance_norm, 123, kNormalisation) \
  X(kGroupNorm, group_norm, 124, kNormalisation) \
  X(kL2Norm, l2_norm, 125, kNormalisation) \
  X(kLocalResponseNorm, local_response_norm, 126, kNormalisation) \
  X(kMean, mean, 144, kReduction) \
  X(kSum, sum, 145, kReduction) \
  X(kReduceMax, reduce_max, 146, kReduction) \
  X(kReduceMin, reduce_min, 147, kReduction) \
  X(kReduceProd, reduce_prod, 148, kReduction) \
  X(kReduceLogical, reduce_logical, 149, kReduction) \
  X(kArgMax, arg_max, 150, kReduction) \
  X(kArgMin, arg_min, 151, kReduction) \
  X(kTopK, top_k, 152, kReduction) \
  X(kCumsum, cumsum, 153, kReduction) \
  X(kAveragePool2d, average_pool_2d, 160, kPooling) \
  X(kMaxPool2d, max_pool_2d, 161, kPooling) \
  X(kL2Pool2d, l2_pool_2d, 162, kPooling) \
  X(kGlobalAveragePool, global_average_pool, 163, kPooling) \
  X(kGlobalMaxPool, global_max_pool, 164, kPooling) \
  X(kGather, gather, 176, kLookup) \
  X(kEmbedding, embedding, 177, kLookup) \
  X(kGatherNd, gather_nd, 178, kLookup) \
  X(kOneHot, one_hot, 179, kLookup) \
  X(kHashtableLookup, hashtable_lookup, 180, kLookup) \
  X(kReshape, reshape, 192, kDataMovement) \
  X(kTranspose, transpose, 193, kDataMovement) \
  X(kConcatenation, concatenation, 194, kDataMovement) \
  X(kSplit, split, 195, kDataMovement) \
  X(kSlice, slice, 196, kDataMovement) \
  X(kPad, pad, 197, kDataMovement) \
  X(kPack, pack, 198, kDataMovement) \
  X(kUnpack, unpack, 199, kDataMovement) \
  X(kTile, tile, 200, kDataMovement) \
  X(kCast, cast, 201, kDataMovement) \
  X(kQuantize, quantize, 202, kDataMovement) \
  X(kDequantize, dequantize, 203, kDataMovement) \
  X(kResizeBilinear, resize_bilinear, 204, kDataMovement) \
  X(kResizeNearest, resize_nearest, 205, kDataMovement) \
  X(kSpaceToDepth, space_to_depth, 206, kDataMovement) \
  X(kDepthToSpace, depth_to_space, 207, kDataMovement) \
  X(kScatter, scatter, 208, kDataMovement) \
  X(kFill, fill, 209, kDataMovement) \
  X(kRange, range, 210, kDataMovement) \
  X(kShape, shape, 211, kDataMovement) \
  X(kReverse, reverse, 212, kDataMovement) \
  X(kBroadcast, broadcast, 213, kDataMovement) \
  X(kCopy, copy, 214, kDataMovement) \
  X(kMirrorPad, mirror_pad, 215, kDataMovement) \
  X(kBatchToSpace, batch_to_space, 216, kDataMovement) \
  X(kSpaceToBatch, space_to_batch, 217, kDataMovement) \
  X(kVariable, variable, 218, kDataMovement) \
  X(kResizeCubic, resize_cubic, 219, kDataMovement) \
  X(kIdentity, identity, 220, kDataMovement) \
  X(kConstant, constant, 221, kDataMovement) \
  X(kSort, sort, 222, kDataMovement) \
  X(kUnique, unique, 223, kDataMovement) \
  X(kMatrixDiag, matrix_diag, 224, kDataMovement) \
  X(kCall, call, 240, kControl) \
  X(kIfElse, if_else, 241, kControl) \
  X(kWhileLoop, while_loop, 242, kControl) \
  X(kSubgraph, subgraph, 243, kOpaque) \
  X(kCustom, custom, 244, kOpaque) \
  X(kDetectionPostprocess, detection_postprocess, 245, kOpaque) \
  X(kNonMaxSuppression, non_max_suppression, 246, kOpaque) \
  X(kRandom, random, 247, kOpaque) \
  X(kFft, fft, 248, kOpaque) \
  X(kModule, module_node, 4096, kModule) \
  X(kModel, model, 4097, kModule) \
  X(kEncoder, encoder, 4098, kModule) \
  X(kDecoder, decoder, 4099, kModule) \
  X(kLayer, layer, 4100, kModule) \
  X(kAttentionModule, attention_module, 4101, kModule) \
  X(kSelfAttention, self_attention, 4102, kModule) \
  X(kCrossAttention, cross_attention, 4103, kModule) \
  X(kFeedForward, feed_forward, 4104, kModule) \
  X(kEmbeddings, embeddings, 4105, kModule) \
  X(kPooler, pooler, 4106, kModule) \
  X(kHead, head, 4107, kModule) \
  X(kBlock, block, 4108, kModule) \
  X(kResidualBlock, residual_block, 4109, kModule) \
  X(kInvertedResidual, inverted_residual, 4110, kModule) \
  X(kStem, stem, 4111, kModule) \
  X(kStage, stage, 4112, kModule) \
  X(kBranch, branch, 4113, kModule) \
  X(kProjectionOutput, projection_output, 4114, kModule) \
  X(kLoopBody, loop_body, 4115, kModule)

// clang-format on

#define EDGEJOULE_ENUMERATOR(name, wire, number) name = number,
#define EDGEJOULE_KIND_ENUMERATOR(name, wire, number, op_class) name = number,
enum class DataType : std::uint8_t { EDGEJOULE_DATA_TYPES(EDGEJOULE_ENUMERATOR) };
enum class OpClass : std::uint8_t { EDGEJOULE_OP_CLASSES(EDGEJOULE_ENUMERATOR) };
enum class OpKind : std::uint16_t { EDGEJOULE_OP_KINDS(EDGEJOULE_KIND_ENUMERATOR) };
#undef EDGEJOULE_KIND_ENUMERATOR
#undef EDGEJOULE_ENUMERATOR

// The class of a kind; OpClass::kUnknown for a number this build does not know.
[[nodiscard]] OpClass class_of(OpKind kind) noexcept;

// The wire name; "?" for a number this build does not know.
[[nodiscard]] std::string_view name_of(OpKind kind) noexcept;
[[nodiscard]] std::string_view name_of(OpClass op_class) noexcept;
[[nodiscard]] std::string_view name_of(DataType type) noexcept;

[[nodiscard]] constexpr bool is_module(OpKind kind) noexcept {
  return static_cast<std::uint16_t>(kind) >= static_cast<std::uint16_t>(OpKind::kModule);
}

// Bits of one element; 0 where that has no answer (string, unknown).
[[nodiscard]] std::uint32_t bits_of(DataType type) noexcept;

}  // namespace edgejoule
