#include "emulated_board/ina226.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

OneChip chip_at(Ina226Model model, double volts, double amperes, double shunt_ohm,
                const Imperfection& imperfection = {}) {
  return OneChip(
      std::make_unique<Ina226>(model, Rail{share(PowerTrace::constant(volts, amperes)), shunt_ohm}, imperfection));
}

OneChip ina226(double volts, double amperes, double shunt_ohm) {
  return chip_at(Ina226Model::kIna226, volts, amperes, shunt_ohm);
}

TEST(EmulatedIna226, EachModelHasItsOwnConfigurationAndIdentity) {
  const struct {
    Ina226Model model;
    std::uint64_t config, manufacturer, die;
  } rows[] = {{Ina226Model::kIna226, 0x4127, 0x5449, 0x2260},
              {Ina226Model::kIna230, 0x4127, 0, 0x2260},
              {Ina226Model::kIna231, 0x4127, 0, 0},
              {Ina226Model::kIna260, 0x6127, 0x5449, 0x2270}};
  for (const auto& row : rows) {
    OneChip chip = chip_at(row.model, 0.0, 0.0, 0.01);
    EXPECT_EQ(chip.read(0x00, 0), row.config);
    EXPECT_EQ(chip.read(0xFE, 0), row.manufacturer);
    EXPECT_EQ(chip.read(0xFF, 0), row.die);
  }
}

// SBOS547B section 6.5.1: 10 A through 2 mOhm at 11.98 V with a 1 mA current LSB.
TEST(EmulatedIna226, ReproducesTheDatasheetsProgrammingExample) {
  OneChip chip = ina226(11.98, 10.0, 0.002);
  chip.write(0x05, 0x0A00, 0);
  EXPECT_EQ(chip.read(0x01, kSecond), 0x1F40U);
  EXPECT_EQ(chip.read(0x02, kSecond), 0x2570U);
  EXPECT_EQ(chip.read(0x04, kSecond), 0x2710U);
  EXPECT_EQ(chip.read(0x03, kSecond), 0x12B8U);
}

TEST(EmulatedIna226, NegativeShuntIsTwosComplement) {
  OneChip chip = ina226(5.0, -8.0, 0.01);  // -80 mV: 0x8300, the datasheet's example
  EXPECT_EQ(chip.read(0x01, kSecond), 0x8300U);
}

TEST(EmulatedIna226, SaturatesAtFullScale) {
  OneChip high = ina226(100.0, 100.0, 0.01);
  EXPECT_EQ(high.read(0x01, kSecond), 0x7FFFU);
  EXPECT_EQ(high.read(0x02, kSecond), 0x7FFFU);
  OneChip low = ina226(-1.0, -100.0, 0.01);
  EXPECT_EQ(low.read(0x01, kSecond), 0x8000U);
  EXPECT_EQ(low.read(0x02, kSecond), 0U);
}

TEST(EmulatedIna226, WithoutCalibrationThereIsNoCurrentAndNoPower) {
  OneChip chip = ina226(11.98, 10.0, 0.002);
  EXPECT_EQ(chip.read(0x04, kSecond), 0U);
  EXPECT_EQ(chip.read(0x03, kSecond), 0U);
}

TEST(EmulatedIna226, EachConversionTimeAndAverageTakesAsLongAsTheTable) {
  constexpr std::int64_t kTimes[] = {140, 204, 332, 588, 1100, 2116, 4156, 8244};
  constexpr std::int64_t kAverages[] = {1, 4, 16, 64, 128, 256, 512, 1024};
  for (unsigned time = 0; time < 8; ++time) {
    for (unsigned average = 0; average < 8; ++average) {
      OneChip chip = ina226(5.0, 1.0, 0.01);
      const auto config = static_cast<std::uint16_t>(0x4000U | average << 9 | time << 6 | time << 3 | 7U);
      chip.write(0x00, config, 0);
      const std::int64_t cycle = 2 * kTimes[time] * kAverages[average] * kMicrosecond;
      EXPECT_EQ(chip.read(0x06, cycle - 1) & 8U, 0U) << std::hex << config;
      EXPECT_EQ(chip.read(0x06, cycle) & 8U, 8U) << std::hex << config;
      EXPECT_EQ(chip.read(0x06, cycle) & 8U, 0U) << "reading consumes the flag";
      EXPECT_EQ(chip.read(0x06, 2 * cycle) & 8U, 8U) << std::hex << config;
    }
  }
}

TEST(EmulatedIna226, ASlowClockStretchesTheCycle) {
  Imperfection slow;
  slow.clock_error = 0.1;
  OneChip chip = chip_at(Ina226Model::kIna226, 5.0, 1.0, 0.01, slow);
  EXPECT_EQ(chip.read(0x06, 2'419 * kMicrosecond) & 8U, 0U);
  EXPECT_EQ(chip.read(0x06, 2'420 * kMicrosecond) & 8U, 8U);
}

TEST(EmulatedIna226, AverageIsABlockThatAppearsAtItsEnd) {
  // 1 A for the first half of a block of four rounds, 3 A for the second.
  const std::int64_t round = 2 * 140 * kMicrosecond;
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}, {2 * round, 5.0, 3.0}});
  OneChip chip(std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(trace), 0.01}));
  chip.write(0x00, 0x4207, 0);
  EXPECT_EQ(chip.read_signed(0x01, 4 * round - 1), 0);
  EXPECT_EQ(chip.read_signed(0x01, 4 * round), 8000);   // 2 A: 20 mV
  EXPECT_EQ(chip.read_signed(0x01, 8 * round), 12000);  // no memory of the block before
}

TEST(EmulatedIna226, PowerIsTheMeanOfProducts) {
  // Current and voltage swing against each other between rounds: the product of the means would be 12 W.
  const std::int64_t round = 2 * 140 * kMicrosecond;
  const PowerTrace trace = PowerTrace::piecewise(
      {{0, 2.0, 2.0}, {round, 10.0, 2.0}, {2 * round, 2.0, 0.0}, {3 * round, 10.0, 4.0}, {4 * round, 2.0, 2.0}});
  OneChip chip(std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(trace), 0.002}));
  chip.write(0x05, 0x0A00, 0);
  chip.write(0x00, 0x4207, 0);
  // (4 + 20 + 0 + 40) / 4 W in units of 25 mW
  EXPECT_EQ(chip.read(0x03, 4 * round), 640U);
}

TEST(EmulatedIna226, TriggeredModeConvertsOnce) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}, {kSecond, 5.0, 2.0}});
  OneChip chip(std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(trace), 0.01}));
  chip.write(0x00, 0x4123, 0);
  EXPECT_EQ(chip.read_signed(0x01, 5 * kSecond), 4000);
  chip.write(0x00, 0x4123, 5 * kSecond);
  EXPECT_EQ(chip.read_signed(0x01, 5 * kSecond), 4000);
  EXPECT_EQ(chip.read_signed(0x01, 6 * kSecond), 8000);
}

TEST(EmulatedIna226, ShuntOnlyModeLeavesTheBusAloneAndTakesHalfTheTime) {
  OneChip chip = ina226(5.0, 1.0, 0.01);
  chip.write(0x00, 0x4125, 0);
  EXPECT_EQ(chip.read(0x06, 1'100 * kMicrosecond) & 8U, 8U);
  EXPECT_EQ(chip.read(0x02, kSecond), 0U);
}

TEST(EmulatedIna226, AlertFollowsItsConditionUnlessLatched) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}, {kSecond, 5.0, 3.0}, {2 * kSecond, 5.0, 1.0}});
  for (const unsigned latch : {0U, 1U}) {
    OneChip chip(std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(trace), 0.01}));
    chip.write(0x07, 8000, 0);  // 2 A
    chip.write(0x06, static_cast<std::uint16_t>(0x8000U | latch), 0);
    EXPECT_TRUE(chip.alert_pin_high(kSecond));
    EXPECT_FALSE(chip.alert_pin_high(3 * kSecond / 2));
    EXPECT_EQ(chip.alert_pin_high(5 * kSecond / 2), latch == 0);
    if (latch == 1) {
      EXPECT_EQ(chip.read(0x06, 5 * kSecond / 2) & 0x10U, 0x10U);
      EXPECT_TRUE(chip.alert_pin_high(5 * kSecond / 2));
    }
  }
}

TEST(EmulatedIna226, EachAlertFunctionComparesItsRegister) {
  const struct {
    std::uint16_t mask, limit;
    bool asserted;
  } rows[] = {{0x8000, 3999, true}, {0x8000, 4000, false}, {0x4000, 4001, true}, {0x4000, 4000, false},
              {0x2000, 3999, true}, {0x2000, 4000, false}, {0x1000, 4001, true}, {0x1000, 4000, false},
              {0x0800, 199, true},  {0x0800, 200, false},  {0xC000, 3999, true}, {0x8002, 4000, false}};
  for (const auto& row : rows) {
    OneChip chip = ina226(5.0, 1.0, 0.01);  // 4000 counts of shunt and of bus
    chip.write(0x05, 512, 0);               // 1 mA: 5 W are 200 counts
    chip.write(0x07, row.limit, 0);
    chip.write(0x06, row.mask, 0);
    const bool active_high = (row.mask & 2U) != 0;
    EXPECT_EQ(chip.alert_pin_high(kSecond), row.asserted == active_high) << std::hex << row.mask;
  }
}

TEST(EmulatedIna226, ConversionReadyCanBeRoutedToAlert) {
  OneChip chip = ina226(5.0, 1.0, 0.01);
  chip.write(0x06, 0x0400, 0);
  EXPECT_TRUE(chip.alert_pin_high(2'199 * kMicrosecond));
  EXPECT_FALSE(chip.alert_pin_high(2'200 * kMicrosecond));
  EXPECT_EQ(chip.read(0x06, 2'200 * kMicrosecond), 0x0408U);
  EXPECT_TRUE(chip.alert_pin_high(2'200 * kMicrosecond));
}

TEST(EmulatedIna260, ShowsCurrentAndPowerWithoutCalibration) {
  OneChip chip = chip_at(Ina226Model::kIna260, 12.0, -1.25, 0.0);
  EXPECT_EQ(chip.read_signed(0x01, kSecond), -1000);
  EXPECT_EQ(chip.read(0x02, kSecond), 9600U);
  EXPECT_EQ(chip.read(0x03, kSecond), 1500U);
  chip.write(0x05, 0x0A00, kSecond);
  EXPECT_EQ(chip.read(0x05, kSecond), 0U);
}

}  // namespace
}  // namespace edgejoule::emulated_board
