// Alignment against a truth that is known: power steps, seen through each kind of sensor response.
#include "align/align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "edgejoule/sensors/response.h"

namespace edgejoule::align {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kCycleNs = 6'600'000;
constexpr std::int64_t kWindowNs = 1'100'000;

// The sample that a perfect sensor of this response would give of `spans`, what came before drawing the first's watts.
PowerSample sample_of(const std::vector<ActivitySpan>& spans, const std::vector<double>& watts, std::int64_t end_ns,
                      std::uint16_t taps) {
  PowerSample sample;
  sample.window_end_ns = sample.t_mono_ns = end_ns;
  sample.window_begin_ns = end_ns - kWindowNs;
  sample.cycle_ns = kCycleNs;
  sample.taps = taps;
  sample.response = taps > 1 ? ResponseKind::kExponential : ResponseKind::kBox;
  double value = 0, seen = 0;
  for (const ActivitySpan& span : spans) {
    const double weight = response_weight(sample, span.begin_ns, span.end_ns);
    value += weight * watts[span.activity];
    seen += weight;
  }
  value += (1 - seen) * watts[spans.front().activity];
  sample.power_uw = std::llround(value * 1e6);
  return sample;
}

struct Scene {
  std::vector<ActivitySpan> spans;
  std::vector<PowerSample> samples;
};

// idle, a run, idle; `noise_w` is what each sample is off by.
Scene idle_run_idle(std::uint16_t taps, std::int64_t run_ns, double noise_w, double quantum_w, unsigned seed) {
  Scene scene;
  const std::int64_t idle_ns = 400 * kMillisecond;
  scene.spans = {{0, idle_ns, 0}, {idle_ns, idle_ns + run_ns, 1}, {idle_ns + run_ns, 2 * idle_ns + run_ns, 2}};
  const std::vector<double> watts{2.0, 5.0, 2.1};
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0.0, noise_w);
  for (std::int64_t t = kCycleNs; t <= 2 * idle_ns + run_ns; t += kCycleNs) {
    PowerSample sample = sample_of(scene.spans, watts, t, taps);
    double value = static_cast<double>(sample.power_uw) * 1e-6 + (noise_w > 0 ? noise(random) : 0);
    if (quantum_w > 0) value = std::nearbyint(value / quantum_w) * quantum_w;
    sample.power_uw = std::llround(value * 1e6);
    scene.samples.push_back(sample);
  }
  return scene;
}

TEST(Align, FindsThePowerOfEachActivityThroughABox) {
  const Scene scene = idle_run_idle(1, 500 * kMillisecond, 0, 0, 1);
  const Alignment result = align(scene.samples, scene.spans, 3);
  EXPECT_NEAR(result.activities[0].watts, 2.0, 1e-5);
  EXPECT_NEAR(result.activities[1].watts, 5.0, 1e-5);
  EXPECT_NEAR(result.activities[2].watts, 2.1, 1e-5);
  EXPECT_NEAR(result.activities[1].joules(), 2.5, 1e-5);
  EXPECT_NEAR(result.conservation, 0, 0.01);
  EXPECT_NEAR(result.covered, 1.1 / 6.6, 0.01);
}

TEST(Align, UndoesARunningFilterThatForgetsSlowly) {
  // 512 averages remember 3.4 s; the run lasts 2.4 s, so no sample ever shows its power.
  for (const std::uint16_t taps : {std::uint16_t{16}, std::uint16_t{512}}) {
    const Scene scene = idle_run_idle(taps, 2'400 * kMillisecond, 0, 0, 1);
    const Alignment result = align(scene.samples, scene.spans, 3);
    EXPECT_NEAR(result.activities[1].watts, 5.0, 0.002) << taps;
    EXPECT_NEAR(result.activities[2].watts, 2.1, 0.01) << taps;
  }
}

TEST(Align, SolvesForWhatIsShorterThanAConversionByRegressionAndNotByTime) {
  // Two ops of 0.9 and 0.5 ms in turn, with pauses that drift through the sensor's phase.
  std::vector<ActivitySpan> spans;
  std::mt19937 random(7);
  std::int64_t t = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto pause = static_cast<std::int64_t>(random() % 1'500'000);
    for (const auto& [length, what] : {std::pair{pause, std::size_t{0}},
                                       {std::int64_t{900'000}, std::size_t{1}},
                                       {std::int64_t{500'000}, std::size_t{2}}}) {
      if (length > 0) spans.push_back({t, t + length, what});
      t += length;
    }
  }
  const std::vector<double> watts{1.0, 3.0, 9.0};
  std::vector<PowerSample> samples;
  std::normal_distribution<double> noise(0.0, 0.03);
  for (std::int64_t end = kCycleNs; end <= t; end += kCycleNs) {
    samples.push_back(sample_of(spans, watts, end, 1));
    samples.back().power_uw += std::llround(1e6 * noise(random));
  }
  const Alignment result = align(samples, spans, 3);
  EXPECT_NEAR(result.activities[1].watts, 3.0, 0.1);
  EXPECT_NEAR(result.activities[2].watts, 9.0, 0.1);
  EXPECT_LT(result.activities[2].standard_error, 0.05);
  EXPECT_NEAR(result.conservation, 0, 0.02);
}

TEST(Align, StandardErrorsAreThoseOfManyRepetitions) {
  double squares = 0, stated = 0;
  constexpr int kTimes = 60;
  for (unsigned seed = 1; seed <= kTimes; ++seed) {
    const Scene scene = idle_run_idle(1, 500 * kMillisecond, 0.06, 0.04, seed);
    const Alignment result = align(scene.samples, scene.spans, 3, {.quantum_watts = 0.04});
    squares += std::pow(result.activities[1].watts - 5.0, 2);
    stated += result.activities[1].standard_error;
  }
  const double real = std::sqrt(squares / kTimes);
  EXPECT_GT(stated / kTimes, 0.75 * real);
  EXPECT_LT(stated / kTimes, 1.5 * real);
}

TEST(Align, SaysWhatNoSampleSaw) {
  Scene scene = idle_run_idle(1, 500 * kMillisecond, 0, 0, 1);
  scene.spans.push_back({scene.spans.back().end_ns, scene.spans.back().end_ns + kMillisecond, 3});
  const Alignment result = align(scene.samples, scene.spans, 4);
  EXPECT_TRUE(std::isinf(result.activities[3].standard_error));
  EXPECT_NEAR(result.activities[1].watts, 5.0, 1e-5);
}

TEST(Align, LeavesOutClippedSamplesAndWhatSpansDoNotCover) {
  Scene scene = idle_run_idle(1, 500 * kMillisecond, 0, 0, 1);
  for (std::size_t i = 70; i < 80; ++i) {
    scene.samples[i].set(SampleFlag::kClipped);
    scene.samples[i].power_uw = 100'000'000;
  }
  const std::vector<ActivitySpan> only_the_run{scene.spans[1]};
  const Alignment all = align(scene.samples, scene.spans, 3);
  EXPECT_EQ(all.left_out, 10U);
  EXPECT_NEAR(all.activities[1].watts, 5.0, 1e-5);
  const std::vector<ActivitySpan> with_a_hole{scene.spans[0], scene.spans[2]};
  const Alignment holed = align(scene.samples, with_a_hole, 3);
  EXPECT_NEAR(holed.activities[0].watts, 2.0, 1e-5);
  EXPECT_NEAR(holed.activities[2].watts, 2.1, 1e-5);
}

}  // namespace
}  // namespace edgejoule::align
