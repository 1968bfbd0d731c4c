#include "zoo/transformer.h"

#include <fmt/format.h>

#include "graph/exact.h"
#include "zoo/conv_net.h"

namespace edgejoule::zoo {

TransformerNet::TransformerNet(const Options& options)
    : builder_(zoo_info(options)),
      batch_(options.count("batch")),
      sequence_(options.count("seq")),
      type_(options.data_type()) {
  Facts facts;
  facts.set(Fact::kBatch, batch_).set(Fact::kSequence, sequence_).set(Fact::kTokens, batch_ * sequence_);
  builder_.set_module_facts(builder_.root(), facts);
}

graph::NodeId TransformerNet::module(graph::NodeId parent, OpKind kind, std::string name) {
  const graph::NodeId node = builder_.add_module(parent, kind, std::move(name));
  Facts facts;
  facts.set(Fact::kBatch, batch_).set(Fact::kSequence, sequence_).set(Fact::kTokens, batch_ * sequence_);
  builder_.set_module_facts(node, facts);
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

void TransformerNet::embedding(graph::NodeId parent, std::string name, std::uint64_t rows, std::uint64_t width) {
  graph::LookupParams params;
  params.kind = OpKind::kEmbedding;
  params.table = {.elements = graph::Exact(name).mul(rows, width), .type = type_, .constant = true};
  params.rows_read = batch_ * sequence_;
  params.row_elements = width;
  params.indices = {.elements = batch_ * sequence_, .type = DataType::kInt32};
  builder_.add_op(parent, graph::lookup(context(std::move(name)), params));
}

void TransformerNet::dense(graph::NodeId parent, std::string name, std::uint64_t inputs, std::uint64_t outputs,
                           bool shared, OpKind activation, bool has_bias) {
  graph::DenseParams params;
  params.m = sequence_;
  params.k = inputs;
  params.n = outputs;
  params.has_bias = has_bias;
  params.fused_activation = activation;
  params.types.input = type_;
  params.weights = zoo_weights(type_, outputs);
  params.weights.seen_before = shared;
  builder_.add_op(parent, graph::dense(context(std::move(name)), params));
}

void TransformerNet::first_token_dense(graph::NodeId parent, std::string name, std::uint64_t inputs,
                                       std::uint64_t outputs, OpKind activation) {
  graph::DenseParams params;
  params.k = inputs;
  params.n = outputs;
  params.fused_activation = activation;
  params.types.input = type_;
  params.weights = zoo_weights(type_, outputs);
  builder_.add_op(parent, graph::dense(context(std::move(name)), params));
}

void TransformerNet::layer_norm(graph::NodeId parent, std::string name, std::uint64_t width, bool shared) {
  graph::NormalisationParams params;
  params.elements = tensor(width).elements;
  params.groups = batch_ * sequence_;
  params.parameters = 2 * width;
  params.types.input = type_;
  params.seen_before = shared;
  builder_.add_op(parent, graph::normalisation(context(std::move(name)), params));
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
  const std::uint64_t depth = shape.hidden / shape.heads;
  const std::uint64_t rows = exact.mul(batch_, shape.heads, sequence_);
  const graph::Tensor scores{.elements = exact.mul(rows, shape.context), .type = type_};
  const graph::Tensor mask{.elements = exact.mul(batch_, shape.context), .type = type_};
  for (const char* which : {"query", "key", "value"}) {
    builder_.add_op(module, graph::data_movement(context(fmt::format("split_heads_{}", which)), OpKind::kTranspose,
                                                 {tensor(shape.hidden)}, {tensor(shape.hidden)}));
  }
  graph::BatchMatmulParams product;
  product.products = exact.mul(batch_, shape.heads);
  product.m = sequence_;
  product.k = depth;
  product.n = shape.context;
  product.types.input = type_;
  builder_.add_op(module, graph::batch_matmul(context("query_key"), product));
  builder_.add_op(
      module, graph::elementwise(context("mask"), {.kind = OpKind::kAdd, .inputs = {scores, mask}, .output = scores}));
  builder_.add_op(module, graph::softmax(context("softmax"), OpKind::kSoftmax, rows, shape.context, type_));
  product.k = shape.context;
  product.n = depth;
  builder_.add_op(module, graph::batch_matmul(context("attention_value"), product));
  builder_.add_op(module, graph::data_movement(context("merge_heads"), OpKind::kTranspose, {tensor(shape.hidden)},
                                               {tensor(shape.hidden)}));
  Facts facts;
  facts.set(Fact::kBatch, batch_).set(Fact::kSequence, sequence_).set(Fact::kTokens, batch_ * sequence_);
  facts.set(Fact::kHeads, shape.heads).set(Fact::kContext, shape.context);
  facts.set(Fact::kSoftmaxBytes, exact.bytes(scores.elements, type_));
  builder_.set_module_facts(module, facts);
}

}  // namespace edgejoule::zoo
