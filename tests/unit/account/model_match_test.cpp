#include "account/model_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/graph_fixture.h"

namespace edgejoule::account {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ModelMatching : public ::testing::Test {
 protected:
  ModelMatching()
      : bytes_(test::pack(test::graph_of({{.kind = OpKind::kBlock, .parent = 0, .name = "b1"},
                                          {.kind = OpKind::kConv2d, .parent = 1, .name = "b1/conv"},
                                          {.kind = OpKind::kRelu, .parent = 1, .name = "b1/relu"},
                                          {.kind = OpKind::kBlock, .parent = 0, .name = "b2"},
                                          {.kind = OpKind::kConv2d, .parent = 4, .name = "b2/conv"},
                                          {.kind = OpKind::kDense, .parent = 4, .name = "b2/fc"}}))),
        graph_(*GraphView::open(bytes_.span())) {}
  ModelMatch match(const std::vector<RunOp>& ops) const { return match_ops(graph_, ops); }
  static RunOp op(const std::string& name, std::uint32_t node = kNoNode) {
    RunOp op;
    op.name = name;
    op.node = node;
    return op;
  }

  files::FileBytes bytes_;
  GraphView graph_;
};

TEST_F(ModelMatching, ByNameThenByItsLastPart) {
  const ModelMatch found = match({op("b1/conv"), op("fc"), op("net/x/relu"), op("conv"), op("elsewhere")});
  EXPECT_THAT(found.nodes[0], ElementsAre(2U));
  EXPECT_THAT(found.nodes[1], ElementsAre(6U));
  EXPECT_THAT(found.nodes[2], ElementsAre(3U));
  EXPECT_THAT(found.nodes[3], IsEmpty()) << "two are called so";
  EXPECT_THAT(found.nodes[4], IsEmpty());
  EXPECT_EQ(found.place[4], 0U);
  EXPECT_THAT(found.without_op, ElementsAre(5U));
}

TEST_F(ModelMatching, FusedNamesCoverTheirNodesOrNone) {
  const ModelMatch found = match({op("b1/conv + b1/relu"), op("b2/conv|b2/fc"), op("b2/conv+unknown")});
  EXPECT_THAT(found.nodes[0], ElementsAre(2U, 3U));
  EXPECT_EQ(found.place[0], 1U) << "the module that holds both";
  EXPECT_THAT(found.nodes[1], ElementsAre(5U, 6U));
  EXPECT_EQ(found.place[1], 4U);
  EXPECT_THAT(found.nodes[2], IsEmpty());
}

TEST_F(ModelMatching, ByNodeNumberWhereTheTypeAgrees) {
  const ModelMatch found = match({op("CONV_2D", 0), op("", 1), op("CONV_2D", 3), op("", 9)});
  EXPECT_THAT(found.nodes[0], ElementsAre(2U));
  EXPECT_THAT(found.nodes[1], ElementsAre(3U));
  EXPECT_THAT(found.nodes[3], IsEmpty());
  EXPECT_THAT(found.nodes[2], ElementsAre(5U)) << "number 3 is no convolution: the one that is left";
}

TEST_F(ModelMatching, ByOrderAmongOpsOfOneType) {
  const ModelMatch found = match({op("conv_2d"), op("DENSE"), op("conv_2d"), op("relu"), op("relu")});
  EXPECT_THAT(found.nodes[1], ElementsAre(6U));
  EXPECT_THAT(found.nodes[3], IsEmpty()) << "two ran, the model has one";
  // One name is one op to the runs' pool; told apart they go by order.
  EXPECT_THAT(found.nodes[0], ElementsAre(2U));
  EXPECT_THAT(found.nodes[2], ElementsAre(5U));
}

TEST_F(ModelMatching, ATypeStandsForANameThatTheRuntimeMadeUp) {
  const auto typed = [](const std::string& name, std::uint32_t node, const std::string& type) {
    RunOp made = op(name, node);
    made.type = type;
    return made;
  };
  const ModelMatch found = match({typed("Conv2D_0", 0, "Conv2D"), typed("Relu_7", 7, "Relu"), typed("", 2, "Conv2D"),
                                  typed("elsewhere", 3, "Dense")});
  EXPECT_THAT(found.nodes[0], ElementsAre(2U)) << "by number";
  EXPECT_THAT(found.nodes[1], ElementsAre(3U)) << "the only one of its type";
  EXPECT_THAT(found.nodes[2], ElementsAre(5U));
  EXPECT_THAT(found.nodes[3], IsEmpty()) << "it has a name of its own, and the model does not";
}

}  // namespace
}  // namespace edgejoule::account
