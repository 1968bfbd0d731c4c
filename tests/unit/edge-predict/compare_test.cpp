#include "edge-predict/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "edge-predict/compare_view.h"
#include "edge-predict/what_if.h"
#include "files/json.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"

namespace edgejoule::predict {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr float kNinety = 1.6448536F;
constexpr float kShared = 0.05F;
constexpr float kIndependent = 0.10F;

// The table prices a conv_2d at 1 nJ per MAC, with a spread of which 5 % is the row's.
class Comparisons : public testing::Test {
 protected:
  Comparisons() {
    wire::RowT& row = test::add_row(table_, Level::kOpAndType, OpKind::kConv2d, DataType::kFloat32);
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = 1, .unit = Unit::kNanojoule});
    row.residual = test::residual(0.1F, 20, kShared, kIndependent);
  }

  // A model of convolutions, each named and with this many output channels.
  std::string model(const std::string& file, const std::vector<std::pair<std::string, std::uint64_t>>& convs) {
    std::vector<test::NodeSpec> specs{{.kind = OpKind::kBlock, .parent = 0, .name = "block"}};
    for (const auto& [name, channels] : convs) {
      specs.push_back(
          {.kind = OpKind::kConv2d, .parent = 1, .facts = test::conv_facts(1, 8, 8, 16, channels, 1), .name = name});
    }
    const std::string path = folder_.file(file);
    files::save(path, test::pack(test::graph_of(specs)).span(), files::FileKind::kGraph);
    return path;
  }

  std::string save(const char* file, const wire::CoefficientTableT& table) {
    const std::string path = folder_.file(file);
    files::save(path, test::pack(table).span(), files::FileKind::kTable);
    return path;
  }

  Comparison compare(const std::string& a, const std::string& b) {
    Request request_a;
    request_a.model = a;
    request_a.table = save("t.ejt", table_);
    Request request_b = request_a;
    request_b.model = b;
    return Comparison(request_a, request_b);
  }

  test::TemporaryFolder folder_;
  wire::CoefficientTableT table_ = test::sound_table();
};

constexpr float kOne = 8 * 8 * 16 * 16 * 1e-9F;  // joules of 16 channels

TEST_F(Comparisons, SharedSpreadCancelsAndIndependentAdds) {
  const Comparison c = compare(model("a.ejg", {{"x", 16}}), model("b.ejg", {{"x", 48}}));
  const ComparedNode& x = c.nodes.at(2);
  EXPECT_FLOAT_EQ(x.joules_a, kOne);
  EXPECT_FLOAT_EQ(x.joules_b, 3 * kOne);
  const float sigma = kOne * std::hypot(kShared * 2, kIndependent * std::hypot(1.0F, 3.0F));
  EXPECT_NEAR((x.upper - x.lower) / 2, kNinety * sigma, 1e-3F * sigma);
  EXPECT_NEAR((x.upper + x.lower) / 2, 2 * kOne, 1e-3F * kOne);
  // Of the ratio: the shared part is gone altogether.
  EXPECT_NEAR(std::log(x.ratio_upper / 3), kNinety * kIndependent * std::sqrt(2.0F), 1e-3F);
  EXPECT_NEAR(x.ratio_upper * x.ratio_lower, 9, 1e-2F);
}

TEST_F(Comparisons, WhatIsTheSameInBothIsKnownExactly) {
  const Comparison c = compare(model("a.ejg", {{"x", 16}, {"y", 16}}), model("b.ejg", {{"x", 16}, {"y", 32}}));
  EXPECT_EQ(c.nodes.at(2).lower, 0.0F);
  EXPECT_EQ(c.nodes.at(2).upper, 0.0F);
  EXPECT_EQ(c.nodes.at(2).ratio_lower, 1.0F);
  // The block differs only by y, and is as sure as y is.
  EXPECT_FLOAT_EQ(c.nodes.at(1).lower, c.nodes.at(3).lower);
  EXPECT_FLOAT_EQ(c.nodes.at(1).upper, c.nodes.at(3).upper);
}

TEST_F(Comparisons, TwoTablesShareNothing) {
  const std::string path = model("a.ejg", {{"x", 16}});
  Request a;
  a.model = path;
  a.table = save("a.ejt", table_);
  Request b = a;
  table_.name = "another";
  b.table = save("b.ejt", table_);
  const Comparison c(a, b);
  EXPECT_FALSE(c.one_table);
  const float sigma = kOne * std::hypot(kShared, kIndependent) * std::sqrt(2.0F);
  EXPECT_NEAR(c.nodes.at(2).upper, kNinety * sigma, 1e-3F * sigma);
  EXPECT_THAT(compare_text(c, CompareBy::kModule, {}), HasSubstr("Two tables share no errors"));
}

TEST_F(Comparisons, JoulesOfDifferentBoundariesAreRefused) {
  const std::string path = model("a.ejg", {{"x", 16}});
  Request a;
  a.model = path;
  a.table = save("a.ejt", table_);
  Request b = a;
  table_.boundary->kind = wire::BoundaryKind::wall;
  table_.boundary->rails.clear();
  b.table = save("b.ejt", table_);
  try {
    const Comparison c(a, b);
    FAIL() << "compared rails with the wall";
  } catch (const CompareError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("rails"), HasSubstr("wall"), HasSubstr("never compared")));
  }
}

TEST_F(Comparisons, NodesOfOneSideStandAlone) {
  const Comparison c = compare(model("a.ejg", {{"x", 16}, {"old", 32}}), model("b.ejg", {{"x", 16}, {"new", 64}}));
  ASSERT_EQ(c.nodes.size(), 5U);
  EXPECT_FALSE(c.nodes.at(3).b);
  EXPECT_FALSE(c.nodes.at(4).a);
  EXPECT_FLOAT_EQ(c.nodes.at(3).difference(), -2 * kOne);
  EXPECT_FLOAT_EQ(c.nodes.at(0).difference(), 2 * kOne);
  EXPECT_EQ(c.movers(false), (std::vector<std::uint32_t>{4, 3, 2})) << "largest difference first";
  const std::string text = compare_text(c, CompareBy::kOp, {});
  EXPECT_THAT(text, AllOf(HasSubstr("only A"), HasSubstr("only B"), HasSubstr("block/new")));
}

TEST_F(Comparisons, NamesThatRepeatArePairedInOrder) {
  const Comparison c =
      compare(model("a.ejg", {{"x", 16}, {"x", 32}, {"", 16}}), model("b.ejg", {{"x", 16}, {"x", 32}, {"", 16}}));
  ASSERT_EQ(c.nodes.size(), 5U);
  for (const ComparedNode& node : c.nodes) EXPECT_EQ(node.difference(), 0.0F) << node.path;
}

TEST_F(Comparisons, HostileNamesAreEscaped) {
  const std::string evil = "\x1b[2J\",=1+1\n";
  const Comparison c = compare(model("a.ejg", {{evil, 16}}), model("b.ejg", {{evil, 32}}));
  for (const std::string& out : {compare_text(c, CompareBy::kOp, {}), compare_csv(c), compare_json(c)}) {
    EXPECT_THAT(out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(out, HasSubstr("x1b[2J"));
  }
}

TEST_F(Comparisons, KindsAddUpToTheWhole) {
  const Comparison c = compare(model("a.ejg", {{"x", 16}, {"y", 16}}), model("b.ejg", {{"x", 48}, {"y", 16}}));
  ASSERT_EQ(c.kinds.size(), 1U);
  EXPECT_EQ(c.kinds[0].kind, OpKind::kConv2d);
  EXPECT_FLOAT_EQ(c.kinds[0].difference(), 2 * kOne);
  EXPECT_FLOAT_EQ(c.kinds[0].lower, c.nodes.front().lower);
  EXPECT_FLOAT_EQ(c.kinds[0].ratio_upper, c.nodes.front().ratio_upper);
}

TEST_F(Comparisons, DifferencesAddUpToTheWhole) {
  Request a;
  a.model = "zoo:bert-tiny";
  a.table = save("t.ejt", table_);
  Request b = a;
  b.settings = {{"seq", "64"}};
  const Comparison c(a, b);
  float leaves = 0;
  for (const ComparedNode& node : c.nodes) leaves += node.is_module ? 0.0F : node.difference();
  EXPECT_NEAR(leaves, c.nodes.front().difference(), 1e-4F * std::abs(leaves));
  EXPECT_LT(leaves, 0);
  for (const ComparedNode& node : c.nodes) EXPECT_TRUE(node.a && node.b) << node.path;
}

}  // namespace
}  // namespace edgejoule::predict
