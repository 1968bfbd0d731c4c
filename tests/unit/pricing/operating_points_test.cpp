// Points between calibrated ones, against a board whose law is known.
#include "pricing/operating_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/graph_fixture.h"
#include "support/prepared.h"

namespace edgejoule::pricing {
namespace {

using ::testing::HasSubstr;

struct Point {
  const char* name;
  float cpu, memory, millivolts;
};
constexpr Point kSlow{"slow", 600, 800, 700}, kFast{"fast", 1500, 1600, 1000};

float joules_per_mac(const Point& p) {
  return 10e-12F * (p.millivolts / 1000) * (p.millivolts / 1000);
}
float seconds_per_mac(const Point& p) {
  return 1e-10F * 1000 / p.cpu;
}
float seconds_per_byte(const Point& p) {
  return 5e-10F * 1000 / p.memory;
}

wire::CoefficientTableT two_points() {
  wire::CoefficientTableT table = test::sound_table();
  for (std::uint8_t i = 0; i < 2; ++i) {
    const Point& p = i == 0 ? kSlow : kFast;
    wire::OperatingPointT& point = *table.operating_points[i];
    point.name = p.name;
    point.cpu_mhz = p.cpu;
    point.memory_mhz = p.memory;
    point.core_millivolts = p.millivolts;
    wire::RowT& row = test::add_row(table, Level::kOp, OpKind::kDense);
    row.operating_point = i;
    // The same number in another unit: units are the writer's choice.
    wire::TermT& macs = test::add_term(row, {.feature = Feature::kMacs,
                                             .coefficient = joules_per_mac(p) * (i == 0 ? 1e12F : 1e15F),
                                             .unit = i == 0 ? Unit::kPicojoule : Unit::kFemtojoule});
    macs.time_coefficient = seconds_per_mac(p) * 1e12F;
    macs.time_unit = wire::Unit::picosecond;
    wire::TermT& bytes = test::add_term(row, {.feature = Feature::kWeightBytes, .coefficient = 0});
    bytes.time_coefficient = seconds_per_byte(p) * 1e9F;
    bytes.time_unit = wire::Unit::nanosecond;
    row.residual = test::residual(i == 0 ? 0.1F : 0.2F, i == 0 ? 30 : 20, 0.1F, i == 0 ? 0.1F : 0.2F);
    test::add_static(table, 0, EngineState::kBusy, p.millivolts * 2, i);
  }
  return table;
}

Estimate price(const files::FileBytes& bytes, const std::string& point) {
  const test::Prepared prepared(bytes, test::at_point(point));
  OpDescriptor op;
  op.kind = OpKind::kDense;
  op.facts = test::dense_facts(1, 4, 100, 200);
  const Result<Estimate> estimate = prepared.plan().estimate(op, {}, Confidence::k90);
  EXPECT_TRUE(estimate.ok());
  return *estimate;
}

constexpr float kMacs = 4 * 100 * 200;

TEST(OperatingPoints, BetweenTwoFollowTheLaws) {
  const InterpolatedTable made = interpolate(test::pack(two_points()), *parse_clocks("cpu=1000,memory=1000"), "middle");
  EXPECT_EQ(made.between, "slow and fast");
  // The voltage goes with the clock asked for that differs most: 700 mV at 600, 1000 at 1500.
  const float share = (1000.0F - 600) / 900;
  const Point middle{"middle", 1000, 1000, 700 + share * 300};
  constexpr float kBytes = 4 * 100 * 200;
  const Estimate estimate = price(made.bytes, "middle");
  EXPECT_NEAR(estimate.dynamic.value() / (kMacs * joules_per_mac(middle)), 1, 1e-5);
  EXPECT_NEAR(estimate.time.value() / (kMacs * seconds_per_mac(middle) + kBytes * seconds_per_byte(middle)), 1, 1e-5);
  EXPECT_NEAR(estimate.static_part.value() / (2e-3F * middle.millivolts * estimate.time.value()), 1, 1e-5);
  EXPECT_TRUE(estimate.flags.has(Flag::kInterpolated));
  EXPECT_NEAR(std::log(estimate.interval.upper / estimate.dynamic), 1.6F * 0.2F, 1e-4) << "the wider of the two";
  EXPECT_FALSE(price(made.bytes, "fast").flags.has(Flag::kInterpolated));
  EXPECT_EQ(price(made.bytes, "fast").dynamic.value(), price(test::pack(two_points()), "fast").dynamic.value());
}

TEST(OperatingPoints, AtACalibratedPointNothingIsAdded) {
  const InterpolatedTable same = interpolate(test::pack(two_points()), *parse_clocks("cpu=1500"), "new");
  EXPECT_EQ(same.point, "fast");
  EXPECT_EQ(same.between, "");
  EXPECT_EQ(CoefficientTable::open(same.bytes.span())->operating_point_count(), 2U);
}

TEST(OperatingPoints, ClocksThatAreNotStatedGoAlong) {
  const InterpolatedTable made = interpolate(test::pack(two_points()), *parse_clocks("cpu=1050"), "half");
  const CoefficientTable table = *CoefficientTable::open(made.bytes.span());
  const OperatingPointView point = table.operating_point(2);
  EXPECT_FLOAT_EQ(point.memory_mhz, 1200);
  EXPECT_FLOAT_EQ(point.core_millivolts, 850);
  EXPECT_EQ(point.gpu_mhz, 0) << "neither states one";
  EXPECT_TRUE(point.interpolated);
}

// 1000 MHz lies nearer to slow: its row is scaled by the square of the voltage.
TEST(OperatingPoints, RowsOfAnotherFormAreScaledFromTheNearerPoint) {
  wire::CoefficientTableT table = two_points();
  test::add_condition(*table.rows[1], Feature::kMacs, 1, 1e9F);  // another form than the other's
  const InterpolatedTable made = interpolate(test::pack(table), *parse_clocks("cpu=1000"), "middle");
  const Estimate estimate = price(made.bytes, "middle");
  EXPECT_EQ(estimate.level, Level::kOp);
  const float volts = 700 + (1000.0F - 600) / 900 * 300;
  EXPECT_NEAR(estimate.dynamic.value() / (kMacs * joules_per_mac({"", 0, 0, volts})), 1, 1e-5) << "the law holds";
  const Estimate slow = price(made.bytes, "slow");
  EXPECT_LT(estimate.time.value(), slow.time.value());
  EXPECT_GT(estimate.time.value(), slow.time.value() * 600 / 1000 * 0.99F);
}

TEST(OperatingPoints, RowsOfOnePointAloneAreScaled) {
  wire::CoefficientTableT table = two_points();
  table.rows.erase(table.rows.begin() + 1);  // slow has none
  const InterpolatedTable made = interpolate(test::pack(table), *parse_clocks("cpu=1000"), "middle");
  const Estimate estimate = price(made.bytes, "middle");
  EXPECT_EQ(estimate.level, Level::kOp);
  const float volts = 700 + (1000.0F - 600) / 900 * 300;
  EXPECT_NEAR(estimate.dynamic.value() / (kMacs * joules_per_mac({"", 0, 0, volts})), 1, 1e-5);
}

TEST(OperatingPoints, ATermThatOnePointLacksIsZeroThere) {
  wire::CoefficientTableT table = two_points();
  test::add_term(*table.rows[2], {.feature = Feature::kOne, .coefficient = 90, .unit = Unit::kMicrojoule});
  const InterpolatedTable made = interpolate(test::pack(table), *parse_clocks("cpu=1050"), "half");
  // By voltage squared: 850 mV between 700 and 1000.
  const float share = (850.0F * 850 - 700 * 700) / (1000.0F * 1000 - 700 * 700);
  EXPECT_NEAR(price(made.bytes, "half").dynamic.value(), kMacs * joules_per_mac({"", 0, 0, 850}) + share * 90e-6F,
              1e-9F);
}

std::string refusal(const wire::CoefficientTableT& table, const char* clocks) {
  try {
    (void)interpolate(test::pack(table), *parse_clocks(clocks), "x");
  } catch (const OperatingPointError& error) {
    return error.what();
  }
  return "no refusal";
}

TEST(OperatingPoints, NothingIsExtrapolated) {
  EXPECT_THAT(refusal(two_points(), "cpu=1600"), HasSubstr("fast (cpu=1500"));
  EXPECT_THAT(refusal(two_points(), "gpu=600"), HasSubstr("no two calibrated")) << "no point states a GPU clock";
  wire::CoefficientTableT none = test::sound_table();
  none.operating_points.clear();
  EXPECT_THAT(refusal(none, "cpu=1"), HasSubstr("it has none"));
  const InterpolatedTable made = interpolate(test::pack(two_points()), *parse_clocks("cpu=1000"), "middle");
  EXPECT_THROW((void)interpolate(made.bytes, *parse_clocks("cpu=900"), "middle"), OperatingPointError) << "twice";
  EXPECT_EQ(interpolate(made.bytes, *parse_clocks("cpu=900"), "more").between, "slow and fast")
      << "an interpolated point is no support of another";
}

TEST(OperatingPoints, ClocksAreReadOrRefused) {
  EXPECT_FALSE(parse_clocks("15W").has_value());
  const Clocks clocks = *parse_clocks("gpu=612.5,memory=2133");
  EXPECT_EQ(clocks.gpu, 612.5);
  EXPECT_EQ(clocks.memory, 2133);
  EXPECT_FALSE(clocks.cpu.has_value());
  for (const char* wrong :
       {"cpu=", "cpu=0", "cpu=-5", "cpu=1,cpu=2", "npu=5", "cpu=1x", "cpu=inf", "=5", "cpu=1,gpu"}) {
    EXPECT_THROW((void)parse_clocks(wrong), OperatingPointError) << wrong;
  }
}

}  // namespace
}  // namespace edgejoule::pricing
