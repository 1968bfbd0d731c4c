#include "import/tflite_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "graph/exact.h"
#include "graph/op_work.h"
#include "graph/transistor_ops.h"
#include "import/tflite_types.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;

constexpr std::uint64_t kMaxParameterElements = 64;
constexpr std::size_t kNoOperand = ~std::size_t{0};

std::uint64_t u(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

template <class Iterator>
std::uint64_t product(Iterator first, Iterator last, const std::string& name) {
  const graph::Exact exact(name);
  std::uint64_t out = 1;
  // A dimension of zero makes an empty tensor, whatever the others multiply to.
  if (std::find(first, last, 0) != last) return 0;
  for (; first != last; ++first) out = exact.mul(out, u(*first));
  return out;
}
std::uint64_t product(const Dims& dims, const std::string& name) {
  return product(dims.begin(), dims.end(), name);
}

OpKind kind_of(Activation activation) {
  switch (activation) {
    case Activation::none: return OpKind::kUnknown;
    case Activation::relu: return OpKind::kRelu;
    case Activation::relu_n1_to_1: return OpKind::kReluN1To1;
    case Activation::relu6: return OpKind::kRelu6;
    case Activation::tanh: return OpKind::kTanh;
    case Activation::sign_bit: return OpKind::kSign;
  }
  return OpKind::kUnknown;
}

OpKind fused_activation(const tflite_wire::Operator& op) {
  if (const auto* o = op.builtin_options_as_Conv2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_DepthwiseConv2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_Conv3DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_TransposeConvOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_FullyConnectedOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_Pool2DOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_AddOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SubOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_MulOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_DivOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SvdfOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_RnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_SequenceRnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_BidirectionalSequenceRnnOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_LstmOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_UnidirectionalSequenceLstmOptions()) return kind_of(o->activation());
  if (const auto* o = op.builtin_options_as_BidirectionalSequenceLstmOptions()) return kind_of(o->activation());
  return OpKind::kUnknown;
}

bool is_float(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat16 || type == DataType::kBfloat16;
}
bool is_narrow_integer(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8 || type == DataType::kInt4 || type == DataType::kUint4;
}

std::uint64_t attribute(const graph::OpContext& context, const char* what, std::int32_t value) {
  if (value <= 0) throw graph::GraphError(fmt::format("op '{}': its {} is {}", context.name, what, value));
  return u(value);
}

// Dimensions of a file that loops over time: (batch, steps).
std::pair<std::uint64_t, std::uint64_t> batch_and_steps(const Dims& input, bool time_major) {
  if (input.size() < 3) return {u(input.front()), 1};
  return time_major ? std::pair(u(input[1]), u(input[0])) : std::pair(u(input[0]), u(input[1]));
}

}  // namespace

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
  out.elements = dims ? product(*dims, std::string(graph_.tensors[at].name.substr(0, 80))) : 0;
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
        product(*dims, std::string(graph_.tensors[static_cast<std::size_t>(index)].name.substr(0, 80))) <=
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
  if (is_float(out.input) && is_narrow_integer(out.weight)) out.arithmetic = DataType::kInt8;
  return out;
}

void TfliteFacts::add_dynamic_quantisation(graph::OpNode& node, const TfliteOperator& op, std::size_t input) {
  if (!has(op, input) || !is_float(type(op.inputs[input])) || node.data_type != DataType::kInt8) return;
  ++observations_.hybrid_ops;
  const graph::Exact exact(node.name);
  const graph::ScalarWork each = graph::work_of(OpKind::kQuantize).per_output;
  const std::uint64_t elements = node.facts[Fact::kInputElements];
  const auto grow = [&](Fact fact, std::uint64_t amount) { node.facts.set(fact, exact.add(node.facts[fact], amount)); };
  grow(Fact::kStatedAlu, exact.mul(each.alu(), elements));
  grow(Fact::kTransistorOps,
       exact.mul(graph::transistor_ops(each, graph::transistor_cost(DataType::kFloat32)), elements));
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
      const std::uint64_t width = in->empty() ? 1 : u(in->back());
      const std::uint64_t rows = in->empty() ? 1 : product(in->begin(), in->end() - 1, context.name);
      return graph::softmax(context, row.kind, rows, width, type(op.inputs[0]));
    }
    case OpClass::kNormalisation: {
      const Shape in = shape(op, 0);
      if (in == nullptr) return std::nullopt;
      graph::NormalisationParams p;
      p.kind = row.kind;
      p.elements = product(*in, context.name);
      p.groups = in->empty() ? 1 : product(in->begin(), in->end() - 1, context.name);
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

TfliteFacts::Node TfliteFacts::conv_2d(const TfliteOperator& op, graph::OpContext& context, bool depthwise) {
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  const Shape out = result_shape(op);
  if (in == nullptr || filter == nullptr || out == nullptr || in->size() != 4 || filter->size() != 4 ||
      out->size() != 4) {
    return std::nullopt;
  }
  graph::ConvolutionParams p;
  p.kind = depthwise ? OpKind::kDepthwiseConv2d : OpKind::kConv2d;
  if (const auto* o = op.wire->builtin_options_as_Conv2DOptions()) {
    p.stride_h = attribute(context, "stride_h", o->stride_h()),
    p.stride_w = attribute(context, "stride_w", o->stride_w());
    p.dilation_h = attribute(context, "dilation_h", o->dilation_h()),
    p.dilation_w = attribute(context, "dilation_w", o->dilation_w());
  } else if (const auto* d = op.wire->builtin_options_as_DepthwiseConv2DOptions()) {
    p.stride_h = attribute(context, "stride_h", d->stride_h()),
    p.stride_w = attribute(context, "stride_w", d->stride_w());
    p.dilation_h = attribute(context, "dilation_h", d->dilation_h()),
    p.dilation_w = attribute(context, "dilation_w", d->dilation_w());
  }
  context.batch = u((*in)[0]);
  p.in_h = u((*in)[1]), p.in_w = u((*in)[2]), p.in_c = u((*in)[3]);
  p.out_h = u((*out)[1]), p.out_w = u((*out)[2]), p.out_c = u((*out)[3]);
  p.kernel_h = u((*filter)[1]), p.kernel_w = u((*filter)[2]);
  const std::uint64_t group_channels = depthwise ? 1 : u((*filter)[3]);
  if (p.in_c == 0 || group_channels == 0 || p.in_c % group_channels != 0) {
    throw graph::GraphError(fmt::format("op '{}': filters of {} channels do not fit {} input channels", context.name,
                                        group_channels, p.in_c));
  }
  p.groups = p.in_c / group_channels;
  p.has_bias = has(op, 2);
  p.fused_activation = fused_activation(*op.wire);
  p.types = types(op, 0, 1, 2);
  p.weights = weights(op, 1);
  graph::OpNode node = graph::convolution(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

TfliteFacts::Node TfliteFacts::conv_3d(const TfliteOperator& op, graph::OpContext& context, bool transposed) {
  const std::size_t data = transposed ? 2 : 0;
  const std::size_t bias = transposed ? 3 : 2;
  const Shape in = shape(op, data);
  const Shape filter = shape(op, 1);
  const Shape out = result_shape(op);
  if (in == nullptr || filter == nullptr || out == nullptr || in->size() != 5 || filter->size() != 5 ||
      out->size() != 5) {
    return std::nullopt;
  }
  graph::ConvolutionParams p;
  p.kind = transposed ? OpKind::kTransposeConv3d : OpKind::kConv3d;
  if (const auto* o = op.wire->builtin_options_as_Conv3DOptions()) {
    p.stride_d = attribute(context, "stride_d", o->stride_d()),
    p.stride_h = attribute(context, "stride_h", o->stride_h()),
    p.stride_w = attribute(context, "stride_w", o->stride_w());
    p.dilation_h = attribute(context, "dilation_h", o->dilation_h()),
    p.dilation_w = attribute(context, "dilation_w", o->dilation_w());
  }
  context.batch = u((*in)[0]);
  p.in_d = u((*in)[1]), p.in_h = u((*in)[2]), p.in_w = u((*in)[3]), p.in_c = u((*in)[4]);
  p.out_d = u((*out)[1]), p.out_h = u((*out)[2]), p.out_w = u((*out)[3]), p.out_c = u((*out)[4]);
  p.kernel_d = u((*filter)[0]), p.kernel_h = u((*filter)[1]), p.kernel_w = u((*filter)[2]);
  p.has_bias = has(op, bias);
  p.fused_activation = fused_activation(*op.wire);
  p.types = types(op, data, 1, bias);
  p.weights = weights(op, 1);
  return transposed ? graph::transposed_convolution(context, p) : graph::convolution(context, p);
}

// TRANSPOSE_CONV: (output shape, filter, data, bias); its custom twin: (data, filter, bias).
TfliteFacts::Node TfliteFacts::transpose_conv(const TfliteOperator& op, graph::OpContext& context, std::size_t data) {
  const std::size_t bias = data == 0 ? 2 : 3;
  const Shape in = shape(op, data);
  const Shape filter = shape(op, 1);
  const Shape out = result_shape(op);
  if (in == nullptr || filter == nullptr || out == nullptr || in->size() != 4 || filter->size() != 4 ||
      out->size() != 4) {
    return std::nullopt;
  }
  graph::ConvolutionParams p;
  p.kind = OpKind::kTransposeConv2d;
  context.batch = u((*in)[0]);
  p.in_h = u((*in)[1]), p.in_w = u((*in)[2]), p.in_c = u((*in)[3]);
  p.out_h = u((*out)[1]), p.out_w = u((*out)[2]), p.out_c = u((*out)[3]);
  p.kernel_h = u((*filter)[1]), p.kernel_w = u((*filter)[2]);
  if (const auto* o = op.wire->builtin_options_as_TransposeConvOptions()) {
    p.stride_h = attribute(context, "stride_h", o->stride_h()),
    p.stride_w = attribute(context, "stride_w", o->stride_w());
  } else if (p.in_h > 0 && p.in_w > 0) {  // the custom options are no FlatBuffer
    p.stride_h = std::max<std::uint64_t>(1, p.out_h / p.in_h);
    p.stride_w = std::max<std::uint64_t>(1, p.out_w / p.in_w);
  }
  p.has_bias = has(op, bias);
  p.fused_activation = fused_activation(*op.wire);
  p.types = types(op, data, 1, bias);
  p.weights = weights(op, 1);
  return graph::transposed_convolution(context, p);
}

TfliteFacts::Node TfliteFacts::stablehlo_convolution(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  const Shape out = result_shape(op);
  const auto* o = op.wire->builtin_options_2_as_StablehloConvolutionOptions();
  if (in == nullptr || filter == nullptr || out == nullptr || o == nullptr) return std::nullopt;
  const auto at = [](const Dims& dims, std::int64_t index) -> std::uint64_t {
    return index >= 0 && index < static_cast<std::int64_t>(dims.size()) ? u(dims[static_cast<std::size_t>(index)]) : 0;
  };
  graph::ConvolutionParams p;
  p.kind = OpKind::kConv2d;
  p.in_c = at(*in, o->input_feature_dimension());
  p.out_c = at(*out, o->output_feature_dimension());
  const std::uint64_t group_channels = at(*filter, o->kernel_input_feature_dimension());
  if (p.in_c == 0 || p.out_c == 0 || group_channels == 0 || p.in_c % group_channels != 0) return std::nullopt;
  p.groups = p.in_c / group_channels;
  // Any number of spatial dimensions, and the batch, in one: the MACs are the same.
  p.in_h = product(*in, context.name) / p.in_c;
  p.out_h = product(*out, context.name) / p.out_c;
  p.kernel_h = product(*filter, context.name) / group_channels /
               std::max<std::uint64_t>(1, at(*filter, o->kernel_output_feature_dimension()));
  p.has_bias = false;
  p.types = types(op, 0, 1, kNoOperand);
  p.weights = weights(op, 1);
  return graph::convolution(context, p);
}

TfliteFacts::Node TfliteFacts::stablehlo_dot(const TfliteOperator& op, graph::OpContext& context) {
  const Shape x = shape(op, 0);
  const Shape y = shape(op, 1);
  const auto* o = op.wire->builtin_options_2_as_StablehloDotGeneralOptions();
  if (x == nullptr || y == nullptr || o == nullptr) return std::nullopt;
  const graph::Exact exact(context.name);
  std::uint64_t batch = 1;
  std::uint64_t depth = 1;
  const auto grow = [&](std::uint64_t& to, const flatbuffers::Vector<std::int64_t>* axes) {
    if (axes == nullptr) return true;
    for (const std::int64_t axis : *axes) {
      if (axis < 0 || axis >= static_cast<std::int64_t>(x->size())) return false;
      to = exact.mul(to, u((*x)[static_cast<std::size_t>(axis)]));
    }
    return true;
  };
  if (!grow(batch, o->lhs_batching()) || !grow(depth, o->lhs_contracting()) || batch == 0 || depth == 0) {
    return std::nullopt;
  }
  graph::BatchMatmulParams p;
  p.products = batch;
  p.k = depth;
  p.m = product(*x, context.name) / exact.mul(batch, depth);
  p.n = product(*y, context.name) / exact.mul(batch, depth);
  p.types = types(op, 0, 1, kNoOperand);
  p.right = weights(op, 1);
  return graph::batch_matmul(context, p);
}

TfliteFacts::Node TfliteFacts::dense(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  if (in == nullptr || filter == nullptr || filter->size() != 2) return std::nullopt;
  graph::DenseParams p;
  p.n = u((*filter)[0]);
  p.k = u((*filter)[1]);
  const std::uint64_t elements = product(*in, context.name);
  if (p.k == 0 || elements % p.k != 0) {
    throw graph::GraphError(
        fmt::format("op '{}': {} input elements are no whole number of rows of {}", context.name, elements, p.k));
  }
  // All leading dimensions are rows; those of the model's batch are what-if material.
  const std::uint64_t rows = elements / p.k;
  context.batch = rows % model_batch_ == 0 ? model_batch_ : 1;
  p.m = rows / context.batch;
  p.has_bias = has(op, 2);
  p.fused_activation = fused_activation(*op.wire);
  p.types = types(op, 0, 1, 2);
  p.weights = weights(op, 1);
  graph::OpNode node = graph::dense(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

TfliteFacts::Node TfliteFacts::batch_matmul(const TfliteOperator& op, graph::OpContext& context) {
  const Shape x = shape(op, 0);
  const Shape y = shape(op, 1);
  const Shape out = result_shape(op);
  if (x == nullptr || y == nullptr || out == nullptr || x->size() < 2 || y->size() < 2 || out->size() < 2) {
    return std::nullopt;
  }
  const auto* o = op.wire->builtin_options_as_BatchMatMulOptions();
  const bool adj_x = o != nullptr && o->adj_x();
  const bool adj_y = o != nullptr && o->adj_y();
  graph::BatchMatmulParams p;
  p.m = u((*x)[x->size() - (adj_x ? 1 : 2)]);
  p.k = u((*x)[x->size() - (adj_x ? 2 : 1)]);
  p.n = u((*y)[y->size() - (adj_y ? 2 : 1)]);
  if (p.k != u((*y)[y->size() - (adj_y ? 1 : 2)])) {
    throw graph::GraphError(
        fmt::format("op '{}': {} columns times {} rows", context.name, p.k, (*y)[y->size() - (adj_y ? 1 : 2)]));
  }
  p.left_matrices = product(x->begin(), x->end() - 2, context.name);
  p.right_matrices = product(y->begin(), y->end() - 2, context.name);
  p.products = product(out->begin(), out->end() - 2, context.name);
  p.types = types(op, 0, 1, kNoOperand);
  p.right = weights(op, 1);
  graph::OpNode node = graph::batch_matmul(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

// 20 or 24 inputs, 48 in both directions: data, four input weights, four recurrent
// weights, three peepholes, four biases, projection and its bias, states.
TfliteFacts::Node TfliteFacts::lstm(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  constexpr std::size_t kInputToInput = 1;
  constexpr std::size_t kInputToForget = 2;
  constexpr std::size_t kCellToOutput = 11;
  constexpr std::size_t kForgetBias = 13;
  constexpr std::size_t kProjection = 16;
  constexpr std::size_t kAuxiliary = 39;
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, kInputToForget);
  if (in == nullptr || in->size() < 2 || filter == nullptr || filter->size() != 2) return std::nullopt;
  const bool both = row.rule == TfliteRule::kBidirectionalLstm;
  graph::RecurrentParams p;
  bool time_major = false;
  if (const auto* o = op.wire->builtin_options_as_UnidirectionalSequenceLstmOptions()) {
    time_major = o->time_major();
    observations_.diagonal_recurrent += o->diagonal_recurrent_tensors() ? 1U : 0U;
  } else if (const auto* b = op.wire->builtin_options_as_BidirectionalSequenceLstmOptions()) {
    time_major = b->time_major();
  }
  std::tie(context.batch, p.steps) = batch_and_steps(*in, time_major);
  p.directions = both ? 2 : 1;
  p.units = u((*filter)[0]);
  p.inputs = u((*filter)[1]);
  if (both) {
    const Shape auxiliary = shape(op, kAuxiliary);
    if (auxiliary != nullptr && !auxiliary->empty()) p.inputs += u(auxiliary->back());
  }
  if (const Shape projection = shape(op, kProjection); projection != nullptr && projection->size() == 2) {
    p.projection = u((*projection)[0]);
  }
  p.coupled_input_gate = !has(op, kInputToInput);
  p.peepholes = has(op, kCellToOutput);
  const OpKind activation = fused_activation(*op.wire);
  if (activation != OpKind::kUnknown) p.activation = activation;
  p.types = types(op, 0, kInputToForget, kForgetBias);
  p.weights = weights(op, kInputToForget);
  std::uint64_t scales = 0;
  for (const std::int32_t index : op.inputs) {
    if (index >= 0 && constant_[static_cast<std::size_t>(index)] && is_narrow_integer(type(index))) {
      scales += graph_.tensors[static_cast<std::size_t>(index)].scale_count;
    }
  }
  p.weights.scales = scales;
  graph::OpNode node = graph::recurrent(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

// Five inputs: data, previous activation, weights (4n x (k + n)), biases, state.
TfliteFacts::Node TfliteFacts::basic_lstm(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape previous = shape(op, 1);
  if (in == nullptr || previous == nullptr || in->empty() || previous->empty()) return std::nullopt;
  graph::RecurrentParams p;
  context.batch = product(in->begin(), in->end() - 1, context.name);
  p.inputs = u(in->back());
  p.units = u(previous->back());
  p.types = types(op, 0, 2, 3);
  p.weights = weights(op, 2);
  return graph::recurrent(context, p);
}

// Data, input weights, recurrent weights, bias, state; twice in both directions.
TfliteFacts::Node TfliteFacts::rnn(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  constexpr std::size_t kAuxiliary = 9;
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  if (in == nullptr || in->size() < 2 || filter == nullptr || filter->size() != 2) return std::nullopt;
  graph::RecurrentParams p;
  p.kind = OpKind::kRnn;
  bool time_major = false;
  if (const auto* o = op.wire->builtin_options_as_SequenceRnnOptions()) time_major = o->time_major();
  if (const auto* o = op.wire->builtin_options_as_BidirectionalSequenceRnnOptions()) time_major = o->time_major();
  std::tie(context.batch, p.steps) = batch_and_steps(*in, time_major);
  const bool both = row.rule == TfliteRule::kBidirectionalRnn;
  p.directions = both ? 2 : 1;
  p.units = u((*filter)[0]);
  p.inputs = u((*filter)[1]);
  if (both) {
    const Shape auxiliary = shape(op, kAuxiliary);
    if (auxiliary != nullptr && !auxiliary->empty()) p.inputs += u(auxiliary->back());
  }
  p.activation = fused_activation(*op.wire);
  p.types = types(op, 0, 1, 3);
  p.weights = weights(op, 1);
  graph::OpNode node = graph::recurrent(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

// Data, feature weights (filters x inputs), time weights (filters x memory), bias, state.
TfliteFacts::Node TfliteFacts::svdf(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape feature = shape(op, 1);
  const Shape time = shape(op, 2);
  const auto* o = op.wire->builtin_options_as_SvdfOptions();
  if (in == nullptr || in->empty() || feature == nullptr || feature->size() != 2 || time == nullptr ||
      time->size() != 2) {
    return std::nullopt;
  }
  graph::RecurrentParams p;
  p.kind = OpKind::kSvdf;
  context.batch = product(in->begin(), in->end() - 1, context.name);
  p.units = u((*feature)[0]);
  p.inputs = u((*feature)[1]);
  p.svdf_memory = u((*time)[1]);
  p.svdf_rank = o == nullptr || o->rank() <= 0 ? 1 : u(o->rank());
  p.activation = fused_activation(*op.wire);
  p.types = types(op, 0, 1, 3);
  p.weights = weights(op, 1);
  graph::OpNode node = graph::recurrent(context, p);
  add_dynamic_quantisation(node, op, 0);
  return node;
}

TfliteFacts::Node TfliteFacts::pool_2d(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape out = result_shape(op);
  const auto* o = op.wire->builtin_options_as_Pool2DOptions();
  if (in == nullptr || out == nullptr || o == nullptr || in->size() != 4 || out->size() != 4) return std::nullopt;
  graph::PoolingParams p;
  p.kind = row.kind;
  context.batch = u((*in)[0]);
  p.in_h = u((*in)[1]), p.in_w = u((*in)[2]), p.channels = u((*in)[3]);
  p.out_h = u((*out)[1]), p.out_w = u((*out)[2]);
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
  p.row_elements = product(table->begin() + leading, table->end(), context.name);
  const std::uint64_t results_elements = product(*out, context.name);
  p.rows_read = p.row_elements == 0 ? 0 : results_elements / p.row_elements;
  p.weights = weights(op, table_at);
  p.table = {product(*table, context.name), type(op.inputs[table_at]), p.weights.constant, p.weights.seen_before};
  if (p.weights.scales > 1) p.weights.scales = std::min(p.weights.scales, p.rows_read);
  p.indices = tensor(op.inputs[indices_at]);
  p.output_type = type(op.outputs[0]);
  return graph::lookup(context, p);
}

}  // namespace edgejoule::import
