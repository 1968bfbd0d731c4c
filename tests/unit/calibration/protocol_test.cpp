// One block on an emulated board, against what the board truly did: through rails, chips, reader and alignment.
#include "calibration/protocol.h"

#include <gtest/gtest.h>

#include <sstream>

#include "calibration/emulated_machine.h"
#include "graph/ops.h"

namespace edgejoule::calibration {
namespace {

constexpr const char* kBoard = R"(
board      bench
engine     cpu threads=4 gmacs_per_s=10 pj_mac=30 launch_us=5 launch_uj=3 on_w=0.3 idle_w=0.15 gated_w=0.05 wake_uj=400
memory     idle_w=0.3
point      fixed cpu_mhz=1000
base       soc_w=0.5 other_w=0.4
noise      watts=0.05
rail       IN total volts=5 of=engines,memory,soc,other loss=0.1
rail       CPU volts=5 of=engines
)";

emulated_board::BoardLaw law_of(const std::string& more) {
  std::istringstream text(kBoard + more);
  return emulated_board::parse_law(text, "bench");
}

std::string ina3221(int averages, int shunt_uohm) {
  return "chip 0x40 ina3221 shunt_offset_uv=40 shunt_noise_uv=20 bus_noise_uv=2000 seed=3\n"
         "channel 0x40 1 trace=IN shunt_uohm=" +
         std::to_string(shunt_uohm) + "\nchannel 0x40 2 trace=CPU shunt_uohm=" + std::to_string(shunt_uohm) +
         "\nsampling averages=" + std::to_string(averages) + "\n";
}

workloads::Workload dense(std::uint64_t m, std::uint64_t k, std::uint64_t n) {
  workloads::Workload workload;
  workload.name = "dense";
  workload.op = graph::dense({.name = "dense"}, {.m = m, .k = k, .n = n});
  return workload;
}

Block measured(const std::string& board, const workloads::Workload& workload, double& true_joules,
               const ProtocolOptions& options = {}) {
  EmulatedMachine machine(law_of(board), {});
  Protocol protocol(machine, options);
  protocol.settle();
  machine.prepare(workload);
  true_joules = machine.truth()->joules;
  return protocol.measure(workload.name);
}

TEST(Protocol, FindsTheTrueJoulesOfAnOpForEveryAveragingAndShunt) {
  for (const int averages : {1, 16, 512}) {
    for (const int shunt : {5'000, 2'000}) {
      double truth = 0;
      const Block block = measured(ina3221(averages, shunt), dense(64, 256, 256), truth);
      EXPECT_EQ(block.problem, "") << averages << " averages, " << shunt << " uOhm";
      // A filter of 512 rounds to 40 mW (5 mOhm) or 100 mW (2 mOhm) what it has smeared over 3.4 s: it knows less, and
      // says so.
      EXPECT_NEAR(block.joules / truth, 1, averages > 1 ? 3 * block.relative_error() : 0.03)
          << averages << " averages, " << shunt << " uOhm";
      EXPECT_LT(block.relative_error(), averages > 1 ? 0.05 : 0.03);
      EXPECT_LT(std::abs(block.conservation), 0.03);
      // Idle, first execution and wake-up stand apart from it.
      EXPECT_NEAR(block.idle_watts, 1.1 * (0.05 + 0.3 + 0.5 + 0.4), 0.15);
      EXPECT_NEAR(block.first_seconds - block.seconds, 300e-6, 30e-6);
    }
  }
}

TEST(Protocol, FindsTheTrueJoulesOfTinyAndOfLongOps) {
  double truth = 0;
  const Block tiny = measured(ina3221(1, 5'000), dense(1, 16, 16), truth);
  EXPECT_NEAR(tiny.joules / truth, 1, 0.03);
  const Block long_one = measured(ina3221(1, 5'000), dense(1024, 2048, 2048), truth);
  EXPECT_NEAR(long_one.joules / truth, 1, 0.03);
  EXPECT_GE(long_one.executions, 1U);
}

TEST(Protocol, MeasuresALoopThatLocksToTheSensorBehindOtherPauses) {
  // 6.6 ms per execution, the period of the chip: each sample meets the same part of it.
  double truth = 0;
  workloads::Workload workload = dense(1, 1, 1);
  const std::uint64_t macs = 10'000 * 6'595;  // at 10 GMAC/s, 5 us for the launch
  workload.op = graph::dense({.name = "locked"}, {.m = 1'000, .k = macs / 1'000'000, .n = 1'000});
  const Block block = measured(ina3221(1, 5'000) + "", workload, truth);
  EXPECT_NEAR(block.joules / truth, 1, 0.05);
}

TEST(Protocol, SaysWhyABlockIsWorthRepeating) {
  double truth = 0;
  EXPECT_NE(
      measured(ina3221(1, 5'000) + "fault throttle at_s=0.5\n", dense(64, 256, 256), truth).problem.find("throttled"),
      std::string::npos);
  EXPECT_NE(measured(ina3221(1, 5'000) + "fault others at_s=0.9\n", dense(64, 256, 256), truth)
                .problem.find("other programs"),
            std::string::npos);
  EXPECT_NE(
      measured(ina3221(1, 5'000) + "fault clock at_s=0.8\n", dense(64, 256, 256), truth).problem.find("clock changed"),
      std::string::npos);
}

TEST(Protocol, AChangeOfWhatGovernsTheBoardIsAProblem) {
  MachineState first;
  first.governor = "schedutil, GPU nvhost_podgov";
  first.cpuidle = "WFI, c7";
  first.rail_gating = "on after 500 ms";
  EXPECT_EQ(state_problem(first, first, EngineKind::kCpu, {}), "");
  MachineState now = first;
  now.rail_gating = "off";
  EXPECT_EQ(state_problem(now, first, EngineKind::kCpu, {}),
            "the GPU's rail gating changed from on after 500 ms to off");
  now = first;
  now.governor = "performance, GPU nvhost_podgov";
  EXPECT_NE(state_problem(now, first, EngineKind::kCpu, {}).find("the governor changed"), std::string::npos);
  now = first;
  now.cpuidle = "WFI";
  EXPECT_NE(state_problem(now, first, EngineKind::kGpu, {}).find("while idle changed from WFI, c7 to WFI"),
            std::string::npos);
  now = first;
  now.rail_gating.clear();
  EXPECT_EQ(state_problem(now, first, EngineKind::kGpu, {}), "") << "not known for once";
}

// A tenth of a second before the end of the block, too late for anybody to have called it lost yet.
TEST(Protocol, ABlockWhoseEndARailDidNotSeeIsNoMeasurement) {
  double truth = 0;
  const Block whole = measured(ina3221(1, 5'000), dense(64, 256, 256), truth);
  ASSERT_EQ(whole.problem, "");
  const Block cut = measured(ina3221(1, 5'000) + "fault rail at_s=" + std::to_string(whole.end_s - 0.1) + "\n",
                             dense(64, 256, 256), truth);
  EXPECT_NE(cut.problem.find("IN has not answered"), std::string::npos) << cut.problem;
}

TEST(Protocol, MeasuresWakingUpApart) {
  EmulatedMachine machine(law_of(ina3221(1, 5'000)), {});
  Protocol protocol(machine, {});
  protocol.settle();
  machine.prepare(dense(64, 256, 256));
  const Block steady = protocol.measure("dense");
  const WakeUp wake = protocol.measure_wake(steady, 6);
  EXPECT_GT(wake.wakes, 200);
  EXPECT_NEAR(wake.seconds, 300e-6, 20e-6);
  const double until_off = (0.15 - 0.05) * 3e-3;
  EXPECT_NEAR(wake.joules, 1.1 * (400e-6 + until_off - 0.05 * 300e-6), 4 * wake.joules_error);
  EXPECT_LT(wake.joules_error, 100e-6);
}

TEST(EmulatedMachine, SaysThatARailWentSilent) {
  EmulatedMachine machine(law_of(ina3221(1, 5'000) + "fault rail at_s=1\n"), {});
  machine.idle(900'000'000);
  EXPECT_FALSE(machine.rail_problem());
  EXPECT_FALSE(machine.take_samples().empty());
  machine.idle(2'000'000'000);
  ASSERT_TRUE(machine.rail_problem());
  EXPECT_NE(machine.rail_problem()->find("IN has not answered"), std::string::npos);
}

}  // namespace
}  // namespace edgejoule::calibration
