#include "emulated_board/ina228.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

constexpr double kDatasheetShunt = 0.0162;

OneChip chip_at(Ina228Model model, PowerTrace trace, double shunt_ohm, const Imperfection& imperfection = {}) {
  return OneChip(std::make_unique<Ina228>(model, Rail{share(std::move(trace)), shunt_ohm}, imperfection));
}

std::int64_t signed20(std::uint64_t three_bytes) {
  const auto value = static_cast<std::int64_t>(three_bytes >> 4);
  return value >= 0x80000 ? value - 0x100000 : value;
}

TEST(EmulatedIna228, EachModelHasItsRegistersAfterReset) {
  for (const Ina228Model model : {Ina228Model::kIna228, Ina228Model::kIna237, Ina228Model::kIna238}) {
    OneChip chip = chip_at(model, PowerTrace::constant(0.0, 0.0), 0.01);
    EXPECT_EQ(chip.read(0x00, 0), 0U);
    EXPECT_EQ(chip.read(0x01, 0), 0xFB68U);
    EXPECT_EQ(chip.read(0x02, 0), 0x1000U);
    EXPECT_EQ(chip.read(0x0B, 0), 0x0001U);
    EXPECT_EQ(chip.read(0x0C, 0), 0x7FFFU);
    EXPECT_EQ(chip.read(0x0D, 0), 0x8000U);
    EXPECT_EQ(chip.read(0x3E, 0), 0x5449U);
  }
  OneChip ina228 = chip_at(Ina228Model::kIna228, PowerTrace::constant(0.0, 0.0), 0.01);
  EXPECT_EQ(ina228.read(0x3F, 0), 0x2281U);
  OneChip ina238 = chip_at(Ina228Model::kIna238, PowerTrace::constant(0.0, 0.0), 0.01);
  EXPECT_EQ(ina238.read(0x3F, 0), 0x2381U);
}

// SLYS021A section 8.2: 6 A through 16.2 mOhm at 48 V, I_LSB = 10 A / 2^19, SHUNT_CAL = 4050, energy and charge of one
// hour, of which this is a minute.
TEST(EmulatedIna228, ReproducesTheDatasheetsDesignExample) {
  OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(48.0, 6.0), kDatasheetShunt);
  chip.write(0x02, 4050, 0);
  chip.write(0x01, 0xB000, 0);  // shunt and bus, 50 us and 50 us
  chip.write(0x00, 0x4000, 0);  // RSTACC
  const std::int64_t minute = 60 * kSecond;
  EXPECT_EQ(signed20(chip.read(0x04, minute, 3)), 311'040);
  EXPECT_EQ(signed20(chip.read(0x05, minute, 3)), 245'760);
  EXPECT_EQ(signed20(chip.read(0x07, minute, 3)), 314'572);
  EXPECT_NEAR(static_cast<double>(chip.read(0x08, minute, 3)), 4'718'592.0, 1.0);
  EXPECT_NEAR(static_cast<double>(chip.read(0x09, minute, 5)), 1'061'683'200.0 / 60.0, 200.0);
  EXPECT_NEAR(static_cast<double>(chip.read(0x0A, minute, 5)), 1'132'462'080.0 / 60.0, 200.0);
}

TEST(EmulatedIna228, DieTemperatureOf25DegreesIs0C80) {
  OneChip ina228 = chip_at(Ina228Model::kIna228, PowerTrace::constant(0.0, 0.0), 0.01);
  EXPECT_EQ(ina228.read(0x06, kSecond), 0x0C80U);
  Imperfection cold;
  cold.temperature_c = -10.0;
  OneChip ina238 = chip_at(Ina228Model::kIna238, PowerTrace::constant(0.0, 0.0), 0.01, cold);
  EXPECT_EQ(ina238.read_signed(0x06, kSecond), -80 * 16);
}

TEST(EmulatedIna228, NegativeAndFullScaleAreTwosComplement) {
  OneChip reverse = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, -1.0), 0.01);
  EXPECT_EQ(signed20(reverse.read(0x04, kSecond, 3)), -32'000);
  EXPECT_EQ(signed20(reverse.read(0x07, kSecond, 3)), -32'000);
  EXPECT_GT(reverse.read(0x08, kSecond, 3), 0U);
  OneChip high = chip_at(Ina228Model::kIna228, PowerTrace::constant(200.0, 100.0), 0.01);
  EXPECT_EQ(high.read(0x04, kSecond, 3), 0x7FFFF0U);
  EXPECT_EQ(high.read(0x05, kSecond, 3), 0x7FFFF0U);
  OneChip low = chip_at(Ina228Model::kIna228, PowerTrace::constant(0.0, -100.0), 0.01);
  EXPECT_EQ(low.read(0x04, kSecond, 3), 0x800000U);
}

TEST(EmulatedIna228, NarrowRangeCountsFourTimesAsFine) {
  OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
  chip.write(0x00, 0x0010, 0);
  chip.write(0x02, 0x4000, 0);  // the calibration that keeps CURRENT as it was
  chip.write(0x01, 0xFB68, 0);
  EXPECT_EQ(signed20(chip.read(0x04, kSecond, 3)), 128'000);
  EXPECT_EQ(signed20(chip.read(0x07, kSecond, 3)), 32'000);
}

// SBOSA24A: 16 bits, 5 uV, 3.125 mV, power in 0.2 of the current's unit.
TEST(EmulatedIna238, HasItsOwnScales) {
  for (const Ina228Model model : {Ina228Model::kIna237, Ina228Model::kIna238}) {
    OneChip chip = chip_at(model, PowerTrace::constant(12.0, -2.0), 0.02);
    chip.write(0x02, 16'384, 0);  // 1 mA on 20 mOhm
    EXPECT_EQ(chip.read_signed(0x04, kSecond), -8'000);
    EXPECT_EQ(chip.read_signed(0x05, kSecond), 3'840);
    EXPECT_EQ(chip.read_signed(0x07, kSecond), -2'000);
    EXPECT_EQ(chip.read(0x08, kSecond, 3), 120'000U);  // 24 W in units of 0.2 mW
    EXPECT_EQ(chip.read(0x09, kSecond), 0U);
  }
}

TEST(EmulatedIna228, EachConversionTimeAndAverageTakesAsLongAsTheTable) {
  constexpr std::int64_t kTimes[] = {50, 84, 150, 280, 540, 1052, 2074, 4120};
  constexpr std::int64_t kAverages[] = {1, 4, 16, 64, 128, 256, 512, 1024};
  for (unsigned time = 0; time < 8; ++time) {
    for (unsigned average = 0; average < 8; ++average) {
      OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
      const auto config = static_cast<std::uint16_t>(0xF000U | time << 9 | time << 6 | time << 3 | average);
      chip.write(0x01, config, 0);
      const std::int64_t cycle = 3 * kTimes[time] * kAverages[average] * kMicrosecond;
      EXPECT_EQ(chip.read(0x0B, cycle - 1) & 2U, 0U) << std::hex << config;
      EXPECT_EQ(chip.read(0x0B, cycle) & 2U, 2U) << std::hex << config;
      EXPECT_EQ(chip.read(0x0B, cycle) & 2U, 0U);
    }
  }
}

TEST(EmulatedIna228, ReadyIsAPulseUnlessLatched) {
  const std::int64_t cycle = 3 * 1'052 * kMicrosecond;
  OneChip pulse = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
  pulse.write(0x0B, 0x4000, 0);
  EXPECT_FALSE(pulse.alert_pin_high(cycle));
  EXPECT_EQ(pulse.bus().next_event_ns(), cycle + 50 * kMicrosecond);
  EXPECT_TRUE(pulse.alert_pin_high(cycle + 50 * kMicrosecond));
  EXPECT_EQ(pulse.read(0x0B, cycle + kMillisecond) & 2U, 0U);
  OneChip latched = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
  latched.write(0x0B, 0xC000, 0);
  EXPECT_FALSE(latched.alert_pin_high(cycle + kMillisecond));
  (void)latched.read(0x04, cycle + kMillisecond, 3);
  EXPECT_FALSE(latched.alert_pin_high(cycle + kMillisecond)) << "results do not clear it";
  EXPECT_EQ(latched.read(0x0B, cycle + kMillisecond) & 2U, 2U);
  EXPECT_TRUE(latched.alert_pin_high(cycle + kMillisecond));
}

TEST(EmulatedIna228, ConversionDelayComesBeforeTheFirstResult) {
  OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
  chip.write(0x00, 5U << 6, 0);
  chip.write(0x01, 0x9000, 0);  // bus only, 50 us
  EXPECT_EQ(chip.read(0x0B, 10'049 * kMicrosecond) & 2U, 0U);
  EXPECT_EQ(chip.read(0x0B, 10'050 * kMicrosecond) & 2U, 2U);
}

TEST(EmulatedIna228, EnergyIsUnaffectedByAveragesAndFollowsTheTrace) {
  const PowerTrace trace = PowerTrace::square({5.0, 3.0}, {5.0, 1.0}, 7 * kMillisecond, 20 * kMillisecond);
  for (const unsigned average : {0U, 3U, 7U}) {
    OneChip chip = chip_at(Ina228Model::kIna228, trace, 0.01);
    chip.write(0x01, static_cast<std::uint16_t>(0xB000U | average), 0);
    chip.write(0x00, 0x4000, 0);
    const double lsb_ampere = 0.3125e-6 / 0.01;  // SHUNT_CAL 4096
    const double joules = static_cast<double>(chip.read(0x09, 10 * kSecond, 5)) * 16.0 * 3.2 * lsb_ampere;
    const double coulombs = static_cast<double>(chip.read(0x0A, 10 * kSecond, 5)) * lsb_ampere;
    EXPECT_NEAR(joules / trace.joules(0, 10 * kSecond), 1.0, 0.001) << average;
    EXPECT_NEAR(coulombs / trace.coulombs(0, 10 * kSecond), 1.0, 0.001) << average;
  }
}

TEST(EmulatedIna228, ASlowOscillatorMakesTheEnergyTooSmall) {
  Imperfection slow;
  slow.clock_error = 0.01;
  OneChip exact = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
  OneChip late = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01, slow);
  const auto ratio =
      static_cast<double>(late.read(0x09, 100 * kSecond, 5)) / static_cast<double>(exact.read(0x09, 100 * kSecond, 5));
  EXPECT_NEAR(ratio, 1.0 / 1.01, 1e-4);
}

TEST(EmulatedIna228, AccumulatorsWrapAndSayIt) {
  auto owned = std::make_unique<Ina228>(Ina228Model::kIna228, Rail{share(PowerTrace::constant(48.0, 6.0)), 0.0162});
  owned->preset_accumulators((std::uint64_t{1} << 40) - 1, (std::int64_t{1} << 39) - 1);
  OneChip chip(std::move(owned));
  EXPECT_EQ(chip.read(0x0B, kSecond) & 0x0C00U, 0x0C00U);
  EXPECT_LT(chip.read(0x09, kSecond, 5), std::uint64_t{1} << 32);
  EXPECT_EQ(chip.read(0x0B, kSecond) & 0x0C00U, 0x0400U) << "reading ENERGY clears ENERGYOF only";
  EXPECT_NE(chip.read(0x0A, kSecond, 5) & (std::uint64_t{1} << 39), 0U) << "charge wrapped to negative";
  EXPECT_EQ(chip.read(0x0B, kSecond) & 0x0C00U, 0U);
}

TEST(EmulatedIna228, ReverseChargeIsNegative) {
  OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, -1.0), 0.01);
  chip.write(0x01, 0xB000, 0);
  chip.write(0x00, 0x4000, 0);
  auto charge = static_cast<std::int64_t>(chip.read(0x0A, kSecond, 5));
  charge -= charge >= (std::int64_t{1} << 39) ? std::int64_t{1} << 40 : 0;
  EXPECT_NEAR(static_cast<double>(charge), -32'000.0, 8.0);
}

TEST(EmulatedIna228, TemperatureCompensationScalesTheCurrent) {
  Imperfection hot;
  hot.temperature_c = 125.0;
  OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01, hot);
  chip.write(0x03, 1'000, 0);
  chip.write(0x00, 0x0020, 0);
  EXPECT_NEAR(static_cast<double>(signed20(chip.read(0x07, kSecond, 3))), 32'000.0 / 1.1, 1.0);
}

TEST(EmulatedIna228, EveryLimitRaisesItsFlag) {
  const struct {
    std::uint8_t address;
    std::uint16_t limit;
    std::uint64_t flag;
  } rows[] = {{0x0C, 1'999, 0x40}, {0x0D, 2'001, 0x20}, {0x0E, 1'599, 0x10},
              {0x0F, 1'601, 0x08}, {0x10, 3'199, 0x80}, {0x11, 100, 0x04}};
  for (const auto& row : rows) {
    // 10 mV are 2000 counts of 5 uV, 5 V are 1600 of 3.125 mV, 25 degC are 3200
    OneChip chip = chip_at(Ina228Model::kIna228, PowerTrace::constant(5.0, 1.0), 0.01);
    EXPECT_EQ(chip.read(0x0B, kSecond) & 0xFCU, 0U);
    chip.write(row.address, row.limit, kSecond);
    EXPECT_EQ(chip.read(0x0B, 2 * kSecond) & 0xFCU, row.flag) << std::hex << int{row.address};
    EXPECT_FALSE(chip.alert_pin_high(2 * kSecond));
  }
}

TEST(EmulatedIna228, LatchedAlertIsClearedByReadingOnly) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 3.0}, {kSecond, 5.0, 1.0}});
  for (const bool latch : {false, true}) {
    OneChip chip = chip_at(Ina228Model::kIna228, trace, 0.01);
    chip.write(0x0B, latch ? 0x8000 : 0, 0);
    chip.write(0x0C, 4'000, 0);  // 2 A
    EXPECT_FALSE(chip.alert_pin_high(kSecond));
    EXPECT_EQ(chip.alert_pin_high(2 * kSecond), !latch);
    (void)chip.read(0x0B, 2 * kSecond);
    EXPECT_TRUE(chip.alert_pin_high(2 * kSecond));
  }
}

}  // namespace
}  // namespace edgejoule::emulated_board
