// The kernel's own ina3221, ina2xx and ina238 drivers on emulated chips: hwmon files against the trace.
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <set>

#include "support/bound_driver.h"
#include "support/emulated_bus.h"
#include "support/files.h"
#include "support/i2c_dev.h"
#include "support/i2c_events.h"

namespace edgejoule::kernel_tier {
namespace {

// Drivers configure the chip when they bind; the values belong to that configuration a cycle later.
long settled(const std::string& file, long expected, long tolerance = 0) {
  long value = 0;
  (void)wait_until(
      [&] {
        const FileRead read = read_file(file);
        value = read.error == 0 ? read.value() : -1;
        return read.error == 0 && std::labs(value - expected) <= tolerance;
      },
      2000);
  return value;
}

TEST(HwmonIna3221, ShowsVoltsAmperesAndShuntsOfEachChannel) {
  const EmulatedBus board(
      "trace in constant volts=19.6 amperes=0.8\n"
      "trace cpu constant volts=5 amperes=-1.2\n"
      "trace soc constant volts=5 amperes=0.4\n"
      "chip 0x40 ina3221\n"
      "channel 0x40 1 trace=in shunt_uohm=5000\n"
      "channel 0x40 2 trace=cpu shunt_uohm=5000\n"
      "channel 0x40 3 trace=soc shunt_uohm=5000\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const std::string hwmon = driver.hwmon();
  EXPECT_EQ(read_file(hwmon + "name").text, "ina3221");
  for (const char* shunt : {"shunt1_resistor", "shunt2_resistor", "shunt3_resistor"}) {
    ASSERT_EQ(write_file(hwmon + shunt, "5000"), 0);
  }
  EXPECT_EQ(settled(hwmon + "curr1_input", 800), 800);
  EXPECT_EQ(settled(hwmon + "curr2_input", -1200), -1200);
  EXPECT_EQ(settled(hwmon + "curr3_input", 400), 400);
  EXPECT_EQ(settled(hwmon + "in1_input", 19600), 19600);
  EXPECT_EQ(settled(hwmon + "in2_input", 5000), 5000);
  EXPECT_EQ(read_file(hwmon + "in4_input").value(), 4000);  // uV
  EXPECT_EQ(read_file(hwmon + "in5_input").value(), -6000);
  EXPECT_EQ(settled(hwmon + "in7_input", 0), 0);  // the sum of the shunts
}

TEST(HwmonIna3221, ADisabledChannelGivesEnodata) {
  const EmulatedBus board(
      "trace in constant volts=5 amperes=0.8\nchip 0x40 ina3221\nchannel 0x40 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const std::string hwmon = driver.hwmon();
  ASSERT_EQ(write_file(hwmon + "in1_enable", "0"), 0);
  EXPECT_EQ(read_file(hwmon + "curr1_input").error, ENODATA);
  EXPECT_EQ(read_file(hwmon + "in1_input").error, ENODATA);
  ASSERT_EQ(write_file(hwmon + "in1_enable", "1"), 0);
  EXPECT_EQ(settled(hwmon + "curr1_input", 800), 800);
}

TEST(HwmonIna3221, SamplesAndIntervalReachTheConfigurationRegister) {
  const EmulatedBus board("chip 0x40 ina3221\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const I2cDev bus(board.adapter());
  const std::string hwmon = driver.hwmon();
  ASSERT_EQ(write_file(hwmon + "samples", "64"), 0);
  EXPECT_EQ(bus.read_word(0x40, 0x00).value >> 9 & 7, 3);
  ASSERT_EQ(write_file(hwmon + "samples", "1"), 0);
  EXPECT_EQ(bus.read_word(0x40, 0x00).value >> 9 & 7, 0);
  EXPECT_EQ(read_file(hwmon + "update_interval").value(), 7);  // 3 x (1.1 + 1.1) ms, rounded up
}

TEST(HwmonIna3221, ReadsReturnTheLastConversionWithoutWaiting) {
  // Linux since 5.15 or so: polling faster than the cycle repeats values. 19 readings a cycle, few distinct ones.
  const EmulatedBus board(
      "trace ramp square volts=5 low=0.1 high=0.9 high_us=500000 period_us=1000000\n"
      "chip 0x40 ina3221 shunt_noise_uv=400 seed=3\nchannel 0x40 1 trace=ramp shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const std::string file = driver.hwmon() + "curr1_input";
  I2cEvents events(board.adapter());
  ASSERT_EQ(read_file(file).error, 0);
  int reads_of_mask = 0;
  for (const I2cEvent& event : events.take()) {
    reads_of_mask += event.kind == "write" && event.bytes == "0f" ? 1 : 0;
  }
  EXPECT_EQ(reads_of_mask, 0) << "the driver would have waited for the ready flag";
}

TEST(HwmonIna3221, CriticalAlarmFollowsItsLimit) {
  const EmulatedBus board(
      "trace in constant volts=5 amperes=0.8\nchip 0x40 ina3221\nchannel 0x40 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const std::string hwmon = driver.hwmon();
  EXPECT_EQ(settled(hwmon + "curr1_crit_alarm", 0), 0);
  ASSERT_EQ(write_file(hwmon + "curr1_crit", "500"), 0);
  EXPECT_EQ(settled(hwmon + "curr1_crit_alarm", 1), 1);
}

class HwmonIna2xx : public ::testing::TestWithParam<const char*> {};

TEST_P(HwmonIna2xx, ShowsVoltsAmperesAndWatts) {
  const std::string chip = GetParam();
  const EmulatedBus board("trace in constant volts=12 amperes=1.5\nchip 0x41 " + chip +
                          "\nchannel 0x41 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), chip, 0x41);
  const std::string hwmon = driver.hwmon();
  EXPECT_EQ(read_file(hwmon + "name").text, chip);
  EXPECT_EQ(read_file(hwmon + "shunt_resistor").value(), 10000);
  EXPECT_EQ(settled(hwmon + "in0_input", 15), 15);
  EXPECT_EQ(settled(hwmon + "in1_input", 12000, 4), 12000);
  EXPECT_EQ(settled(hwmon + "curr1_input", 1500, 1), 1500);
  EXPECT_NEAR(static_cast<double>(settled(hwmon + "power1_input", 18'000'000, 25'000)), 18e6, 25e3);
}

TEST_P(HwmonIna2xx, ReverseCurrentIsNegative) {
  const std::string chip = GetParam();
  const EmulatedBus board("trace in constant volts=5 amperes=-0.5\nchip 0x41 " + chip +
                          "\nchannel 0x41 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), chip, 0x41);
  EXPECT_EQ(settled(driver.hwmon() + "curr1_input", -500, 1), -500);
}

INSTANTIATE_TEST_SUITE_P(Chips, HwmonIna2xx, ::testing::Values("ina219", "ina226", "ina230", "ina231"),
                         [](const auto& test) { return std::string(test.param); });

TEST(HwmonIna2xx, Ina226RunsAtTheCycleTheDriverWrites) {
  const EmulatedBus board("chip 0x41 ina226\n");
  const BoundDriver driver(board.adapter(), "ina226", 0x41);
  EXPECT_EQ(I2cDev(board.adapter()).read_word(0x41, 0x00).value, 0x4527);  // 16 x (1.1 + 1.1) ms
}

TEST(HwmonIna238, ShowsVoltsAmperesWattsAndTemperature) {
  const EmulatedBus board(
      "trace in constant volts=19 amperes=-2\n"
      "chip 0x45 ina238 temperature_c=48.5\nchannel 0x45 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina238", 0x45);
  const std::string hwmon = driver.hwmon();
  EXPECT_EQ(read_file(hwmon + "name").text, "ina238");
  EXPECT_EQ(I2cDev(board.adapter()).read_word(0x45, 0x01).value, 0xFB6A);  // 16 x 3 x 1052 us
  EXPECT_EQ(settled(hwmon + "in0_input", -20), -20);
  EXPECT_EQ(settled(hwmon + "in1_input", 19000), 19000);
  EXPECT_EQ(settled(hwmon + "curr1_input", -2000), -2000);
  EXPECT_NEAR(static_cast<double>(settled(hwmon + "power1_input", 38'000'000, 100'000)), 38e6, 1e5);
  EXPECT_EQ(settled(hwmon + "temp1_input", 48500), 48500);
}

TEST(Hwmon, SquareWaveThroughTheDriverHasBothLevelsAndItsMean) {
  const EmulatedBus board(
      "trace rail square volts=5 low=0.1 high=0.9 high_us=100000 period_us=200000\n"
      "chip 0x40 ina3221\nchannel 0x40 1 trace=rail shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina3221", 0x40);
  const std::string file = driver.hwmon() + "curr1_input";
  // Readings are not equally spaced, so each counts for the time until the next.
  double charge = 0.0;
  std::set<long> values;
  std::int64_t last_ns = monotonic_ns();
  const std::int64_t begin_ns = last_ns;
  while (last_ns - begin_ns < 800'000'000) {
    const long value = read_file(file).value();
    const std::int64_t now_ns = monotonic_ns();
    charge += static_cast<double>(value) * static_cast<double>(now_ns - last_ns);
    last_ns = now_ns;
    values.insert(value);
  }
  EXPECT_TRUE(values.count(100) == 1 && values.count(900) == 1);
  EXPECT_NEAR(charge / static_cast<double>(last_ns - begin_ns), 500.0, 25.0);
}

}  // namespace
}  // namespace edgejoule::kernel_tier
