#include "import/tflite/shapes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "import/tflite/operator_shapes.h"
#include "import/tflite/ops.h"
#include "import/tflite/types.h"

namespace edgejoule::import {

using namespace tflite_wire;

namespace {

constexpr std::int64_t kMaxDim = (1LL << 31) - 1;

std::optional<Ints> constant_ints(const TfliteTensor& tensor) {
  const std::size_t width = tensor.type == TensorType::int32 ? 4 : tensor.type == TensorType::int64 ? 8 : 0;
  if (!tensor.constant || width == 0 || tensor.data.empty() || tensor.data.size() % width != 0 ||
      tensor.data.size() / width > OperatorShapes::kMaxFoldedInts) {
    return std::nullopt;
  }
  Ints out;
  for (std::size_t at = 0; at < tensor.data.size(); at += width) {
    std::int64_t value = 0;
    if (width == 8) {
      std::memcpy(&value, tensor.data.data() + at, 8);
    } else {
      std::int32_t narrow = 0;
      std::memcpy(&narrow, tensor.data.data() + at, 4);
      value = narrow;
    }
    // STRIDED_SLICE writes "to the end" as the largest integer.
    out.push_back(std::clamp(value, -OperatorShapes::kMaxFoldedValue, OperatorShapes::kMaxFoldedValue));
  }
  return out;
}

bool usable(const OperatorShapes::Shape& shape) {
  return shape && std::all_of(shape->begin(), shape->end(), [](std::int64_t d) { return d >= 0 && d <= kMaxDim; });
}

}  // namespace

OperatorShapes::Shapes OperatorShapes::outputs(TfliteRule rule) const {
  switch (rule) {
    case TfliteRule::kStated:
    case TfliteRule::kStablehloConvolution:
    case TfliteRule::kStablehloDot:
    case TfliteRule::kTransposeConvBias: return {};
    case TfliteRule::kControl: return control();
    case TfliteRule::kSame: return {shape(0)};
    case TfliteRule::kBroadcast: return {broadcast_all()};
    case TfliteRule::kConv2d: return {conv_2d()};
    case TfliteRule::kDepthwiseConv2d: return {depthwise_conv_2d()};
    case TfliteRule::kConv3d: return {conv_3d()};
    case TfliteRule::kTransposeConv2d:
    case TfliteRule::kTransposeConv3d:
    case TfliteRule::kFill: return {dims_from(0)};
    case TfliteRule::kShapeFromInput: return {dims_from(1)};
    case TfliteRule::kPool2d: return {pool_2d()};
    case TfliteRule::kFullyConnected: return {fully_connected()};
    case TfliteRule::kBatchMatmul: return {batch_matmul()};
    case TfliteRule::kLstm:
    case TfliteRule::kSequenceLstm: return {with_units(op_.inputs.size() < 20 ? last_of(1) : lstm_units(0))};
    case TfliteRule::kBidirectionalLstm: return bidirectional(lstm_units(0), lstm_units(17));
    case TfliteRule::kRnn:
    case TfliteRule::kSequenceRnn: return {with_units(first_of(1))};
    case TfliteRule::kBidirectionalRnn: return bidirectional(first_of(1), first_of(5));
    case TfliteRule::kSvdf: return {svdf()};
    case TfliteRule::kReshape: return {reshape()};
    case TfliteRule::kSqueeze: return {squeeze()};
    case TfliteRule::kExpandDims: return {expand_dims()};
    case TfliteRule::kConcatenation: return {concatenation()};
    case TfliteRule::kPack: return {pack()};
    case TfliteRule::kUnpack: return unpack();
    case TfliteRule::kSplit: return split();
    case TfliteRule::kSplitV: return split_v();
    case TfliteRule::kSlice: return {slice()};
    case TfliteRule::kStridedSlice: return {strided_slice()};
    case TfliteRule::kTranspose: return {transpose()};
    case TfliteRule::kPad: return {pad()};
    case TfliteRule::kReduce: return {reduce()};
    case TfliteRule::kArg: return {arg()};
    case TfliteRule::kTopK: return top_k();
    case TfliteRule::kResize: return {resize()};
    case TfliteRule::kSpaceToDepth: return {space_to_depth()};
    case TfliteRule::kDepthToSpace: return {depth_to_space()};
    case TfliteRule::kSpaceToBatch: return {space_to_batch()};
    case TfliteRule::kBatchToSpace: return {batch_to_space()};
    case TfliteRule::kGather: return {gather()};
    case TfliteRule::kGatherNd: return {gather_nd()};
    case TfliteRule::kEmbedding: return {embedding()};
    case TfliteRule::kOneHot: return {one_hot()};
    case TfliteRule::kTile: return {tile()};
    case TfliteRule::kShape: return {rank_vector()};
    case TfliteRule::kRank: return {Dims{}};
    case TfliteRule::kRange: return {range()};
    case TfliteRule::kMatrixDiag: return {matrix_diag()};
  }
  return {};
}

// The value of an integer result that only depends on shapes and constants.
std::optional<Ints> OperatorShapes::ints(TfliteRule rule, OpKind kind) const {
  if (rule == TfliteRule::kShape) return shape(0);
  if (rule == TfliteRule::kRank && shape(0)) return Ints{static_cast<std::int64_t>(shape(0)->size())};
  if (kind == OpKind::kCast || rule == TfliteRule::kReshape || rule == TfliteRule::kSqueeze ||
      rule == TfliteRule::kExpandDims) {
    return values(0);
  }
  if (rule == TfliteRule::kPack || rule == TfliteRule::kConcatenation) {
    Ints out;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      const auto part = values(i);
      if (!part || out.size() + part->size() > kMaxFoldedInts) return std::nullopt;
      out.insert(out.end(), part->begin(), part->end());
    }
    return out;
  }
  if (rule == TfliteRule::kStridedSlice) {
    const auto in = values(0);
    if (!in) return std::nullopt;
    return with_slice([&](const StridedSlice& slice) { return sliced_values(*in, slice); });
  }
  if ((kind == OpKind::kMul || kind == OpKind::kAdd || kind == OpKind::kSub) && op_.inputs.size() == 2) {
    const auto a = values(0);
    const auto b = values(1);
    if (!a || !b || a->size() != 1 || b->size() != 1) return std::nullopt;
    const std::int64_t x = a->front();
    const std::int64_t y = b->front();
    std::int64_t out = 0;
    const bool overflow = kind == OpKind::kMul   ? __builtin_mul_overflow(x, y, &out)
                          : kind == OpKind::kAdd ? __builtin_add_overflow(x, y, &out)
                                                 : __builtin_sub_overflow(x, y, &out);
    if (overflow) return std::nullopt;
    return Ints{std::clamp(out, -kMaxFoldedValue, kMaxFoldedValue)};
  }
  return std::nullopt;
}

OperatorShapes::Shapes OperatorShapes::control() const {
  // What goes round a loop keeps its shape; branches and calls state theirs.
  if (op_.wire->builtin_options_as_WhileOptions() == nullptr &&
      op_.wire->builtin_options_2_as_StablehloWhileOptions() == nullptr) {
    return {};
  }
  Shapes out;
  for (std::size_t i = 0; i < op_.outputs.size(); ++i) out.push_back(shape(i));
  return out;
}

OperatorShapes::Shape OperatorShapes::broadcast_all() const {
  Shape out = shape(0);
  for (std::size_t i = 1; i < op_.inputs.size() && out; ++i) {
    const Shape next = shape(i);
    out = next ? broadcast(*out, *next) : std::nullopt;
  }
  return out;
}

TfliteShapes infer_shapes(const TfliteSubgraph& graph, std::span<const std::optional<Dims>> arguments) {
  TfliteShapes out;
  for (const TfliteTensor& tensor : graph.tensors) {
    out.dims.push_back(tensor.dims);
    out.ints.push_back(constant_ints(tensor));
  }
  for (std::size_t i = 0; i < std::min(arguments.size(), graph.inputs.size()); ++i) {
    if (graph.inputs[i] < 0) continue;
    std::optional<Dims>& dims = out.dims[static_cast<std::size_t>(graph.inputs[i])];
    if (!dims) dims = arguments[i];
  }
  for (const TfliteOperator& op : graph.operators) {
    const TfliteOp& row = tflite_op(op.code, op.custom_code);
    const OperatorShapes shapes(op, out);
    const OperatorShapes::Shapes inferred = shapes.outputs(row.rule);
    std::optional<Ints> ints = shapes.ints(row.rule, row.kind);
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      if (op.outputs[i] < 0) continue;
      const auto tensor = static_cast<std::size_t>(op.outputs[i]);
      if (!out.dims[tensor] && i < inferred.size() && usable(inferred[i])) out.dims[tensor] = inferred[i];
    }
    if (ints && op.outputs.size() == 1 && op.outputs[0] >= 0) {
      out.ints[static_cast<std::size_t>(op.outputs[0])] = std::move(ints);
    }
  }
  return out;
}

}  // namespace edgejoule::import
