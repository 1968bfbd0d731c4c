#include "graph/module_structure.h"

#include <gtest/gtest.h>

#include <vector>

#include "edgejoule/core/graph.h"
#include "graph/graph_builder.h"

namespace edgejoule::graph {
namespace {

Facts structure(const std::vector<ChildKind>& children, bool is_root = false, bool own = false) {
  Facts facts;
  describe_structure(children, is_root, own, facts);
  return facts;
}

ChildKind of(OpKind kind, std::uint64_t count = 1) {
  return {kind, class_of(kind), count};
}

TEST(ModuleStructure, SameChildrenSameKeyInAnyOrderOtherChildrenAnother) {
  const Facts a = structure({of(OpKind::kDense, 2), of(OpKind::kLayerNorm)});
  const Facts b = structure({of(OpKind::kLayerNorm), of(OpKind::kDense), of(OpKind::kDense)});
  const Facts c = structure({of(OpKind::kDense), of(OpKind::kLayerNorm)});
  EXPECT_EQ(a[Fact::kChildKinds], b[Fact::kChildKinds]);
  EXPECT_NE(a[Fact::kChildKinds], c[Fact::kChildKinds]);
  EXPECT_EQ(a[Fact::kChildClasses], c[Fact::kChildClasses]) << "the same classes";
  EXPECT_LT(a[Fact::kChildKinds], 1U << 24U) << "exact in float32";
  EXPECT_EQ(a[Fact::kModuleShape], static_cast<std::uint64_t>(ModuleShape::kBlock));
}

TEST(ModuleStructure, DepthOfANetworkIsNoNewKind) {
  const Facts two = structure({of(OpKind::kLayer, 2)}), six = structure({of(OpKind::kLayer, 6)}),
              twelve = structure({of(OpKind::kBlock, 12)});
  EXPECT_EQ(six[Fact::kChildKinds], twelve[Fact::kChildKinds]);
  EXPECT_NE(six[Fact::kChildKinds], two[Fact::kChildKinds]);
  EXPECT_EQ(six[Fact::kModuleShape], static_cast<std::uint64_t>(ModuleShape::kHolder));
}

TEST(ModuleStructure, RootsAndModulesWithBytesOfTheirOwnStandApart) {
  const std::vector<ChildKind> children = {of(OpKind::kDense)};
  EXPECT_NE(structure(children)[Fact::kChildKinds], structure(children, true)[Fact::kChildKinds]);
  EXPECT_NE(structure(children)[Fact::kChildKinds], structure(children, false, true)[Fact::kChildKinds]);
}

TEST(ModuleStructure, ShapesFollowFromClasses) {
  EXPECT_EQ(structure({of(OpKind::kSoftmax), of(OpKind::kDense)})[Fact::kModuleShape], 1U);
  EXPECT_EQ(structure({of(OpKind::kEmbedding), of(OpKind::kLayerNorm)})[Fact::kModuleShape], 2U);
}

TEST(GraphBuilder, DescribesWhatModulesAreMadeOf) {
  GraphBuilder builder({.model_name = "m"});
  const NodeId block = builder.add_module(builder.root(), OpKind::kBlock, "block");
  const NodeId given = builder.add_module(builder.root(), OpKind::kBlock, "given");
  for (const NodeId parent : {block, given}) {
    OpNode op;
    op.kind = OpKind::kDense;
    static_cast<void>(builder.add_op(parent, op));
  }
  builder.set_module_facts(given, Facts().set(Fact::kChildKinds, 77));
  const FileBytes bytes = builder.finish();
  const Result<GraphView> graph = GraphView::open(bytes.span());
  ASSERT_TRUE(graph.ok());
  const Facts expected = structure({of(OpKind::kDense)});
  for (const Fact fact : {Fact::kChildKinds, Fact::kChildClasses, Fact::kModuleShape}) {
    EXPECT_EQ(graph->facts(1)[fact], expected[fact]) << name_of(fact);
  }
  EXPECT_EQ(graph->facts(3)[Fact::kChildKinds], 77U) << "an importer that knows better";
  EXPECT_EQ(graph->facts(0)[Fact::kModuleShape], static_cast<std::uint64_t>(ModuleShape::kHolder));
}

}  // namespace
}  // namespace edgejoule::graph
