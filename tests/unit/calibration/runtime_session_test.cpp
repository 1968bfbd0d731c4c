// Which engines a calibration through a command measures, keeps and repeats.
#include "calibration/runtime_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "edgejoule/linux/monotonic.h"
#include "support/temporary_folder.h"

namespace edgejoule::calibration {
namespace {

using ::testing::HasSubstr;

// One rail of 5 W, 10 W while `busy` exists; what its clock is, the test says.
class OneRail final : public Machine {
 public:
  explicit OneRail(std::string busy) : busy_(std::move(busy)), last_ns_(monotonic_ns()) {
    facts_.board = "bench";
    facts_.last_level_bytes = 1U << 20U;
    facts_.memory_bytes = 64U << 20U;
    facts_.rails.push_back({.label = "IN", .in_total = true, .chip = {}, .cycle_ns = 2'000'000});
  }
  const MachineFacts& facts() const override { return facts_; }
  std::int64_t now_ns() override { return monotonic_ns(); }
  void prepare(const workloads::Workload&) override {}
  RunSpan run(std::uint64_t) override { return {}; }
  void prepare_network(std::span<const workloads::Workload>) override {}
  void idle(std::int64_t ns) override {
    const std::int64_t until_ns = monotonic_ns() + ns;
    while (monotonic_ns() < until_ns) {
      const bool busy = std::filesystem::exists(busy_);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      PowerSample sample;
      sample.window_begin_ns = last_ns_;
      sample.window_end_ns = sample.t_mono_ns = last_ns_ = monotonic_ns();
      sample.power_uw = busy ? 10'000'000 : 5'000'000;
      samples_.push_back(sample);
    }
  }
  std::vector<PowerSample> take_samples() override { return std::exchange(samples_, {}); }
  MachineState state() override {
    MachineState state;
    state.cpu_mhz = clocks.empty() ? 1000 : clocks.front();
    if (!clocks.empty()) clocks.pop_front();
    return state;
  }
  std::optional<std::string> rail_problem() override { return std::nullopt; }

  std::deque<double> clocks;  // of the next calls; 1000 MHz after them

 private:
  std::string busy_;
  std::int64_t last_ns_;
  MachineFacts facts_;
  std::vector<PowerSample> samples_;
};

RuntimeOptions options_of(OpKind kind, double budget_s) {
  RuntimeOptions options;
  options.budget_s = budget_s;
  options.kinds = {kind};
  return options;
}

TEST(RuntimeSession, WhatOneBudgetHeldOutNoOtherFits) {
  const test::TemporaryFolder folder;
  OneRail machine(folder.file("busy"));
  RuntimeCommand command("true {model} {iterations}", import::ModelFormat::kTflite, folder.path() / "experiments");
  const RuntimeSession generous(machine, machine.facts(), command, options_of(OpKind::kDepthwiseConv2d, 3600));
  JournalContent earlier;
  std::set<std::string> held_out;
  for (const Experiment* experiment : generous.plan()) {
    Block block;
    block.name = experiment->name;
    block.joules = 1e-3;
    block.seconds = 1e-3;
    block.idle_watts = 5;
    earlier.blocks.push_back(block);
    if (experiment->held_out) held_out.insert(experiment->name);
  }
  ASSERT_GE(held_out.size(), 6U);
  ASSERT_GE(earlier.blocks.size(), held_out.size() + 4);
  earlier.blocks.emplace_back().name = "of-another-version";

  RuntimeSession modest(machine, machine.facts(), command, options_of(OpKind::kDepthwiseConv2d, 8));
  EXPECT_LT(modest.plan().size(), generous.plan().size()) << "a smaller plan does not name all that was held out";
  EXPECT_EQ(modest.take_over(earlier), earlier.blocks.size() - 1);
  std::set<std::string> validated;
  for (const measurements::Measurement& m : modest.held_out_set().measurements) validated.insert(m.origin);
  EXPECT_EQ(validated, held_out);
  EXPECT_EQ(modest.fit_set().measurements.size() + held_out.size() + 1, earlier.blocks.size());
  for (const measurements::Measurement& m : modest.fit_set().measurements) EXPECT_EQ(held_out.count(m.origin), 0U);
  EXPECT_TRUE(modest.plan().empty()) << "nothing is measured twice";
}

TEST(RuntimeSession, AnEngineUnderAnotherClockIsMeasuredAgain) {
  const test::TemporaryFolder folder;
  const std::string busy = folder.file("busy");
  OneRail machine(busy);
  RuntimeCommand command(
      "touch " + busy + "; : {model}; sleep $(awk 'BEGIN { print 0.004 * {iterations} }'); rm " + busy,
      import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  machine.clocks = {1000, 1000, 1500};  // settled; before the first engine; behind it
  const std::string path = folder.file("journal");
  {
    Journal journal(path, JournalHeader{}, false);
    int good = 0;
    session.run(
        journal, [&](const RuntimeProgress& progress) { good += progress.block->problem.empty() ? 1 : 0; },
        [&] { return good == 4; });
  }
  EXPECT_TRUE(session.outcome().interrupted);
  const std::vector<Block> blocks = read_journal(path).blocks;
  ASSERT_EQ(blocks.size(), 5U);
  EXPECT_THAT(blocks.front().problem, HasSubstr("the CPU clock changed from 1000 to 1500 MHz"));
  EXPECT_EQ(blocks[4].name, blocks[0].name);
  EXPECT_EQ(blocks[4].attempt, 2);
  EXPECT_EQ(session.fit_set().measurements.size(), 4U);
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i].problem, "");
    EXPECT_NEAR(blocks[i].joules, 5 * 0.004, 0.3 * 5 * 0.004) << blocks[i].name;
    EXPECT_NEAR(blocks[i].idle_watts, 5, 0.1);
  }
}

}  // namespace
}  // namespace edgejoule::calibration
