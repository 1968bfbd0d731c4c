// The operators that multiply matrices: convolutions, products, attention, recurrent
// layers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "graph/exact.h"
#include "import/onnx/facts.h"
#include "import/onnx/shapes.h"
#include "import/onnx/window.h"

namespace edgejoule::import {
namespace {

OpKind activation_named(std::string_view name) {
  constexpr std::array kNames = {
      std::pair{std::string_view("Relu"), OpKind::kRelu},
      std::pair{std::string_view("LeakyRelu"), OpKind::kLeakyRelu},
      std::pair{std::string_view("Sigmoid"), OpKind::kSigmoid},
      std::pair{std::string_view("Tanh"), OpKind::kTanh},
      std::pair{std::string_view("Clip"), OpKind::kClip},
      std::pair{std::string_view("HardSigmoid"), OpKind::kHardSigmoid},
      std::pair{std::string_view("Gelu"), OpKind::kGelu},
  };
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == name; });
  return found == kNames.end() ? OpKind::kUnknown : found->second;
}

// What a fused operator computes behind its product.
OpKind fused_activation(const OnnxStep& step) {
  if (step.row->fused != OpKind::kUnknown) return step.row->fused;
  return activation_named(step.node->text("activation"));
}

}  // namespace

OnnxFacts::Node OnnxFacts::convolution(const OnnxStep& step, graph::OpContext& context) {
  const bool transposed = step.row->rule == OnnxRule::kConvTranspose;
  const OnnxOperands& at = step.row->operands;
  const auto weights_at = static_cast<std::size_t>(at.weights);
  const Shape in = shape(step, 0);
  const Shape filter = shape(step, weights_at);
  const Shape out = result_shape(step);
  if (in == nullptr || filter == nullptr || out == nullptr || in->size() < 3 || in->size() > 5 ||
      filter->size() != in->size() || out->size() != in->size()) {
    return std::nullopt;
  }
  const std::size_t rank = in->size() - 2;
  const auto window = window_of(*step.node, rank, {filter->begin() + 2, filter->end()});
  const std::int64_t groups = step.node->integer("group", 1);
  if (!window || groups < 1) return std::nullopt;
  graph::ConvolutionParams p;
  context.batch = extent_of((*in)[0]);
  p.groups = extent_of(groups);
  p.in_c = extent_of((*in)[1]);
  p.out_c = extent_of((*out)[1]);
  const std::uint64_t per_group = extent_of((*filter)[transposed ? 0 : 1]);
  const std::uint64_t expected = transposed ? p.in_c : p.in_c / p.groups;
  if (p.in_c == 0 || per_group != expected || p.in_c % p.groups != 0) {
    throw graph::GraphError(fmt::format("op '{}': filters of {} channels in {} groups do not fit {} input channels",
                                        context.name, per_group, groups, p.in_c));
  }
  const auto last = [](const auto& list, std::size_t from_end) {
    return extent_of(*(list.end() - static_cast<std::ptrdiff_t>(from_end)));
  };
  p.in_w = last(*in, 1), p.out_w = last(*out, 1), p.kernel_w = last(window->kernel, 1);
  p.stride_w = last(window->strides, 1), p.dilation_w = last(window->dilations, 1);
  if (rank > 1) {
    p.in_h = last(*in, 2), p.out_h = last(*out, 2), p.kernel_h = last(window->kernel, 2);
    p.stride_h = last(window->strides, 2), p.dilation_h = last(window->dilations, 2);
  }
  if (rank > 2) {
    p.in_d = last(*in, 3), p.out_d = last(*out, 3), p.kernel_d = last(window->kernel, 3);
    p.stride_d = last(window->strides, 3);
  }
  if (rank == 3) {
    p.kind = transposed ? OpKind::kTransposeConv3d : OpKind::kConv3d;
  } else if (transposed) {
    p.kind = OpKind::kTransposeConv2d;
  } else if (p.groups > 1 && p.groups == p.in_c) {
    p.kind = OpKind::kDepthwiseConv2d;
  } else {
    p.kind = rank == 1 ? OpKind::kConv1d : OpKind::kConv2d;
  }
  p.has_bias = at.bias >= 0 && has(step, static_cast<std::size_t>(at.bias));
  p.fused_activation = fused_activation(step);
  p.types = types(step);
  p.weights = weights(step, weights_at, at.weight_scale);
  graph::OpNode node = transposed ? graph::transposed_convolution(context, p) : graph::convolution(context, p);
  if (p.weights.constant) add_dequantisation(node, p.types, elements_of(*filter, context.name));
  return node;
}

graph::OpNode OnnxFacts::dense(const OnnxStep& step, graph::OpContext& context, std::uint64_t rows, std::uint64_t k,
                               std::uint64_t n) {
  const OnnxOperands& at = step.row->operands;
  graph::DenseParams p;
  p.k = k;
  p.n = n;
  // All leading dimensions are rows; those of the model's batch are what-if material.
  context.batch = program_.batch > 0 && rows % program_.batch == 0 ? program_.batch : 1;
  p.m = rows / context.batch;
  p.has_bias = at.bias >= 0 && has(step, static_cast<std::size_t>(at.bias));
  p.fused_activation = fused_activation(step);
  p.types = types(step);
  p.weights = weights(step, static_cast<std::size_t>(at.weights), at.weight_scale);
  if (step.node->op_type == "DynamicQuantizeMatMul") p.types.arithmetic = p.types.weight;
  graph::OpNode node = graph::dense(context, p);
  const graph::Exact exact(context.name);
  if (p.weights.constant) add_dequantisation(node, p.types, exact.mul(k, n));
  if (step.node->op_type == "DynamicQuantizeMatMul") {
    add_work(node, graph::work_of(OpKind::kQuantize).per_output, exact.mul(rows, k), p.types.input);
  }
  return node;
}

OnnxFacts::Node OnnxFacts::gemm(const OnnxStep& step, graph::OpContext& context) {
  const Shape a = shape(step, 0);
  const Shape b = shape(step, static_cast<std::size_t>(step.row->operands.weights));
  if (a == nullptr || b == nullptr || a->size() != 2 || b->size() != 2) return std::nullopt;
  const bool left = step.node->integer("transA", 0) != 0;
  const bool right = step.node->integer("transB", 0) != 0;
  const std::uint64_t m = extent_of((*a)[left ? 1 : 0]);
  const std::uint64_t k = extent_of((*a)[left ? 0 : 1]);
  const std::uint64_t n = extent_of((*b)[right ? 0 : 1]);
  if (k != extent_of((*b)[right ? 1 : 0])) {
    throw graph::GraphError(fmt::format("op '{}': {} columns times {} rows", context.name, k, (*b)[right ? 1 : 0]));
  }
  return dense(step, context, m, k, n);
}

OnnxFacts::Node OnnxFacts::matmul(const OnnxStep& step, graph::OpContext& context) {
  const auto weights_at = static_cast<std::size_t>(step.row->operands.weights);
  const Shape a = shape(step, 0);
  const Shape b = shape(step, weights_at);
  const Shape out = result_shape(step);
  if (a == nullptr || b == nullptr || out == nullptr || a->empty() || b->empty()) return std::nullopt;
  const bool trans_a = a->size() > 1 && step.node->integer("transA", 0) != 0;
  const bool trans_b = b->size() > 1 && step.node->integer("transB", 0) != 0;
  const std::uint64_t k = extent_of((*a)[a->size() - (trans_a ? 2 : 1)]);
  const std::uint64_t m = a->size() == 1 ? 1 : extent_of((*a)[a->size() - (trans_a ? 1 : 2)]);
  const std::uint64_t n = b->size() == 1 ? 1 : extent_of((*b)[b->size() - (trans_b ? 2 : 1)]);
  const std::int64_t rows = b->size() == 1 ? b->front() : (*b)[b->size() - (trans_b ? 1 : 2)];
  if (k != extent_of(rows)) {
    throw graph::GraphError(fmt::format("op '{}': {} columns times {} rows", context.name, k, rows));
  }
  const auto matrices = [&](const Dims& dims) {
    return elements_of(dims.begin(), dims.end() - std::min<std::ptrdiff_t>(2, std::ssize(dims)), context.name);
  };
  const graph::Exact exact(context.name);
  if (is_constant(step, weights_at) && matrices(*b) == 1) {
    return dense(step, context, exact.mul(matrices(*a), m), k, n);
  }
  graph::BatchMatmulParams p;
  p.m = m, p.k = k, p.n = n;
  p.left_matrices = matrices(*a);
  p.right_matrices = matrices(*b);
  const std::size_t inner = (a->size() > 1 ? 1U : 0U) + (b->size() > 1 ? 1U : 0U);
  if (out->size() < inner) return std::nullopt;
  p.products = elements_of(out->begin(), out->end() - static_cast<std::ptrdiff_t>(inner), context.name);
  p.types = types(step);
  p.right = weights(step, weights_at, step.row->operands.weight_scale);
  return graph::batch_matmul(context, p);
}

// Weights of N rows in blocks of `block_size`, `bits` each, a scale per block.
OnnxFacts::Node OnnxFacts::matmul_n_bits(const OnnxStep& step, graph::OpContext& context) {
  const Shape a = shape(step, 0);
  const std::int64_t k = step.node->integer("K", 0);
  const std::int64_t n = step.node->integer("N", 0);
  const std::int64_t bits = step.node->op_type == "MatMulBnb4" ? 4 : step.node->integer("bits", 4);
  const std::int64_t block = step.node->integer("block_size", 32);
  if (a == nullptr || a->empty() || k < 1 || n < 1 || block < 1 || bits < 1 || bits > 8) return std::nullopt;
  if (a->back() != k) {
    throw graph::GraphError(fmt::format("op '{}': {} columns times {} rows", context.name, a->back(), k));
  }
  const graph::Exact exact(context.name);
  const std::uint64_t rows = elements_of(a->begin(), a->end() - 1, context.name);
  graph::DenseParams p;
  p.k = extent_of(k), p.n = extent_of(n);
  context.batch = rows % program_.batch == 0 ? program_.batch : 1;
  p.m = rows / context.batch;
  p.has_bias = has(step, 5) && step.node->op_type == "MatMulNBits";
  p.types = types(step);
  p.types.bias = p.types.input;
  p.types.weight = bits > 4 ? DataType::kUint8 : DataType::kUint4;
  // What the model asks its kernels to compute in; 4 is int8 after quantising the activations.
  const bool int8 = step.node->integer("accuracy_level", 0) == 4;
  if (int8) p.types.arithmetic = DataType::kInt8;
  p.weights = weights(step, 1, -1);
  const std::uint64_t blocks = exact.mul(p.n, (p.k + extent_of(block) - 1) / extent_of(block));
  p.weights.scales = blocks;
  p.weights.scale_type = type(step, 2);
  graph::OpNode node = graph::dense(context, p);
  if (has(step, 3) && is_constant(step, 3)) {  // a zero point per block, packed like the weights
    const std::uint64_t zeros = exact.bytes(blocks, p.types.weight);
    node.facts.set(Fact::kScaleBytes, exact.add(node.facts[Fact::kScaleBytes], zeros));
  }
  if (int8) {
    add_work(node, graph::work_of(OpKind::kQuantize).per_output, exact.mul(rows, p.k), p.types.input);
  } else {
    add_dequantisation(node, p.types, exact.mul(p.k, p.n));
  }
  return node;
}

// Letters of both and the result are batches, of one and the result rows or columns, of
// the others sums.
OnnxFacts::Node OnnxFacts::einsum(const OnnxStep& step, graph::OpContext& context) {
  const Shape a = shape(step, 0);
  const Shape b = shape(step, 1);
  if (a == nullptr || b == nullptr || step.inputs.size() != 2) return std::nullopt;
  const auto terms = einsum_terms(step.node->text("equation"), a->size(), b->size());
  if (!terms) return std::nullopt;
  const graph::Exact exact(context.name);
  graph::BatchMatmulParams p;
  const auto has_letter = [](const std::string& term, char letter) { return term.find(letter) != std::string::npos; };
  for (std::size_t i = 0; i < a->size(); ++i) {
    const char letter = terms->left[i];
    if (has_letter(terms->left.substr(0, i), letter)) return std::nullopt;  // a diagonal
    const bool shared = has_letter(terms->right, letter);
    const bool kept = has_letter(terms->result, letter);
    const std::uint64_t extent = extent_of((*a)[i]);
    std::uint64_t& dimension = shared && kept ? p.products : shared ? p.k : p.m;
    dimension = exact.mul(dimension, extent);
  }
  for (std::size_t i = 0; i < b->size(); ++i) {
    const char letter = terms->right[i];
    if (has_letter(terms->right.substr(0, i), letter)) return std::nullopt;
    if (!has_letter(terms->left, letter)) p.n = exact.mul(p.n, extent_of((*b)[i]));
  }
  p.types = types(step);
  p.right = weights(step, 1, -1);
  return graph::batch_matmul(context, p);
}

// Shape: data (steps, batch, inputs), or (batch, steps, inputs) where layout is 1;
// weights per direction (gates * units, inputs).
OnnxFacts::Node OnnxFacts::recurrent(const OnnxStep& step, graph::OpContext& context) {
  const Shape in = shape(step, 0);
  const Shape filter = shape(step, 1);
  const Shape recurrence = shape(step, 2);
  if (in == nullptr || filter == nullptr || recurrence == nullptr || in->size() != 3 || filter->size() != 3 ||
      recurrence->size() != 3) {
    return std::nullopt;
  }
  const bool batch_first = step.node->integer("layout", 0) == 1;
  graph::RecurrentParams p;
  p.kind = step.row->kind;
  context.batch = extent_of((*in)[batch_first ? 0 : 1]);
  p.steps = extent_of((*in)[batch_first ? 1 : 0]);
  p.directions = extent_of((*filter)[0]);
  p.inputs = extent_of((*in)[2]);
  const std::int64_t units = step.node->integer("hidden_size", recurrence->back());
  if (units < 1) return std::nullopt;
  p.units = extent_of(units);
  const std::uint64_t gates = p.kind == OpKind::kLstm ? 4 : p.kind == OpKind::kGru ? 3 : 1;
  const graph::Exact exact(context.name);
  const std::uint64_t stored = elements_of(*filter, context.name);
  if (stored != exact.mul(p.directions, gates, p.units, p.inputs)) {
    throw graph::GraphError(fmt::format("op '{}': weights of {} elements do not fit {} gates of {} units on {} inputs",
                                        context.name, stored, gates, p.units, p.inputs));
  }
  p.peepholes = p.kind == OpKind::kLstm && has(step, 7);
  p.every_step = step.output(0) != kNoValue;
  p.types = types(step);
  p.weights = weights(step, 1, -1);
  graph::OpNode node = graph::recurrent(context, p);
  // ONNX stores two biases per gate, or none: what the file holds is what is read.
  std::uint64_t bytes = 0;
  std::uint64_t parameters = 0;
  for (const std::size_t operand_at : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    const Shape held = shape(step, operand_at);
    if (held == nullptr || (operand_at == 7 && !p.peepholes)) continue;
    const std::uint64_t elements = elements_of(*held, context.name);
    parameters = exact.add(parameters, elements);
    bytes = exact.add(bytes, exact.bytes(elements, type(step, operand_at)));
    if (operand_at > 1 && is_constant(step, operand_at)) static_cast<void>(tensor(step.input(operand_at)));
  }
  const bool first_use = p.weights.constant && !p.weights.seen_before;
  node.facts.set(Fact::kWeightBytes, exact.mul(bytes, p.steps));
  node.facts.set(Fact::kUniqueWeightBytes, first_use ? bytes : 0);
  node.facts.set(Fact::kParameters, first_use ? parameters : 0);
  return node;
}

// com.microsoft Attention: one projection to queries, keys and values, then attention.
OnnxFacts::Nodes OnnxFacts::packed_attention(const OnnxStep& step, graph::OpContext& context) {
  const Shape in = shape(step, 0);
  const Shape projection = shape(step, 1);
  const std::int64_t heads = step.node->integer("num_heads", 0);
  if (in == nullptr || projection == nullptr || in->size() != 3 || projection->size() != 2 || heads < 1) {
    return std::nullopt;
  }
  const std::vector<std::int64_t> sizes = step.node->ints("qkv_hidden_sizes");
  const std::int64_t width = sizes.size() == 3 ? sizes[0] : projection->back() / 3;
  const std::int64_t value_width = sizes.size() == 3 ? sizes[2] : projection->back() / 3;
  if (width < heads || value_width < heads) return std::nullopt;
  const graph::Exact exact(context.name);
  const std::uint64_t batch = extent_of((*in)[0]);
  const std::uint64_t sequence = extent_of((*in)[1]);
  std::vector<graph::OpNode> out;
  graph::OpContext part = context;
  part.name = "qkv_projection";
  out.push_back(dense(step, part, exact.mul(batch, sequence), extent_of((*in)[2]), extent_of(projection->back())));
  graph::AttentionParams p;
  p.heads = extent_of(heads);
  p.queries = sequence;
  p.context = sequence;
  const std::size_t past_at = step.node->op_type == "QAttention" ? 8 : 4;
  if (const Shape past = shape(step, past_at); past != nullptr && past->size() == 5) {
    p.context = exact.add(p.context, extent_of((*past)[3]));
  }
  p.depth = extent_of(width / heads);
  p.value_depth = extent_of(value_width / heads);
  p.types.input = result_type(step);
  part = context;
  part.name = "attention";
  part.batch = batch;
  out.push_back(graph::attention(part, p));
  return out;
}

OnnxFacts::Node OnnxFacts::attention(const OnnxStep& step, graph::OpContext& context) {
  const OnnxNode& node = *step.node;
  const Shape query = shape(step, 0);
  const Shape key = shape(step, 1);
  const Shape out = result_shape(step);
  if (query == nullptr || out == nullptr || query->size() < 3) return std::nullopt;
  const bool standard = step.row->rule == OnnxRule::kStandardAttention;
  const bool grouped = step.row->rule == OnnxRule::kGroupQueryAttention;
  const bool in_heads = query->size() == 4;
  std::int64_t heads = in_heads ? (*query)[1] : node.integer(standard ? "q_num_heads" : "num_heads", 0);
  std::int64_t kv_heads = node.integer("kv_num_heads", heads);
  if (in_heads && key != nullptr && key->size() == 4) kv_heads = (*key)[1];
  if (heads < 1 || kv_heads < 1) return std::nullopt;
  const graph::Exact exact(context.name);
  context.batch = extent_of((*query)[0]);
  graph::AttentionParams p;
  p.heads = extent_of(heads);
  p.kv_heads = extent_of(kv_heads);
  p.queries = extent_of((*query)[in_heads ? 2 : 1]);
  const std::uint64_t width = extent_of(query->back());
  const bool packed = key == nullptr;
  p.depth = in_heads || query->size() == 5 ? width
            : packed && grouped            ? width / exact.add(p.heads, exact.mul(2, p.kv_heads))
                                           : width / p.heads;
  p.value_depth = in_heads ? extent_of(out->back()) : extent_of(out->back()) / p.heads;
  p.context = packed ? p.queries : extent_of((*key)[key->size() == 4 ? 2 : 1]);
  const std::size_t past_at = grouped ? 3 : standard ? 4 : step.node->op_type == "MultiHeadAttention" ? 6 : 5;
  if (const Shape past = shape(step, past_at); past != nullptr && past->size() == 4) {
    p.context = exact.add(p.context, extent_of((*past)[2]));
  }
  if (const std::int64_t window = node.integer("local_window_size", -1); window > 0) {
    p.context = std::min(p.context, extent_of(window));
  }
  p.types.input = type(step, 0);
  p.types.output = result_type(step);
  graph::OpNode made = graph::attention(context, p);
  if (grouped && node.integer("do_rotary", 0) != 0) {
    const std::uint64_t rotated = exact.mul(context.batch, exact.add(p.heads, p.kv_heads), p.queries, p.depth);
    add_work(made, {.add = 1, .multiply = 2}, rotated, made.data_type);
  }
  return made;
}

}  // namespace edgejoule::import
