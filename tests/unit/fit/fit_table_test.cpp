#include "fit/fit_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "fit/table_writer.h"
#include "graph/ops.h"
#include "measurements/importers.h"
#include "support/measured_ops.h"
#include "support/prepared.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementError;
using measurements::MeasurementSet;
using test::empty_set;
using ::testing::HasSubstr;

Measurement measured(const graph::OpNode& op, double joules, int number) {
  return test::measured_op(op, joules, "spec" + std::to_string(number));
}

graph::OpNode convolution(std::uint64_t channels, std::uint64_t size, std::uint64_t kernel) {
  graph::ConvolutionParams p;
  p.kind = OpKind::kConv2d;
  p.in_h = p.in_w = p.out_h = p.out_w = size;
  p.in_c = channels, p.out_c = channels + 8;
  p.kernel_h = p.kernel_w = kernel;
  return graph::convolution({}, p);
}

double true_joules(const graph::OpNode& op) {
  const auto macs = static_cast<double>(count_work(op.op_class, op.facts)->macs);
  return 2e-4 + 12e-12 * macs + 3e-10 * static_cast<double>(op.facts[Fact::kWeightBytes]);
}

MeasurementSet convolutions(int count, double noise) {
  std::mt19937 random(23);
  std::uniform_int_distribution<std::uint64_t> channels(8, 256), size(7, 56), kernel(0, 2);
  std::normal_distribution<double> normal(0, noise);
  MeasurementSet set = empty_set();
  for (int i = 0; i < count; ++i) {
    const graph::OpNode op = convolution(channels(random), size(random), 1 + 2 * kernel(random));
    set.measurements.push_back(measured(op, true_joules(op) * std::exp(normal(random)), i));
  }
  return set;
}

std::string refusal(const MeasurementSet& set) {
  try {
    (void)fit_table(set, {});
  } catch (const MeasurementError& error) {
    return error.what();
  }
  return "no refusal";
}

const FittedRow* row_of(const FittedTable& table, Level level) {
  for (const FittedRow& row : table.rows) {
    if (row.level == level) return &row;
  }
  return nullptr;
}

TEST(FitTable, RecoversWhatAnOpCosts) {
  const FittedTable table = fit_table(convolutions(150, 0.01), {});
  ASSERT_EQ(table.keys.size(), 1U);
  EXPECT_LT(table.keys[0].held_out.median, 2);
  EXPECT_LT(table.keys[0].held_out.p90, 5);
  ASSERT_NE(row_of(table, Level::kOpAndType), nullptr);
  ASSERT_NE(row_of(table, Level::kClass), nullptr);
  ASSERT_NE(row_of(table, Level::kRoofline), nullptr);
}

// What was fitted is what is predicted: through the file, core's plan and its floats.
TEST(FitTable, PredictsThroughCoreWhatItFitted) {
  const MeasurementSet set = convolutions(120, 0.05);
  const FittedTable fitted = fit_table(set, {});
  const files::FileBytes bytes = write_table(fitted, set, {"t", "2026-01-01", "test"});
  const test::Prepared prepared(bytes);
  double sum = 0;
  for (const Measurement& m : set.measurements) {
    OpDescriptor op;
    op.kind = m.kind;
    op.data_type = m.data_type;
    op.facts = m.facts;
    const Result<Estimate> estimate = prepared.plan().estimate(op, {}, Confidence::k90);
    ASSERT_TRUE(estimate.ok());
    EXPECT_EQ(estimate->level, Level::kOpAndType);
    EXPECT_FALSE(estimate->flags.has(Flag::kOutsideRange)) << m.origin;
    sum += std::fabs(static_cast<double>(estimate->dynamic.value()) / m.energy_joules - 1);
  }
  EXPECT_LT(sum / static_cast<double>(set.measurements.size()), 0.08);
}

// A language model's 4-bit weights cost less to read and more to use than what the same floats would say.
TEST(FitTable, ScaledWeightsHaveRowsOfTheirOwn) {
  std::mt19937 random(29);
  std::uniform_int_distribution<std::uint64_t> size(2, 64);
  MeasurementSet set = empty_set();
  const auto dense = [&](bool scaled) {
    graph::DenseParams p{.m = size(random), .k = 32 * size(random), .n = 16 * size(random)};
    if (scaled) {
      p.types.weight = DataType::kInt4;
      p.weights = {.scales = p.n * p.k / 32, .scale_type = DataType::kFloat16};
    }
    return graph::dense({}, p);
  };
  const auto joules = [](const graph::OpNode& op) {
    const auto macs = static_cast<double>(count_work(op.op_class, op.facts)->macs);
    const bool scaled = op.facts[Fact::kScaleBytes] > 0;
    return 1e-6 + (scaled ? 50e-12 : 10e-12) * macs + 100e-12 * static_cast<double>(op.facts[Fact::kWeightBytes]);
  };
  for (int i = 0; i < 120; ++i) {
    const graph::OpNode op = dense(i % 2 != 0);
    set.measurements.push_back(measured(op, joules(op), i));
  }
  const FittedTable fitted = fit_table(set, {});
  ASSERT_EQ(fitted.keys.size(), 2U);
  EXPECT_EQ(fitted.keys[0].key, "dense float32");
  EXPECT_EQ(fitted.keys[1].key, "dense float32 with scaled weights");
  const test::Prepared prepared(write_table(fitted, set, {"t", "2026-01-01", "test"}));
  for (const bool scaled : {false, true}) {
    for (int i = 0; i < 20; ++i) {
      const graph::OpNode unseen = dense(scaled);
      OpDescriptor op;
      op.kind = unseen.kind;
      op.data_type = DataType::kFloat32;
      op.facts = unseen.facts;
      const Result<Estimate> estimate = prepared.plan().estimate(op, {}, Confidence::k90);
      ASSERT_TRUE(estimate.ok());
      EXPECT_EQ(estimate->level, Level::kOpAndType);
      EXPECT_NEAR(static_cast<double>(estimate->dynamic.value()) / joules(unseen), 1, 0.05) << scaled;
    }
  }
}

TEST(FitTable, StoresRangesProvenanceAndStaticPower) {
  const MeasurementSet set = convolutions(60, 0.02);
  const files::FileBytes bytes = write_table(fit_table(set, {}), set, {"name", "2026-01-31", "tool 1"});
  const Result<CoefficientTable> table = CoefficientTable::open(bytes.span());
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->name(), "name");
  EXPECT_EQ(table->provenance().date, "2026-01-31");
  EXPECT_EQ(table->provenance().tool_version, "tool 1");
  EXPECT_GT(table->note_count(), 0U);
  ASSERT_EQ(table->static_term_count(), 1U);
  EXPECT_FLOAT_EQ(table->static_term(0).power.value(), 1.5F);
  for (std::uint32_t r = 0; r < table->row_count(); ++r) {
    for (std::uint32_t t = 0; t < table->row(r).term_count(); ++t) {
      EXPECT_TRUE(std::isfinite(table->row(r).term(t).min));
      EXPECT_TRUE(std::isfinite(table->row(r).term(t).max));
    }
  }
}

TEST(FitTable, TestsFallbacksOnKindsLeftOut) {
  MeasurementSet set = convolutions(60, 0.02);
  for (int i = 0; i < 30; ++i) {
    graph::OpNode op = convolution(8 + static_cast<std::uint64_t>(i), 20, 3);
    op.kind = OpKind::kDepthwiseConv2d;
    set.measurements.push_back(measured(op, 4 * true_joules(op), 1000 + i));
  }
  const FittedTable table = fit_table(set, {});
  const FittedRow* row = row_of(table, Level::kClass);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->residual.groups, 2U);
  EXPECT_GT(row->residual.median_error_percent, 50);  // the other kind costs four times as much
  EXPECT_LT(table.ops.held_out.median, 5);
  const FittedTable of_one_kind = fit_table(convolutions(60, 0.02), {});
  const FittedRow* alone = row_of(of_one_kind, Level::kClass);
  EXPECT_EQ(alone->residual.groups, 1U);
}

TEST(FitTable, RefusesTooFewMeasurements) {
  EXPECT_THAT(refusal(convolutions(7, 0.01)), HasSubstr("at least 8"));
  MeasurementSet one_group = convolutions(20, 0.01);
  for (Measurement& m : one_group.measurements) m.group = "all";
  EXPECT_THAT(refusal(one_group), HasSubstr("one group"));
}

TEST(FitTable, RefusesASetWhoseIdleEnergyIsWrong) {
  MeasurementSet set = convolutions(20, 0.01);
  for (int i = 0; i < 10; ++i) set.excluded.push_back({"test:" + std::to_string(i), "energy -1 J is not above zero"});
  EXPECT_THAT(refusal(set), ::testing::AllOf(HasSubstr("10 of 30"), HasSubstr("idle power")));
}

TEST(FitTable, RefusesFactsThatContradictEachOther) {
  MeasurementSet set = convolutions(20, 0.01);
  set.measurements[4].facts.set(Fact::kGroups, 7).set(Fact::kInC, 10);
  EXPECT_THAT(refusal(set), HasSubstr("test:spec4"));
}

TEST(FitTable, SurvivesConstantAndDuplicatedMeasurements) {
  MeasurementSet set = empty_set();
  const graph::OpNode op = convolution(16, 14, 3);
  for (int i = 0; i < 40; ++i) set.measurements.push_back(measured(op, 1e-3, i / 2));
  const FittedTable table = fit_table(set, {});
  const FittedRow* row = row_of(table, Level::kOpAndType);
  ASSERT_NE(row, nullptr);
  double joules = 0;
  for (const FittedTerm& term : row->terms) joules += term.coefficient * term.max;
  EXPECT_NEAR(joules, 1e-3, 5e-5);
}

TEST(FitTable, LeavesAKindWithAHandfulOfRowsToItsClass) {
  MeasurementSet set = convolutions(40, 0.02);
  graph::OpNode rare = convolution(8, 8, 3);
  rare.kind = OpKind::kDepthwiseConv2d;
  for (int i = 0; i < 3; ++i) set.measurements.push_back(measured(rare, 1e-3, 2000 + i));
  const FittedTable table = fit_table(set, {});
  EXPECT_EQ(table.keys.size(), 1U);
}

TEST(FitTable, IsTheSameEveryTime) {
  const MeasurementSet set = convolutions(80, 0.1);
  const files::FileBytes first = write_table(fit_table(set, {}), set, {"t", "d", "v"});
  const files::FileBytes second = write_table(fit_table(set, {}), set, {"t", "d", "v"});
  EXPECT_EQ(first.text(), second.text());
}

TEST(Readable, StandsBetweenOneAndAThousand) {
  EXPECT_EQ(readable(12.5e-12).unit, Unit::kPicojoule);
  EXPECT_FLOAT_EQ(readable(12.5e-12).value, 12.5F);
  EXPECT_EQ(readable(999e-9).unit, Unit::kNanojoule);
  EXPECT_EQ(readable(2).unit, Unit::kJoule);
  EXPECT_EQ(readable(3e-18).unit, Unit::kFemtojoule);
  EXPECT_FLOAT_EQ(readable(3e-18).value, 0.003F);
}

// METHODS.md section 2: one linear row 9.9/24/83, a random forest about 7/23/63.
TEST(FitTable, BeatsARandomForestOnRealConvolutions) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::string path = std::string(shared == nullptr ? "" : shared) + "/data/jetson_conv2d/conv2d.txt";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/jetson_conv2d/conv2d.txt";
  const FittedTable table = fit_table(measurements::import_measurements(path), {});
  EXPECT_LT(table.ops.held_out.median, 6);
  EXPECT_LT(table.ops.held_out.mean, 20);
  EXPECT_LT(table.ops.held_out.p90, 40);
  EXPECT_GT(table.keys[0].one_row.p90, 70);
}

double true_seconds(const graph::OpNode& op) {
  return 3e-5 + 0.08e-9 * static_cast<double>(count_work(op.op_class, op.facts)->macs);
}

MeasurementSet timed_convolutions(int count, double noise) {
  MeasurementSet set = convolutions(count, noise);
  std::mt19937 random(29);
  std::normal_distribution<double> normal(0, noise);
  for (Measurement& m : set.measurements) {
    graph::OpNode op;
    op.op_class = m.op_class, op.facts = m.facts;
    m.time_seconds = true_seconds(op) * std::exp(normal(random));
  }
  return set;
}

// Through the file and core, for shapes that were not measured.
TEST(FitTable, LearnsHowLongOpsTake) {
  const MeasurementSet set = timed_convolutions(150, 0.02);
  const FittedTable fitted = fit_table(set, {});
  EXPECT_EQ(fitted.op_times.measurements, 150U);
  EXPECT_LT(fitted.op_times.held_out.median, 4);
  EXPECT_GT(fitted.op_times.held_out.median, 0.5) << "held out: the noise shows";
  const files::FileBytes bytes = write_table(fitted, set, {"t", "2026-01-01", "test"});
  const test::Prepared prepared(bytes);
  EXPECT_TRUE(prepared.table().op_time_residual().has_quantiles);
  int inside = 0;
  for (const std::uint64_t channels : {20U, 77U, 150U, 222U}) {
    const graph::OpNode truth = convolution(channels, 21, 3);
    OpDescriptor op;
    op.kind = OpKind::kConv2d;
    op.data_type = DataType::kFloat32;
    op.facts = truth.facts;
    const Result<Estimate> estimate = prepared.plan().estimate(op, {}, Confidence::k95);
    ASSERT_TRUE(estimate.ok());
    EXPECT_NEAR(static_cast<double>(estimate->time.value()) / true_seconds(truth), 1, 0.05) << channels;
    inside += estimate->time_interval.lower.value() < true_seconds(truth) &&
                      true_seconds(truth) < estimate->time_interval.upper.value()
                  ? 1
                  : 0;
  }
  EXPECT_GE(inside, 3);
}

TEST(FitTable, WithoutTimesATableKnowsNone) {
  MeasurementSet set = timed_convolutions(60, 0.02);
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    if (i > 3) set.measurements[i].time_seconds = -1;  // four are too few
  }
  const FittedTable fitted = fit_table(set, {});
  for (const FittedRow& row : fitted.rows) {
    for (const FittedTerm& term : row.terms) EXPECT_EQ(term.seconds, 0);
    EXPECT_FALSE(row.time_residual.has_quantiles);
  }
  EXPECT_EQ(fitted.op_times.measurements, 0U);
}

}  // namespace
}  // namespace edgejoule::fit
