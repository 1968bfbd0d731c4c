// The state of a board and the silence of its rails, from a made-up /sys.
#include "calibration/real_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibration/real_machine.h"
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

constexpr std::int64_t kMillisecond = 1'000'000;

TEST(RailSilence, IsTimeInWhichSomebodyLooked) {
  RailSilence silence(0, 0);
  std::int64_t now = 0;
  const auto look_for = [&](std::int64_t ms, std::int64_t every_ms, std::int64_t sample) {
    for (const std::int64_t until = now + ms * kMillisecond; now < until;) {
      now += every_ms * kMillisecond;
      silence.look(now, sample);
    }
  };
  look_for(1990, 10, 0);
  EXPECT_FALSE(silence.lost());
  look_for(10, 10, 0);
  EXPECT_TRUE(silence.lost());
  look_for(10, 10, now);
  EXPECT_FALSE(silence.lost()) << "it answered";
  EXPECT_EQ(silence.silent_ns(), 0);
}

TEST(RailSilence, APauseOfTheReaderIsNone) {
  RailSilence silence(0, 0);
  silence.look(3'600'000 * kMillisecond, 0);  // an hour in which the machine was suspended, say
  EXPECT_FALSE(silence.lost());
  EXPECT_LE(silence.silent_ns(), 50 * kMillisecond);
  // A processor so busy that a look takes four seconds: forty of them tell.
  int looks = 1;
  for (; !silence.lost() && looks < 100; ++looks) silence.look((3'600'000 + 4'000 * looks) * kMillisecond, 0);
  EXPECT_EQ(looks, 40);
}

TEST(RailSilence, WaitsForSlowSensors) {
  RailSilence silence(0, 800'000'000);
  for (std::int64_t now = 0; now <= 5'000; now += 20) silence.look(now * kMillisecond, 0);
  EXPECT_FALSE(silence.lost()) << "conversions of 0.8 s";
  for (std::int64_t now = 5'000; now <= 5'300; now += 20) silence.look(now * kMillisecond, 0);
  EXPECT_TRUE(silence.lost());
}

TEST(RealBoard, SaysWhichRailIsLostAndWhy) {
  const FakeSysfs sys;
  const std::string hwmon = sys.orin_nano();
  capture::DiscoveryOptions discovery;
  discovery.root = sys.root();
  discovery.total = {"VDD_IN"};
  capture::RecorderOptions recording;
  recording.keep_samples = true;
  RealMachine board(capture::discover(discovery), recording, sys.root());
  for (int i = 0; i < 100 && board.take_samples().empty(); ++i) board.idle(20 * kMillisecond);
  EXPECT_EQ(board.rail_problem(), std::nullopt);
  // Text that is no number stands in for a driver that fails: an open file of a made-up sysfs cannot vanish.
  sys.write(hwmon + "/curr1_input", "broken");
  sys.remove(hwmon);
  EXPECT_EQ(board.rail_problem(), std::nullopt) << "not at once";
  std::optional<std::string> problem;
  for (int i = 0; i < 3000 && !problem; ++i) {
    board.idle(20 * kMillisecond);
    problem = board.rail_problem();
  }
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("the rail VDD_IN has not answered for 2."));
  EXPECT_THAT(*problem, HasSubstr(" s (the device vanished while in use); edge-calibrate probe"));
}

}  // namespace
}  // namespace edgejoule::calibration
