// The kernel's IIO driver, ina2xx-adc, on emulated chips. It and the hwmon driver claim the same names, so only one of
// them is loaded here.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "support/bound_driver.h"
#include "support/emulated_bus.h"
#include "support/files.h"

namespace edgejoule::kernel_tier {
namespace {

class Iio : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_EQ(std::system("modprobe -r ina2xx && modprobe ina2xx-adc"), 0); }
  static void TearDownTestSuite() { ASSERT_EQ(std::system("modprobe -r ina2xx-adc && modprobe ina2xx"), 0); }

  static std::string folder_of(const BoundDriver& driver) {
    for (const auto& entry : std::filesystem::directory_iterator("/sys/bus/i2c/devices/" + driver.device())) {
      if (entry.path().filename().string().rfind("iio:device", 0) == 0) {
        return entry.path().string() + "/";
      }
    }
    throw std::runtime_error(driver.device() + " has no iio:device folder");
  }

  // raw * scale, in the unit of the IIO ABI: millivolts, milliamperes, milliwatts. "" where the file is not there.
  static double scaled(const std::string& folder, const std::string& channel) {
    return static_cast<double>(read_file(folder + channel + "_raw").value()) *
           std::stod(read_file(folder + channel + "_scale").text);
  }
};

TEST_F(Iio, Ina226HasItsChannelsWithRawAndScale) {
  const EmulatedBus board(
      "trace in constant volts=12 amperes=-1.5\nchip 0x41 ina226\nchannel 0x41 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina226", 0x41);
  const std::string folder = folder_of(driver);
  EXPECT_EQ(read_file(folder + "name").text, "ina226");
  EXPECT_EQ(read_file(folder + "in_shunt_resistor").text, "0.010000000");
  // The driver's calibration counts from the next conversion on.
  ASSERT_TRUE(wait_until([&] { return read_file(folder + "in_current3_raw").value() != 0; }, 2000));
  EXPECT_NEAR(scaled(folder, "in_voltage0"), -15.0, 0.01);  // the shunt
  EXPECT_NEAR(scaled(folder, "in_voltage1"), 12000.0, 1.3);
  EXPECT_NEAR(scaled(folder, "in_current3"), -1500.0, 1.0);
  EXPECT_NEAR(scaled(folder, "in_power2"), 18000.0, 30.0);  // unsigned even where the current is not
}

TEST_F(Iio, AFaultIsAnErrorOfTheReadAndOverWhenItEnds) {
  EmulatedBus board(
      "trace in constant volts=12 amperes=1.5\nchip 0x41 ina226\nchannel 0x41 1 trace=in shunt_uohm=10000\n");
  const BoundDriver driver(board.adapter(), "ina226", 0x41);
  const std::string file = folder_of(driver) + "in_voltage1_raw";
  board.fault("nak");
  EXPECT_EQ(read_file(file).error, ENXIO);
  board.clear_faults();
  EXPECT_TRUE(wait_until([&] { return read_file(file).text == "9600"; }, 1000));
}

}  // namespace
}  // namespace edgejoule::kernel_tier
