// The state of a board, from a made-up /sys.
#include "calibration/real_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/linux/fake_sysfs.h"

namespace edgejoule::calibration {
namespace {

using edgejoule::test::FakeSysfs;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(BoardState, IsReadFromAJetsonsFiles) {
  const FakeSysfs sys;
  sys.write("/var/lib/nvpmodel/status", "pmode:0001");
  sys.write("/etc/nvpmodel.conf",
            "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W_AI >\n< PM_CONFIG DEFAULT=0 >");
  for (const char* cpu : {"0", "1"}) {
    const std::string folder = std::string("/sys/devices/system/cpu/cpu") + cpu;
    sys.write(folder + "/cpufreq/scaling_cur_freq", cpu[0] == '0' ? "729600" : "1510400");
    sys.write(folder + "/cpufreq/scaling_governor", "schedutil");
  }
  sys.write("/sys/devices/system/cpu/cpufreq/nothing", "1");
  sys.write("/sys/devices/system/cpu/cpu0/cpuidle/state0/name", "WFI");
  sys.write("/sys/devices/system/cpu/cpu0/cpuidle/state0/disable", "0");
  sys.write("/sys/devices/system/cpu/cpu0/cpuidle/state1/name", "c7");
  sys.write("/sys/devices/system/cpu/cpu0/cpuidle/state1/disable", "1");
  sys.write("/sys/class/devfreq/17000000.gpu/cur_freq", "306000000");
  sys.write("/sys/kernel/debug/bpmp/debug/clk/emc/rate", "2133000000");
  sys.write("/sys/class/thermal/thermal_zone0/type", "cpu-thermal");
  sys.write("/sys/class/thermal/thermal_zone0/temp", "47500");
  sys.write("/sys/class/thermal/thermal_zone1/type", "gpu-thermal");
  sys.write("/sys/class/thermal/thermal_zone1/temp", "49000");
  sys.write("/sys/class/thermal/cooling_device0/type", "pwm-fan");
  sys.write("/sys/class/thermal/cooling_device0/cur_state", "3");
  const MachineState state = read_state(sys.root());
  EXPECT_EQ(state.power_mode, "7W_AI");
  EXPECT_DOUBLE_EQ(state.cpu_mhz, 1510.4);
  EXPECT_EQ(state.governor, "schedutil");
  EXPECT_EQ(state.cpuidle, "WFI");
  EXPECT_DOUBLE_EQ(state.gpu_mhz, 306);
  EXPECT_DOUBLE_EQ(state.memory_mhz, 2133);
  ASSERT_EQ(state.temperatures.size(), 2U);
  EXPECT_EQ(state.temperatures[0].name, "gpu-thermal") << "the hottest first";
  EXPECT_FALSE(state.throttled) << "a fan cools, it does not slow";
  EXPECT_TRUE(state.unknown.empty());

  sys.write("/sys/class/thermal/cooling_device1/type", "cpufreq-cpu0");
  sys.write("/sys/class/thermal/cooling_device1/cur_state", "2");
  EXPECT_TRUE(read_state(sys.root()).throttled);
}

TEST(BoardState, SaysWhatItCannotRead) {
  const FakeSysfs sys;
  const MachineState state = read_state(sys.root());
  EXPECT_LT(state.cpu_mhz, 0);
  EXPECT_THAT(state.unknown, Contains(HasSubstr("the CPU clock")));
  EXPECT_THAT(state.unknown, Contains(HasSubstr("the power mode")));
  EXPECT_THAT(state.unknown, Contains(HasSubstr("temperatures")));
}

}  // namespace
}  // namespace edgejoule::calibration
