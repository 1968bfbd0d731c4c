// Which engines a calibration through a command measures, keeps and repeats.
#include "calibration/runtime_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
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

// One rail of 5 W, 10 W while `busy` exists, 6 W once busy.warm does; what its clock is and when the rail is lost, the
// test says.
class OneRail final : public Machine {
 public:
  // The sensor gives the mean over so many looks, one every 2 ms or so.
  explicit OneRail(std::string busy, std::uint16_t averages = 1)
      : busy_(std::move(busy)), averages_(averages), last_ns_(monotonic_ns()) {
    facts_.board = "bench";
    facts_.last_level_bytes = 1U << 20U;
    facts_.memory_bytes = 64U << 20U;
    facts_.rails.push_back(
        {.label = "IN", .in_total = true, .chip = {}, .cycle_ns = 2'000'000U * averages, .averages = averages});
  }
  const MachineFacts& facts() const override { return facts_; }
  std::int64_t now_ns() override { return monotonic_ns(); }
  void prepare(const workloads::Workload&) override {}
  RunSpan run(std::uint64_t) override { return {}; }
  void prepare_network(std::span<const workloads::Workload>) override {}
  void idle(std::int64_t ns) override {
    const std::int64_t until_ns = monotonic_ns() + ns;
    while (monotonic_ns() < until_ns) {
      const double watts = std::filesystem::exists(busy_) ? 10 : std::filesystem::exists(busy_ + ".warm") ? 6 : 5;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const std::int64_t now_ns = monotonic_ns();
      joules_ += watts * seconds(now_ns - last_look_ns_);
      last_look_ns_ = now_ns;
      if (++looks_ < averages_ || lost) continue;
      PowerSample sample;
      sample.window_begin_ns = last_ns_;
      sample.window_end_ns = sample.t_mono_ns = now_ns;
      sample.power_uw = std::llround(1e6 * joules_ / seconds(now_ns - last_ns_));
      samples_.push_back(sample);
      last_ns_ = now_ns;
      looks_ = 0;
      joules_ = 0;
    }
  }
  std::vector<PowerSample> take_samples() override { return std::exchange(samples_, {}); }
  MachineState state() override {
    MachineState state;
    state.cpu_mhz = clocks.empty() ? 1000 : clocks.front();
    if (!clocks.empty()) clocks.pop_front();
    state.other_load = loads.empty() ? 0 : loads.front();
    if (!loads.empty()) loads.pop_front();
    return state;
  }
  std::optional<std::string> rail_problem() override {
    constexpr std::int64_t kPatienceNs = 3'000'000'000;  // an engine takes less
    if (monotonic_ns() - last_ns_ < kPatienceNs) return std::nullopt;
    return "the rail IN has not answered for 3 s; look at its cable";
  }

  std::deque<double> clocks;  // of the next calls; 1000 MHz after them
  std::deque<double> loads;   // likewise; none after them
  bool lost = false;

 private:
  std::string busy_;
  std::uint16_t averages_;
  std::int64_t last_ns_, last_look_ns_ = last_ns_;
  int looks_ = 0;
  double joules_ = 0;  // since the last sample
  MachineFacts facts_;
  std::vector<PowerSample> samples_;
};

RuntimeOptions options_of(OpKind kind, double budget_s) {
  RuntimeOptions options;
  options.budget_s = budget_s;
  options.kinds = {kind};
  return options;
}

// Busy for 4 ms an inference.
std::string busy_command(const std::string& busy) {
  return "touch " + busy + "; : {model}; sleep $(awk 'BEGIN { print 0.004 * {iterations} }'); rm " + busy;
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
  RuntimeCommand command(busy_command(busy), import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  machine.clocks = {1000, 1000, 1500};  // settled; before the first engine; behind it
  const std::string path = folder.file("journal");
  {
    Journal journal(path, JournalHeader{}, false);
    bool mended = false;
    session.run(
        journal,
        [&](const RuntimeProgress& progress) {
          mended = progress.block->attempt > 1 && progress.block->problem.empty();
        },
        [&] { return mended; });
  }
  EXPECT_TRUE(session.outcome().interrupted);
  const std::vector<Block> blocks = read_journal(path).blocks;
  ASSERT_GE(blocks.size(), 5U) << "three others come first";
  EXPECT_THAT(blocks.front().problem, HasSubstr("the CPU clock changed from 1000 to 1500 MHz"));
  EXPECT_EQ(blocks.back().name, blocks.front().name);
  std::size_t good = 0;
  for (const Block& block : blocks) {
    if (!block.problem.empty()) continue;
    ++good;
    // Watts: how long an inference takes on a busy processor is nobody's to say.
    EXPECT_NEAR(block.joules / block.seconds, 5, 0.3 * 5) << block.name;
    EXPECT_NEAR(block.idle_watts, 5, 0.1);
  }
  EXPECT_EQ(session.fit_set().measurements.size(), good);
}

TEST(RuntimeSession, AnEngineWhoseIdleDriftedIsMeasuredAgain) {
  const test::TemporaryFolder folder;
  const std::string busy = folder.file("busy");
  OneRail machine(busy);
  RuntimeCommand command(busy_command(busy) + "; test {iterations} -le 10 || touch " + busy + ".warm",
                         import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  Journal journal;
  std::vector<Block> blocks;
  session.run(
      journal, [&](const RuntimeProgress& progress) { blocks.push_back(*progress.block); },
      [&] { return !blocks.empty() && blocks.back().problem.empty(); });
  ASSERT_GE(blocks.size(), 2U);
  EXPECT_THAT(blocks.front().problem, HasSubstr("idle power drifted by "));
  EXPECT_EQ(blocks.back().problem, "") << "it stayed warm";
  EXPECT_EQ(session.outcome().failed, 0U);
}

TEST(RuntimeSession, OthersThatDoNotStopEndIt) {
  const test::TemporaryFolder folder;
  const std::string busy = folder.file("busy");
  RuntimeCommand command(busy_command(busy), import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeOptions options = options_of(OpKind::kRelu, 600);
  options.patience.most_in_a_row = 2;
  OneRail machine(busy);
  machine.loads = {0, 0, 0.9, 0, 0, 0, 0.9, 0, 1.1};  // settled; before and behind four engines
  RuntimeSession session(machine, machine.facts(), command, options);
  Journal journal;
  std::vector<Block> blocks;
  session.run(
      journal, [&](const RuntimeProgress& progress) { blocks.push_back(*progress.block); },
      [&] { return blocks.size() == 10; });
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].problem, "other programs kept 0.90 processors busy: end them");
  EXPECT_EQ(blocks[1].problem, "") << "one was no reason to end";
  EXPECT_EQ(session.outcome().fault,
            "2 engines in a row could not be measured, the last because other programs kept 1.10 processors busy: end "
            "them");
  EXPECT_EQ(session.outcome().failed, 0U) << "none was given up";
}

TEST(Patience, WaitsTwiceAsLongEachTime) {
  const Patience patience;
  EXPECT_EQ(patience.pause_ns(1), 0);
  EXPECT_EQ(patience.pause_ns(2), 1'000'000'000);
  EXPECT_EQ(patience.pause_ns(4), 4'000'000'000);
}

// The engine under way ends before the rail counts as lost; it must not pass for measured.
TEST(RuntimeSession, ARailLostHalfWayEndsItAndResumeGoesOn) {
  const test::TemporaryFolder folder;
  const std::string busy = folder.file("busy");
  const std::string path = folder.file("journal");
  RuntimeCommand command(busy_command(busy), import::ModelFormat::kTflite, folder.path() / "experiments");
  {
    OneRail machine(busy);
    RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
    Journal journal(path, JournalHeader{}, false);
    int shown = 0;
    session.run(
        journal, [&](const RuntimeProgress&) { machine.lost = ++shown == 2; }, [] { return false; });
    EXPECT_FALSE(session.outcome().complete);
    EXPECT_FALSE(session.outcome().interrupted);
    EXPECT_THAT(session.outcome().fault, HasSubstr("the rail IN has not answered"));
    EXPECT_EQ(session.outcome().failed, 0U) << "it is not the engine's fault";
    EXPECT_EQ(session.fit_set().measurements.size(), 2U);
  }
  const JournalContent kept = read_journal(path);
  ASSERT_EQ(kept.blocks.size(), 2U);
  for (const Block& block : kept.blocks) EXPECT_EQ(block.problem, "");

  std::filesystem::remove(busy);  // of a command that was ended in the middle
  OneRail machine(busy);
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  EXPECT_EQ(session.take_over(kept), 2U);
  Journal journal(path, JournalHeader{}, true);
  std::string next;
  session.run(
      journal, [&](const RuntimeProgress& progress) { next = progress.block->name; }, [&] { return !next.empty(); });
  EXPECT_EQ(session.fit_set().measurements.size(), 3U);
  EXPECT_NE(next, kept.blocks[0].name);
  EXPECT_NE(next, kept.blocks[1].name);
}

TEST(RuntimeSession, ARailLostWhileTheCommandRunsEndsTheCommand) {
  const test::TemporaryFolder folder;
  OneRail machine(folder.file("busy"));
  RuntimeCommand command("echo $$ >" + folder.file("pid") + "; : {model} {iterations}; sleep 300",
                         import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  machine.lost = true;
  Journal journal;
  session.run(
      journal, [](const RuntimeProgress&) {}, [] { return false; });
  EXPECT_THAT(session.outcome().fault, HasSubstr("the rail IN has not answered"));
  int pid = 0;
  std::ifstream(folder.file("pid")) >> pid;
  ASSERT_GT(pid, 0) << "it never ran";
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

// A short run lies within a few windows: its edges are known from when it ran, not from the samples.
TEST(RuntimeSession, ASensorThatAveragesShowsTheSameJoules) {
  const test::TemporaryFolder folder;
  const std::string busy = folder.file("busy");
  OneRail machine(busy, 8);
  RuntimeCommand command(busy_command(busy), import::ModelFormat::kTflite, folder.path() / "experiments");
  RuntimeSession session(machine, machine.facts(), command, options_of(OpKind::kRelu, 600));
  EXPECT_GT(session.least_seconds(), 3) << "as long as its windows ask for";
  Journal journal;
  Block block;
  session.run(
      journal, [&](const RuntimeProgress& progress) { block = *progress.block; }, [&] { return !block.name.empty(); });
  EXPECT_EQ(block.problem, "");
  EXPECT_NEAR(block.joules / block.seconds, 5, 0.3 * 5);
  EXPECT_NEAR(block.idle_watts, 5, 0.1);
  EXPECT_LT(block.joules_error, 0.1 * block.joules);
}

}  // namespace
}  // namespace edgejoule::calibration
