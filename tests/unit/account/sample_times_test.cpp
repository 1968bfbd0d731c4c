// When a sensor really converted, from conversions whose ends were only seen go by.
#include "account/sample_times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "edgejoule/sensors/response.h"

namespace edgejoule::account {
namespace {

constexpr std::int64_t kCycleNs = 6'613'000;  // of the chip's own oscillator
constexpr std::int64_t kWindowNs = 1'100'000;

// Each end is noticed up to `late_ns` after it.
std::vector<PowerSample> polled(std::size_t count, std::int64_t late_ns, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int64_t> late(0, late_ns);
  std::vector<PowerSample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    PowerSample& sample = samples[i];
    sample.sequence = static_cast<std::uint32_t>(i);
    sample.window_end_ns = static_cast<std::int64_t>(i + 1) * kCycleNs + late(random);
    sample.window_begin_ns = sample.window_end_ns - kWindowNs;
    sample.cycle_ns = kCycleNs;
    sample.set(SampleFlag::kWindowEstimated);
  }
  return samples;
}

// Of the distance between neighbours from the oscillator's cycle.
double worst_step(const std::vector<PowerSample>& samples) {
  double worst = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const auto cycles = static_cast<std::int64_t>(samples[i].sequence - samples[i - 1].sequence);
    const std::int64_t apart = samples[i].window_end_ns - samples[i - 1].window_end_ns - cycles * kCycleNs;
    worst = std::max(worst, std::abs(static_cast<double>(apart)));
  }
  return worst;
}

TEST(Straighten, FindsTheOscillatorBehindPolling) {
  std::vector<PowerSample> samples = polled(1000, 500'000);
  EXPECT_GT(worst_step(samples), 300'000);
  samples.erase(samples.begin() + 400, samples.begin() + 430);  // lost conversions leave a hole in the numbers
  straighten(samples);
  EXPECT_LT(worst_step(samples), 2'000);
  for (const PowerSample& sample : samples) {
    EXPECT_EQ(sample.window_end_ns - sample.window_begin_ns, kWindowNs);
    const std::int64_t truth = static_cast<std::int64_t>(sample.sequence + 1) * kCycleNs;
    EXPECT_NEAR(static_cast<double>(sample.window_end_ns - truth), 250'000, 40'000) << "late by half of the most";
  }
}

TEST(Straighten, LeavesSignalledEndsAlone) {
  std::vector<PowerSample> samples = polled(100, 500'000);
  for (PowerSample& sample : samples) sample.flags = 0;
  const std::vector<PowerSample> before = samples;
  straighten(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(samples[i].window_end_ns, before[i].window_end_ns);
}

TEST(Straighten, DoesNotTrustNumbersThatSkippedAConversion) {
  std::vector<PowerSample> samples = polled(100, 100'000);
  for (std::size_t i = 50; i < samples.size(); ++i) samples[i].sequence += 3;
  const std::vector<PowerSample> before = samples;
  straighten(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(samples[i].window_end_ns, before[i].window_end_ns);
}

struct Scene {
  std::vector<align::ActivitySpan> spans;
  std::vector<PowerSample> samples;
};

// Two activities by turns; the windows of the samples stand `late_ns` behind what they saw.
Scene by_turns(double watts_a, double watts_b, std::int64_t late_ns) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0.0, 0.02);
  Scene scene;
  scene.samples = polled(600, 0);
  const std::int64_t end_ns = scene.samples.back().window_end_ns + 10 * kCycleNs;
  std::int64_t at_ns = 0;
  for (std::size_t turn = 0; at_ns < end_ns; ++turn) {
    const std::int64_t next_ns = at_ns + 2'000'000 + static_cast<std::int64_t>(random() % 3'000'000);
    scene.spans.push_back({at_ns, next_ns, turn % 2});
    at_ns = next_ns;
  }
  for (PowerSample& sample : scene.samples) {
    double watts = 0;
    for (const align::ActivitySpan& span : scene.spans) {
      watts += response_weight(sample, span.begin_ns, span.end_ns) * (span.activity == 0 ? watts_a : watts_b);
    }
    sample.power_uw = std::llround((watts + noise(random)) * 1e6);
  }
  delay(scene.samples, late_ns);
  return scene;
}

TEST(FindDelay, IsTheOneThatExplainsTheSamples) {
  for (const std::int64_t late_ns : {-300'000, 150'000, 400'000}) {
    const Scene scene = by_turns(2, 6, late_ns);
    const SampleDelay found = find_delay(scene.samples, scene.spans, 2, {});
    EXPECT_TRUE(found.is_certain) << late_ns;
    EXPECT_NEAR(static_cast<double>(found.ns), static_cast<double>(-late_ns), 25'000);
  }
}

TEST(FindDelay, IsNoneWherePowerTellsNothing) {
  const Scene scene = by_turns(3, 3, 400'000);
  const SampleDelay found = find_delay(scene.samples, scene.spans, 2, {});
  EXPECT_FALSE(found.is_certain);
  EXPECT_EQ(found.ns, 0);
}

TEST(FindDelay, IsNoneWhereEndsWereSignalled) {
  Scene scene = by_turns(2, 6, 400'000);
  for (PowerSample& sample : scene.samples) sample.flags = 0;
  EXPECT_EQ(find_delay(scene.samples, scene.spans, 2, {}).ns, 0);
}

}  // namespace
}  // namespace edgejoule::account
