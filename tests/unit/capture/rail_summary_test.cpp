#include "capture/rail_summary.h"

#include <gtest/gtest.h>

namespace edgejoule::capture {
namespace {

constexpr std::int64_t kMs = 1'000'000;

PowerSample sample(std::uint32_t sequence, std::int64_t end_ms, std::int64_t power_uw) {
  PowerSample s;
  s.sequence = sequence;
  s.window_end_ns = end_ms * kMs;
  s.window_begin_ns = s.window_end_ns - kMs;
  s.cycle_ns = 10 * kMs;
  s.power_uw = power_uw;
  return s;
}

TEST(RailSummary, ConstantPowerIsPowerTimesTime) {
  RailAccumulator accumulator(40'000);
  accumulator.begin(0);
  for (std::uint32_t i = 0; i <= 100; ++i) accumulator.add(sample(i, 10 * i + 5, 2'000'000));
  accumulator.end(1'000 * kMs);
  const RailSummary s = accumulator.summary(2'000 * kMs);
  EXPECT_NEAR(s.joules, 2.0, 1e-9) << "clipped to the window at both ends";
  EXPECT_NEAR(s.coverage(), 0.9999, 0.01);
  EXPECT_DOUBLE_EQ(s.mean_w(), 2.0);
  EXPECT_NEAR(s.quantisation_joules, 0.02, 1e-3);
  EXPECT_EQ(s.lost, 0U);
}

TEST(RailSummary, AWindowMayBeginAndEndInThePast) {
  RailAccumulator accumulator;
  accumulator.begin(0);
  for (std::uint32_t i = 0; i <= 100; ++i) accumulator.add(sample(i, 10 * i, 1'000'000));
  accumulator.begin(900 * kMs);  // the edge was 100 ms ago
  for (std::uint32_t i = 101; i <= 120; ++i) accumulator.add(sample(i, 10 * i, 1'000'000));
  accumulator.end(1'100 * kMs);
  const RailSummary s = accumulator.summary(1'200 * kMs);
  EXPECT_NEAR(s.joules, 0.2, 1e-9);
  EXPECT_EQ(s.conversions, 20U);
  EXPECT_NEAR(s.coverage(), 1.0, 1e-9);
}

TEST(RailSummary, LostConversionsAreNotMadeUp) {
  RailAccumulator accumulator;
  accumulator.begin(0);
  accumulator.add(sample(0, 10, 1'000'000));
  accumulator.add(sample(5, 60, 9'000'000));
  const RailSummary s = accumulator.summary(60 * kMs);
  EXPECT_EQ(s.lost, 4U);
  EXPECT_NEAR(s.joules, 0.01 + 0.09, 1e-12);
  EXPECT_NEAR(s.coverage(), 2.0 / 6.0, 1e-9);
}

TEST(RailSummary, NeighboursShareTheirBorder) {
  RailAccumulator accumulator;
  accumulator.begin(0);
  accumulator.add(sample(0, 10, 1'000'000));
  accumulator.add(sample(1, 23, 1'000'000));  // its end was seen 3 ms late
  accumulator.add(sample(2, 30, 1'000'000));
  const RailSummary s = accumulator.summary(30 * kMs);
  EXPECT_NEAR(s.covered_s, 0.03, 1e-12);
  EXPECT_NEAR(s.joules, 0.03, 1e-12);
}

TEST(RailSummary, NegativePowerCountsAndIsTheLowest) {
  RailAccumulator accumulator;
  accumulator.begin(0);
  accumulator.add(sample(0, 10, -392'000));
  accumulator.add(sample(1, 20, 392'000));
  const RailSummary s = accumulator.summary(20 * kMs);
  EXPECT_NEAR(s.joules, 0.0, 1e-12);
  EXPECT_DOUBLE_EQ(s.lowest_w, -0.392);
  EXPECT_DOUBLE_EQ(s.peak_w, 0.392);
}

TEST(RailSummary, NothingIsNothing) {
  const RailSummary s = RailAccumulator().summary(1);
  EXPECT_EQ(s.conversions, 0U);
  EXPECT_DOUBLE_EQ(s.mean_w(), 0.0);
  EXPECT_DOUBLE_EQ(s.coverage(), 0.0);
}

}  // namespace
}  // namespace edgejoule::capture
