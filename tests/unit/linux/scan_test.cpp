#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "edgejoule/linux/sysfs_source.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule {
namespace {

using test::FakeSysfs;

std::vector<SysfsDevice> found(const FakeSysfs& sys,
                               Result<std::size_t> (*find)(const char*, Span<SysfsDevice>) noexcept) {
  std::vector<SysfsDevice> devices(8);
  const Result<std::size_t> count = find(sys.root().c_str(), Span<SysfsDevice>(devices.data(), devices.size()));
  EXPECT_TRUE(count.ok());
  devices.resize(count.ok() ? *count : 0);
  return devices;
}

TEST(FindHwmon, Ina3221OfJetPack5And6) {
  const FakeSysfs sys;
  sys.orin_nano();
  const auto devices = found(sys, find_hwmon);
  ASSERT_EQ(devices.size(), 1U);
  const SysfsDevice& device = devices[0];
  ASSERT_EQ(device.rail_count, 3U) << "in4 to in7 are shunt voltages and curr4 a sum: no rails";
  EXPECT_STREQ(device.rails[0].info.label, "VDD_IN");
  EXPECT_STREQ(device.rails[2].info.label, "VDD_SOC");
  const RailInfo& info = device.rails[1].info;
  EXPECT_EQ(info.kind, SourceKind::kHwmon);
  EXPECT_EQ(info.i2c_bus, 1);
  EXPECT_EQ(info.i2c_address, 0x40);
  EXPECT_EQ(info.channel, 2);
  EXPECT_EQ(info.shunt_uohm, 5'000U);
  EXPECT_EQ(info.current_step_ua, 8'000U);
  EXPECT_EQ(info.full_scale_ua, 32'760'000);
  EXPECT_EQ(info.cycle_ns, 6'600'000U) << "update_interval is rounded to 7 ms";
  EXPECT_EQ(device.converted, 3);
}

TEST(FindHwmon, LabelsMayBeMissing) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  for (const char* n : {"1", "2", "3"}) sys.remove(folder + "/in" + n + "_label");
  const auto devices = found(sys, find_hwmon);
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_STREQ(devices[0].rails[0].info.label, "ina3221 1");
}

TEST(FindHwmon, DisabledAndUnconnectedChannelsAreCountedApart) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  sys.write(folder + "/in1_enable", "0");
  sys.write(folder + "/in2_label", "NC");
  const auto devices = found(sys, find_hwmon);
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].rail_count, 1U);
  EXPECT_EQ(devices[0].disabled_count, 2U);
  EXPECT_EQ(devices[0].converted, 2) << "an unconnected channel takes its time all the same";
  EXPECT_EQ(devices[0].rails[0].slot, 1);
}

TEST(FindHwmon, Ina226PrefersCurrentAndKnowsItsDriversPace) {
  const FakeSysfs sys;
  const std::string folder = sys.hwmon(0, "7-0041", "ina226");
  sys.write(folder + "/in0_input", "5");
  sys.write(folder + "/in1_input", "5000");
  sys.write(folder + "/curr1_input", "-250");
  sys.write(folder + "/power1_input", "1250000");
  sys.write(folder + "/shunt_resistor", "10000");
  const auto devices = found(sys, find_hwmon);
  ASSERT_EQ(devices.size(), 1U);
  ASSERT_EQ(devices[0].rail_count, 1U);
  EXPECT_TRUE(devices[0].rails[0].current.exists());
  EXPECT_EQ(devices[0].cycle_ns, 35'200'000U);
  EXPECT_EQ(devices[0].rails[0].info.current_step_ua, 1'000U) << "hwmon shows whole milliamperes";
  EXPECT_EQ(devices[0].converted, 0);
}

TEST(FindHwmon, PowerAndEnergyFilesOfOtherDrivers) {
  const FakeSysfs sys;
  std::string folder = sys.hwmon(10, "2-0010", "fancy");
  sys.write(folder + "/power1_average", "2000000");
  sys.write(folder + "/power1_label", "package");
  folder = sys.hwmon(2, "2-0011", "scmi");
  sys.write(folder + "/energy1_input", "123456");
  folder = sys.hwmon(4, "2-0012", "thermal");
  sys.write(folder + "/temp1_input", "40000");
  const auto devices = found(sys, find_hwmon);
  ASSERT_EQ(devices.size(), 2U) << "a thermometer is no power sensor";
  EXPECT_STREQ(devices[0].name, "scmi") << "hwmon2 before hwmon10";
  EXPECT_TRUE(devices[0].rails[0].energy.exists());
  EXPECT_STREQ(devices[1].rails[0].info.label, "package");
  EXPECT_TRUE(devices[1].rails[0].power.exists());
}

TEST(FindHwmon, NoClassAndNoRoom) {
  const FakeSysfs sys;
  SysfsDevice none;
  EXPECT_EQ(find_hwmon(sys.root().c_str(), Span<SysfsDevice>(&none, 1)).error(), Error::kNotFound);
  sys.orin_nano();
  EXPECT_EQ(find_hwmon(sys.root().c_str(), Span<SysfsDevice>()).error(), Error::kFull);
}

TEST(FindIio, Ina3221xOfJetPack4) {
  const FakeSysfs sys;
  const std::string folder = "/sys/devices/i2c-6/6-0040/iio:device0";
  sys.write(folder + "/name", "ina3221x");
  const char* const labels[] = {"POM_5V_IN", "POM_5V_GPU", "NC"};
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    sys.write(folder + "/rail_name_" + n, labels[i]);
    sys.write(folder + "/in_voltage" + n + "_input", "5088");
    sys.write(folder + "/in_current" + n + "_input", "416");
    sys.write(folder + "/in_power" + n + "_input", "2116");
  }
  sys.link("/sys/bus/iio/devices/iio:device0", folder);
  const auto devices = found(sys, find_iio);
  ASSERT_EQ(devices.size(), 1U);
  ASSERT_EQ(devices[0].rail_count, 2U);
  EXPECT_EQ(devices[0].disabled_count, 1U);
  EXPECT_STREQ(devices[0].rails[1].info.label, "POM_5V_GPU");
  EXPECT_EQ(devices[0].rails[1].info.i2c_bus, 6);
  EXPECT_EQ(devices[0].rails[1].info.i2c_address, 0x40);
  EXPECT_EQ(devices[0].rails[1].current.multiply, 1'000);
}

TEST(FindIio, Ina2xxAdcScales) {
  const FakeSysfs sys;
  const std::string folder = "/sys/devices/i2c-1/1-0041/iio:device1";
  sys.write(folder + "/name", "ina226");
  sys.write(folder + "/in_shunt_resistor", "0.010000000");
  sys.write(folder + "/in_sampling_frequency", "114");
  sys.write(folder + "/in_voltage0_raw", "10");
  sys.write(folder + "/in_voltage0_scale", "0.002500000");
  sys.write(folder + "/in_voltage1_raw", "4000");
  sys.write(folder + "/in_voltage1_scale", "1.250000000");
  sys.write(folder + "/in_power2_raw", "1");
  sys.write(folder + "/in_power2_scale", "6.250000000");
  sys.write(folder + "/in_current3_raw", "-1000");
  sys.write(folder + "/in_current3_scale", "0.250000000");
  sys.link("/sys/bus/iio/devices/iio:device1", folder);
  const auto devices = found(sys, find_iio);
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].rails[0].info.shunt_uohm, 10'000U);
  EXPECT_EQ(devices[0].cycle_ns, 8'771'929U);
  SysfsSource source;
  ASSERT_TRUE(source.open(devices[0], 0).ok());
  PowerSample sample;
  const RailSource rails = source.source();
  ASSERT_EQ(*rails.ops->poll(rails.self, 0, Span<PowerSample>(&sample, 1)), 1U);
  EXPECT_EQ(sample.bus_uv, 5'000'000);
  EXPECT_EQ(sample.current_ua, -250'000);
  EXPECT_EQ(sample.power_uw, -1'250'000);
}

TEST(FindIio, AThermometerIsNoRail) {
  const FakeSysfs sys;
  sys.write("/sys/bus/iio/devices/iio:device0/name", "bme280");
  sys.write("/sys/bus/iio/devices/iio:device0/in_temp_input", "20000");
  EXPECT_TRUE(found(sys, find_iio).empty());
}

TEST(FindPowercap, ZonesWithTheirPlaceInTheLabel) {
  const FakeSysfs sys;
  for (const char* zone : {"intel-rapl:0", "intel-rapl:0:0"}) {
    const std::string folder = std::string("/sys/devices/virtual/powercap/") + zone;
    sys.write(folder + "/name", zone[12] == '\0' ? "package-0" : "core");
    sys.write(folder + "/energy_uj", "1000");
    sys.write(folder + "/max_energy_range_uj", "262143328850");
    sys.link(std::string("/sys/class/powercap/") + zone, folder);
  }
  sys.write("/sys/class/powercap/intel-rapl/enabled", "1");
  const auto devices = found(sys, find_powercap);
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_STREQ(devices[0].rails[0].info.label, "package-0 (intel-rapl:0)");
  EXPECT_EQ(devices[0].rails[0].energy_range_uj, 262'143'328'850U);
  EXPECT_STREQ(devices[1].rails[0].info.label, "core (intel-rapl:0:0)");
}

}  // namespace
}  // namespace edgejoule
