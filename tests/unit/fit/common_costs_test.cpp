#include "fit/common_costs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fit/fit_table.h"
#include "graph/ops.h"
#include "support/measured_ops.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;

constexpr std::uint64_t kCache = 2U << 20U;
constexpr double kLaunch = 12e-6, kByte = 9e-12, kBeyond = 40e-12, kMac = 20e-12;

double bytes_of(const graph::OpNode& op) {
  return static_cast<double>(op.facts[Fact::kInputBytes] + op.facts[Fact::kOutputBytes] + op.facts[Fact::kWeightBytes]);
}

void add(MeasurementSet& set, const graph::OpNode& op, double joules) {
  set.measurements.push_back(test::measured_op(op, joules, "spec" + std::to_string(set.measurements.size())));
  set.measurements.back().time_seconds = joules / 2;  // at two watts: seconds have the same form
}

double streaming(const graph::OpNode& op) {
  const bool leaves = bytes_of(op) > static_cast<double>(kCache);
  return kLaunch + (kByte + (leaves ? kBeyond : 0)) * bytes_of(op);
}

// Four kinds that cross the cache, and convolutions that never do.
MeasurementSet board() {
  MeasurementSet set = test::empty_set();
  set.last_level_bytes = kCache;
  for (const OpKind kind : {OpKind::kRelu, OpKind::kSigmoid, OpKind::kTanh, OpKind::kGelu}) {
    for (const std::uint64_t elements : {1'000U, 4'000U, 20'000U, 100'000U, 800'000U, 1'200'000U, 2'000'000U}) {
      const graph::ElementwiseParams p{
          .kind = kind, .inputs = {{.elements = elements}}, .output = {.elements = elements}};
      const graph::OpNode op = graph::elementwise({}, p);
      add(set, op, streaming(op));
    }
  }
  return set;
}

graph::OpNode convolution(std::uint64_t size, std::uint64_t in_c, std::uint64_t out_c, std::uint64_t kernel,
                          std::uint64_t stride) {
  graph::ConvolutionParams p;
  p.kind = OpKind::kConv2d;
  p.in_h = p.in_w = size;
  p.out_h = p.out_w = (size + stride - 1) / stride;
  p.in_c = in_c, p.out_c = out_c;
  p.kernel_h = p.kernel_w = kernel;
  p.stride_h = p.stride_w = stride;
  return graph::convolution({}, p);
}

// 3 x 3 at stride 1 and 24 channels or more costs a third of the multiplications, and its tiles.
double of_convolution(const graph::OpNode& op, bool switches) {
  const auto macs = static_cast<double>(count_work(op.op_class, op.facts)->macs);
  const bool transformed = switches && op.facts[Fact::kKernelH] == 3 && op.facts[Fact::kStrideH] == 1 &&
                           std::min(op.facts[Fact::kInC], op.facts[Fact::kOutC]) >= 24;
  return kLaunch + kByte * bytes_of(op) + kMac * macs * (transformed ? 0.3 : 1);
}

void add_convolutions(MeasurementSet& set, bool switches) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 0.01);
  for (const std::uint64_t channels : {8U, 16U, 32U, 48U, 64U, 96U, 128U}) {
    for (const std::uint64_t size : {7U, 14U, 28U}) {
      for (const std::uint64_t kernel : {1U, 3U}) {
        const std::uint64_t stride = (channels / 8 + size) % 3 == 0 ? 2 : 1;
        const graph::OpNode op = convolution(size, channels, channels + 8, kernel, stride);
        add(set, op, of_convolution(op, switches) * std::exp(noise(random)));
      }
    }
  }
}

CommonCosts of_joules(const MeasurementSet& set) {
  const Observations observations(set);
  std::vector<std::size_t> all(set.measurements.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return {observations, all, observations.energies(all)};
}

std::vector<const FittedRow*> rows_of(const FittedTable& table, OpKind kind) {
  std::vector<const FittedRow*> rows;
  for (const FittedRow& row : table.rows) {
    if (row.kind == kind && row.known == Known::kNothing) rows.push_back(&row);
  }
  return rows;
}

TEST(CommonCosts, AreLearnedFromKindsThatCrossTheCache) {
  const CommonCosts costs = of_joules(board());
  EXPECT_NEAR(costs.launch(), kLaunch, 0.02 * kLaunch);
  EXPECT_NEAR(costs.per_byte(), kBeyond, 0.02 * kBeyond);
}

TEST(CommonCosts, AreUnknownWhereNobodyNamesACache) {
  MeasurementSet set = board();
  set.last_level_bytes = 0;
  const CommonCosts costs = of_joules(set);
  EXPECT_FALSE(costs.knows_traffic());
  EXPECT_EQ(costs.launch(), 0);
}

TEST(CommonCosts, AreUnknownFromTwoKinds) {
  MeasurementSet set = board();
  std::erase_if(set.measurements,
                [](const Measurement& m) { return m.kind != OpKind::kRelu && m.kind != OpKind::kTanh; });
  EXPECT_FALSE(of_joules(set).knows_traffic());
}

// What weights that are not near cost in a network, a convolution that always found them near cannot say.
TEST(CommonCosts, AreWhereRowsOfOtherKindsStart) {
  MeasurementSet set = board();
  add_convolutions(set, false);
  const FittedTable table = fit_table(set);
  const auto rows = rows_of(table, OpKind::kConv2d);
  ASSERT_EQ(rows.size(), 1U);
  const auto traffic = std::find_if(rows[0]->terms.begin(), rows[0]->terms.end(),
                                    [](const FittedTerm& term) { return term.spec.feature == Feature::kDramBytes; });
  ASSERT_NE(traffic, rows[0]->terms.end());
  EXPECT_NEAR(traffic->coefficient, kBeyond, 0.02 * kBeyond);
  EXPECT_NEAR(traffic->seconds, kBeyond / 2, 0.02 * kBeyond);
  EXPECT_EQ(traffic->min, 0);
  EXPECT_GT(traffic->max, 4'000'000) << "as far as the kinds went that taught it";
}

TEST(CommonCosts, KeepLaunchingInARowWithoutASmallShape) {
  MeasurementSet set = board();
  add_convolutions(set, false);
  std::erase_if(set.measurements,
                [](const Measurement& m) { return m.kind == OpKind::kConv2d && m.energy_joules < 20 * kLaunch; });
  const FittedTable table = fit_table(set);
  const auto rows = rows_of(table, OpKind::kConv2d);
  ASSERT_EQ(rows.size(), 1U);
  ASSERT_EQ(rows[0]->terms[0].spec.feature, Feature::kOne);
  EXPECT_NEAR(rows[0]->terms[0].coefficient, kLaunch, 0.25 * kLaunch);
}

// Forty measurements are too few for trees: the switch that all libraries make is offered, and taken only where it is.
TEST(WinogradForms, FindWhereALibrarySwitches) {
  MeasurementSet set = board();
  add_convolutions(set, true);
  const FittedTable table = fit_table(set);
  const auto rows = rows_of(table, OpKind::kConv2d);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(rows[1]->conditions.empty());
  const auto channels =
      std::find_if(rows[0]->conditions.begin(), rows[0]->conditions.end(),
                   [](const Condition& condition) { return condition.feature == Feature::kChannelsPerGroup; });
  ASSERT_NE(channels, rows[0]->conditions.end());
  EXPECT_EQ(channels->min, 32) << "the next that was measured: 16 are not transformed, 32 are";
  const auto key = std::find_if(table.keys.begin(), table.keys.end(),
                                [](const KeyReport& report) { return report.key == "conv_2d float32"; });
  ASSERT_NE(key, table.keys.end());
  EXPECT_LT(key->held_out.median, 3);
  EXPECT_GT(key->one_row.median, 2 * key->held_out.median);
}

TEST(WinogradForms, AreNotTakenWhereNothingSwitches) {
  MeasurementSet set = board();
  add_convolutions(set, false);
  EXPECT_EQ(rows_of(fit_table(set), OpKind::kConv2d).size(), 1U);
}

}  // namespace
}  // namespace edgejoule::fit
