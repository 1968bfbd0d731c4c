#include "support/graph_fixture.h"

#include <memory>

namespace edgejoule::test {

wire::ModelGraphT graph_of(const std::vector<NodeSpec>& specs) {
  wire::ModelGraphT graph;
  graph.format_version = 1;
  graph.name = "test model";
  graph.source = std::make_unique<wire::GraphSourceT>();
  graph.source->format = "test";
  for (std::size_t fact = 0; fact < kFactCount; ++fact) {
    graph.fact_ids.push_back(static_cast<wire::Fact>(fact));
  }
  const auto add = [&graph](const NodeSpec& spec, bool is_root) {
    const OpClass op_class = spec.op_class == OpClass::kUnknown ? class_of(spec.kind) : spec.op_class;
    graph.kinds.push_back(static_cast<wire::OpKind>(spec.kind));
    graph.classes.push_back(static_cast<wire::OpClass>(op_class));
    graph.data_types.push_back(static_cast<wire::DataType>(spec.data_type));
    graph.weight_types.push_back(static_cast<wire::DataType>(spec.data_type));
    graph.parents.push_back(is_root ? kNoParent : spec.parent);
    graph.depths.push_back(is_root ? std::uint8_t{0} : static_cast<std::uint8_t>(graph.depths.at(spec.parent) + 1));
    graph.engines.push_back(spec.engine);
    graph.names.push_back(spec.name);
    for (std::size_t fact = 0; fact < kFactCount; ++fact) {
      graph.facts.push_back(spec.facts[static_cast<Fact>(fact)]);
    }
  };
  NodeSpec root;
  root.kind = OpKind::kModel;
  root.data_type = DataType::kUnknown;
  root.name = "model";
  add(root, true);
  for (const NodeSpec& spec : specs) {
    add(spec, false);
  }
  return graph;
}

files::FileBytes pack(const wire::ModelGraphT& graph) {
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishModelGraphBuffer(builder, wire::ModelGraph::Pack(builder, &graph));
  return files::FileBytes(builder.GetBufferPointer(), builder.GetSize());
}

Facts conv_facts(std::uint64_t batch, std::uint64_t in_h, std::uint64_t in_w, std::uint64_t in_c, std::uint64_t out_c,
                 std::uint64_t kernel, std::uint64_t stride, std::uint64_t groups) {
  const std::uint64_t out_h = (in_h + stride - 1) / stride;
  const std::uint64_t out_w = (in_w + stride - 1) / stride;
  const std::uint64_t in = batch * in_h * in_w * in_c;
  const std::uint64_t out = batch * out_h * out_w * out_c;
  const std::uint64_t weights = out_c * (in_c / groups) * kernel * kernel;
  Facts facts;
  facts.set(Fact::kBatch, batch).set(Fact::kInH, in_h).set(Fact::kInW, in_w).set(Fact::kInC, in_c);
  facts.set(Fact::kOutH, out_h).set(Fact::kOutW, out_w).set(Fact::kOutC, out_c);
  facts.set(Fact::kKernelH, kernel).set(Fact::kKernelW, kernel);
  facts.set(Fact::kStrideH, stride).set(Fact::kStrideW, stride).set(Fact::kGroups, groups);
  facts.set(Fact::kInputElements, in).set(Fact::kOutputElements, out);
  facts.set(Fact::kInputBytes, 4 * in).set(Fact::kOutputBytes, 4 * out);
  facts.set(Fact::kWeightBytes, 4 * weights).set(Fact::kUniqueWeightBytes, 4 * weights);
  facts.set(Fact::kParameters, weights);
  return facts;
}

Facts dense_facts(std::uint64_t batch, std::uint64_t rows, std::uint64_t in, std::uint64_t out) {
  Facts facts;
  facts.set(Fact::kBatch, batch).set(Fact::kRowsM, rows).set(Fact::kColsN, out).set(Fact::kDepthK, in);
  facts.set(Fact::kInputElements, batch * rows * in).set(Fact::kOutputElements, batch * rows * out);
  facts.set(Fact::kInputBytes, 4 * batch * rows * in).set(Fact::kOutputBytes, 4 * batch * rows * out);
  facts.set(Fact::kWeightBytes, 4 * in * out).set(Fact::kUniqueWeightBytes, 4 * in * out);
  facts.set(Fact::kParameters, in * out);
  return facts;
}

Facts elementwise_facts(std::uint64_t elements, std::uint64_t alu_per_output) {
  Facts facts;
  facts.set(Fact::kInputElements, elements).set(Fact::kOutputElements, elements);
  facts.set(Fact::kInputBytes, 4 * elements).set(Fact::kOutputBytes, 4 * elements);
  facts.set(Fact::kAluPerOutput, alu_per_output);
  return facts;
}

files::FileBytes layered_graph(std::uint32_t ops, std::uint32_t per_block) {
  std::vector<NodeSpec> specs;
  std::uint32_t parent = 0;
  for (std::uint32_t op = 0; op < ops; ++op) {
    if (per_block != 0 && op % per_block == 0) {
      specs.push_back({.kind = OpKind::kBlock, .parent = 0, .name = "block" + std::to_string(op / per_block)});
      parent = static_cast<std::uint32_t>(specs.size());
    }
    specs.push_back({.kind = op % 3 == 2 ? OpKind::kRelu : OpKind::kDense,
                     .parent = parent,
                     .facts = op % 3 == 2 ? elementwise_facts(64) : dense_facts(1, 1 + op % 7, 64, 64)});
  }
  return pack(graph_of(specs));
}

}  // namespace edgejoule::test
