#include "emulated_board/ina3221.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

std::array<Rail, 3> constant_rails() {
  return {Rail{share(PowerTrace::constant(5.0, 1.0)), 0.005}, Rail{share(PowerTrace::constant(12.0, -2.0)), 0.005},
          Rail{share(PowerTrace::constant(19.6, 0.5)), 0.002}};
}

TEST(EmulatedIna3221, StartsWithTheDatasheetsRegisters) {
  OneChip chip(std::make_unique<Ina3221>(constant_rails()));
  const struct {
    std::uint8_t address;
    std::uint64_t value;
  } rows[] = {{0x00, 0x7127}, {0x01, 0},      {0x07, 0x7FF8}, {0x0C, 0x7FF8}, {0x0D, 0},     {0x0E, 0x7FFE},
              {0x0F, 0x0002}, {0x10, 0x2710}, {0x11, 0x2328}, {0xFE, 0x5449}, {0xFF, 0x3220}};
  for (const auto& row : rows) {
    EXPECT_EQ(chip.read(row.address, 0), row.value) << std::hex << int{row.address};
  }
}

TEST(EmulatedIna3221, EachChannelHasItsShuntAndBusRegister) {
  OneChip chip(std::make_unique<Ina3221>(constant_rails()));
  EXPECT_EQ(chip.read_signed(0x01, kSecond), 125 * 8);   // 5 mV
  EXPECT_EQ(chip.read_signed(0x02, kSecond), 625 * 8);   // 5 V
  EXPECT_EQ(chip.read_signed(0x03, kSecond), -250 * 8);  // -10 mV
  EXPECT_EQ(chip.read_signed(0x04, kSecond), 1500 * 8);
  EXPECT_EQ(chip.read_signed(0x05, kSecond), 25 * 8);
  EXPECT_EQ(chip.read_signed(0x06, kSecond), 2450 * 8);
}

// SBOS576B section 8.6.2.2: -80 mV is C180h, full scale 7FF8h.
TEST(EmulatedIna3221, ReproducesTheDatasheetsExamples) {
  OneChip chip(std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(PowerTrace::constant(40.0, -8.0)), 0.01},
                                                             Rail{share(PowerTrace::constant(0.0, 100.0)), 0.01},
                                                             Rail{share(PowerTrace::constant(0.0, -100.0)), 0.01}}));
  EXPECT_EQ(chip.read(0x01, kSecond), 0xC180U);
  EXPECT_EQ(chip.read(0x02, kSecond), 0x7FF8U);
  EXPECT_EQ(chip.read(0x03, kSecond), 0x7FF8U);
  EXPECT_EQ(chip.read(0x05, kSecond), 0x8000U);
}

TEST(EmulatedIna3221, ChannelsAreConvertedInTurn) {
  OneChip chip(std::make_unique<Ina3221>(constant_rails()));
  const std::int64_t conversion = 1'100 * kMicrosecond;
  EXPECT_EQ(chip.read(0x01, conversion - 1), 0U);
  EXPECT_NE(chip.read(0x01, conversion), 0U);
  EXPECT_EQ(chip.read(0x02, 2 * conversion - 1), 0U);
  EXPECT_NE(chip.read(0x02, 2 * conversion), 0U);
  EXPECT_EQ(chip.read(0x06, 6 * conversion - 1), 0U);
  EXPECT_EQ(chip.read(0x0F, 6 * conversion - 1) & 1U, 0U);
  EXPECT_EQ(chip.read(0x0F, 6 * conversion) & 1U, 1U);
  EXPECT_EQ(chip.read(0x0F, 6 * conversion) & 1U, 0U) << "reading consumes the flag";
  EXPECT_NE(chip.read(0x06, 6 * conversion), 0U);
}

TEST(EmulatedIna3221, ADisabledChannelCostsNoTimeAndKeepsItsRegisters) {
  OneChip chip(std::make_unique<Ina3221>(constant_rails()));
  chip.write(0x00, 0x4007, 0);  // channel 1, 140 us: 280 us
  EXPECT_EQ(chip.read(0x0F, 279 * kMicrosecond) & 1U, 0U);
  EXPECT_EQ(chip.read(0x0F, 280 * kMicrosecond) & 1U, 1U);
  EXPECT_EQ(chip.read(0x03, kSecond), 0U);
}

TEST(EmulatedIna3221, AverageIsARunningFilterWithExponentialMemory) {
  // From 0 to 1 A where a conversion begins: after n of them the filter has 1 - (1 - 1/N)^n of the step.
  const std::int64_t cycle = 280 * kMicrosecond;
  const std::int64_t step = 3'000 * cycle;
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 0.0}, {step, 5.0, 1.0}});
  for (const auto& [code, samples] : {std::pair{1U, 4}, std::pair{3U, 64}, std::pair{6U, 512}}) {
    OneChip chip(std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(trace), 0.1}, {}, {}}));
    chip.write(0x00, static_cast<std::uint16_t>(0x4007U | code << 9), 0);
    for (const int n : {1, samples / 2, samples, 3 * samples}) {
      const std::int64_t now = step + (n - 1) * cycle + 140 * kMicrosecond;
      const double expected = 2500.0 * (1.0 - std::pow(1.0 - 1.0 / samples, n));
      EXPECT_NEAR(chip.read_signed(0x01, now) / 8, expected, 1.0) << samples << " averages, conversion " << n;
    }
  }
}

TEST(EmulatedIna3221, TheFilterHasNoDeadBand) {
  // A step of one count must get through 1024 averages: the chip keeps fractions.
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 0.0}, {kSecond, 5.0, 0.008}});
  OneChip chip(std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(trace), 0.005}, {}, {}}));
  chip.write(0x00, 0x4E07, 0);
  EXPECT_EQ(chip.read_signed(0x01, 10 * kSecond), 8);
}

TEST(EmulatedIna3221, OffsetAndGainErrorsMoveTheCounts) {
  Imperfection imperfection;
  imperfection.shunt_offset_uv = 80.0;
  imperfection.bus_gain_error = 0.01;
  OneChip chip(std::make_unique<Ina3221>(constant_rails(), imperfection));
  EXPECT_EQ(chip.read_signed(0x01, kSecond), 127 * 8);
  EXPECT_EQ(chip.read_signed(0x03, kSecond), -248 * 8);
  EXPECT_EQ(chip.read_signed(0x04, kSecond), 1515 * 8);
}

TEST(EmulatedIna3221, NoiseHasItsDeviationAndItsSeed) {
  Imperfection imperfection;
  imperfection.shunt_noise_uv = 400.0;
  imperfection.seed = 7;
  const auto run = [&imperfection](std::vector<double>& counts) {
    OneChip chip(std::make_unique<Ina3221>(constant_rails(), imperfection));
    for (std::int64_t cycle = 1; cycle <= 2'000; ++cycle) {
      counts.push_back(chip.read_signed(0x01, cycle * 6'600 * kMicrosecond) / 8);
    }
  };
  std::vector<double> first;
  std::vector<double> second;
  run(first);
  run(second);
  EXPECT_EQ(first, second);
  double sum = 0.0;
  double squares = 0.0;
  for (const double value : first) {
    sum += value - 125.0;
    squares += (value - 125.0) * (value - 125.0);
  }
  EXPECT_NEAR(sum / 2'000, 0.0, 0.8);
  EXPECT_NEAR(std::sqrt(squares / 2'000), 10.0, 0.6);
}

TEST(EmulatedIna3221, CriticalLooksAtConversionsAndWarningAtTheFilter) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 0.0}, {kSecond, 5.0, 1.0}});
  auto owned = std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(trace), 0.005}, {}, {}});
  Ina3221* ina3221 = owned.get();
  OneChip chip(std::move(owned));
  chip.write(0x00, 0x4707, 0);   // 64 averages
  chip.write(0x07, 100 * 8, 0);  // critical and warning at 4 mV
  chip.write(0x08, 100 * 8, 0);
  EXPECT_FALSE(chip.alert_pin_high(kSecond + kMillisecond));
  EXPECT_TRUE(ina3221->warning_pin_high());
  EXPECT_FALSE(chip.alert_pin_high(2 * kSecond));
  EXPECT_FALSE(ina3221->warning_pin_high());
  EXPECT_EQ(chip.read(0x0F, 2 * kSecond) & 0x0220U, 0x0220U);
}

TEST(EmulatedIna3221, LatchedAlertsStayUntilRead) {
  const PowerTrace trace = PowerTrace::square({5.0, 1.0}, {5.0, 0.0}, 100 * kMillisecond, kSecond);
  OneChip chip(std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(trace), 0.005}, {}, {}}));
  chip.write(0x0F, 0x0400, 0);
  chip.write(0x07, 100 * 8, 0);
  EXPECT_FALSE(chip.alert_pin_high(500 * kMillisecond));
  EXPECT_EQ(chip.read(0x0F, 500 * kMillisecond) & 0x0200U, 0x0200U);
  EXPECT_TRUE(chip.alert_pin_high(500 * kMillisecond));
}

TEST(EmulatedIna3221, SumAddsTheSelectedChannels) {
  OneChip chip(std::make_unique<Ina3221>(constant_rails()));
  chip.write(0x0F, 0x7000, 0);
  chip.write(0x0E, static_cast<std::uint16_t>(-101 * 2), 0);
  EXPECT_EQ(chip.read_signed(0x0D, kSecond), (125 - 250 + 25) * 2);
  EXPECT_EQ(chip.read(0x0F, kSecond) & 0x0040U, 0x0040U);
  chip.write(0x0F, 0x4000, kSecond);
  EXPECT_EQ(chip.read_signed(0x0D, 2 * kSecond), 125 * 2);
}

TEST(EmulatedIna3221, PowerValidNeedsAllAboveAndFallsWithOneBelow) {
  const auto rails = [](double third) {
    return std::array<Rail, 3>{Rail{share(PowerTrace::constant(12.0, 0.0)), 0.005},
                               Rail{share(PowerTrace::constant(12.0, 0.0)), 0.005},
                               Rail{share(PowerTrace::piecewise({{0, 12.0, 0.0}, {kSecond, third, 0.0}})), 0.005}};
  };
  OneChip dip(std::make_unique<Ina3221>(rails(9.5)));
  EXPECT_EQ(dip.read(0x0F, kSecond) & 4U, 4U);
  EXPECT_EQ(dip.read(0x0F, 2 * kSecond) & 4U, 4U) << "9.5 V lies between the limits";
  OneChip fall(std::make_unique<Ina3221>(rails(8.9)));
  EXPECT_EQ(fall.read(0x0F, 2 * kSecond) & 4U, 0U);
}

TEST(EmulatedIna3221, SingleShotStopsAfterOneCycle) {
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}, {kSecond, 5.0, 2.0}});
  OneChip chip(std::make_unique<Ina3221>(std::array<Rail, 3>{Rail{share(trace), 0.005}, {}, {}}));
  chip.write(0x00, 0x7123, 0);
  EXPECT_EQ(chip.read_signed(0x01, 5 * kSecond), 125 * 8);
}

}  // namespace
}  // namespace edgejoule::emulated_board
