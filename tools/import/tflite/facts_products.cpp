// The operators that multiply matrices: convolutions, dense and batch products,
// recurrent layers.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "graph/data_types.h"
#include "graph/exact.h"
#include "graph/op_work.h"
#include "graph/transistor_ops.h"
#include "import/tflite/attributes.h"
#include "import/tflite/facts.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;

// Dimensions of a file that loops over time: (batch, steps).
std::pair<std::uint64_t, std::uint64_t> batch_and_steps(const Dims& input, bool time_major) {
  if (input.size() < 3) return {extent_of(input.front()), 1};
  return time_major ? std::pair(extent_of(input[1]), extent_of(input[0]))
                    : std::pair(extent_of(input[0]), extent_of(input[1]));
}

}  // namespace

template <class Params>
void TfliteFacts::set_operands(Params& p, const TfliteOperator& op, std::size_t input, std::size_t weight,
                               std::size_t bias) {
  p.types = types(op, input, weight, bias);
  if constexpr (requires { p.weights; }) {
    p.weights = weights(op, weight);
  } else {
    p.right = weights(op, weight);
  }
}

graph::OpNode TfliteFacts::with_dynamic_quantisation(graph::OpNode node, const TfliteOperator& op) {
  if (!has(op, 0) || !graph::is_float(type(op.inputs[0])) || node.data_type != DataType::kInt8) return node;
  ++observations_.hybrid_ops;
  const graph::Exact exact(node.name);
  const graph::ScalarWork each = graph::work_of(OpKind::kQuantize).per_output;
  const std::uint64_t elements = node.facts[Fact::kInputElements];
  const auto grow = [&](Fact fact, std::uint64_t amount) { node.facts.set(fact, exact.add(node.facts[fact], amount)); };
  grow(Fact::kStatedAlu, exact.mul(each.alu(), elements));
  grow(Fact::kTransistorOps,
       exact.mul(graph::transistor_ops(each, graph::transistor_cost(DataType::kFloat32)), elements));
  return node;
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
  context.batch = extent_of((*in)[0]);
  p.in_h = extent_of((*in)[1]), p.in_w = extent_of((*in)[2]), p.in_c = extent_of((*in)[3]);
  p.out_h = extent_of((*out)[1]), p.out_w = extent_of((*out)[2]), p.out_c = extent_of((*out)[3]);
  p.kernel_h = extent_of((*filter)[1]), p.kernel_w = extent_of((*filter)[2]);
  const std::uint64_t group_channels = depthwise ? 1 : extent_of((*filter)[3]);
  if (p.in_c == 0 || group_channels == 0 || p.in_c % group_channels != 0) {
    throw graph::GraphError(fmt::format("op '{}': filters of {} channels do not fit {} input channels", context.name,
                                        group_channels, p.in_c));
  }
  p.groups = p.in_c / group_channels;
  p.has_bias = has(op, 2);
  p.fused_activation = fused_activation(*op.wire);
  set_operands(p, op, 0, 1, 2);
  return with_dynamic_quantisation(graph::convolution(context, p), op);
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
  context.batch = extent_of((*in)[0]);
  p.in_d = extent_of((*in)[1]), p.in_h = extent_of((*in)[2]), p.in_w = extent_of((*in)[3]),
  p.in_c = extent_of((*in)[4]);
  p.out_d = extent_of((*out)[1]), p.out_h = extent_of((*out)[2]), p.out_w = extent_of((*out)[3]),
  p.out_c = extent_of((*out)[4]);
  p.kernel_d = extent_of((*filter)[0]), p.kernel_h = extent_of((*filter)[1]), p.kernel_w = extent_of((*filter)[2]);
  p.has_bias = has(op, bias);
  p.fused_activation = fused_activation(*op.wire);
  set_operands(p, op, data, 1, bias);
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
  context.batch = extent_of((*in)[0]);
  p.in_h = extent_of((*in)[1]), p.in_w = extent_of((*in)[2]), p.in_c = extent_of((*in)[3]);
  p.out_h = extent_of((*out)[1]), p.out_w = extent_of((*out)[2]), p.out_c = extent_of((*out)[3]);
  p.kernel_h = extent_of((*filter)[1]), p.kernel_w = extent_of((*filter)[2]);
  if (const auto* o = op.wire->builtin_options_as_TransposeConvOptions()) {
    p.stride_h = attribute(context, "stride_h", o->stride_h()),
    p.stride_w = attribute(context, "stride_w", o->stride_w());
  } else if (p.in_h > 0 && p.in_w > 0) {  // the custom options are no FlatBuffer
    p.stride_h = std::max<std::uint64_t>(1, p.out_h / p.in_h);
    p.stride_w = std::max<std::uint64_t>(1, p.out_w / p.in_w);
  }
  p.has_bias = has(op, bias);
  p.fused_activation = fused_activation(*op.wire);
  set_operands(p, op, data, 1, bias);
  return graph::transposed_convolution(context, p);
}

TfliteFacts::Node TfliteFacts::stablehlo_convolution(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  const Shape out = result_shape(op);
  const auto* o = op.wire->builtin_options_2_as_StablehloConvolutionOptions();
  if (in == nullptr || filter == nullptr || out == nullptr || o == nullptr) return std::nullopt;
  const auto at = [](const Dims& dims, std::int64_t index) -> std::uint64_t {
    return index >= 0 && index < static_cast<std::int64_t>(dims.size())
               ? extent_of(dims[static_cast<std::size_t>(index)])
               : 0;
  };
  graph::ConvolutionParams p;
  p.kind = OpKind::kConv2d;
  p.in_c = at(*in, o->input_feature_dimension());
  p.out_c = at(*out, o->output_feature_dimension());
  const std::uint64_t group_channels = at(*filter, o->kernel_input_feature_dimension());
  if (p.in_c == 0 || p.out_c == 0 || group_channels == 0 || p.in_c % group_channels != 0) return std::nullopt;
  p.groups = p.in_c / group_channels;
  // Any number of spatial dimensions, and the batch, in one: the MACs are the same.
  p.in_h = elements_of(*in, context.name) / p.in_c;
  p.out_h = elements_of(*out, context.name) / p.out_c;
  p.kernel_h = elements_of(*filter, context.name) / group_channels /
               std::max<std::uint64_t>(1, at(*filter, o->kernel_output_feature_dimension()));
  p.has_bias = false;
  set_operands(p, op, 0, 1, kNoOperand);
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
      to = exact.mul(to, extent_of((*x)[static_cast<std::size_t>(axis)]));
    }
    return true;
  };
  if (!grow(batch, o->lhs_batching()) || !grow(depth, o->lhs_contracting()) || batch == 0 || depth == 0) {
    return std::nullopt;
  }
  graph::BatchMatmulParams p;
  p.products = batch;
  p.k = depth;
  p.m = elements_of(*x, context.name) / exact.mul(batch, depth);
  p.n = elements_of(*y, context.name) / exact.mul(batch, depth);
  set_operands(p, op, 0, 1, kNoOperand);
  return graph::batch_matmul(context, p);
}

TfliteFacts::Node TfliteFacts::dense(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape filter = shape(op, 1);
  if (in == nullptr || filter == nullptr || filter->size() != 2) return std::nullopt;
  graph::DenseParams p;
  p.n = extent_of((*filter)[0]);
  p.k = extent_of((*filter)[1]);
  const std::uint64_t elements = elements_of(*in, context.name);
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
  set_operands(p, op, 0, 1, 2);
  return with_dynamic_quantisation(graph::dense(context, p), op);
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
  p.m = extent_of((*x)[x->size() - (adj_x ? 1 : 2)]);
  p.k = extent_of((*x)[x->size() - (adj_x ? 2 : 1)]);
  p.n = extent_of((*y)[y->size() - (adj_y ? 2 : 1)]);
  if (p.k != extent_of((*y)[y->size() - (adj_y ? 1 : 2)])) {
    throw graph::GraphError(
        fmt::format("op '{}': {} columns times {} rows", context.name, p.k, (*y)[y->size() - (adj_y ? 1 : 2)]));
  }
  p.left_matrices = elements_of(x->begin(), x->end() - 2, context.name);
  p.right_matrices = elements_of(y->begin(), y->end() - 2, context.name);
  p.products = elements_of(out->begin(), out->end() - 2, context.name);
  set_operands(p, op, 0, 1, kNoOperand);
  return with_dynamic_quantisation(graph::batch_matmul(context, p), op);
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
  p.units = extent_of((*filter)[0]);
  p.inputs = extent_of((*filter)[1]);
  if (both) {
    const Shape auxiliary = shape(op, kAuxiliary);
    if (auxiliary != nullptr && !auxiliary->empty()) p.inputs += extent_of(auxiliary->back());
  }
  if (const Shape projection = shape(op, kProjection); projection != nullptr && projection->size() == 2) {
    p.projection = extent_of((*projection)[0]);
  }
  p.coupled_input_gate = !has(op, kInputToInput);
  p.peepholes = has(op, kCellToOutput);
  const OpKind activation = fused_activation(*op.wire);
  if (activation != OpKind::kUnknown) p.activation = activation;
  set_operands(p, op, 0, kInputToForget, kForgetBias);
  std::uint64_t scales = 0;
  for (const std::int32_t index : op.inputs) {
    if (index >= 0 && constant_[static_cast<std::size_t>(index)] && graph::is_narrow_integer(type(index))) {
      scales += graph_.tensors[static_cast<std::size_t>(index)].scale_count;
    }
  }
  p.weights.scales = scales;
  return with_dynamic_quantisation(graph::recurrent(context, p), op);
}

// Five inputs: data, previous activation, weights (4n x (k + n)), biases, state.
TfliteFacts::Node TfliteFacts::basic_lstm(const TfliteOperator& op, graph::OpContext& context) {
  const Shape in = shape(op, 0);
  const Shape previous = shape(op, 1);
  if (in == nullptr || previous == nullptr || in->empty() || previous->empty()) return std::nullopt;
  graph::RecurrentParams p;
  context.batch = elements_of(in->begin(), in->end() - 1, context.name);
  p.inputs = extent_of(in->back());
  p.units = extent_of(previous->back());
  set_operands(p, op, 0, 2, 3);
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
  p.units = extent_of((*filter)[0]);
  p.inputs = extent_of((*filter)[1]);
  if (both) {
    const Shape auxiliary = shape(op, kAuxiliary);
    if (auxiliary != nullptr && !auxiliary->empty()) p.inputs += extent_of(auxiliary->back());
  }
  p.activation = fused_activation(*op.wire);
  set_operands(p, op, 0, 1, 3);
  return with_dynamic_quantisation(graph::recurrent(context, p), op);
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
  context.batch = elements_of(in->begin(), in->end() - 1, context.name);
  p.units = extent_of((*feature)[0]);
  p.inputs = extent_of((*feature)[1]);
  p.svdf_memory = extent_of((*time)[1]);
  p.svdf_rank = o == nullptr || o->rank() <= 0 ? 1 : extent_of(o->rank());
  p.activation = fused_activation(*op.wire);
  set_operands(p, op, 0, 1, 3);
  return with_dynamic_quantisation(graph::recurrent(context, p), op);
}

}  // namespace edgejoule::import
