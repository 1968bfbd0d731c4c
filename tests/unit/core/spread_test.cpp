#include "edgejoule/core/spread.h"

#include <gtest/gtest.h>

#include <cmath>

#include "edgejoule/core/shares.h"
#include "fixture.h"

namespace edgejoule::test {
namespace {

// Rows: 0 roofline, 1 shared spread only, 2 independent only, 3 without figures.
wire::CoefficientTableT spread_table() {
  wire::CoefficientTableT table = sound_table();
  add_row(table, Level::kOp, OpKind::kDense).residual = residual(0.1F, 9, 0.1F, 0.0F);
  add_row(table, Level::kOp, OpKind::kRelu).residual = residual(0.1F, 30, 0.0F, 0.1F);
  add_row(table, Level::kOp, OpKind::kAdd);
  return table;
}

class SpreadOf {
 public:
  explicit SpreadOf(const wire::CoefficientTableT& table = spread_table())
      : prepared_(table),
        sums_(SpreadAccumulator::required_sums(prepared_.table())),
        accumulator_(Prepared::value(SpreadAccumulator::start(prepared_.table(), sums_), "start")) {}
  SpreadOf& add(std::uint32_t row, float joules, float weight = 1.0F) {
    accumulator_.add(row, Joules(joules), weight);
    return *this;
  }
  [[nodiscard]] Spread finish(Confidence confidence = Confidence::k90) const {
    return Prepared::value(accumulator_.finish(confidence), "finish");
  }
  [[nodiscard]] const SpreadAccumulator& accumulator() const { return accumulator_; }

 private:
  Prepared prepared_;
  std::vector<float> sums_;
  SpreadAccumulator accumulator_;
};

TEST(Spread, SharedPartsAddLinearlyPerRow) {
  EXPECT_FLOAT_EQ(SpreadOf().add(1, 3.0F).add(1, 4.0F).finish().sigma.value(), 0.7F);
}

TEST(Spread, IndependentPartsAddInQuadrature) {
  EXPECT_FLOAT_EQ(SpreadOf().add(2, 3.0F).add(2, 4.0F).finish().sigma.value(), 0.5F);
}

TEST(Spread, DifferentRowsAddInQuadrature) {
  EXPECT_FLOAT_EQ(SpreadOf().add(1, 3.0F).add(2, 4.0F).finish().sigma.value(), 0.5F);
}

TEST(Spread, WhatIsSharedCancelsInADifference) {
  const Spread spread = SpreadOf().add(1, 3.0F).add(1, 3.0F, -1.0F).finish();
  EXPECT_EQ(spread.total.value(), 0.0F);
  EXPECT_EQ(spread.sigma.value(), 0.0F);
  EXPECT_FLOAT_EQ(SpreadOf().add(2, 3.0F).add(2, 3.0F, -1.0F).finish().sigma.value(), std::sqrt(0.18F));
}

TEST(Spread, IntervalsAreNormal) {
  const Spread spread = SpreadOf().add(2, 10.0F).finish(Confidence::k95);
  EXPECT_FLOAT_EQ(spread.interval.lower.value(), 10.0F - 1.959964F);
  EXPECT_FLOAT_EQ(spread.interval.upper.value(), 10.0F + 1.959964F);
}

TEST(Spread, SaysWhatItIsBuiltOn) {
  EXPECT_FALSE(SpreadOf().add(2, 1.0F).finish(Confidence::k95).flags.any());
  EXPECT_FALSE(SpreadOf().add(1, 1.0F).finish(Confidence::k90).flags.any());
  EXPECT_TRUE(SpreadOf().add(1, 1.0F).add(2, 1.0F).finish(Confidence::k95).flags.has(Flag::kIntervalNotGuaranteed))
      << "nine groups are too few for 95 %";
  EXPECT_TRUE(SpreadOf().add(3, 1.0F).finish().flags.has(Flag::kIntervalUnknown));
  EXPECT_TRUE(SpreadOf().add(kNoRow, 1.0F).finish().flags.has(Flag::kIntervalUnknown));
  EXPECT_FALSE(SpreadOf().add(3, 0.0F).finish().flags.any()) << "nothing of a row is no reason to doubt";
  wire::CoefficientTableT table = spread_table();
  table.op_residual = residual(0.1F, 50, 0.2F, 0.0F);
  table.module_residual = residual(0.1F, 50, 0.3F, 0.0F);
  EXPECT_FLOAT_EQ(SpreadOf(table).add(3, 1.0F).finish().sigma.value(), 0.2F) << "any op";
  EXPECT_FLOAT_EQ(SpreadOf(table).add(kNoRow, 1.0F).finish().sigma.value(), 0.3F) << "any module";
}

TEST(Spread, RefusesTooLittleMemoryAndOddConfidence) {
  const Prepared prepared(spread_table());
  std::vector<float> sums(SpreadAccumulator::required_sums(prepared.table()));
  for (std::size_t size = 0; size < sums.size(); ++size) {
    EXPECT_EQ(SpreadAccumulator::start(prepared.table(), Span<float>(sums.data(), size)).error(),
              Error::kWorkspaceTooSmall);
  }
  EXPECT_EQ(SpreadOf().accumulator().finish(static_cast<Confidence>(9)).error(), Error::kInvalidArgument);
}

TEST(Shares, ChildrenAndOwnAddUpToTheWhole) {
  wire::CoefficientTableT table = sound_table();
  add_module_row(table, OpKind::kLayer, 1.5F);
  add_module_row(table, OpKind::kBranch, 0.5F);  // overlap
  const wire::ModelGraphT graph = graph_of({{.kind = OpKind::kLayer, .parent = 0},
                                            {.kind = OpKind::kRelu, .parent = 1, .facts = elementwise_facts(100)},
                                            {.kind = OpKind::kBranch, .parent = 1},
                                            {.kind = OpKind::kRelu, .parent = 3, .facts = elementwise_facts(100)},
                                            {.kind = OpKind::kRelu, .parent = 3, .facts = elementwise_facts(300)},
                                            {.kind = OpKind::kDense, .parent = 0, .facts = dense_facts(1, 1, 10, 10)}});
  const Bound bound(table, graph);
  const auto estimates = bound.predict();
  std::vector<Share> shares(estimates.size());
  ASSERT_TRUE(allocate_shares(bound.graph(), estimates, shares).ok());
  EXPECT_EQ(shares[0].whole, 1.0F);
  for (std::uint32_t node = 0; node < shares.size(); ++node) {
    float sum = shares[node].own;
    for (std::uint32_t child = node + 1; child < shares.size(); ++child) {
      if (bound.graph().parent(child) == node) sum += shares[child].whole;
    }
    EXPECT_NEAR(sum, shares[node].whole, 1e-6F) << node;
    EXPECT_GE(shares[node].own, 0.0F);
  }
  EXPECT_FLOAT_EQ(shares[1].whole, estimates[1].dynamic / estimates[0].dynamic);
  EXPECT_FLOAT_EQ(shares[1].own, estimates[1].own / estimates[0].dynamic);
  EXPECT_EQ(shares[3].own, 0.0F) << "overlap: the children share what the module costs";
  EXPECT_FLOAT_EQ(shares[5].whole, 0.75F * shares[3].whole);

  EXPECT_EQ(allocate_shares(bound.graph(), Span<const NodeEstimate>(estimates.data(), 3), shares).error(),
            Error::kShapeMismatch);
  EXPECT_EQ(allocate_shares(bound.graph(), estimates, Span<Share>(shares.data(), 3)).error(), Error::kOutputTooSmall);
}

TEST(Shares, OfAModelThatCostsNothingAreNothing) {
  wire::CoefficientTableT table = sound_table();
  add_row(table, Level::kOp, OpKind::kReshape);  // no terms: free
  const Bound bound(table, graph_of({{.kind = OpKind::kReshape, .facts = elementwise_facts(1)}}));
  const auto estimates = bound.predict();
  std::vector<Share> shares(2);
  ASSERT_TRUE(allocate_shares(bound.graph(), estimates, shares).ok());
  EXPECT_EQ(shares[1].whole, 0.0F);
}

}  // namespace
}  // namespace edgejoule::test
