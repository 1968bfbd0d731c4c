#include "emulated_board/ina219.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

OneChip chip_at(double volts, double amperes, double shunt_ohm) {
  return OneChip(std::make_unique<Ina219>(Rail{share(PowerTrace::constant(volts, amperes)), shunt_ohm}));
}

TEST(EmulatedIna219, StartsWithTheDatasheetsConfiguration) {
  OneChip chip = chip_at(0.0, 0.0, 0.1);
  EXPECT_EQ(chip.read(0x00, 0), 0x399FU);
  EXPECT_EQ(chip.read(0x05, 0), 0U);
}

// SBOS448G table 8: 10 A through 2 mOhm at 11.98 V with a 1 mA current LSB.
TEST(EmulatedIna219, ReproducesTheDatasheetsProgrammingExample) {
  OneChip chip = chip_at(11.98, 10.0, 0.002);
  chip.write(0x05, 0x5000, 0);
  const std::int64_t ready = 2 * 532 * kMicrosecond;
  EXPECT_EQ(chip.read(0x01, ready), 0x07D0U);
  EXPECT_EQ(chip.read(0x02, ready), 0x5D98U | 2U);
  EXPECT_EQ(chip.read(0x04, ready), 0x2710U);
  EXPECT_EQ(chip.read(0x03, ready), 0x1766U);
}

TEST(EmulatedIna219, ReverseCurrentIsNegativeAndPowerItsMagnitude) {
  OneChip chip = chip_at(11.98, -10.0, 0.002);
  chip.write(0x05, 0x5000, 0);
  EXPECT_EQ(chip.read_signed(0x01, kSecond), -2000);
  EXPECT_EQ(chip.read_signed(0x04, kSecond), -10000);
  EXPECT_EQ(chip.read(0x03, kSecond), 0x1766U);
}

TEST(EmulatedIna219, GainSetsWhereTheShuntSaturates) {
  OneChip chip = chip_at(5.0, 1.0, 1.0);
  const struct {
    std::uint16_t config;
    std::int16_t counts;
  } cases[] = {{0x219F, 4000}, {0x299F, 8000}, {0x319F, 16000}, {0x399F, 32000}};
  std::int64_t now = 0;
  for (const auto& each : cases) {
    chip.write(0x00, each.config, now);
    now += 10 * kMillisecond;
    EXPECT_EQ(chip.read_signed(0x01, now), each.counts) << std::hex << each.config;
  }
}

TEST(EmulatedIna219, BusRangeSaturatesAt16Or32Volts) {
  OneChip chip = chip_at(40.0, 0.0, 0.1);
  EXPECT_EQ(chip.read(0x02, kSecond) >> 3, 8000U);
  chip.write(0x00, 0x199F, kSecond);
  EXPECT_EQ(chip.read(0x02, 2 * kSecond) >> 3, 4000U);
}

TEST(EmulatedIna219, FewerBitsMakeCoarserSteps) {
  OneChip chip = chip_at(5.0, 0.0123, 0.1);  // 1230 uV
  chip.write(0x00, 0x3807, 0);               // 9 bits both
  EXPECT_EQ(chip.read_signed(0x01, kSecond) % 8, 0);
  EXPECT_EQ(chip.read_signed(0x01, kSecond), 120);  // to the nearest 80 uV
}

TEST(EmulatedIna219, ReadyFlagComesWithTheResultAndIsClearedByReadingPower) {
  OneChip chip = chip_at(5.0, 0.1, 0.1);
  const std::int64_t cycle = 2 * 532 * kMicrosecond;
  EXPECT_EQ(chip.read(0x02, cycle - 1) & 2U, 0U);
  EXPECT_EQ(chip.read(0x02, cycle) & 2U, 2U);
  EXPECT_EQ(chip.read(0x02, cycle) & 2U, 2U);  // reading it does not clear it
  (void)chip.read(0x03, cycle);
  EXPECT_EQ(chip.read(0x02, cycle) & 2U, 0U);
  EXPECT_EQ(chip.read(0x02, 2 * cycle) & 2U, 2U);
}

TEST(EmulatedIna219, AveragesTake2ToTheNConversions) {
  OneChip chip = chip_at(5.0, 0.1, 0.1);
  chip.write(0x00, 0x3FFF, 0);  // 128 samples, 68.1 ms each
  EXPECT_EQ(chip.read(0x02, 136'199 * kMicrosecond) & 2U, 0U);
  EXPECT_EQ(chip.read(0x02, 136'200 * kMicrosecond) & 2U, 2U);
}

TEST(EmulatedIna219, OverflowFlagSaysThatTheProductDoesNotFit) {
  OneChip chip = chip_at(32.0, 0.3, 1.0);
  chip.write(0x05, 0xFFFE, 0);
  EXPECT_EQ(chip.read(0x02, kSecond) & 1U, 1U);
}

TEST(EmulatedIna219, ResetBitRestoresEverything) {
  OneChip chip = chip_at(5.0, 0.1, 0.1);
  chip.write(0x05, 0x5000, 0);
  chip.write(0x00, 0x8000, kSecond);
  EXPECT_EQ(chip.read(0x00, kSecond), 0x399FU);
  EXPECT_EQ(chip.read(0x05, kSecond), 0U);
  EXPECT_EQ(chip.read(0x01, kSecond), 0U);
}

TEST(EmulatedIna219, PowerDownKeepsTheLastResult) {
  OneChip chip = chip_at(5.0, 0.1, 0.1);
  chip.write(0x00, 0x3998, kSecond);
  EXPECT_EQ(chip.read_signed(0x01, 2 * kSecond), 1000);
}

}  // namespace
}  // namespace edgejoule::emulated_board
