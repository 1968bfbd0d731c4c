#include "zoo/transformer.h"

#include <fmt/format.h>

#include "graph/exact.h"
#include "graph/op_work.h"
#include "graph/transistor_ops.h"
#include "zoo/conv_net.h"

namespace edgejoule::zoo {
namespace {

// That hold `count` weights, the last perhaps in part.
std::uint64_t blocks(std::uint64_t count, std::uint64_t block) {
  return (count + block - 1) / block;
}

// That is neither in the kind of the op nor in its multiply-accumulates.
void add_work(graph::OpNode& op, const graph::ScalarWork& work, std::uint64_t times) {
  const graph::Exact exact(op.name);
  const auto grow = [&](Fact fact, std::uint64_t each) {
    op.facts.set(fact, exact.add(op.facts[fact], exact.mul(times, each)));
  };
  grow(Fact::kStatedAlu, work.alu());
  grow(Fact::kStatedSpecial, work.special());
  grow(Fact::kTransistorOps, graph::transistor_ops(work, graph::transistor_cost(op.data_type)));
}

}  // namespace

void declare_stored_weights(Options& options) {
  options.declare_choice("weights", "dtype", {"dtype", "int8", "int4"},
                         "how matrices are stored (dtype: as activations)");
  options.declare_count("block", 32, 1, 65536, "weights that share a 16-bit scale where weights=int8 or int4");
}

StoredWeights stored_weights(const Options& options) {
  const std::string& name = options.choice("weights");
  if (name == "dtype") return {};
  return {.type = name == "int4" ? DataType::kInt4 : DataType::kInt8, .block = options.count("block")};
}

TransformerNet::TransformerNet(const Options& options, std::uint64_t sequence, StoredWeights stored)
    : builder_(zoo_info(options)),
      batch_(options.count("batch")),
      sequence_(sequence),
      type_(options.data_type()),
      stored_(stored) {
  builder_.set_module_facts(builder_.root(), position());
}

Facts TransformerNet::position() const {
  Facts facts;
  return facts.set(Fact::kBatch, batch_).set(Fact::kSequence, sequence_).set(Fact::kTokens, batch_ * sequence_);
}

graph::NodeId TransformerNet::module(graph::NodeId parent, OpKind kind, std::string name) {
  const graph::NodeId node = builder_.add_module(parent, kind, std::move(name));
  builder_.set_module_facts(node, position());
  return node;
}

graph::OpContext TransformerNet::context(std::string name) const {
  graph::OpContext context;
  context.name = std::move(name);
  context.batch = batch_;
  context.sequence = sequence_;
  context.tokens = batch_ * sequence_;
  return context;
}

graph::Tensor TransformerNet::tensor(std::uint64_t width) const {
  return {.elements = batch_ * sequence_ * width, .type = type_};
}

void TransformerNet::unpack(graph::OpNode& op, std::uint64_t weights) const {
  if (stored_.type != DataType::kUnknown) {
    add_work(op, graph::work_of(OpKind::kDequantize).per_output, weights);
  }
}

void TransformerNet::embedding(graph::NodeId parent, std::string name, std::uint64_t rows, std::uint64_t width) {
  const bool packed = stored_.type != DataType::kUnknown;
  graph::LookupParams params;
  params.kind = OpKind::kEmbedding;
  params.table = {
      .elements = graph::Exact(name).mul(rows, width), .type = packed ? stored_.type : type_, .constant = true};
  params.rows_read = batch_ * sequence_;
  params.row_elements = width;
  params.indices = {.elements = batch_ * sequence_, .type = DataType::kInt32};
  params.output_type = type_;
  if (packed) {
    params.weights = {.scales = params.rows_read * blocks(width, stored_.block), .scale_type = DataType::kFloat16};
  }
  graph::OpNode op = graph::lookup(context(std::move(name)), params);
  unpack(op, params.rows_read * width);
  builder_.add_op(parent, std::move(op));
}

void TransformerNet::add_dense(graph::NodeId parent, std::string name, graph::DenseParams params, bool shared) {
  const graph::Exact exact(name);
  params.types.input = type_;
  params.weights = zoo_weights(type_, params.n);
  if (stored_.type != DataType::kUnknown) {
    params.types.weight = stored_.type;
    params.weights = {.scales = exact.mul(params.n, blocks(params.k, stored_.block)), .scale_type = DataType::kFloat16};
  }
  params.weights.seen_before = shared;
  graph::OpNode op = graph::dense(context(std::move(name)), params);
  unpack(op, exact.mul(params.k, params.n));
  builder_.add_op(parent, std::move(op));
}

void TransformerNet::dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs,
                           bool shared, OpKind activation, bool has_bias) {
  add_dense(parent, std::move(name),
            {.m = sequence_, .k = inputs, .n = outputs, .has_bias = has_bias, .fused_activation = activation}, shared);
}

void TransformerNet::one_token_dense(graph::NodeId parent, std::string name, std::uint64_t inputs,
                                     std::uint64_t outputs, bool shared, OpKind activation, bool has_bias) {
  add_dense(parent, std::move(name),
            {.m = 1, .k = inputs, .n = outputs, .has_bias = has_bias, .fused_activation = activation}, shared);
}

void TransformerNet::normalise(graph::NodeId parent, std::string name, OpKind kind, std::uint64_t width,
                               std::uint64_t parameters, bool shared) {
  graph::NormalisationParams params;
  params.kind = kind;
  params.elements = tensor(width).elements;
  params.groups = batch_ * sequence_;
  params.parameters = parameters;
  params.types.input = type_;
  params.seen_before = shared;
  builder_.add_op(parent, graph::normalisation(context(std::move(name)), params));
}

void TransformerNet::layer_norm(graph::NodeId parent, std::string name, std::uint64_t width, bool shared) {
  normalise(parent, std::move(name), OpKind::kLayerNorm, width, 2 * width, shared);
}

void TransformerNet::rms_norm(graph::NodeId parent, std::string name, std::uint64_t width) {
  normalise(parent, std::move(name), OpKind::kRmsNorm, width, width, false);
}

void TransformerNet::add_parameters(graph::NodeId parent, std::string name, std::uint64_t width) {
  const graph::Tensor learned{.elements = sequence_ * width, .type = type_, .constant = true};
  builder_.add_op(
      parent, graph::elementwise(context(std::move(name)),
                                 {.kind = OpKind::kAdd, .inputs = {tensor(width), learned}, .output = tensor(width)}));
}

void TransformerNet::multiply(graph::NodeId parent, std::string name, std::uint64_t width) {
  const graph::Tensor one = tensor(width);
  builder_.add_op(parent, graph::elementwise(context(std::move(name)),
                                             {.kind = OpKind::kMul, .inputs = {one, one}, .output = one}));
}

void TransformerNet::activation(graph::NodeId parent, std::string name, OpKind kind, std::uint64_t width) {
  const graph::Tensor one = tensor(width);
  builder_.add_op(parent, graph::elementwise(context(std::move(name)), {.kind = kind, .inputs = {one}, .output = one}));
}

void TransformerNet::rotate(graph::NodeId parent, std::string name, std::uint64_t width, std::uint64_t depth) {
  const graph::Tensor turned = tensor(width);
  // Times a cosine, plus the partner times a sine, both read from a table.
  graph::OpNode op = graph::elementwise(context(std::move(name)),
                                        {.kind = OpKind::kMul,
                                         .inputs = {turned, {.elements = batch_ * sequence_ * depth, .type = type_}},
                                         .output = turned});
  add_work(op, {.add = 1, .multiply = 1}, turned.elements);
  builder_.add_op(parent, std::move(op));
}

void TransformerNet::append_to_cache(graph::NodeId parent, std::string name, std::uint64_t width) {
  builder_.add_op(parent,
                  graph::data_movement(context(std::move(name)), OpKind::kCopy, {tensor(width)}, {tensor(width)}));
}

void TransformerNet::patches(graph::NodeId parent, std::uint64_t resolution, std::uint64_t patch,
                             std::uint64_t channels, std::uint64_t width) {
  const std::uint64_t rows = resolution / patch;
  graph::ConvolutionParams params;
  params.in_h = params.in_w = resolution;
  params.in_c = channels;
  params.out_h = params.out_w = rows;
  params.out_c = width;
  params.kernel_h = params.kernel_w = params.stride_h = params.stride_w = patch;
  params.types.input = type_;
  params.weights = zoo_weights(type_, width);
  builder_.add_op(parent, graph::convolution(context("projection"), params));
  const graph::Tensor image{.elements = batch_ * rows * rows * width, .type = type_};
  const graph::Tensor first{.elements = width, .type = type_, .constant = true};
  builder_.add_op(
      parent, graph::data_movement(context("class_token"), OpKind::kConcatenation, {image, first}, {tensor(width)}));
}

void TransformerNet::add(graph::NodeId parent, std::string name, std::uint64_t width) {
  const graph::Tensor one = tensor(width);
  builder_.add_op(parent, graph::elementwise(context(std::move(name)),
                                             {.kind = OpKind::kAdd, .inputs = {one, one}, .output = one}));
}

void TransformerNet::softmax_of_last_token(graph::NodeId parent, std::string name, std::uint64_t width) {
  builder_.add_op(parent, graph::softmax(context(std::move(name)), OpKind::kSoftmax, batch_, width, type_));
}

void TransformerNet::attention_core(graph::NodeId module, const AttentionShape& shape) {
  const graph::Exact exact("attention");
  const std::uint64_t kv_heads = shape.kv_heads != 0 ? shape.kv_heads : shape.heads;
  const std::uint64_t width = exact.mul(shape.heads, shape.depth);
  const std::uint64_t kv_width = exact.mul(kv_heads, shape.depth);
  const std::uint64_t rows = exact.mul(batch_, shape.heads, sequence_);
  const graph::Tensor scores{.elements = exact.mul(rows, shape.context), .type = type_};
  const graph::Tensor mask{.elements = exact.mul(batch_, shape.context), .type = type_};
  const auto transpose = [&](std::string name, std::uint64_t features) {
    builder_.add_op(module, graph::data_movement(context(std::move(name)), OpKind::kTranspose, {tensor(features)},
                                                 {tensor(features)}));
  };
  transpose("split_heads_query", width);
  transpose("split_heads_key", kv_width);
  transpose("split_heads_value", kv_width);
  graph::BatchMatmulParams product;
  product.products = exact.mul(batch_, shape.heads);
  product.right_matrices = exact.mul(batch_, kv_heads);
  product.m = sequence_;
  product.k = shape.depth;
  product.n = shape.context;
  product.types.input = type_;
  builder_.add_op(module, graph::batch_matmul(context("query_key"), product));
  if (shape.masked) {
    builder_.add_op(module, graph::elementwise(context("mask"),
                                               {.kind = OpKind::kAdd, .inputs = {scores, mask}, .output = scores}));
  }
  builder_.add_op(module, graph::softmax(context("softmax"), OpKind::kSoftmax, rows, shape.context, type_));
  product.k = shape.context;
  product.n = shape.depth;
  builder_.add_op(module, graph::batch_matmul(context("attention_value"), product));
  transpose("merge_heads", width);
  Facts facts = position();
  facts.set(Fact::kHeads, shape.heads).set(Fact::kContext, shape.context);
  if (kv_heads != shape.heads) {
    facts.set(Fact::kKvHeads, kv_heads);
  }
  facts.set(Fact::kSoftmaxBytes, exact.bytes(scores.elements, type_));
  builder_.set_module_facts(module, facts);
}

}  // namespace edgejoule::zoo
