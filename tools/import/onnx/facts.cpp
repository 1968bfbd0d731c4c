#include "import/onnx/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "graph/data_types.h"
#include "graph/exact.h"
#include "graph/transistor_ops.h"
#include "import/onnx/shapes.h"
#include "import/onnx/window.h"

namespace edgejoule::import {
namespace {

// The elements in front of an axis, along it and behind it.
struct Cut {
  std::uint64_t before = 1, along = 1, behind = 1;
};
std::optional<Cut> cut_at(const Dims& dims, std::int64_t stated, const std::string& name) {
  const auto axis = axis_of(stated, dims.size());
  if (!axis) return std::nullopt;
  const auto at = dims.begin() + static_cast<std::ptrdiff_t>(*axis);
  return Cut{elements_of(dims.begin(), at, name), extent_of(*at), elements_of(at + 1, dims.end(), name)};
}

std::vector<graph::OpNode> only(graph::OpNode node) {
  std::vector<graph::OpNode> out;
  out.push_back(std::move(node));
  return out;
}

std::string type_name_of(const OnnxStep& step) {
  const std::string_view op = step.node->op_type.substr(0, 128);
  if (!step.row->name.empty() || step.node->domain.empty()) return std::string(op);
  return fmt::format("{}.{}", step.node->domain.substr(0, 128), op);
}

}  // namespace

OnnxFacts::Operand OnnxFacts::operand(std::uint32_t value) const {
  Operand out;
  out.value = value;
  if (value == kNoValue) return out;
  const OnnxValue& made = program_.values[value];
  out.type = made.type;
  if (made.dequantised_from != kNoValue && (made.constant || quantised_)) {
    out.value = made.dequantised_from;
    out.type = program_.values[made.dequantised_from].type;
    out.scales = made.scales;
    out.scale_type = made.scale_type;
  } else if (quantised_) {
    if (const auto narrow = folding_.narrow.find(value); narrow != folding_.narrow.end()) out.type = narrow->second;
  }
  return out;
}

bool OnnxFacts::is_constant(const OnnxStep& step, std::size_t input) const {
  return has(step, input) && program_.values[step.input(input)].constant;
}

OnnxFacts::Shape OnnxFacts::shape(const OnnxStep& step, std::size_t input) const {
  if (!has(step, input)) return nullptr;
  const auto& dims = program_.values[step.input(input)].dims;
  return dims ? &*dims : nullptr;
}

OnnxFacts::Shape OnnxFacts::result_shape(const OnnxStep& step) const {
  if (step.output(0) == kNoValue) return nullptr;
  const auto& dims = program_.values[step.output(0)].dims;
  return dims ? &*dims : nullptr;
}

DataType OnnxFacts::type(const OnnxStep& step, std::size_t input) const {
  return operand(step.input(input)).type;
}

DataType OnnxFacts::result_type(const OnnxStep& step, std::size_t output) const {
  const std::uint32_t value = step.output(output);
  if (value == kNoValue) return DataType::kUnknown;
  if (const auto narrow = folding_.narrow.find(value); narrow != folding_.narrow.end()) return narrow->second;
  return program_.values[value].type;
}

graph::Tensor OnnxFacts::tensor(std::uint32_t value) {
  graph::Tensor out;
  const Operand read = operand(value);
  out.type = read.type;
  if (value == kNoValue) return out;
  const OnnxValue& made = program_.values[value];
  out.elements = made.dims ? elements_of(*made.dims, std::string(made.name.substr(0, 80))) : 0;
  out.constant = made.constant;
  if (out.constant) out.seen_before = !seen_.insert(read.value).second;
  return out;
}

// Axes, paddings, sizes, scales and the like are parameters of an op, not data that it
// moves; what is left out is no operand.
std::vector<graph::Tensor> OnnxFacts::operands(const OnnxStep& step, bool skip_parameters) {
  std::vector<graph::Tensor> out;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const std::uint32_t value = step.inputs[i];
    if (value == kNoValue) continue;
    const OnnxValue& made = program_.values[value];
    const bool small = made.numbers && made.numbers->size() <= kMaxParameterElements;
    const bool unfilled = made.dims && std::find(made.dims->begin(), made.dims->end(), 0) != made.dims->end();
    if (skip_parameters && i > 0 && made.constant && (small || unfilled)) continue;
    out.push_back(tensor(value));
  }
  return out;
}

std::vector<graph::Tensor> OnnxFacts::results(const OnnxStep& step) const {
  std::vector<graph::Tensor> out;
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    const std::uint32_t value = step.outputs[i];
    if (value == kNoValue) continue;
    const OnnxValue& made = program_.values[value];
    graph::Tensor result;
    result.type = result_type(step, i);
    result.elements = made.dims ? elements_of(*made.dims, std::string(made.name.substr(0, 80))) : 0;
    out.push_back(result);
  }
  return out;
}

graph::WeightUse OnnxFacts::weights(const OnnxStep& step, std::size_t input, std::int8_t scale_input) {
  graph::WeightUse out;
  if (!has(step, input)) return out;
  const graph::Tensor stored = tensor(step.input(input));
  const Operand read = operand(step.input(input));
  out.constant = stored.constant;
  out.seen_before = stored.seen_before;
  out.scales = read.scales;
  if (read.scales > 0) out.scale_type = read.scale_type;
  if (scale_input >= 0) {
    const Shape scale = shape(step, static_cast<std::size_t>(scale_input));
    if (scale != nullptr) {
      out.scales = elements_of(*scale, std::string(step.node->name.substr(0, 80)));
      out.scale_type = type(step, static_cast<std::size_t>(scale_input));
    }
  }
  return out;
}

graph::OpTypes OnnxFacts::types(const OnnxStep& step) const {
  const OnnxOperands& at = step.row->operands;
  graph::OpTypes out;
  out.input = type(step, 0);
  if (at.weights >= 0) out.weight = type(step, static_cast<std::size_t>(at.weights));
  if (at.bias >= 0) out.bias = type(step, static_cast<std::size_t>(at.bias));
  out.output = result_type(step);
  out.arithmetic = out.input;
  return out;
}

void OnnxFacts::add_work(graph::OpNode& node, const graph::ScalarWork& each, std::uint64_t times,
                         DataType data_type) const {
  const graph::Exact exact(node.name);
  const auto grow = [&](Fact fact, std::uint64_t amount) { node.facts.set(fact, exact.add(node.facts[fact], amount)); };
  grow(Fact::kStatedAlu, exact.mul(each.alu(), times));
  grow(Fact::kStatedSpecial, exact.mul(each.special(), times));
  grow(Fact::kTransistorOps, exact.mul(graph::transistor_ops(each, graph::transistor_cost(data_type)), times));
}

void OnnxFacts::add_dequantisation(graph::OpNode& node, const graph::OpTypes& used, std::uint64_t elements) {
  if (!graph::is_float(used.arithmetic) || !graph::is_narrow_integer(used.weight)) return;
  ++observations_.dequantised_ops;
  add_work(node, graph::work_of(OpKind::kDequantize).per_output, elements, used.arithmetic);
}

std::vector<graph::OpNode> OnnxFacts::nodes(const OnnxStep& step, std::size_t index, const std::string& name) {
  graph::OpContext context;
  context.name = name;
  context.type_name = type_name_of(step);
  quantised_ = folding_.quantised[index];
  observations_.quantised_ops += quantised_ ? 1U : 0U;
  if (step.row->name.empty()) {
    graph::OpNode node = opaque(step, context, OpClass::kOpaque);
    ++observations_.unknown_ops[context.type_name];
    observations_.uncounted_graphs += static_cast<std::uint64_t>(
        std::count_if(step.node->attributes.begin(), step.node->attributes.end(),
                      [](const OnnxAttribute& attribute) { return attribute.graph.has_value(); }));
    return only(std::move(node));
  }
  if (Nodes made = counted(step, context)) return std::move(*made);
  if (observations_.unknown_shapes++ == 0) {
    observations_.first_unknown_shape = fmt::format("{} '{}'", context.type_name, name.substr(0, 80));
  }
  return only(opaque(step, context, OpClass::kOpaque));
}

OnnxFacts::Nodes OnnxFacts::counted(const OnnxStep& step, graph::OpContext& context) {
  Node one;
  switch (step.row->rule) {
    case OnnxRule::kConv:
    case OnnxRule::kConvTranspose: one = convolution(step, context); break;
    case OnnxRule::kGemm: one = gemm(step, context); break;
    case OnnxRule::kMatmul: one = matmul(step, context); break;
    case OnnxRule::kMatmulNBits: one = matmul_n_bits(step, context); break;
    case OnnxRule::kEinsum: one = einsum(step, context); break;
    case OnnxRule::kRecurrent: one = recurrent(step, context); break;
    case OnnxRule::kPackedAttention: return packed_attention(step, context);
    case OnnxRule::kEmbedNormalisation: return embed_normalisation(step, context);
    case OnnxRule::kMultiHeadAttention:
    case OnnxRule::kGroupQueryAttention:
    case OnnxRule::kStandardAttention: one = attention(step, context); break;
    case OnnxRule::kIf:
    case OnnxRule::kLoop:
    case OnnxRule::kScan: one = graph::control(context, step.row->kind); break;
    default: one = by_class(step, context); break;
  }
  if (!one) return std::nullopt;
  return only(std::move(*one));
}

OnnxFacts::Node OnnxFacts::by_class(const OnnxStep& step, graph::OpContext& context) {
  const OpClass op_class = step.row->op_class == OpClass::kUnknown ? class_of(step.row->kind) : step.row->op_class;
  // What moves nothing costs nothing, whatever its shape.
  if (graph::is_free(step.row->kind)) {
    return graph::data_movement(context, step.row->kind, operands(step, true), results(step));
  }
  if (result_shape(step) == nullptr) return std::nullopt;
  const bool known = std::all_of(step.inputs.begin(), step.inputs.end(), [&](std::uint32_t input) {
    return input == kNoValue || program_.values[input].dims.has_value();
  });
  if (!known) return std::nullopt;
  switch (op_class) {
    case OpClass::kElementwise:
    case OpClass::kActivation: return elementwise(step, context);
    case OpClass::kSoftmax: return softmax(step, context);
    case OpClass::kNormalisation: return normalisation(step, context);
    case OpClass::kPooling:
    case OpClass::kReduction:
      if (step.row->rule == OnnxRule::kPool || step.row->rule == OnnxRule::kGlobalPool) return pooling(step, context);
      if (!has(step, 0)) return std::nullopt;
      return graph::reduction(context, step.row->kind, tensor(step.input(0)), results(step));
    case OpClass::kLookup: return lookup(step, context);
    case OpClass::kDataMovement: return movement(step, context);
    default: return opaque(step, context, op_class);
  }
}

graph::OpNode OnnxFacts::opaque(const OnnxStep& step, const graph::OpContext& context, OpClass op_class) {
  graph::OpaqueParams p;
  p.kind = step.row->kind;
  p.op_class = op_class;
  p.inputs = operands(step, false);
  p.outputs = results(step);
  graph::OpNode node = graph::opaque(context, p);
  if (step.row->name.empty()) {
    std::uint64_t& bytes = observations_.unknown_bytes[context.type_name];
    bytes += node.facts[Fact::kInputBytes] + node.facts[Fact::kOutputBytes] + node.facts[Fact::kWeightBytes];
  }
  return node;
}

OnnxFacts::Node OnnxFacts::elementwise(const OnnxStep& step, graph::OpContext& context) {
  graph::ElementwiseParams p;
  p.kind = step.row->kind;
  if (step.row->rule == OnnxRule::kQlinearElementwise) {
    p.inputs = {tensor(step.input(0))};
    if (step.row->operands.weights >= 0) p.inputs.push_back(tensor(step.input(3)));
  } else if (step.row->kind == OpKind::kClip || step.node->op_type == "CumSum") {
    p.inputs = {tensor(step.input(0))};
  } else {
    p.inputs = operands(step, false);
  }
  const std::vector<graph::Tensor> made = results(step);
  if (p.inputs.empty() || made.empty()) return std::nullopt;
  p.output = made.front();
  // The condition of a Where says nothing about the type it selects.
  if (step.row->rule == OnnxRule::kWhere && p.inputs.size() == 3) {
    std::rotate(p.inputs.begin(), p.inputs.begin() + 1, p.inputs.end());
  }
  graph::OpNode node = graph::elementwise(context, p);
  if (step.node->op_type == "RotaryEmbedding") {  // x*cos + y*sin: one more product and a sum
    add_work(node, {.add = 1, .multiply = 1}, p.output.elements, node.data_type);
  } else if ((step.node->op_type == "BiasGelu" || step.node->op_type == "FastGelu") && has(step, 1)) {
    add_work(node, {.add = 1}, p.output.elements, node.data_type);
  } else if (step.node->op_type == "Mean" && step.row->rule == OnnxRule::kBroadcast) {
    add_work(node, {.multiply = 1}, p.output.elements, node.data_type);
  }
  return node;
}

// Before opset 13 everything from the axis on was one row.
OnnxFacts::Node OnnxFacts::softmax(const OnnxStep& step, graph::OpContext& context) {
  const Shape in = shape(step, 0);
  if (in == nullptr) return std::nullopt;
  if (in->empty()) return graph::softmax(context, step.row->kind, 1, 1, type(step, 0));
  const bool flat = (step.opset > 0 && step.opset < 13 && step.node->domain.empty()) ||
                    (step.node->op_type == "QLinearSoftmax" && step.node->integer("opset", 13) < 13);
  const auto cut = cut_at(*in, step.node->integer("axis", flat ? 1 : -1), context.name);
  if (!cut) return std::nullopt;
  const graph::Exact exact(context.name);
  const std::uint64_t rows = flat ? cut->before : exact.mul(cut->before, cut->behind);
  const std::uint64_t width = flat ? exact.mul(cut->along, cut->behind) : cut->along;
  return graph::softmax(context, step.row->kind, rows, width, type(step, 0));
}

OnnxFacts::Node OnnxFacts::normalisation(const OnnxStep& step, graph::OpContext& context) {
  const Shape in = shape(step, 0);
  if (in == nullptr || in->empty()) return std::nullopt;
  const graph::Exact exact(context.name);
  const bool skip = step.row->rule == OnnxRule::kSkipNormalisation;
  graph::NormalisationParams p;
  p.kind = step.row->kind;
  p.elements = elements_of(*in, context.name);
  switch (step.row->kind) {
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm: {
      const auto axis = axis_of(step.node->integer("axis", -1), in->size());
      if (!axis) return std::nullopt;
      p.groups = elements_of(in->begin(), in->begin() + static_cast<std::ptrdiff_t>(*axis), context.name);
      break;
    }
    case OpKind::kInstanceNorm:
      p.groups = in->size() < 2 ? 1 : elements_of(in->begin(), in->begin() + 2, context.name);
      break;
    case OpKind::kGroupNorm: {
      const std::int64_t stated = step.node->integer("num_groups", step.node->integer("groups", 1));
      if (stated < 1) return std::nullopt;
      p.groups = exact.mul(extent_of(in->front()), extent_of(stated));
      break;
    }
    case OpKind::kL2Norm: {
      const auto cut = cut_at(*in, step.node->integer("axis", -1), context.name);
      if (!cut) return std::nullopt;
      p.groups = exact.mul(cut->before, cut->behind);
      break;
    }
    default: break;
  }
  p.types.input = type(step, 0);
  p.types.output = result_type(step);
  std::uint64_t unique = 0;
  for (std::size_t i = skip ? 2 : 1; i < step.inputs.size(); ++i) {
    if (!is_constant(step, i)) continue;
    const graph::Tensor parameter = tensor(step.input(i));
    p.types.weight = parameter.type;
    p.parameters = exact.add(p.parameters, parameter.elements);
    if (!parameter.seen_before) unique = exact.add(unique, parameter.elements);
  }
  p.seen_before = unique == 0;
  graph::OpNode node = graph::normalisation(context, p);
  if (!skip) return node;
  // The sum it normalises, and hands on where somebody asks for it.
  const std::uint32_t sum = step.output(3);
  const auto grow = [&](Fact fact, std::uint64_t amount) { node.facts.set(fact, exact.add(node.facts[fact], amount)); };
  grow(Fact::kInputBytes, exact.bytes(p.elements, type(step, 1)));
  if (sum != kNoValue) grow(Fact::kOutputBytes, exact.bytes(p.elements, p.types.output));
  const std::size_t bias = step.row->kind == OpKind::kRmsNorm ? 3 : 4;
  add_work(node, {.add = has(step, bias) ? 2U : 1U}, p.elements, node.data_type);
  return node;
}

// Dimensions in front of the last two are folded into the height: window and positions
// multiply to the same.
OnnxFacts::Node OnnxFacts::pooling(const OnnxStep& step, graph::OpContext& context) {
  const Shape in = shape(step, 0);
  const Shape out = result_shape(step);
  if (in == nullptr || out == nullptr || in->size() < 3 || out->size() != in->size()) return std::nullopt;
  graph::PoolingParams p;
  p.kind = step.row->kind;
  context.batch = extent_of((*in)[0]);
  p.channels = extent_of((*in)[1]);
  p.in_w = extent_of(in->back()), p.out_w = extent_of(out->back());
  p.in_h = elements_of(in->begin() + 2, in->end() - 1, context.name);
  p.out_h = elements_of(out->begin() + 2, out->end() - 1, context.name);
  if (step.row->rule == OnnxRule::kPool) {
    const auto window = window_of(*step.node, in->size() - 2, step.node->ints("kernel_shape"));
    if (!window) return std::nullopt;
    p.kernel_w = extent_of(window->kernel.back()), p.stride_w = extent_of(window->strides.back());
    p.kernel_h = elements_of(window->kernel.begin(), window->kernel.end() - 1, context.name);
    p.stride_h = elements_of(window->strides.begin(), window->strides.end() - 1, context.name);
  }
  p.type = type(step, 0);
  graph::OpNode node = graph::pooling(context, p);
  if (step.output(1) != kNoValue) {  // the places of the maxima
    const graph::Exact exact(context.name);
    const std::uint64_t places = exact.bytes(node.facts[Fact::kOutputElements], DataType::kInt64);
    node.facts.set(Fact::kOutputBytes, exact.add(node.facts[Fact::kOutputBytes], places));
  }
  return node;
}

OnnxFacts::Node OnnxFacts::lookup(const OnnxStep& step, graph::OpContext& context) {
  const Shape table = shape(step, 0);
  const Shape indices = shape(step, 1);
  const Shape out = result_shape(step);
  if (table == nullptr || indices == nullptr || out == nullptr || step.row->rule == OnnxRule::kOneHot) {
    return graph::data_movement(context, step.row->kind, operands(step, true), results(step));
  }
  // Dimensions of the table in front of what one index reads as a piece.
  std::int64_t leading = static_cast<std::int64_t>(table->size());
  if (step.row->rule == OnnxRule::kGatherNd) {
    leading = step.node->integer("batch_dims", 0) + (indices->empty() ? 0 : indices->back());
  } else if (step.row->rule == OnnxRule::kGather) {
    const bool blocks = step.node->op_type == "GatherBlockQuantized";
    const auto axis = axis_of(step.node->integer(blocks ? "gather_axis" : "axis", 0), table->size());
    if (!axis) return std::nullopt;
    leading = static_cast<std::int64_t>(*axis) + 1;
  }
  if (leading < 0 || leading > static_cast<std::int64_t>(table->size())) return std::nullopt;
  graph::LookupParams p;
  p.row_elements = elements_of(table->begin() + leading, table->end(), context.name);
  const std::uint64_t read = elements_of(*out, context.name);
  p.rows_read = p.row_elements == 0 ? 0 : read / p.row_elements;
  p.table = tensor(step.input(0));
  const bool embedding = step.row->rule == OnnxRule::kGather && p.table.constant && table->size() == 2 && leading == 1;
  p.kind = embedding ? OpKind::kEmbedding : step.row->kind;
  p.weights = weights(step, 0, step.row->operands.weight_scale);
  p.weights.seen_before = p.table.seen_before;
  if (p.weights.scales > 1) p.weights.scales = std::min(p.weights.scales, std::max<std::uint64_t>(1, read));
  p.indices = tensor(step.input(1));
  p.output_type = result_type(step);
  return graph::lookup(context, p);
}

OnnxFacts::Node OnnxFacts::movement(const OnnxStep& step, graph::OpContext& context) {
  OpKind kind = step.row->kind;
  if (step.row->rule == OnnxRule::kResize) {
    const std::string_view mode = step.node->text("mode");
    kind = mode == "linear" || mode == "bilinear" ? OpKind::kResizeBilinear
           : mode == "cubic"                      ? OpKind::kResizeCubic
                                                  : OpKind::kResizeNearest;
  } else if (step.row->rule == OnnxRule::kPad && !step.node->text("mode").empty() &&
             step.node->text("mode") != "constant") {
    kind = OpKind::kMirrorPad;
  }
  std::vector<graph::Tensor> moved;
  if (step.row->rule == OnnxRule::kQlinearConcat) {
    for (std::size_t i = 2; i < step.inputs.size(); i += 3) moved.push_back(tensor(step.inputs[i]));
  } else {
    moved = operands(step, true);
  }
  return graph::data_movement(context, kind, moved, results(step));
}

// Three lookups, their sum and its normalisation.
OnnxFacts::Nodes OnnxFacts::embed_normalisation(const OnnxStep& step, graph::OpContext& context) {
  constexpr std::size_t kSegmentIds = 1;
  constexpr std::size_t kWordTable = 2;
  const Shape out = result_shape(step);
  if (out == nullptr || out->size() != 3) return std::nullopt;
  const std::uint64_t rows = elements_of(out->begin(), out->end() - 1, context.name);
  std::vector<graph::OpNode> made;
  const char* const names[] = {"word_embedding", "position_embedding", "segment_embedding"};
  for (std::size_t i = 0; i < 3; ++i) {
    const Shape table = shape(step, kWordTable + i);
    if (table == nullptr || table->size() != 2) continue;
    graph::OpContext part = context;
    part.name = names[i];
    graph::LookupParams p;
    p.kind = OpKind::kEmbedding;
    p.row_elements = extent_of(table->back());
    p.rows_read = rows;
    p.table = tensor(step.input(kWordTable + i));
    p.indices = {rows, type(step, i == 2 ? kSegmentIds : 0)};
    p.output_type = result_type(step);
    made.push_back(graph::lookup(part, p));
  }
  graph::OpContext part = context;
  part.name = "layer_norm";
  graph::NormalisationParams p;
  p.elements = elements_of(*out, context.name);
  p.groups = rows;
  p.types.input = result_type(step);
  for (const std::size_t parameter : {std::size_t{5}, std::size_t{6}}) {
    if (is_constant(step, parameter)) p.parameters += tensor(step.input(parameter)).elements;
  }
  made.push_back(graph::normalisation(part, p));
  if (made.size() > 2)
    add_work(made.back(), {.add = static_cast<std::uint32_t>(made.size() - 2)}, p.elements, p.types.input);
  return made;
}

}  // namespace edgejoule::import
