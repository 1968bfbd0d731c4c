#include "capture/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/linux/fake_sysfs.h"

namespace edgejoule::capture {
namespace {

using edgejoule::test::FakeSysfs;
using ::testing::HasSubstr;
using ::testing::Not;

void make_orin(const FakeSysfs& sys) {
  std::filesystem::create_directories(sys.at("/proc/device-tree"));
  std::ofstream(sys.at("/proc/device-tree/compatible"), std::ios::binary)
      << std::string("nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0", 45);
}

Discovery look(const FakeSysfs& sys, DiscoveryOptions options = {}) {
  options.root = sys.root();
  return discover(options);
}

std::string told(const Discovery& found) {
  return to_text(found.findings);
}

TEST(Discovery, AnOrinNanoAsItShouldBe) {
  const FakeSysfs sys;
  sys.orin_nano();
  make_orin(sys);
  const Discovery found = look(sys);
  ASSERT_EQ(found.rails.size(), 3U);
  EXPECT_TRUE(found.has_total);
  EXPECT_TRUE(found.rails[0].in_total);
  EXPECT_FALSE(found.rails[1].in_total) << "it is inside VDD_IN";
  EXPECT_EQ(found.rails[0].quantum_uw(), 40'640) << "8 mA at 5.08 V";
  EXPECT_EQ(found.rails[0].power_uw, 2'032'000);
  EXPECT_EQ(found.rails[0].readable_by, "everyone");
  EXPECT_THAT(told(found), Not(HasSubstr("problem")));
}

TEST(Discovery, NoSensorAtAllSaysWhatToDo) {
  const FakeSysfs sys;
  const Discovery found = look(sys);
  EXPECT_TRUE(found.rails.empty());
  EXPECT_THAT(told(found), HasSubstr("no power sensor found"));
  EXPECT_THAT(told(found), HasSubstr("--i2c"));
}

TEST(Discovery, ABoardWithoutItsDriverNamesTheModule) {
  const FakeSysfs sys;
  make_orin(sys);
  EXPECT_THAT(told(look(sys)), HasSubstr("run: sudo modprobe ina3221"));
}

TEST(Discovery, LabelsOfTheBoardWhereTheKernelHasNone) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  make_orin(sys);
  for (const char* n : {"1", "2", "3"}) sys.remove(folder + "/in" + n + "_label");
  const Discovery found = look(sys);
  EXPECT_EQ(found.rails[0].label, "VDD_IN");
  EXPECT_TRUE(found.has_total);
}

TEST(Discovery, TwoSensorsWithOneLabelAreToldApart) {
  const FakeSysfs sys;
  sys.orin_nano(3);
  const std::string other = sys.hwmon(4, "2-0041", "ina226");
  sys.write(other + "/in1_input", "5000");
  sys.write(other + "/in1_label", "VDD_IN");
  sys.write(other + "/curr1_input", "100");
  make_orin(sys);
  const Discovery found = look(sys);
  EXPECT_EQ(found.rails[0].label, "VDD_IN@1-0040.1");
  EXPECT_EQ(found.rails[3].label, "VDD_IN@2-0041.1");
  EXPECT_FALSE(found.has_total) << "nobody knows which of them is meant";
  EXPECT_THAT(told(found), HasSubstr("2 rails are called 'VDD_IN'"));
}

TEST(Discovery, AbsurdAndContradictingShunts) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  make_orin(sys);
  sys.write(folder + "/shunt1_resistor", "3");
  sys.write(folder + "/shunt2_resistor", "10000");
  const std::string text = told(look(sys));
  EXPECT_THAT(text, HasSubstr("VDD_IN: a shunt of 3 micro-ohm cannot be right"));
  EXPECT_THAT(text, HasSubstr("VDD_CPU_GPU_CV: the kernel works with a shunt of 10000"));
  EXPECT_THAT(text, HasSubstr("0.5 times the truth"));
}

TEST(Discovery, AZeroShuntIsUnknownUntilTheBoardSaysIt) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  sys.write(folder + "/shunt1_resistor", "0");
  EXPECT_THAT(told(look(sys)), HasSubstr("VDD_IN: its shunt is not known"));
  make_orin(sys);
  EXPECT_EQ(look(sys).rails[0].info.shunt_uohm, 5'000U);
}

TEST(Discovery, NegativePowerIsPowerToo) {
  const FakeSysfs sys;
  const std::string folder = sys.orin_nano();
  sys.write(folder + "/curr1_input", "-20");
  EXPECT_EQ(look(sys).rails[0].power_uw, -101'600);
}

TEST(Discovery, MissingPermissionNamesTheCommand) {
  const FakeSysfs sys;
  sys.write("/sys/class/powercap/intel-rapl:0/name", "package-0");
  sys.write("/sys/class/powercap/intel-rapl:0/energy_uj", "1");
  const std::filesystem::path file = sys.at("/sys/class/powercap/intel-rapl:0/energy_uj");
  std::filesystem::permissions(sys.root(), std::filesystem::perms::all);
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  // Root may read everything: be nobody for a moment.
  const uid_t me = ::geteuid();
  constexpr uid_t kNobody = 65534;
  if (me == 0) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  } else {
    std::filesystem::permissions(file, std::filesystem::perms::none);
  }
  const Discovery found = look(sys);
  if (me == 0) {
    ASSERT_EQ(::seteuid(me), 0);
  }
  ASSERT_EQ(found.sources.size(), 1U);
  EXPECT_FALSE(found.sources[0].readable);
  EXPECT_THAT(told(found), HasSubstr("permission denied"));
  EXPECT_THAT(told(found), HasSubstr("run: sudo chmod a+r "));
}

TEST(Discovery, AChipWithADriverIsNotTouched) {
  const FakeSysfs sys;
  sys.orin_nano();
  sys.link("/sys/bus/i2c/devices/1-0040/driver", "/sys/bus/i2c/drivers/ina3221");
  DiscoveryOptions options;
  options.raw_chips.push_back(parse_raw_chip("1:0x40:ina3221:5m"));
  const std::string text = told(look(sys, options));
  EXPECT_THAT(text, HasSubstr("belongs to the kernel driver ina3221"));
  EXPECT_THAT(text, HasSubstr("read through the driver instead"));
}

TEST(Discovery, BusesThatAreNotThere) {
  const FakeSysfs sys;
  DiscoveryOptions options;
  options.raw_chips.push_back(parse_raw_chip("9:0x40:ina226:5m"));
  EXPECT_THAT(told(look(sys, options)), HasSubstr("there is no such bus"));
  std::filesystem::create_directories(sys.at("/sys/bus/i2c/devices/i2c-9"));
  EXPECT_THAT(told(look(sys, options)), HasSubstr("run: sudo modprobe i2c-dev"));
}

TEST(Discovery, TheTotalIsTheUsersToName) {
  const FakeSysfs sys;
  sys.orin_nano();
  DiscoveryOptions options;
  options.total = {"VDD_SOC", "VDD_CPU_GPU_CV"};
  const Discovery found = look(sys, options);
  EXPECT_TRUE(found.has_total);
  EXPECT_FALSE(found.rails[0].in_total);
  EXPECT_TRUE(found.rails[2].in_total);
  options.total = {"NO_SUCH"};
  const Discovery missing = look(sys, options);
  EXPECT_FALSE(missing.has_total);
  EXPECT_THAT(told(missing), HasSubstr("no total: it needs NO_SUCH"));
}

TEST(Discovery, L4tNotes) {
  const FakeSysfs sys;
  sys.orin_nano();
  make_orin(sys);
  sys.write("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.4, GCID: 1, BOARD: generic");
  const Discovery found = look(sys);
  EXPECT_EQ(found.os_release, "L4T R36.4.4");
  EXPECT_THAT(told(found), HasSubstr("disconnects a GPIO pad"));
}

}  // namespace
}  // namespace edgejoule::capture
