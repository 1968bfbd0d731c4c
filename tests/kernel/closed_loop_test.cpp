// The loop closed through the kernel: boards with hidden laws, whose rails are read through the kernel's own ina3221
// driver or i2c-dev, are calibrated in the guest's real time, and the table is scored against the truth.
//
// Seeds are drawn when the test runs, and printed; EDGEJOULE_SEED repeats one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "calibration/emulated_work.h"
#include "calibration/journal.h"
#include "calibration/real_board.h"
#include "calibration/session.h"
#include "capture/discovery.h"
#include "capture/raw_chip.h"
#include "support/bound_driver.h"
#include "support/closed_loop.h"
#include "support/drawn_seed.h"
#include "support/files.h"
#include "support/played_board.h"

namespace edgejoule::kernel_tier {
namespace {

using test::HiddenBoard;
using test::Score;
using ::testing::HasSubstr;

// A real board to everybody who reads its rails; what runs on it is played.
class PlayedMachine final : public calibration::RealBoard {
 public:
  PlayedMachine(PlayedBoard& board, const capture::Discovery& found, const calibration::EmulationOptions& options)
      : RealBoard(found, recording(), ""), board_(board), work_(board.law(), options) {
    work_.describe(facts_);
  }

  void prepare(const workloads::Workload& workload) override { work_.prepare(workload); }
  void prepare_network(std::span<const workloads::Workload> ops) override { work_.prepare_network(ops); }
  calibration::RunSpan run(std::uint64_t executions) override {
    calibration::RunSpan span;
    span.executions = executions;
    span.begin_ns = now_ns();
    board_.run([&](emulated_board::LiveBoard& board) { work_.run(board, executions); });
    span.end_ns = now_ns();
    return span;
  }
  [[nodiscard]] std::optional<Truth> truth() const override { return work_.truth(); }

 private:
  static capture::RecorderOptions recording() {
    capture::RecorderOptions options;
    options.keep_samples = true;
    return options;
  }

  PlayedBoard& board_;
  calibration::EmulatedWork work_;
};

// How the INA3221 is read: through the files of its driver, as on a Jetson, or its registers through i2c-dev.
struct Reading {
  bool by_driver = true;
  std::uint16_t conversion_us = 1100;  // as after reset; six of them are a cycle
};

// Readings are what costs the host time: with these there is a quarter of them.
constexpr std::uint16_t kLongConversionUs = 4156;

// From the chip on the bus to a machine that a session can calibrate.
class Bench {
 public:
  Bench(const HiddenBoard& hidden, std::uint64_t seed, const Reading& reading)
      : board_(test::hidden_law(hidden, seed), seed) {
    capture::DiscoveryOptions options;
    options.board = "jetson-orin-nano-nx";
    if (reading.by_driver) {
      driver_.emplace(board_.adapter(), "ina3221", 0x40);
      // A device tree would have said so.
      for (const char* file : {"shunt1_resistor", "shunt2_resistor", "shunt3_resistor"}) {
        set(file, hidden.shunt_uohm);
      }
      set("update_interval", (6 * reading.conversion_us + 500) / 1000);
    } else {
      capture::RawChip& chip = options.raw_chips.emplace_back();
      chip.i2c_bus = board_.adapter();
      chip.chip = ChipId::kIna3221;
      chip.chip_named = true;
      chip.settings.channel_mask = 0x7;
      chip.settings.shunt_time_us = chip.settings.bus_time_us = reading.conversion_us;
      // The shunts and the names of the rails are what the board file knows.
    }
    found_ = capture::discover(options);
    machine_ = std::make_unique<PlayedMachine>(board_, found_,
                                               calibration::EmulationOptions{seed, hidden.engine, hidden.point});
  }

  [[nodiscard]] PlayedMachine& machine() { return *machine_; }
  [[nodiscard]] const capture::Discovery& found() const { return found_; }
  [[nodiscard]] const BoundDriver& driver() const { return *driver_; }

  [[nodiscard]] calibration::Session session(double budget_s, std::uint64_t seed) {
    calibration::SessionOptions options;
    options.budget_s = budget_s;
    options.threads = machine_->facts().cores;
    options.protocol.seed = seed;
    return {*machine_, calibration::candidates_of(machine_->facts(), options.threads, options.budget_s),
            test::unseen_networks(options.threads), options};
  }

 private:
  void set(const std::string& file, int value) const {
    if (const int error = write_file(driver_->hwmon() + file, std::to_string(value)); error != 0) {
      throw std::runtime_error(file + ": " + std::strerror(error));
    }
  }

  PlayedBoard board_;
  std::optional<BoundDriver> driver_;
  capture::Discovery found_;
  std::unique_ptr<PlayedMachine> machine_;
};

Score score_of(const HiddenBoard& hidden, const Reading& reading) {
  const std::uint64_t seed = test::drawn_seed();
  Bench bench(hidden, seed, reading);
  EXPECT_EQ(bench.machine().facts().rails.size(), 3U);
  EXPECT_TRUE(bench.found().has_total);
  calibration::Session session = bench.session(300, seed);
  calibration::Journal nowhere;
  const std::int64_t begin_ns = bench.machine().now_ns();
  session.run(
      nowhere, [](const calibration::Progress&) {}, [] { return false; });
  EXPECT_TRUE(session.outcome().complete) << session.outcome().fault;
  EXPECT_LT(static_cast<double>(bench.machine().now_ns() - begin_ns) * 1e-9, 330) << "five minutes, and settling";
  const Score score = test::score(bench.machine(), session);
  test::print(hidden, seed, score);
  return score;
}

TEST(ClosedLoopInGuest, ABoardThatATableCanExpress) {
  const Score score = score_of({"plain", ""}, {true, kLongConversionUs});
  EXPECT_LT(score.blocks, 0.02);
  EXPECT_LT(score.shapes, 0.05);  // three seeds: 0.6 to 1.9 %, of some forty shapes
  EXPECT_LT(score.networks, 0.03);
  EXPECT_GT(score.inside, 0.80);
  EXPECT_GT(score.naive, 3 * score.shapes);
}

TEST(ClosedLoopInGuest, BoardsThatSwitchAlgorithmsAndOverflowCaches) {
  double inside = 0;
  int boards = 0;
  for (const auto& [board, reading] :
       {std::pair{HiddenBoard{"everything", "switches cache overlap residency texture"}, Reading{}},
        std::pair{HiddenBoard{"memory-bound, i2c-dev", "cache residency texture"},
                  Reading{false, kLongConversionUs}}}) {
    const Score score = score_of(board, reading);
    EXPECT_LT(score.blocks, 0.02) << board.name;
    EXPECT_LT(score.shapes, 0.08) << board.name;
    EXPECT_LT(score.networks, 0.08) << board.name;
    inside += score.inside;
    ++boards;
  }
  EXPECT_GT(inside / boards, 0.80);
}

TEST(ClosedLoopInGuest, ADriverThatIsUnboundHalfWayEndsItAndLosesNothing) {
  const std::uint64_t seed = test::drawn_seed();
  Bench bench({"driver unbound", ""}, seed, {});
  calibration::Session session = bench.session(60, seed);
  const std::string path = "/tmp/half_way.journal";
  std::filesystem::remove(path);
  calibration::Journal journal(path, {}, false);
  session.run(
      journal,
      [&](const calibration::Progress& progress) {
        if (progress.block != nullptr && progress.done == 12) bench.driver().unbind();
      },
      [] { return false; });
  EXPECT_FALSE(session.outcome().complete);
  EXPECT_THAT(session.outcome().fault, HasSubstr("the rail VDD_IN has not answered"));
  // The block under way may have ended before anybody could know that the rail is gone: it is not called good.
  ASSERT_GE(session.measured().size(), 12U);
  for (std::size_t i = 0; i < session.measured().size(); ++i) {
    EXPECT_EQ(session.measured()[i].block.problem.empty(), i < 12) << i;
  }
  EXPECT_EQ(calibration::read_journal(path).blocks.size(), session.measured().size());
}

}  // namespace
}  // namespace edgejoule::kernel_tier
