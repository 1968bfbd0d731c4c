#include "import/tflite/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "graph/data_types.h"
#include "import/tflite/attributes.h"
#include "import/tflite/types.h"

namespace edgejoule::import {

TfliteFacts::TfliteFacts(const TfliteSubgraph& graph, const TfliteShapes& shapes, std::uint64_t model_batch,
                         std::set<std::uint32_t>& seen_buffers, TfliteObservations& observations)
    : graph_(graph), shapes_(shapes), model_batch_(model_batch), seen_(seen_buffers), observations_(observations) {
  for (const TfliteTensor& tensor : graph.tensors) {
    constant_.push_back(tensor.constant);
    buffer_.push_back(tensor.buffer);
  }
}

bool TfliteFacts::has(const TfliteOperator& op, std::size_t input) const {
  return input < op.inputs.size() && op.inputs[input] >= 0;
}

TfliteFacts::Shape TfliteFacts::shape(const TfliteOperator& op, std::size_t input) const {
  if (!has(op, input)) return nullptr;
  const auto& dims = shapes_.dims[static_cast<std::size_t>(op.inputs[input])];
  return dims ? &*dims : nullptr;
}

TfliteFacts::Shape TfliteFacts::result_shape(const TfliteOperator& op) const {
  if (op.outputs.empty() || op.outputs[0] < 0) return nullptr;
  const auto& dims = shapes_.dims[static_cast<std::size_t>(op.outputs[0])];
  return dims ? &*dims : nullptr;
}

DataType TfliteFacts::type(std::int32_t index) const {
  return index < 0 ? DataType::kUnknown : data_type_of(graph_.tensors[static_cast<std::size_t>(index)].type);
}

graph::Tensor TfliteFacts::tensor(std::int32_t index) {
  graph::Tensor out;
  out.type = type(index);
  if (index < 0) return out;
  const auto at = static_cast<std::size_t>(index);
  const auto& dims = shapes_.dims[at];
  out.elements = dims ? elements_of(*dims, std::string(graph_.tensors[at].name.substr(0, 80))) : 0;
  out.constant = constant_[at];
  // Buffer 0 holds nothing: such a constant lies in another file, under no shared name.
  if (out.constant) {
    out.seen_before = buffer_[at] != 0 && !seen_.insert(buffer_[at]).second;
    observations_.sparse_weights += graph_.tensors[at].sparse ? 1U : 0U;
  }
  return out;
}

std::vector<graph::Tensor> TfliteFacts::results(const TfliteOperator& op) {
  std::vector<graph::Tensor> out;
  for (const std::int32_t index : op.outputs) {
    if (index >= 0) out.push_back(tensor(index));
  }
  for (graph::Tensor& result : out) result.constant = false;
  return out;
}

// Axes, paddings, sizes and the like are parameters of an op, not data that it moves.
std::vector<graph::Tensor> TfliteFacts::operands(const TfliteOperator& op, bool skip_parameters) {
  std::vector<graph::Tensor> out;
  for (const std::int32_t index : op.inputs) {
    if (index < 0) continue;
    const auto& dims = shapes_.dims[static_cast<std::size_t>(index)];
    const DataType data_type = type(index);
    const bool integers = data_type == DataType::kInt32 || data_type == DataType::kInt64;
    if (skip_parameters && constant_[static_cast<std::size_t>(index)] && integers && dims &&
        elements_of(*dims, std::string(graph_.tensors[static_cast<std::size_t>(index)].name.substr(0, 80))) <=
            kMaxParameterElements) {
      continue;
    }
    out.push_back(tensor(index));
  }
  return out;
}

graph::WeightUse TfliteFacts::weights(const TfliteOperator& op, std::size_t input) {
  graph::WeightUse out;
  if (!has(op, input)) return out;
  const graph::Tensor stored = tensor(op.inputs[input]);
  out.constant = stored.constant;
  out.seen_before = stored.seen_before;
  out.scales = graph_.tensors[static_cast<std::size_t>(op.inputs[input])].scale_count;
  return out;
}

graph::OpTypes TfliteFacts::types(const TfliteOperator& op, std::size_t input, std::size_t weight,
                                  std::size_t bias) const {
  graph::OpTypes out;
  out.input = has(op, input) ? type(op.inputs[input]) : DataType::kUnknown;
  out.weight = has(op, weight) ? type(op.inputs[weight]) : DataType::kUnknown;
  out.bias = has(op, bias) ? type(op.inputs[bias]) : DataType::kUnknown;
  out.output = op.outputs.empty() ? DataType::kUnknown : type(op.outputs[0]);
  // Kernels for narrow weights on float activations quantise the activations first.
  if (graph::is_float(out.input) && graph::is_narrow_integer(out.weight)) out.arithmetic = DataType::kInt8;
  return out;
}

// Runtimes keep what these kernels make of constants, from the first inference on.
bool TfliteFacts::runs_at_load(const TfliteOperator& op, const TfliteOp& row) const {
  return (row.name == "DEQUANTIZE" || row.name == "DENSIFY") && op.inputs.size() == 1 && op.outputs.size() == 1 &&
         op.inputs[0] >= 0 && op.outputs[0] >= 0 && constant_[static_cast<std::size_t>(op.inputs[0])];
}

graph::OpNode TfliteFacts::node(const TfliteOperator& op, const std::string& name) {
  const TfliteOp& row = tflite_op(op.code, op.custom_code);
  graph::OpContext context;
  context.name = name;
  context.type_name = op.code == kTfliteCustom && !op.custom_code.empty() ? std::string(op.custom_code.substr(0, 128))
                      : row.name.empty()                                  ? fmt::format("BUILTIN_{}", op.code)
                                                                          : std::string(row.name);
  if (runs_at_load(op, row)) {
    constant_[static_cast<std::size_t>(op.outputs[0])] = true;
    buffer_[static_cast<std::size_t>(op.outputs[0])] = buffer_[static_cast<std::size_t>(op.inputs[0])];
    ++observations_.load_time_ops;
    return graph::data_movement(context, row.kind, {}, {});
  }
  const OpClass op_class = row.op_class == OpClass::kUnknown ? class_of(row.kind) : row.op_class;
  if (row.kind == OpKind::kCustom || (row.kind == OpKind::kUnknown && op_class == OpClass::kOpaque)) {
    ++observations_.unknown_ops[context.type_name];
    return opaque(op, row, context, OpClass::kOpaque);
  }
  if (Node counted_node = counted(op, row, context)) return std::move(*counted_node);
  if (observations_.unknown_shapes++ == 0)
    observations_.first_unknown_shape = fmt::format("{} '{}'", context.type_name, name);
  return opaque(op, row, context, OpClass::kOpaque);
}

TfliteFacts::Node TfliteFacts::counted(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  switch (row.rule) {
    case TfliteRule::kConv2d: return conv_2d(op, context, false);
    case TfliteRule::kDepthwiseConv2d: return conv_2d(op, context, true);
    case TfliteRule::kConv3d: return conv_3d(op, context, false);
    case TfliteRule::kTransposeConv3d: return conv_3d(op, context, true);
    case TfliteRule::kTransposeConv2d: return transpose_conv(op, context, 2);
    case TfliteRule::kTransposeConvBias: return transpose_conv(op, context, 0);
    case TfliteRule::kStablehloConvolution: return stablehlo_convolution(op, context);
    case TfliteRule::kStablehloDot: return stablehlo_dot(op, context);
    case TfliteRule::kFullyConnected: return dense(op, context);
    case TfliteRule::kBatchMatmul: return batch_matmul(op, context);
    case TfliteRule::kLstm: return op.inputs.size() < 20 ? basic_lstm(op, context) : lstm(op, row, context);
    case TfliteRule::kSequenceLstm:
    case TfliteRule::kBidirectionalLstm: return lstm(op, row, context);
    case TfliteRule::kRnn:
    case TfliteRule::kSequenceRnn:
    case TfliteRule::kBidirectionalRnn: return rnn(op, row, context);
    case TfliteRule::kSvdf: return svdf(op, context);
    case TfliteRule::kPool2d: return pool_2d(op, row, context);
    case TfliteRule::kControl: return graph::control(context, row.kind);
    default: return by_class(op, row, context);
  }
}

TfliteFacts::Node TfliteFacts::by_class(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  const OpClass op_class = row.op_class == OpClass::kUnknown ? class_of(row.kind) : row.op_class;
  const auto known = [&](IndexSpan tensors) {
    return std::all_of(tensors.begin(), tensors.end(), [&](std::int32_t index) {
      return index < 0 || shapes_.dims[static_cast<std::size_t>(index)].has_value();
    });
  };
  // What moves nothing costs nothing, whatever its shape.
  if (graph::is_free(row.kind)) return graph::data_movement(context, row.kind, operands(op, true), results(op));
  if (!known(op.inputs) || !known(op.outputs) || op.outputs.empty()) return std::nullopt;
  if (row.kind == OpKind::kUnknown) return opaque(op, row, context, op_class);
  switch (op_class) {
    case OpClass::kElementwise:
    case OpClass::kActivation: {
      graph::ElementwiseParams p;
      p.kind = row.kind;
      p.inputs = operands(op, false);
      p.output = results(op).empty() ? graph::Tensor{} : results(op).front();
      p.fused_activation = fused_activation(*op.wire);
      // The condition of a SELECT says nothing about the type it selects.
      if (row.kind == OpKind::kSelect && p.inputs.size() == 3)
        std::rotate(p.inputs.begin(), p.inputs.begin() + 1, p.inputs.end());
      return graph::elementwise(context, p);
    }
    case OpClass::kSoftmax: {
      const Shape in = shape(op, 0);
      if (in == nullptr) return std::nullopt;
      const std::uint64_t width = in->empty() ? 1 : extent_of(in->back());
      const std::uint64_t rows = in->empty() ? 1 : elements_of(in->begin(), in->end() - 1, context.name);
      return graph::softmax(context, row.kind, rows, width, type(op.inputs[0]));
    }
    case OpClass::kNormalisation: {
      const Shape in = shape(op, 0);
      if (in == nullptr) return std::nullopt;
      graph::NormalisationParams p;
      p.kind = row.kind;
      p.elements = elements_of(*in, context.name);
      p.groups = in->empty() ? 1 : elements_of(in->begin(), in->end() - 1, context.name);
      p.types.input = type(op.inputs[0]);
      p.types.output = type(op.outputs[0]);
      return graph::normalisation(context, p);
    }
    case OpClass::kReduction: {
      if (!has(op, 0)) return std::nullopt;
      return graph::reduction(context, row.kind, tensor(op.inputs[0]), results(op));
    }
    case OpClass::kLookup: return lookup(op, row, context);
    case OpClass::kDataMovement: return graph::data_movement(context, row.kind, operands(op, true), results(op));
    default: return opaque(op, row, context, op_class);
  }
}

graph::OpNode TfliteFacts::opaque(const TfliteOperator& op, const TfliteOp& row, const graph::OpContext& context,
                                  OpClass op_class) {
  graph::OpaqueParams p;
  p.kind = row.kind;
  p.op_class = op_class;
  p.inputs = operands(op, false);
  p.outputs = results(op);
  // A kind of ours without a number of its own still touches each result once.
  if (op_class == OpClass::kElementwise) {
    for (const graph::Tensor& result : p.outputs) p.alu_ops += result.elements;
  } else if (op_class == OpClass::kReduction) {
    for (const graph::Tensor& operand : p.inputs) p.alu_ops += operand.elements;
  }
  return graph::opaque(context, p);
}

TfliteFacts::Node TfliteFacts::pool_2d(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape out = result_shape(op);
  const auto* o = op.wire->builtin_options_as_Pool2DOptions();
  if (in == nullptr || out == nullptr || o == nullptr || in->size() != 4 || out->size() != 4) return std::nullopt;
  graph::PoolingParams p;
  p.kind = row.kind;
  context.batch = extent_of((*in)[0]);
  p.in_h = extent_of((*in)[1]), p.in_w = extent_of((*in)[2]), p.channels = extent_of((*in)[3]);
  p.out_h = extent_of((*out)[1]), p.out_w = extent_of((*out)[2]);
  p.kernel_h = attribute(context, "filter_h", o->filter_h()),
  p.kernel_w = attribute(context, "filter_w", o->filter_w());
  p.stride_h = attribute(context, "stride_h", o->stride_h()),
  p.stride_w = attribute(context, "stride_w", o->stride_w());
  p.fused_activation = fused_activation(*op.wire);
  p.type = type(op.inputs[0]);
  return graph::pooling(context, p);
}

TfliteFacts::Node TfliteFacts::lookup(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  const bool embedding = row.rule == TfliteRule::kEmbedding;
  const std::size_t table_at = embedding ? 1 : 0;
  const std::size_t indices_at = embedding ? 0 : 1;
  const Shape table = shape(op, table_at);
  const Shape out = result_shape(op);
  if (row.rule != TfliteRule::kGather && row.rule != TfliteRule::kGatherNd && !embedding) {
    return graph::data_movement(context, row.kind, operands(op, true), results(op));
  }
  const Shape indices = shape(op, indices_at);
  if (table == nullptr || out == nullptr || indices == nullptr) return std::nullopt;
  // Dimensions of the table in front of what one index reads as a piece.
  std::int64_t leading = 1;
  if (row.rule == TfliteRule::kGatherNd) {
    leading = indices->empty() ? 0 : indices->back();
  } else if (const auto* o = op.wire->builtin_options_as_GatherOptions()) {
    leading = o->axis() + 1 + (o->axis() < 0 ? static_cast<std::int64_t>(table->size()) : 0);
  }
  if (leading < 0 || leading > static_cast<std::int64_t>(table->size())) return std::nullopt;
  graph::LookupParams p;
  p.kind = row.kind;
  p.row_elements = elements_of(table->begin() + leading, table->end(), context.name);
  const std::uint64_t results_elements = elements_of(*out, context.name);
  p.rows_read = p.row_elements == 0 ? 0 : results_elements / p.row_elements;
  p.weights = weights(op, table_at);
  p.table = {elements_of(*table, context.name), type(op.inputs[table_at]), p.weights.constant, p.weights.seen_before};
  if (p.weights.scales > 1) p.weights.scales = std::min(p.weights.scales, p.rows_read);
  p.indices = tensor(op.inputs[indices_at]);
  p.output_type = type(op.outputs[0]);
  return graph::lookup(context, p);
}

}  // namespace edgejoule::import
