#include "import/onnx/ops.h"

#include <unordered_map>

namespace edgejoule::import {
namespace {

using K = OpKind;
using R = OnnxRule;

constexpr OnnxOperands kConvolution{.data = 0, .weights = 1, .bias = 2};
constexpr OnnxOperands kNone{.data = 0, .weights = -1};
constexpr OnnxOperands kProduct{};
constexpr OpClass kOwn = OpClass::kUnknown;
constexpr OnnxDomain kMs = OnnxDomain::kMicrosoft;

constexpr OnnxOp kRows[] = {
    // Products.
    {"Conv", K::kConv2d, R::kConv, kConvolution},
    {"ConvInteger", K::kConv2d, R::kConv, kProduct},
    {"QLinearConv",
     K::kConv2d,
     R::kConv,
     {.data = 0, .weights = 3, .bias = 8, .weight_scale = 4, .output_zero_point = 7}},
    {"DeformConv", K::kConv2d, R::kConv, {.data = 0, .weights = 1, .bias = 3}},
    {"ConvTranspose", K::kTransposeConv2d, R::kConvTranspose, kConvolution},
    {"Gemm", K::kDense, R::kGemm, kConvolution},
    {"MatMul", K::kBatchMatmul, R::kMatmul, kProduct},
    {"MatMulInteger", K::kBatchMatmul, R::kMatmul, kProduct},
    {"QLinearMatMul",
     K::kBatchMatmul,
     R::kMatmul,
     {.data = 0, .weights = 3, .bias = -1, .weight_scale = 4, .output_zero_point = 7}},
    {"Einsum", K::kBatchMatmul, R::kEinsum, kProduct},
    {"Attention", K::kAttention, R::kStandardAttention},
    {"FusedConv", K::kConv2d, R::kConv, kConvolution, kOwn, kMs},
    {"FusedGemm", K::kDense, R::kGemm, kConvolution, kOwn, kMs},
    {"FusedMatMul", K::kBatchMatmul, R::kMatmul, kProduct, kOwn, kMs},
    {"FusedMatMulActivation", K::kBatchMatmul, R::kMatmul, kProduct, kOwn, kMs},
    {"TransposeMatMul", K::kBatchMatmul, R::kMatmul, kProduct, kOwn, kMs},
    {"GemmFastGelu", K::kBatchMatmul, R::kMatmul, kConvolution, kOwn, kMs, K::kGelu},
    {"MatMulInteger16", K::kBatchMatmul, R::kMatmul, kProduct, kOwn, kMs},
    {"MatMulIntegerToFloat",
     K::kBatchMatmul,
     R::kMatmul,
     {.data = 0, .weights = 1, .bias = 6, .weight_scale = 3},
     kOwn,
     kMs},
    {"DynamicQuantizeMatMul",
     K::kBatchMatmul,
     R::kMatmul,
     {.data = 0, .weights = 1, .bias = 4, .weight_scale = 2},
     kOwn,
     kMs},
    {"QGemm",
     K::kDense,
     R::kGemm,
     {.data = 0, .weights = 3, .bias = 6, .weight_scale = 4, .output_zero_point = 8},
     kOwn,
     kMs},
    {"MatMulNBits", K::kDense, R::kMatmulNBits, {.data = 0, .weights = 1, .bias = 5, .weight_scale = 2}, kOwn, kMs},
    {"MatMulBnb4", K::kDense, R::kMatmulNBits, {.data = 0, .weights = 1, .bias = -1, .weight_scale = 2}, kOwn, kMs},
    {"Attention", K::kAttention, R::kPackedAttention, kConvolution, kOwn, kMs},
    {"QAttention",
     K::kAttention,
     R::kPackedAttention,
     {.data = 0, .weights = 1, .bias = 2, .weight_scale = 4},
     kOwn,
     kMs},
    {"MultiHeadAttention", K::kAttention, R::kMultiHeadAttention, kNone, kOwn, kMs},
    {"DecoderMaskedMultiHeadAttention", K::kAttention, R::kMultiHeadAttention, kNone, kOwn, kMs},
    {"GroupQueryAttention", K::kAttention, R::kGroupQueryAttention, kNone, kOwn, kMs},
    // Recurrent.
    {"LSTM", K::kLstm, R::kRecurrent, {.data = 0, .weights = 1, .bias = 3}},
    {"GRU", K::kGru, R::kRecurrent, {.data = 0, .weights = 1, .bias = 3}},
    {"RNN", K::kRnn, R::kRecurrent, {.data = 0, .weights = 1, .bias = 3}},
    {"DynamicQuantizeLSTM", K::kLstm, R::kRecurrent, {.data = 0, .weights = 1, .bias = 3}, kOwn, kMs},
    // Elementwise.
    {"Add", K::kAdd, R::kBroadcast},
    {"Sub", K::kSub, R::kBroadcast},
    {"Mul", K::kMul, R::kBroadcast},
    {"Div", K::kDiv, R::kBroadcast},
    {"Mod", K::kModulo, R::kBroadcast},
    {"Pow", K::kPow, R::kBroadcast},
    {"Min", K::kMinimum, R::kBroadcast},
    {"Max", K::kMaximum, R::kBroadcast},
    {"Sum", K::kAddN, R::kBroadcast},
    {"Mean", K::kAddN, R::kBroadcast},
    {"And", K::kLogical, R::kCompare},
    {"Or", K::kLogical, R::kCompare},
    {"Xor", K::kLogical, R::kCompare},
    {"Not", K::kLogical, R::kSame},
    {"Equal", K::kCompare, R::kCompare},
    {"Greater", K::kCompare, R::kCompare},
    {"GreaterOrEqual", K::kCompare, R::kCompare},
    {"Less", K::kCompare, R::kCompare},
    {"LessOrEqual", K::kCompare, R::kCompare},
    {"IsNaN", K::kCompare, R::kCompare},
    {"IsInf", K::kCompare, R::kCompare},
    {"BitShift", K::kBitwise, R::kBroadcast},
    {"BitwiseAnd", K::kBitwise, R::kBroadcast},
    {"BitwiseOr", K::kBitwise, R::kBroadcast},
    {"BitwiseXor", K::kBitwise, R::kBroadcast},
    {"BitwiseNot", K::kBitwise, R::kSame},
    {"Where", K::kSelect, R::kWhere},
    {"Abs", K::kAbs, R::kSame},
    {"Neg", K::kNeg, R::kSame},
    {"Exp", K::kExp, R::kSame},
    {"Log", K::kLog, R::kSame},
    {"Sqrt", K::kSqrt, R::kSame},
    {"Reciprocal", K::kReciprocal, R::kSame},
    {"Sin", K::kSin, R::kSame},
    {"Cos", K::kCos, R::kSame},
    {"Tan", K::kSin, R::kSame},
    {"Asin", K::kSin, R::kSame},
    {"Acos", K::kCos, R::kSame},
    {"Atan", K::kSin, R::kSame},
    {"Sinh", K::kExp, R::kSame},
    {"Cosh", K::kExp, R::kSame},
    {"Asinh", K::kLog, R::kSame},
    {"Acosh", K::kLog, R::kSame},
    {"Atanh", K::kLog, R::kSame},
    {"Erf", K::kErf, R::kSame},
    {"Floor", K::kFloor, R::kSame},
    {"Ceil", K::kFloor, R::kSame},
    {"Round", K::kRound, R::kSame},
    {"Sign", K::kSign, R::kSame},
    {"Clip", K::kClip, R::kSame},
    {"QLinearAdd", K::kAdd, R::kQlinearElementwise, {.data = 0, .weights = 3, .output_zero_point = 7}, kOwn, kMs},
    {"QLinearMul", K::kMul, R::kQlinearElementwise, {.data = 0, .weights = 3, .output_zero_point = 7}, kOwn, kMs},
    // Activations.
    {"Relu", K::kRelu, R::kSame},
    {"ThresholdedRelu", K::kRelu, R::kSame},
    {"LeakyRelu", K::kLeakyRelu, R::kSame},
    {"PRelu", K::kPrelu, R::kSame},
    {"Elu", K::kElu, R::kSame},
    {"Selu", K::kElu, R::kSame},
    {"Celu", K::kElu, R::kSame},
    {"Sigmoid", K::kSigmoid, R::kSame},
    {"HardSigmoid", K::kHardSigmoid, R::kSame},
    {"Tanh", K::kTanh, R::kSame},
    {"Softsign", K::kReciprocal, R::kSame},
    {"Shrink", K::kPrelu, R::kSame},
    {"HardSwish", K::kHardSwish, R::kSame},
    {"Swish", K::kSilu, R::kSame},
    {"Gelu", K::kGelu, R::kSame},
    {"Softplus", K::kSoftplus, R::kSame},
    {"Mish", K::kMish, R::kSame},
    {"FastGelu", K::kGelu, R::kSame, kProduct, kOwn, kMs},
    {"BiasGelu", K::kGelu, R::kSame, kProduct, kOwn, kMs},
    {"QuickGelu", K::kSilu, R::kSame, kNone, kOwn, kMs},
    {"QLinearSigmoid", K::kSigmoid, R::kQlinearElementwise, {.weights = -1, .output_zero_point = 4}, kOwn, kMs},
    {"QLinearLeakyRelu", K::kLeakyRelu, R::kQlinearElementwise, {.weights = -1, .output_zero_point = 4}, kOwn, kMs},
    // Softmax and normalisation.
    {"Softmax", K::kSoftmax, R::kSoftmax},
    {"LogSoftmax", K::kLogSoftmax, R::kSoftmax},
    {"Hardmax", K::kArgMax, R::kSame},
    {"QLinearSoftmax", K::kSoftmax, R::kSoftmax, {.weights = -1, .output_zero_point = 4}, kOwn, kMs},
    {"BatchNormalization", K::kBatchNorm, R::kNormalisation},
    {"LayerNormalization", K::kLayerNorm, R::kNormalisation},
    {"SimplifiedLayerNormalization", K::kRmsNorm, R::kNormalisation},
    {"RMSNormalization", K::kRmsNorm, R::kNormalisation},
    {"InstanceNormalization", K::kInstanceNorm, R::kNormalisation},
    {"GroupNormalization", K::kGroupNorm, R::kNormalisation},
    {"MeanVarianceNormalization", K::kInstanceNorm, R::kNormalisation},
    {"LpNormalization", K::kL2Norm, R::kNormalisation},
    {"LRN", K::kLocalResponseNorm, R::kNormalisation},
    {"GroupNorm", K::kGroupNorm, R::kNormalisation, kProduct, kOwn, kMs},
    {"SkipLayerNormalization", K::kLayerNorm, R::kSkipNormalisation, kProduct, kOwn, kMs},
    {"SkipSimplifiedLayerNormalization", K::kRmsNorm, R::kSkipNormalisation, kProduct, kOwn, kMs},
    {"EmbedLayerNormalization", K::kLayerNorm, R::kEmbedNormalisation, kProduct, kOwn, kMs},
    // Reductions.
    {"ReduceMean", K::kMean, R::kReduce},
    {"ReduceSum", K::kSum, R::kReduce},
    {"ReduceSumSquare", K::kSum, R::kReduce},
    {"ReduceL1", K::kSum, R::kReduce},
    {"ReduceL2", K::kSum, R::kReduce},
    {"ReduceLogSum", K::kSum, R::kReduce},
    {"ReduceLogSumExp", K::kSum, R::kReduce},
    {"ReduceMax", K::kReduceMax, R::kReduce},
    {"ReduceMin", K::kReduceMin, R::kReduce},
    {"ReduceProd", K::kReduceProd, R::kReduce},
    {"ArgMax", K::kArgMax, R::kArg},
    {"ArgMin", K::kArgMin, R::kArg},
    {"TopK", K::kTopK, R::kTopK},
    {"CumSum", K::kCumsum, R::kSame},
    {"QLinearReduceMean", K::kMean, R::kReduce, {.weights = -1, .output_zero_point = 4}, kOwn, kMs},
    // Pooling.
    {"AveragePool", K::kAveragePool2d, R::kPool},
    {"MaxPool", K::kMaxPool2d, R::kPool},
    {"LpPool", K::kL2Pool2d, R::kPool},
    {"GlobalAveragePool", K::kGlobalAveragePool, R::kGlobalPool},
    {"GlobalMaxPool", K::kGlobalMaxPool, R::kGlobalPool},
    {"GlobalLpPool", K::kGlobalAveragePool, R::kGlobalPool},
    {"QLinearAveragePool", K::kAveragePool2d, R::kPool, {.weights = -1, .output_zero_point = 4}, kOwn, kMs},
    {"QLinearGlobalAveragePool",
     K::kGlobalAveragePool,
     R::kGlobalPool,
     {.weights = -1, .output_zero_point = 4},
     kOwn,
     kMs},
    // Lookups.
    {"Gather", K::kGather, R::kGather},
    {"GatherElements", K::kGather, R::kGatherElements},
    {"GatherND", K::kGatherNd, R::kGatherNd},
    {"OneHot", K::kOneHot, R::kOneHot},
    {"GatherBlockQuantized", K::kGather, R::kGather, {.weights = -1, .weight_scale = 2}, kOwn, kMs},
    // Data movement.
    {"Reshape", K::kReshape, R::kReshape},
    {"Flatten", K::kReshape, R::kFlatten},
    {"Squeeze", K::kReshape, R::kSqueeze},
    {"Unsqueeze", K::kReshape, R::kUnsqueeze},
    {"Identity", K::kIdentity, R::kSame},
    {"Dropout", K::kIdentity, R::kSame},
    {"Constant", K::kConstant, R::kConstant},
    {"ConstantOfShape", K::kFill, R::kConstantOfShape},
    {"Shape", K::kShape, R::kShape},
    {"Size", K::kShape, R::kSize},
    {"Range", K::kRange, R::kRange},
    {"EyeLike", K::kMatrixDiag, R::kEyeLike},
    {"Transpose", K::kTranspose, R::kTranspose},
    {"Concat", K::kConcatenation, R::kConcat},
    {"Split", K::kSplit, R::kSplit},
    {"Slice", K::kSlice, R::kSlice},
    {"Pad", K::kPad, R::kPad},
    {"Tile", K::kTile, R::kTile},
    {"Expand", K::kBroadcast, R::kExpand},
    {"Cast", K::kCast, R::kCast},
    {"CastLike", K::kCast, R::kCast},
    {"Trilu", K::kSelect, R::kSame, kNone, OpClass::kDataMovement},
    {"ReverseSequence", K::kReverse, R::kSame},
    {"Resize", K::kResizeBilinear, R::kResize},
    {"Upsample", K::kResizeBilinear, R::kResize},
    {"GridSample", K::kResizeBilinear, R::kStated, kNone},
    {"RoiAlign", K::kResizeBilinear, R::kStated, kNone},
    {"CenterCropPad", K::kPad, R::kStated, kNone},
    {"Col2Im", K::kScatter, R::kStated, kNone},
    {"MaxUnpool", K::kScatter, R::kStated, kNone},
    {"DepthToSpace", K::kDepthToSpace, R::kDepthToSpace},
    {"SpaceToDepth", K::kSpaceToDepth, R::kSpaceToDepth},
    {"Scatter", K::kScatter, R::kScatter},
    {"ScatterElements", K::kScatter, R::kScatter},
    {"ScatterND", K::kScatter, R::kScatter},
    {"TensorScatter", K::kScatter, R::kScatter},
    {"NonZero", K::kWhere, R::kNonZero, kNone, OpClass::kDataMovement},
    {"Compress", K::kGather, R::kStated, kNone, OpClass::kDataMovement},
    {"Unique", K::kUnique, R::kStated},
    {"QuantizeLinear", K::kQuantize, R::kQuantize},
    {"DequantizeLinear", K::kDequantize, R::kDequantize},
    {"DynamicQuantizeLinear", K::kQuantize, R::kDynamicQuantize},
    {"QuantizeLinear", K::kQuantize, R::kQuantize, kNone, kOwn, kMs},
    {"DequantizeLinear", K::kDequantize, R::kDequantize, kNone, kOwn, kMs},
    {"QLinearConcat", K::kConcatenation, R::kQlinearConcat, {.weights = -1, .output_zero_point = 1}, kOwn, kMs},
    {"RotaryEmbedding", K::kMul, R::kSame},
    {"RotaryEmbedding", K::kMul, R::kSame, kNone, kOwn, kMs},
    // Random numbers, signals and detection: bytes and class.
    {"RandomNormal", K::kRandom, R::kRandom},
    {"RandomUniform", K::kRandom, R::kRandom},
    {"RandomNormalLike", K::kRandom, R::kSame},
    {"RandomUniformLike", K::kRandom, R::kSame},
    {"Bernoulli", K::kRandom, R::kSame},
    {"Multinomial", K::kRandom, R::kStated},
    {"DFT", K::kFft, R::kStated},
    {"STFT", K::kFft, R::kStated},
    {"NonMaxSuppression", K::kNonMaxSuppression, R::kStated},
    // Control flow.
    {"If", K::kIfElse, R::kIf},
    {"Loop", K::kWhileLoop, R::kLoop},
    {"Scan", K::kWhileLoop, R::kScan},
};

constexpr OnnxOp kUnknownRow{"", OpKind::kUnknown, OnnxRule::kStated, kNone, OpClass::kOpaque};

using Index = std::unordered_map<std::string_view, const OnnxOp*>;

Index index_of(OnnxDomain domain) {
  Index out;
  for (const OnnxOp& row : kRows) {
    if (row.domain == domain) out.emplace(row.name, &row);
  }
  return out;
}

}  // namespace

std::span<const OnnxOp> onnx_ops() noexcept {
  return kRows;
}

const OnnxOp& onnx_op(std::string_view domain, std::string_view op_type) noexcept {
  static const Index standard = index_of(OnnxDomain::kStandard);
  static const Index microsoft = index_of(OnnxDomain::kMicrosoft);
  const bool is_microsoft = domain == "com.microsoft";
  // Domains beside the two have operators of their own; the blocked layout of
  // com.microsoft.nchwc has the dimensions of the standard ones.
  if (!domain.empty() && !is_microsoft && domain != "com.microsoft.nchwc") return kUnknownRow;
  const Index& first = is_microsoft ? microsoft : standard;
  const Index& second = is_microsoft ? standard : microsoft;
  if (const auto found = first.find(op_type); found != first.end()) return *found->second;
  if (const auto found = second.find(op_type); found != second.end()) return *found->second;
  return kUnknownRow;
}

}  // namespace edgejoule::import
