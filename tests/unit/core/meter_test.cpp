// A board with a hidden gain and static power, seen through sensors of several kinds.
#include "edgejoule/core/meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace edgejoule::test {
namespace {

constexpr std::int64_t kMs = 1000000;

struct Truth {
  double gain = 1.3;
  double static_watts = 2.0;
};

// Inferences of 30 ms at 8 predicted watts, pauses of a length that changes: predicted
// dynamic joules as a function of time.
class Board {
 public:
  explicit Board(Truth truth, unsigned seed = 11) : truth_(truth), random_(seed) {}

  [[nodiscard]] double predicted_joules(std::int64_t until_ns) const {
    double joules = 0;
    for (const Run& run : runs_) {
      const double share =
          std::clamp(static_cast<double>(until_ns - run.begin) / static_cast<double>(run.end - run.begin), 0.0, 1.0);
      joules += run.joules * share;
    }
    return joules;
  }
  [[nodiscard]] double watts(std::int64_t begin, std::int64_t end) const {
    return truth_.gain * (predicted_joules(end) - predicted_joules(begin)) / (static_cast<double>(end - begin) * 1e-9) +
           truth_.static_watts;
  }

  // One inference, reported when it ends; returns the time after its pause.
  std::int64_t run(Meter& meter) {
    std::uniform_int_distribution<std::int64_t> pause(0, 60 * kMs);
    const Run run{now_, now_ + 30 * kMs, 0.24};
    runs_.push_back(run);
    if (runs_.size() > 64) runs_.erase(runs_.begin(), runs_.begin() + 16);
    EXPECT_TRUE(meter.add_work(run.begin, run.end, Joules(0.24F)).ok());
    now_ = run.end + pause(random_);
    meter.idle_until(now_);
    return now_;
  }
  void set(Truth truth) { truth_ = truth; }

 private:
  struct Run {
    std::int64_t begin, end;
    double joules;
  };
  Truth truth_;
  std::mt19937 random_;
  std::vector<Run> runs_;
  std::int64_t now_ = 0;
};

PowerSample box(std::int64_t begin, std::int64_t end, double watts) {
  PowerSample sample;
  sample.window_begin_ns = begin;
  sample.window_end_ns = sample.t_mono_ns = end;
  sample.cycle_ns = static_cast<std::uint32_t>(end - begin);
  sample.power_uw = std::llround(watts * 1e6);
  return sample;
}

Meter started(const MeterOptions& options = {}) {
  Meter meter;
  EXPECT_TRUE(meter.start(options).ok());
  return meter;
}

using Change = std::function<void(PowerSample&)>;

// Boxes of 7 ms with a little noise and a quantum of 40 mW.
void run_boxes(
    Board& board, Meter& meter, std::int64_t& at, int inferences, const Change& change = [](PowerSample&) {}) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 0.03);
  for (int i = 0; i < inferences; ++i) {
    const std::int64_t until = board.run(meter);
    for (; at + 7 * kMs <= until; at += 7 * kMs) {
      const double watts = board.watts(at, at + 7 * kMs) + noise(random);
      PowerSample sample = box(at, at + 7 * kMs, std::round(watts / 0.04) * 0.04);
      change(sample);
      (void)meter.add_sample(sample);
    }
  }
}

TEST(Meter, FindsGainAndStaticPower) {
  Board board({1.3, 2.0});
  Meter meter = started();
  std::int64_t at = 0;
  run_boxes(board, meter, at, 200);
  const MeterReading reading = meter.read();
  EXPECT_NEAR(reading.gain, 1.3F, 0.03F);
  EXPECT_NEAR(reading.static_power.value(), 2.0F, 0.06F);
  EXPECT_LT(reading.gain_sigma, 0.1F);
  EXPECT_NEAR(reading.per_inference.value(), 1.3F * 0.24F + 2.0F * 0.030F, 0.01F);
  EXPECT_EQ(reading.inferences, 200U);
  EXPECT_FALSE(reading.stuck);
}

TEST(Meter, CountsTheJoulesOfTheRailSinceTheMark) {
  Board board({1.3, 2.0});
  Meter meter = started();
  std::int64_t at = 0;
  run_boxes(board, meter, at, 20);
  meter.mark();
  EXPECT_EQ(meter.read().since_mark.value(), 0.0F);
  EXPECT_LT(meter.read().per_inference.value(), 0.0F) << "none since the mark";
  const std::int64_t from = at;
  const double before = board.predicted_joules(at);
  run_boxes(board, meter, at, 20);
  const double truth = 1.3 * (board.predicted_joules(at) - before) + 2.0 * static_cast<double>(at - from) * 1e-9;
  EXPECT_NEAR(meter.read().since_mark.value() / truth, 1.0, 0.01);
  EXPECT_EQ(meter.read().bridged.value(), 0.0F);
}

// The INA3221's running filter: at 64 averages of 1.1 ms it lags by 70 ms.
TEST(Meter, SeesWorkThroughAnExponentialFilter) {
  Board board({0.7, 3.5});
  Meter meter = started();
  std::int64_t at = 0;
  double output = 3.5;
  std::uint32_t number = 0;
  constexpr std::int64_t kCycle = 3 * kMs;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t until = board.run(meter);
    for (; at + kCycle <= until; at += kCycle, ++number) {
      output += (board.watts(at, at + kCycle) - output) / 16;
      if (number % 3 == 1) continue;  // read late: a conversion is lost
      PowerSample sample = box(at, at + kCycle, std::round(output / 0.008) * 0.008);
      sample.response = ResponseKind::kExponential;
      sample.taps = 16;
      sample.sequence = number;
      ASSERT_TRUE(meter.add_sample(sample).ok());
    }
  }
  EXPECT_NEAR(meter.read().gain, 0.7F, 0.03F);
  EXPECT_NEAR(meter.read().static_power.value(), 3.5F, 0.1F);
}

TEST(Meter, FollowsAChangeAndForgets) {
  Board board({1.0, 2.0});
  MeterOptions options;
  options.memory = Seconds(3.0F);
  Meter meter = started(options);
  std::int64_t at = 0;
  run_boxes(board, meter, at, 200);
  EXPECT_NEAR(meter.read().gain, 1.0F, 0.05F);
  board.set({1.5, 1.0});  // another power mode
  run_boxes(board, meter, at, 300);
  EXPECT_NEAR(meter.read().gain, 1.5F, 0.06F);
  EXPECT_NEAR(meter.read().static_power.value(), 1.0F, 0.1F);
}

TEST(Meter, DoesNotLearnFromAStuckSensor) {
  Board board({1.3, 2.0});
  Meter meter = started();
  std::int64_t at = 0;
  run_boxes(board, meter, at, 200);
  run_boxes(board, meter, at, 300, [](PowerSample& sample) { sample.power_uw = 5000000; });
  EXPECT_TRUE(meter.read().stuck);
  EXPECT_NEAR(meter.read().gain, 1.3F, 0.1F);
  run_boxes(board, meter, at, 5);
  EXPECT_FALSE(meter.read().stuck) << "it moves again";
}

TEST(Meter, DoesNotLearnFromWhatItCannotKnow) {
  for (const Change& change : {Change([](PowerSample& s) { s.set(SampleFlag::kClipped), s.power_uw = 26000000; }),
                               Change([](PowerSample& s) { s.response = ResponseKind::kUnknown, s.power_uw *= 2; })}) {
    Board board({1.3, 2.0});
    Meter meter = started();
    std::int64_t at = 0;
    run_boxes(board, meter, at, 100);
    const MeterReading before = meter.read();
    run_boxes(board, meter, at, 50, change);
    EXPECT_EQ(meter.read().gain, before.gain);
    EXPECT_EQ(meter.read().learned, before.learned);
    EXPECT_GT(meter.read().not_learned, before.not_learned);
    EXPECT_GT(meter.read().since_mark.value(), before.since_mark.value()) << "joules count all the same";
  }
}

// Another program bursts for a while: a few large surprises count as six usual ones.
TEST(Meter, ABurstOfAnotherProgramMovesItLittle) {
  Board board({1.3, 2.0});
  Meter meter = started();
  std::int64_t at = 0;
  run_boxes(board, meter, at, 200);
  int burst = 0;
  run_boxes(board, meter, at, 3, [&](PowerSample& sample) {
    if (burst++ < 3) sample.power_uw += 60000000;
  });
  EXPECT_NEAR(meter.read().gain, 1.3F, 0.15F);
}

TEST(Meter, BridgesWhereSamplesAreMissing) {
  Board board({1.3, 2.0});
  Meter meter = started();
  std::int64_t at = 0;
  run_boxes(board, meter, at, 100);
  meter.mark();
  const std::int64_t from = at;
  const double before = board.predicted_joules(at);
  for (int i = 0; i < 3; ++i) at = board.run(meter);  // nobody samples
  const std::int64_t last = at;
  run_boxes(board, meter, at, 3);
  const double truth = 1.3 * (board.predicted_joules(at) - before) + 2.0 * static_cast<double>(at - from) * 1e-9;
  EXPECT_NEAR(meter.read().since_mark.value() / truth, 1.0, 0.03);
  EXPECT_GT(meter.read().bridged.value(), 1.9F * static_cast<float>(last - from) * 1e-9F);
}

TEST(Meter, SamplesWaitForTheWorkInTheirWindow) {
  Meter meter = started();
  meter.idle_until(0);
  EXPECT_EQ(*meter.add_sample(box(0, 10 * kMs, 3.0)), MeterUse::kWaiting);
  EXPECT_EQ(meter.read().learned, 0U);
  ASSERT_TRUE(meter.add_work(0, 20 * kMs, Joules(0.1F)).ok());
  EXPECT_EQ(meter.read().learned, 1U);
  EXPECT_EQ(*meter.add_sample(box(10 * kMs, 20 * kMs, 3.0)), MeterUse::kLearned);
  for (int i = 2; i < 14; ++i) (void)meter.add_sample(box(i * 10 * kMs, (i + 1) * 10 * kMs, 3.0));
  EXPECT_EQ(meter.read().not_learned, 4U) << "eight can wait, the oldest go";
}

TEST(Meter, RefusesWhatMakesNoSense) {
  MeterOptions options;
  options.memory = Seconds(0.0F);
  EXPECT_EQ(Meter().start(options).error(), Error::kInvalidArgument);
  options = {};
  options.static_power = Watts(NAN);
  EXPECT_EQ(Meter().start(options).error(), Error::kInvalidArgument);
  Meter meter = started();
  ASSERT_TRUE(meter.add_work(0, 10, Joules(1.0F)).ok());
  EXPECT_EQ(meter.add_work(5, 20, Joules(1.0F)).error(), Error::kInvalidArgument);
  EXPECT_EQ(meter.add_work(30, 30, Joules(1.0F)).error(), Error::kInvalidArgument);
  EXPECT_EQ(meter.add_work(30, 40, Joules(-1.0F)).error(), Error::kInvalidArgument);
  ASSERT_TRUE(meter.add_sample(box(0, 10 * kMs, 1.0)).ok());
  EXPECT_EQ(meter.add_sample(box(0, 10 * kMs, 1.0)).error(), Error::kInvalidArgument) << "twice";
  PowerSample sample = box(10 * kMs, 20 * kMs, 1.0);
  sample.set(SampleFlag::kCounterReset);
  EXPECT_EQ(meter.add_sample(sample).error(), Error::kNoData);
  sample = box(10 * kMs, 20 * kMs, 1.0);
  sample.cycle_ns = 0;
  EXPECT_EQ(meter.add_sample(sample).error(), Error::kInvalidArgument);
}

}  // namespace
}  // namespace edgejoule::test
