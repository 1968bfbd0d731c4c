// The state of a board and the silence of its rails, from a made-up /sys.
#include "calibration/real_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibration/board_state.h"
#include "calibration/real_machine.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::calibration {
namespace {

using edgejoule::test::FakeSysfs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

void write_processors(const FakeSysfs& sys, const std::string& governor) {
  for (const char* cpu : {"0", "1"}) {
    const std::string folder = std::string("/sys/devices/system/cpu/cpu") + cpu;
    sys.write(folder + "/cpufreq/scaling_cur_freq", cpu[0] == '0' ? "729600" : "1510400");
    sys.write(folder + "/cpufreq/scaling_governor", governor);
    sys.write(folder + "/cpuidle/state0/name", "WFI");
    sys.write(folder + "/cpuidle/state0/disable", "0");
    sys.write(folder + "/cpuidle/state1/name", "c7");
    sys.write(folder + "/cpuidle/state1/disable", cpu);  // on the second one alone
  }
  sys.write("/sys/devices/system/cpu/cpufreq/nothing", "1");
}

void write_zone(const FakeSysfs& sys, int number, const std::string& type, const std::string& millidegrees) {
  const std::string zone = "/sys/class/thermal/thermal_zone" + std::to_string(number);
  sys.write(zone + "/type", type);
  sys.write(zone + "/temp", millidegrees);
}

void write_cooling(const FakeSysfs& sys, int number, const std::string& type, const std::string& state) {
  const std::string device = "/sys/class/thermal/cooling_device" + std::to_string(number);
  sys.write(device + "/type", type);
  sys.write(device + "/cur_state", state);
  sys.write(device + "/max_state", "4");
}

void write_mode(const FakeSysfs& sys, const std::string& status) {
  sys.write("/var/lib/nvpmodel/status", status);
  sys.write("/etc/nvpmodel.conf",
            "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W_AI >\n< PM_CONFIG DEFAULT=0 >");
}

// JetPack 6: nvgpu's device below a bus, soctherm's counters, a fan of the kernel's own driver.
void write_orin_nano(const FakeSysfs& sys) {
  write_mode(sys, "pmode:0001");
  write_processors(sys, "schedutil");
  const std::string gpu = "/sys/devices/platform/bus@0/17000000.gpu";
  sys.write(gpu + "/railgate_enable", "1");
  sys.write(gpu + "/power/control", "auto");
  sys.write(gpu + "/power/autosuspend_delay_ms", "500");
  sys.write(gpu + "/devfreq/17000000.gpu/cur_freq", "306000000");
  sys.write(gpu + "/devfreq/17000000.gpu/governor", "nvhost_podgov");
  sys.link(gpu + "/devfreq/17000000.gpu/device", gpu);
  sys.link("/sys/class/devfreq/17000000.gpu", gpu + "/devfreq/17000000.gpu");
  sys.write("/sys/kernel/debug/bpmp/debug/clk/emc/rate", "2133000000");
  write_zone(sys, 0, "cpu-thermal", "47500");
  write_zone(sys, 1, "gpu-thermal", "49000");
  write_zone(sys, 2, "cv0-thermal", "-256000");
  write_cooling(sys, 0, "pwm-fan", "3");
  write_cooling(sys, 1, "cpu-throttle-alert", "0");
  sys.write("/sys/class/hwmon/hwmon0/name", "pwmfan");
  sys.write("/sys/class/hwmon/hwmon0/pwm1", "81");
  sys.write("/sys/class/hwmon/hwmon1/name", "soctherm_oc");
  for (const char* which : {"1", "2", "3"}) {
    sys.write(std::string("/sys/class/hwmon/hwmon1/oc") + which + "_event_cnt", which);
    sys.write(std::string("/sys/class/hwmon/hwmon1/oc") + which + "_throt_en", which[0] == '3' ? "0" : "1");
  }
}

TEST(BoardState, OfAnOrinNano) {
  const FakeSysfs sys;
  write_orin_nano(sys);
  const MachineState state = read_state(sys.root());
  EXPECT_EQ(state.power_mode, "7W_AI");
  EXPECT_DOUBLE_EQ(state.cpu_mhz, 1510.4);
  EXPECT_EQ(state.governor, "schedutil, GPU nvhost_podgov");
  EXPECT_EQ(state.cpuidle, "WFI, c7 (on 1 of 2 processors)");
  EXPECT_EQ(state.rail_gating, "on after 500 ms");
  EXPECT_EQ(state.fan, "81 of 255");
  EXPECT_DOUBLE_EQ(state.gpu_mhz, 306);
  EXPECT_DOUBLE_EQ(state.memory_mhz, 2133);
  ASSERT_EQ(state.temperatures.size(), 2U) << "one sensor is off";
  EXPECT_EQ(state.temperatures[0].name, "gpu-thermal") << "the hottest first";
  EXPECT_FALSE(state.throttled) << "a fan cools, it does not slow";
  EXPECT_EQ(state.slow_downs, 1 + 2) << "the third event throttles nothing";
  EXPECT_THAT(state.unknown, ::testing::IsEmpty());

  sys.write("/sys/devices/platform/bus@0/17000000.gpu/railgate_enable", "0");
  write_cooling(sys, 1, "cpu-throttle-alert", "1");
  EXPECT_EQ(read_state(sys.root()).rail_gating, "off");
  EXPECT_TRUE(read_state(sys.root()).throttled);
}

// JetPack 4: kernel 4.9, the GPU reached by its alias, clocks of the common clock framework, a fan of NVIDIA's driver.
TEST(BoardState, OfAJetsonNano) {
  const FakeSysfs sys;
  write_mode(sys, "pmode:0000 fmode:quiet");
  write_processors(sys, "schedutil");
  sys.write("/sys/devices/57000000.gpu/railgate_enable", "1");
  sys.link("/sys/devices/gpu.0", "/sys/devices/57000000.gpu");
  sys.write("/sys/kernel/debug/clk/override.emc/clk_rate", "1600000000");
  sys.write("/sys/devices/pwm-fan/cur_pwm", "120");
  write_zone(sys, 0, "CPU-therm", "34000");
  write_zone(sys, 1, "PMIC-Die", "100000");
  write_cooling(sys, 0, "tegra-heavy", "0");
  const MachineState state = read_state(sys.root());
  EXPECT_EQ(state.power_mode, "15W");
  EXPECT_EQ(state.rail_gating, "on");
  EXPECT_DOUBLE_EQ(state.memory_mhz, 1600);
  EXPECT_EQ(state.fan, "120 of 255");
  ASSERT_EQ(state.temperatures.size(), 1U) << "the PMIC's never changes";
  EXPECT_EQ(state.temperatures[0].name, "CPU-therm");
  EXPECT_EQ(state.slow_downs, -1);
  EXPECT_THAT(state.unknown, ::testing::ElementsAre(HasSubstr("throttling by the supply")));
  write_cooling(sys, 0, "tegra-heavy", "1");
  EXPECT_TRUE(read_state(sys.root()).throttled);
}

// Xavier NX with JetPack 5: below the GPU's device by its name, the fan's step where the driver tells no duty.
TEST(BoardState, OfAXavierNx) {
  const FakeSysfs sys;
  write_mode(sys, "pmode:0000");
  const std::string gpu = "/sys/devices/17000000.gv11b";
  sys.write(gpu + "/railgate_enable", "0");
  sys.write("/sys/class/devfreq/17000000.gv11b/cur_freq", "1109250000");
  sys.link("/sys/class/devfreq/17000000.gv11b/device", gpu);
  write_cooling(sys, 0, "pwm-fan", "2");
  const MachineState state = read_state(sys.root());
  EXPECT_DOUBLE_EQ(state.gpu_mhz, 1109.25);
  EXPECT_EQ(state.rail_gating, "off");
  EXPECT_EQ(state.fan, "step 2 of 4");
}

// No NVIDIA kernel: runtime power management tells, devfreq has the memory.
TEST(BoardState, OfMainlineKernels) {
  const FakeSysfs sys;
  sys.write("/sys/class/devfreq/fb000000.gpu/device/power/control", "on");
  sys.write("/sys/class/devfreq/dmc/cur_freq", "1560000000");
  write_cooling(sys, 0, "cpufreq-cpu0", "0");
  sys.write("/sys/class/thermal/cooling_device0/stats/total_trans", "7");
  sys.write("/sys/class/hwmon/hwmon0/name", "rpi_volt");
  sys.write("/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0");
  sys.write("/sys/class/hwmon/hwmon1/name", "ina3221");
  sys.write("/sys/class/hwmon/hwmon1/curr1_crit_alarm", "1");
  MachineState state = read_state(sys.root());
  EXPECT_EQ(state.rail_gating, "off");
  EXPECT_DOUBLE_EQ(state.memory_mhz, 1560);
  EXPECT_EQ(state.slow_downs, 7);
  EXPECT_FALSE(state.throttled) << "the alarms of the chip that measures are left alone";
  sys.write("/sys/class/devfreq/fb000000.gpu/device/power/control", "auto");
  sys.write("/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1");
  state = read_state(sys.root());
  EXPECT_EQ(state.rail_gating, "on");
  EXPECT_TRUE(state.throttled) << "under-voltage";
}

TEST(BoardState, SaysWhatItCannotRead) {
  const FakeSysfs sys;
  MachineState state = read_state(sys.root());
  EXPECT_LT(state.cpu_mhz, 0);
  EXPECT_THAT(state.unknown, Contains(HasSubstr("the CPU clock")));
  EXPECT_THAT(state.unknown, Contains(HasSubstr("the power mode")));
  EXPECT_THAT(state.unknown, Contains(HasSubstr("temperatures")));
  EXPECT_THAT(state.unknown, Contains(HasSubstr("throttling by heat")));
  EXPECT_THAT(state.unknown, Not(Contains(HasSubstr("rail gating")))) << "there is no GPU whose rail it were";
  EXPECT_EQ(state.rail_gating, "");
  sys.write("/sys/class/devfreq/17000000.ga10b/cur_freq", "306000000");
  state = read_state(sys.root());
  EXPECT_THAT(state.unknown, Contains(HasSubstr("the GPU's rail gating")));
}

RealMachine board_of(const FakeSysfs& sys) {
  capture::DiscoveryOptions discovery;
  discovery.root = sys.root();
  discovery.total = {"VDD_IN"};
  capture::RecorderOptions recording;
  recording.keep_samples = true;
  return {capture::discover(discovery), recording, sys.root()};
}

TEST(RealBoard, AnEventSinceTheLastLookIsThrottling) {
  const FakeSysfs sys;
  write_orin_nano(sys);
  sys.orin_nano();
  RealMachine board = board_of(sys);
  EXPECT_FALSE(board.state().throttled) << "what was before is nobody's";
  sys.write("/sys/class/hwmon/hwmon1/oc1_event_cnt", "2");
  EXPECT_TRUE(board.state().throttled);
  EXPECT_FALSE(board.state().throttled) << "it is over";
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
  RealMachine board = board_of(sys);
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
