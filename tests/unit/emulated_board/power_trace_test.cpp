#include "emulated_board/power_trace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

namespace edgejoule::emulated_board {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(PowerTrace, ConstantIsConstantEverywhere) {
  const PowerTrace trace = PowerTrace::constant(5.0, -0.25);
  for (const std::int64_t t : {-kSecond, std::int64_t{0}, 1000 * kSecond}) {
    EXPECT_EQ(trace.at(t).volts, 5.0);
    EXPECT_EQ(trace.at(t).amperes, -0.25);
  }
  EXPECT_DOUBLE_EQ(trace.joules(0, 2 * kSecond), -2.5);
  EXPECT_DOUBLE_EQ(trace.coulombs(0, 2 * kSecond), -0.5);
}

TEST(PowerTrace, StepsHoldUntilTheNext) {
  const PowerTrace trace = PowerTrace::piecewise({{kSecond, 5.0, 1.0}, {2 * kSecond, 4.0, 2.0}});
  EXPECT_EQ(trace.at(0).amperes, 1.0);  // the first holds before its time
  EXPECT_EQ(trace.at(2 * kSecond - 1).amperes, 1.0);
  EXPECT_EQ(trace.at(2 * kSecond).amperes, 2.0);
  EXPECT_EQ(trace.at(99 * kSecond).volts, 4.0);
}

TEST(PowerTrace, EnergyIsTheIntegralOfTheProductNotTheProductOfMeans) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 0.0}, {kSecond, 3.0, 2.0}});
  EXPECT_DOUBLE_EQ(trace.joules(0, 2 * kSecond), 6.0);
  const Electrical mean = trace.mean(0, 2 * kSecond);
  EXPECT_DOUBLE_EQ(mean.volts, 4.0);
  EXPECT_DOUBLE_EQ(mean.amperes, 1.0);
}

TEST(PowerTrace, PeriodicTraceRepeatsBeforeAndAfterZero) {
  const PowerTrace trace = PowerTrace::square({5.0, 0.9}, {5.0, 0.1}, 100, 200);
  EXPECT_EQ(trace.at(0).amperes, 0.9);
  EXPECT_EQ(trace.at(100).amperes, 0.1);
  EXPECT_EQ(trace.at(200).amperes, 0.9);
  EXPECT_EQ(trace.at(-1).amperes, 0.1);
  EXPECT_NEAR(trace.mean(-150, 1'000'050).amperes, 0.5, 1e-3);
}

TEST(PowerTrace, WindowsOverWholeAndPartPeriodsAddUp) {
  const PowerTrace trace = PowerTrace::square({5.0, 0.9}, {4.0, 0.1}, 3'000, 10'000);
  double sum = 0.0;
  for (std::int64_t t = 1'234; t < 10 * kSecond; t += 777'777'777) {
    sum += trace.joules(t, t + 777'777'777);
  }
  EXPECT_NEAR(trace.joules(1'234, 1'234 + 13 * 777'777'777LL), sum, 1e-9);
}

TEST(PowerTrace, FunctionIsAveragedOverTheWindow) {
  const PowerTrace trace = PowerTrace::function(
      [](std::int64_t t) {
        return Electrical{5.0, static_cast<double>(t) * 1e-9};
      },
      1'000);
  EXPECT_NEAR(trace.mean(0, kSecond / 100).amperes, 0.005, 1e-9);
  EXPECT_EQ(trace.at(kSecond).amperes, 1.0);
  EXPECT_EQ(trace.mean(7, 7).volts, 5.0);
}

TEST(PowerTrace, ReadsCsvWithHeadingAndComments) {
  std::istringstream csv("t_s,volts,amperes\n# start\n0,5,0.1\r\n0.5,5,0.2\n");
  const PowerTrace trace = PowerTrace::from_csv(csv, "power.csv");
  EXPECT_EQ(trace.at(kSecond / 2 - 1).amperes, 0.1);
  EXPECT_EQ(trace.at(kSecond / 2).amperes, 0.2);
}

TEST(PowerTrace, CsvErrorNamesFileAndLine) {
  std::istringstream csv("0,5,0.1\n1,5\n");
  try {
    (void)PowerTrace::from_csv(csv, "power.csv");
    FAIL() << "a line with two fields was accepted";
  } catch (const TraceError& error) {
    EXPECT_NE(std::string(error.what()).find("power.csv:2"), std::string::npos) << error.what();
  }
}

TEST(PowerTrace, RejectsWhatIsNoFunctionOfTime) {
  EXPECT_THROW((void)PowerTrace::piecewise({}), TraceError);
  EXPECT_THROW((void)PowerTrace::piecewise({{1, 5, 1}, {1, 5, 2}}), TraceError);
  EXPECT_THROW((void)PowerTrace::piecewise({{0, std::nan(""), 1}}), TraceError);
  EXPECT_THROW((void)PowerTrace::piecewise({{0, 5, std::numeric_limits<double>::infinity()}}), TraceError);
  EXPECT_THROW((void)PowerTrace::piecewise({{1, 5, 1}}, 10), TraceError);
  EXPECT_THROW((void)PowerTrace::piecewise({{0, 5, 1}, {10, 5, 1}}, 10), TraceError);
  EXPECT_THROW((void)PowerTrace::square({5, 1}, {5, 0}, 10, 10), TraceError);
  EXPECT_THROW((void)PowerTrace::function(nullptr, 1), TraceError);
}

TEST(PowerTrace, GrowsWhileItIsRead) {
  PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}});
  trace.append({1'000'000'000, 5.0, 2.0});
  EXPECT_DOUBLE_EQ(trace.joules(0, 2'000'000'000), 15.0);
  trace.append({2'000'000'000, 5.0, 0.0});
  EXPECT_DOUBLE_EQ(trace.joules(0, 3'000'000'000), 15.0);
  EXPECT_THROW(trace.append({2'000'000'000, 5.0, 1.0}), TraceError);
  for (std::int64_t i = 1; i <= 200'000; ++i) trace.append({2'000'000'000 + i, 5.0, static_cast<double>(i % 2)});
  const double before = trace.joules(2'000'100'000, 2'000'200'000);
  trace.forget_before(2'000'100'000);
  EXPECT_DOUBLE_EQ(trace.joules(2'000'100'000, 2'000'200'000), before);
}

}  // namespace
}  // namespace edgejoule::emulated_board
