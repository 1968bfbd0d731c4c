#include "graph/graph_builder.h"

#include <gmock/gmock.h>

#include <string>

#include "edgejoule/core/graph.h"
#include "schemas/graph_generated.h"

namespace edgejoule::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpNode op_named(const char* name, OpKind kind = OpKind::kAdd, const char* type_name = "ADD") {
  OpNode op;
  op.kind = kind;
  op.name = name;
  op.type_name = type_name;
  return op;
}

template <class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const GraphError& error) {
    return error.what();
  }
  return "";
}

const wire::ModelGraph& read(const FileBytes& bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.span().data()), bytes.size());
  EXPECT_TRUE(wire::VerifyModelGraphBuffer(verifier));
  const Result<GraphView> view = GraphView::open(bytes.span());  // core, too, must take what was built
  EXPECT_TRUE(view) << error_text(view.error());
  return *wire::GetModelGraph(bytes.span().data());
}

// A stored fact of a node, wherever its column stands.
std::uint64_t fact_of(const wire::ModelGraph& graph, flatbuffers::uoffset_t node, Fact fact) {
  const auto columns = graph.fact_ids()->size();
  for (flatbuffers::uoffset_t column = 0; column < columns; ++column) {
    if (graph.fact_ids()->Get(column) == static_cast<wire::Fact>(fact)) {
      return graph.facts()->Get(node * columns + column);
    }
  }
  ADD_FAILURE() << name_of(fact) << " has no column";
  return 0;
}

std::vector<std::string> names_of(const wire::ModelGraph& graph) {
  std::vector<std::string> names;
  for (const auto* name : *graph.names()) {
    names.push_back(name->str());
  }
  return names;
}

TEST(GraphBuilder, LaysNodesOutInPreorderWhateverTheOrderOfAdding) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  const NodeId a = builder.add_module(builder.root(), OpKind::kStage, "a");
  const NodeId b = builder.add_module(builder.root(), OpKind::kStage, "b");
  builder.add_op(b, op_named("b1"));
  builder.add_op(a, op_named("a1"));
  builder.add_op(builder.root(), op_named("end"));
  builder.add_op(a, op_named("a2"));
  const FileBytes bytes = builder.finish();
  const auto& graph = read(bytes);
  EXPECT_THAT(names_of(graph), ElementsAre("m", "a", "a1", "a2", "b", "b1", "end"));
  EXPECT_THAT(std::vector<std::uint32_t>(graph.parents()->begin(), graph.parents()->end()),
              ElementsAre(kNoParent, 0, 1, 1, 0, 4, 0));
  EXPECT_THAT(std::vector<int>(graph.depths()->begin(), graph.depths()->end()), ElementsAre(0, 1, 2, 2, 1, 2, 1));
}

TEST(GraphBuilder, StoresOnlyTheFactColumnsSomeNodeUses) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  OpNode op = op_named("x");
  op.facts.set(Fact::kOutputBytes, 7).set(Fact::kBatch, 1).set(Fact::kOutC, 3);
  builder.add_op(builder.root(), std::move(op));
  const FileBytes bytes = builder.finish();
  const auto& graph = read(bytes);
  // The batch has its default; what modules are made of every graph says.
  ASSERT_EQ(graph.fact_ids()->size(), 5U);
  EXPECT_EQ(graph.fact_ids()->Get(0), wire::Fact::out_c);
  EXPECT_EQ(graph.fact_ids()->Get(1), wire::Fact::output_bytes);
  EXPECT_EQ(graph.fact_ids()->Get(2), wire::Fact::child_kinds);
  EXPECT_EQ(graph.fact_ids()->Get(3), wire::Fact::child_classes);
  EXPECT_EQ(graph.fact_ids()->Get(4), wire::Fact::module_shape);
  // The root, which states neither: the default of each.
  EXPECT_EQ(fact_of(graph, 0, Fact::kOutC), 1U);
  EXPECT_EQ(fact_of(graph, 0, Fact::kOutputBytes), 0U);
  EXPECT_EQ(fact_of(graph, 1, Fact::kOutC), 3U);
  EXPECT_EQ(fact_of(graph, 1, Fact::kOutputBytes), 7U);
}

TEST(GraphBuilder, StoresEachTypeNameOnce) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  builder.add_op(builder.root(), op_named("x", OpKind::kAdd, "ADD"));
  builder.add_op(builder.root(), op_named("y", OpKind::kMul, "MUL"));
  builder.add_op(builder.root(), op_named("z", OpKind::kAdd, "ADD"));
  const FileBytes bytes = builder.finish();
  const auto& graph = read(bytes);
  EXPECT_EQ(graph.type_names()->size(), 3U);  // and "" of the root
  EXPECT_EQ(graph.type_name_index()->Get(1), graph.type_name_index()->Get(3));
  EXPECT_EQ(graph.type_names()->Get(graph.type_name_index()->Get(2))->str(), "MUL");
}

TEST(GraphBuilder, ClassFollowsTheKindUnlessStated) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  builder.add_op(builder.root(), op_named("known", OpKind::kConv2d));
  OpNode unknown = op_named("unknown", OpKind::kUnknown);
  unknown.op_class = OpClass::kElementwise;
  builder.add_op(builder.root(), std::move(unknown));
  const FileBytes bytes = builder.finish();
  EXPECT_EQ(read(bytes).classes()->Get(1), wire::OpClass::convolution);
  EXPECT_EQ(read(bytes).classes()->Get(2), wire::OpClass::elementwise);
}

TEST(GraphBuilder, KeepsModuleFactsAndNotes) {
  GraphBuilder builder({.model_name = "m", .format = "zoo", .notes = {"first"}});
  const NodeId stage = builder.add_module(builder.root(), OpKind::kStage, "s");
  builder.set_module_facts(stage, Facts().set(Fact::kTokens, 128));
  builder.add_note("second");
  const FileBytes bytes = builder.finish();
  const auto& graph = read(bytes);
  EXPECT_EQ(fact_of(graph, 1, Fact::kTokens), 128U);
  ASSERT_EQ(graph.source()->notes()->size(), 2U);
  EXPECT_EQ(graph.source()->notes()->Get(1)->str(), "second");
  EXPECT_EQ(graph.source()->format()->str(), "zoo");
}

TEST(GraphBuilder, RefusesChildrenOfOpsAndForeignParents) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  const NodeId op = builder.add_op(builder.root(), op_named("leaf"));
  EXPECT_THAT(message_of([&] { builder.add_op(op, op_named("child")); }), HasSubstr("only modules have children"));
  EXPECT_THAT(message_of([&] { builder.add_op(NodeId{99}, op_named("child")); }), HasSubstr("not of this graph"));
  EXPECT_THAT(message_of([&] { builder.set_module_facts(op, Facts()); }), HasSubstr("no module"));
}

TEST(GraphBuilder, TellsOpsFromModules) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  EXPECT_THAT(message_of([&] { builder.add_module(builder.root(), OpKind::kAdd, "x"); }), HasSubstr("use add_op"));
  EXPECT_THAT(message_of([&] { builder.add_op(builder.root(), op_named("x", OpKind::kStage)); }),
              HasSubstr("use add_module"));
  EXPECT_THAT(message_of([] { GraphBuilder({.model_name = "m"}, OpKind::kAdd); }), HasSubstr("must be a module"));
}

TEST(GraphBuilder, AcceptsTheDeepestTreeAndRefusesOneLevelMore) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  NodeId module = builder.root();
  for (int level = 1; level <= kMaxDepth; ++level) {
    module = builder.add_module(module, OpKind::kBlock, "level" + std::to_string(level));
  }
  EXPECT_THAT(message_of([&] { builder.add_op(module, op_named("too deep")); }), HasSubstr("deeper than 64"));
  const FileBytes bytes = builder.finish();
  EXPECT_EQ(read(bytes).depths()->Get(kMaxDepth), kMaxDepth);
}

TEST(GraphBuilder, FinishesOnce) {
  GraphBuilder builder({.model_name = "m", .format = "zoo"});
  EXPECT_GT(builder.finish().size(), 0U);
  EXPECT_THAT(message_of([&] { static_cast<void>(builder.finish()); }), HasSubstr("twice"));
}

TEST(GraphBuilder, BuildsAHundredThousandNodes) {
  GraphBuilder builder({.model_name = "big", .format = "zoo"});
  NodeId module = builder.root();
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    if (i % 100 == 0) {
      module = builder.add_module(builder.root(), OpKind::kBlock, "block");
    }
    OpNode op = op_named("op");
    op.facts.set(Fact::kOutputElements, i);
    builder.add_op(module, std::move(op));
  }
  const FileBytes bytes = builder.finish();
  const auto& graph = read(bytes);
  ASSERT_EQ(graph.kinds()->size(), 101'001U);
  EXPECT_EQ(fact_of(graph, 101'000, Fact::kOutputElements), 99'999U);
}

}  // namespace
}  // namespace edgejoule::graph
