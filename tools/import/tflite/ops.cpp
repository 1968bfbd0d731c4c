#include "import/tflite/ops.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace edgejoule::import {
namespace {

using K = OpKind;
using R = TfliteRule;
using C = OpClass;

// clang-format off
constexpr std::array<TfliteOp, 210> kOps = {{
  {"ADD", K::kAdd, R::kBroadcast},                                            // 0
  {"AVERAGE_POOL_2D", K::kAveragePool2d, R::kPool2d},
  {"CONCATENATION", K::kConcatenation, R::kConcatenation},
  {"CONV_2D", K::kConv2d, R::kConv2d},
  {"DEPTHWISE_CONV_2D", K::kDepthwiseConv2d, R::kDepthwiseConv2d},
  {"DEPTH_TO_SPACE", K::kDepthToSpace, R::kDepthToSpace},
  {"DEQUANTIZE", K::kDequantize, R::kSame},
  {"EMBEDDING_LOOKUP", K::kEmbedding, R::kEmbedding},
  {"FLOOR", K::kFloor, R::kSame},
  {"FULLY_CONNECTED", K::kDense, R::kFullyConnected},
  {"HASHTABLE_LOOKUP", K::kHashtableLookup, R::kStated},                      // 10
  {"L2_NORMALIZATION", K::kL2Norm, R::kSame},
  {"L2_POOL_2D", K::kL2Pool2d, R::kPool2d},
  {"LOCAL_RESPONSE_NORMALIZATION", K::kLocalResponseNorm, R::kSame},
  {"LOGISTIC", K::kSigmoid, R::kSame},
  {"LSH_PROJECTION", K::kUnknown, R::kStated, C::kOpaque},
  {"LSTM", K::kLstm, R::kLstm},
  {"MAX_POOL_2D", K::kMaxPool2d, R::kPool2d},
  {"MUL", K::kMul, R::kBroadcast},
  {"RELU", K::kRelu, R::kSame},
  {"RELU_N1_TO_1", K::kReluN1To1, R::kSame},                                  // 20
  {"RELU6", K::kRelu6, R::kSame},
  {"RESHAPE", K::kReshape, R::kReshape},
  {"RESIZE_BILINEAR", K::kResizeBilinear, R::kResize},
  {"RNN", K::kRnn, R::kRnn},
  {"SOFTMAX", K::kSoftmax, R::kSame},
  {"SPACE_TO_DEPTH", K::kSpaceToDepth, R::kSpaceToDepth},
  {"SVDF", K::kSvdf, R::kSvdf},
  {"TANH", K::kTanh, R::kSame},
  {"CONCAT_EMBEDDINGS", K::kConcatenation, R::kStated},
  {"SKIP_GRAM", K::kUnknown, R::kStated, C::kOpaque},                         // 30
  {"CALL", K::kCall, R::kControl},
  {"CUSTOM", K::kCustom, R::kStated},
  {"EMBEDDING_LOOKUP_SPARSE", K::kEmbedding, R::kStated},
  {"PAD", K::kPad, R::kPad},
  {"UNIDIRECTIONAL_SEQUENCE_RNN", K::kRnn, R::kSequenceRnn},
  {"GATHER", K::kGather, R::kGather},
  {"BATCH_TO_SPACE_ND", K::kBatchToSpace, R::kBatchToSpace},
  {"SPACE_TO_BATCH_ND", K::kSpaceToBatch, R::kSpaceToBatch},
  {"TRANSPOSE", K::kTranspose, R::kTranspose},
  {"MEAN", K::kMean, R::kReduce},                                             // 40
  {"SUB", K::kSub, R::kBroadcast},
  {"DIV", K::kDiv, R::kBroadcast},
  {"SQUEEZE", K::kReshape, R::kSqueeze},
  {"UNIDIRECTIONAL_SEQUENCE_LSTM", K::kLstm, R::kSequenceLstm},
  {"STRIDED_SLICE", K::kSlice, R::kStridedSlice},
  {"BIDIRECTIONAL_SEQUENCE_RNN", K::kRnn, R::kBidirectionalRnn},
  {"EXP", K::kExp, R::kSame},
  {"TOPK_V2", K::kTopK, R::kTopK},
  {"SPLIT", K::kSplit, R::kSplit},
  {"LOG_SOFTMAX", K::kLogSoftmax, R::kSame},                                  // 50
  {"DELEGATE", K::kCustom, R::kStated},
  {"BIDIRECTIONAL_SEQUENCE_LSTM", K::kLstm, R::kBidirectionalLstm},
  {"CAST", K::kCast, R::kSame},
  {"PRELU", K::kPrelu, R::kBroadcast},
  {"MAXIMUM", K::kMaximum, R::kBroadcast},
  {"ARG_MAX", K::kArgMax, R::kArg},
  {"MINIMUM", K::kMinimum, R::kBroadcast},
  {"LESS", K::kCompare, R::kBroadcast},
  {"NEG", K::kNeg, R::kSame},
  {"PADV2", K::kPad, R::kPad},                                                // 60
  {"GREATER", K::kCompare, R::kBroadcast},
  {"GREATER_EQUAL", K::kCompare, R::kBroadcast},
  {"LESS_EQUAL", K::kCompare, R::kBroadcast},
  {"SELECT", K::kSelect, R::kBroadcast},
  {"SLICE", K::kSlice, R::kSlice},
  {"SIN", K::kSin, R::kSame},
  {"TRANSPOSE_CONV", K::kTransposeConv2d, R::kTransposeConv2d},
  {"SPARSE_TO_DENSE", K::kScatter, R::kStated},
  {"TILE", K::kTile, R::kTile},
  {"EXPAND_DIMS", K::kReshape, R::kExpandDims},                               // 70
  {"EQUAL", K::kCompare, R::kBroadcast},
  {"NOT_EQUAL", K::kCompare, R::kBroadcast},
  {"LOG", K::kLog, R::kSame},
  {"SUM", K::kSum, R::kReduce},
  {"SQRT", K::kSqrt, R::kSame},
  {"RSQRT", K::kRsqrt, R::kSame},
  {"SHAPE", K::kShape, R::kShape},
  {"POW", K::kPow, R::kBroadcast},
  {"ARG_MIN", K::kArgMin, R::kArg},
  {"FAKE_QUANT", K::kQuantize, R::kSame},                                     // 80
  {"REDUCE_PROD", K::kReduceProd, R::kReduce},
  {"REDUCE_MAX", K::kReduceMax, R::kReduce},
  {"PACK", K::kPack, R::kPack},
  {"LOGICAL_OR", K::kLogical, R::kBroadcast},
  {"ONE_HOT", K::kOneHot, R::kOneHot},
  {"LOGICAL_AND", K::kLogical, R::kBroadcast},
  {"LOGICAL_NOT", K::kLogical, R::kSame},
  {"UNPACK", K::kUnpack, R::kUnpack},
  {"REDUCE_MIN", K::kReduceMin, R::kReduce},
  {"FLOOR_DIV", K::kDiv, R::kBroadcast},                                      // 90
  {"REDUCE_ANY", K::kReduceLogical, R::kReduce},
  {"SQUARE", K::kSquare, R::kSame},
  {"ZEROS_LIKE", K::kFill, R::kSame},
  {"FILL", K::kFill, R::kFill},
  {"FLOOR_MOD", K::kModulo, R::kBroadcast},
  {"RANGE", K::kRange, R::kRange},
  {"RESIZE_NEAREST_NEIGHBOR", K::kResizeNearest, R::kResize},
  {"LEAKY_RELU", K::kLeakyRelu, R::kSame},
  {"SQUARED_DIFFERENCE", K::kSquaredDifference, R::kBroadcast},
  {"MIRROR_PAD", K::kMirrorPad, R::kPad},                                     // 100
  {"ABS", K::kAbs, R::kSame},
  {"SPLIT_V", K::kSplit, R::kSplitV},
  {"UNIQUE", K::kUnique, R::kStated},
  {"CEIL", K::kFloor, R::kSame},
  {"REVERSE_V2", K::kReverse, R::kSame},
  {"ADD_N", K::kAddN, R::kBroadcast},
  {"GATHER_ND", K::kGatherNd, R::kGatherNd},
  {"COS", K::kCos, R::kSame},
  {"WHERE", K::kWhere, R::kStated},
  {"RANK", K::kShape, R::kRank},                                              // 110
  {"ELU", K::kElu, R::kSame},
  {"REVERSE_SEQUENCE", K::kReverse, R::kSame},
  {"MATRIX_DIAG", K::kMatrixDiag, R::kMatrixDiag},
  {"QUANTIZE", K::kQuantize, R::kSame},
  {"MATRIX_SET_DIAG", K::kMatrixDiag, R::kSame},
  {"ROUND", K::kRound, R::kSame},
  {"HARD_SWISH", K::kHardSwish, R::kSame},
  {"IF", K::kIfElse, R::kControl},
  {"WHILE", K::kWhileLoop, R::kControl},
  {"NON_MAX_SUPPRESSION_V4", K::kNonMaxSuppression, R::kStated},              // 120
  {"NON_MAX_SUPPRESSION_V5", K::kNonMaxSuppression, R::kStated},
  {"SCATTER_ND", K::kScatter, R::kStated},
  {"SELECT_V2", K::kSelect, R::kBroadcast},
  {"DENSIFY", K::kCopy, R::kSame},
  {"SEGMENT_SUM", K::kSum, R::kStated},
  {"BATCH_MATMUL", K::kBatchMatmul, R::kBatchMatmul},
  {"PLACEHOLDER_FOR_GREATER_OP_CODES", K::kUnknown, R::kStated, C::kOpaque},
  {"CUMSUM", K::kCumsum, R::kSame},
  {"CALL_ONCE", K::kCall, R::kControl},
  {"BROADCAST_TO", K::kBroadcast, R::kShapeFromInput},                        // 130
  {"RFFT2D", K::kFft, R::kStated},
  {"CONV_3D", K::kConv3d, R::kConv3d},
  {"IMAG", K::kUnknown, R::kSame, C::kElementwise},
  {"REAL", K::kUnknown, R::kSame, C::kElementwise},
  {"COMPLEX_ABS", K::kUnknown, R::kSame, C::kElementwise},
  {"HASHTABLE", K::kHashtableLookup, R::kStated},
  {"HASHTABLE_FIND", K::kHashtableLookup, R::kStated},
  {"HASHTABLE_IMPORT", K::kHashtableLookup, R::kStated},
  {"HASHTABLE_SIZE", K::kHashtableLookup, R::kStated},
  {"REDUCE_ALL", K::kReduceLogical, R::kReduce},                              // 140
  {"CONV_3D_TRANSPOSE", K::kTransposeConv3d, R::kTransposeConv3d},
  {"VAR_HANDLE", K::kVariable, R::kStated},
  {"READ_VARIABLE", K::kVariable, R::kStated},
  {"ASSIGN_VARIABLE", K::kVariable, R::kStated},
  {"BROADCAST_ARGS", K::kShape, R::kStated},
  {"RANDOM_STANDARD_NORMAL", K::kRandom, R::kFill},
  {"BUCKETIZE", K::kUnknown, R::kSame, C::kElementwise},
  {"RANDOM_UNIFORM", K::kRandom, R::kFill},
  {"MULTINOMIAL", K::kRandom, R::kStated},
  {"GELU", K::kGelu, R::kSame},                                               // 150
  {"DYNAMIC_UPDATE_SLICE", K::kScatter, R::kSame},
  {"RELU_0_TO_1", K::kRelu0To1, R::kSame},
  {"UNSORTED_SEGMENT_PROD", K::kReduceProd, R::kStated},
  {"UNSORTED_SEGMENT_MAX", K::kReduceMax, R::kStated},
  {"UNSORTED_SEGMENT_SUM", K::kSum, R::kStated},
  {"ATAN2", K::kUnknown, R::kBroadcast, C::kElementwise},
  {"UNSORTED_SEGMENT_MIN", K::kReduceMin, R::kStated},
  {"SIGN", K::kSign, R::kSame},
  {"BITCAST", K::kIdentity, R::kStated},
  {"BITWISE_XOR", K::kBitwise, R::kBroadcast},                                // 160
  {"RIGHT_SHIFT", K::kBitwise, R::kBroadcast},
  {"STABLEHLO_LOGISTIC", K::kSigmoid, R::kSame},
  {"STABLEHLO_ADD", K::kAdd, R::kBroadcast},
  {"STABLEHLO_DIVIDE", K::kDiv, R::kBroadcast},
  {"STABLEHLO_MULTIPLY", K::kMul, R::kBroadcast},
  {"STABLEHLO_MAXIMUM", K::kMaximum, R::kBroadcast},
  {"STABLEHLO_RESHAPE", K::kReshape, R::kStated},
  {"STABLEHLO_CLAMP", K::kClip, R::kStated},
  {"STABLEHLO_CONCATENATE", K::kConcatenation, R::kStated},
  {"STABLEHLO_BROADCAST_IN_DIM", K::kBroadcast, R::kStated},                  // 170
  {"STABLEHLO_CONVOLUTION", K::kConv2d, R::kStablehloConvolution},
  {"STABLEHLO_SLICE", K::kSlice, R::kStated},
  {"STABLEHLO_CUSTOM_CALL", K::kCustom, R::kStated},
  {"STABLEHLO_REDUCE", K::kUnknown, R::kStated, C::kReduction},
  {"STABLEHLO_ABS", K::kAbs, R::kSame},
  {"STABLEHLO_AND", K::kLogical, R::kBroadcast},
  {"STABLEHLO_COSINE", K::kCos, R::kSame},
  {"STABLEHLO_EXPONENTIAL", K::kExp, R::kSame},
  {"STABLEHLO_FLOOR", K::kFloor, R::kSame},
  {"STABLEHLO_LOG", K::kLog, R::kSame},                                       // 180
  {"STABLEHLO_MINIMUM", K::kMinimum, R::kBroadcast},
  {"STABLEHLO_NEGATE", K::kNeg, R::kSame},
  {"STABLEHLO_OR", K::kLogical, R::kBroadcast},
  {"STABLEHLO_POWER", K::kPow, R::kBroadcast},
  {"STABLEHLO_REMAINDER", K::kModulo, R::kBroadcast},
  {"STABLEHLO_RSQRT", K::kRsqrt, R::kSame},
  {"STABLEHLO_SELECT", K::kSelect, R::kBroadcast},
  {"STABLEHLO_SUBTRACT", K::kSub, R::kBroadcast},
  {"STABLEHLO_TANH", K::kTanh, R::kSame},
  {"STABLEHLO_SCATTER", K::kScatter, R::kSame},                               // 190
  {"STABLEHLO_COMPARE", K::kCompare, R::kBroadcast},
  {"STABLEHLO_CONVERT", K::kCast, R::kSame},
  {"STABLEHLO_DYNAMIC_SLICE", K::kSlice, R::kStated},
  {"STABLEHLO_DYNAMIC_UPDATE_SLICE", K::kScatter, R::kSame},
  {"STABLEHLO_PAD", K::kPad, R::kStated},
  {"STABLEHLO_IOTA", K::kRange, R::kStated},
  {"STABLEHLO_DOT_GENERAL", K::kBatchMatmul, R::kStablehloDot},
  {"STABLEHLO_REDUCE_WINDOW", K::kUnknown, R::kStated, C::kReduction},
  {"STABLEHLO_SORT", K::kSort, R::kSame},
  {"STABLEHLO_WHILE", K::kWhileLoop, R::kControl},                            // 200
  {"STABLEHLO_GATHER", K::kGather, R::kStated},
  {"STABLEHLO_TRANSPOSE", K::kTranspose, R::kStated},
  {"DILATE", K::kPad, R::kStated},
  {"STABLEHLO_RNG_BIT_GENERATOR", K::kRandom, R::kStated},
  {"REDUCE_WINDOW", K::kUnknown, R::kStated, C::kReduction},
  {"STABLEHLO_COMPOSITE", K::kCall, R::kControl},
  {"STABLEHLO_SHIFT_LEFT", K::kBitwise, R::kBroadcast},
  {"STABLEHLO_CBRT", K::kUnknown, R::kSame, C::kElementwise},
  {"STABLEHLO_CASE", K::kIfElse, R::kControl},
}};

// Custom operators whose meaning is public. "Flex" ones are TensorFlow's own kernels.
constexpr TfliteOp kCustomOps[] = {
  {"TFLite_Detection_PostProcess", K::kDetectionPostprocess, R::kStated},
  {"Convolution2DTransposeBias", K::kTransposeConv2d, R::kTransposeConvBias},
  {"MaxPoolingWithArgmax2D", K::kMaxPool2d, R::kStated},
  {"FlexErf", K::kErf, R::kSame},
  {"FlexSoftplus", K::kSoftplus, R::kSame},
  {"FlexRFFT", K::kFft, R::kStated},
  {"AudioSpectrogram", K::kFft, R::kStated},
  {"RandomStandardNormal", K::kRandom, R::kStated},
  {"RandomUniform", K::kRandom, R::kStated},
};
// clang-format on

constexpr TfliteOp kUnknownBuiltin = {"", OpKind::kUnknown, TfliteRule::kStated, OpClass::kOpaque};

}  // namespace

std::span<const TfliteOp> tflite_ops() noexcept {
  return kOps;
}

const TfliteOp& tflite_op(std::int32_t code, std::string_view custom_code) noexcept {
  if (code < 0 || static_cast<std::size_t>(code) >= kOps.size()) return kUnknownBuiltin;
  if (code == kTfliteCustom) {
    const auto* known = std::find_if(std::begin(kCustomOps), std::end(kCustomOps),
                                     [&](const TfliteOp& op) { return op.name == custom_code; });
    if (known != std::end(kCustomOps)) return *known;
  }
  return kOps[static_cast<std::size_t>(code)];
}

}  // namespace edgejoule::import
