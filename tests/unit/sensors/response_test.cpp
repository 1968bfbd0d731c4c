#include "edgejoule/sensors/response.h"

#include <gtest/gtest.h>

namespace edgejoule {
namespace {

PowerSample box() {
  PowerSample sample;
  sample.window_begin_ns = 1'000;
  sample.window_end_ns = 3'000;
  sample.cycle_ns = 4'000;
  return sample;
}

PowerSample filtered(std::uint16_t taps) {
  PowerSample sample = box();
  sample.response = ResponseKind::kExponential;
  sample.taps = taps;
  return sample;
}

constexpr std::int64_t kEver = 1'000'000'000;

TEST(Response, BoxWeighsItsWindowOnly) {
  EXPECT_DOUBLE_EQ(response_weight(box(), -kEver, kEver), 1.0);
  EXPECT_DOUBLE_EQ(response_weight(box(), 1'000, 2'000), 0.5);
  EXPECT_DOUBLE_EQ(response_weight(box(), 0, 1'000), 0.0);
  EXPECT_DOUBLE_EQ(response_weight(box(), 3'000, 9'000), 0.0);
  EXPECT_DOUBLE_EQ(response_weight(box(), 2'000, 2'000), 0.0);
  EXPECT_DOUBLE_EQ(response_weight(box(), 2'500, 2'000), 0.0);
  EXPECT_EQ(response_begin_ns(box(), 0.01), 1'000);
}

TEST(Response, AWindowOfNoWidthIsAnInstant) {
  PowerSample sample;
  sample.window_begin_ns = sample.window_end_ns = 5'000;
  EXPECT_DOUBLE_EQ(response_weight(sample, 4'000, 6'000), 1.0);
  EXPECT_DOUBLE_EQ(response_weight(sample, 6'000, 7'000), 0.0);
}

TEST(Response, FilterWeighsEachCycleByItsAge) {
  const PowerSample sample = filtered(4);
  EXPECT_DOUBLE_EQ(response_weight(sample, 1'000, 3'000), 0.25);
  EXPECT_DOUBLE_EQ(response_weight(sample, -3'000, -1'000), 0.25 * 0.75);
  EXPECT_DOUBLE_EQ(response_weight(sample, -7'000, -5'000), 0.25 * 0.75 * 0.75);
  EXPECT_DOUBLE_EQ(response_weight(sample, -1'000, 1'000), 0.0);  // between two windows nothing is seen
  EXPECT_DOUBLE_EQ(response_weight(sample, 0, 2'000), 0.125);
  EXPECT_NEAR(response_weight(sample, -kEver, 3'000), 1.0, 1e-12);
}

// The definition itself: feed a step through new = old + (x - old) / N and compare.
TEST(Response, AgreesWithTheFilterItDescribes) {
  for (const std::uint16_t taps : std::initializer_list<std::uint16_t>{4, 64, 512, 1024}) {
    const PowerSample sample = filtered(taps);
    for (const int back : {0, 1, 7, 300, 2'000}) {
      // A step of 1 that began `back` windows ago.
      double value = 0.0;
      for (int i = 0; i <= back; ++i) value += (1.0 - value) / taps;
      const std::int64_t begin = sample.window_begin_ns - std::int64_t{back} * sample.cycle_ns;
      EXPECT_NEAR(response_weight(sample, begin, kEver), value, 1e-9) << taps << " " << back;
    }
  }
}

TEST(Response, TailIsAsSmallAsAskedFor) {
  for (const std::uint16_t taps : std::initializer_list<std::uint16_t>{1, 4, 512, 1024}) {
    const PowerSample sample = filtered(taps);
    const std::int64_t begin = response_begin_ns(sample, 0.001);
    EXPECT_LE(response_weight(sample, -kEver, begin), 0.001 + 1e-12);
    if (taps > 1) {
      EXPECT_GT(response_weight(sample, -kEver, begin + 2 * sample.cycle_ns), 0.001);
    }
  }
}

}  // namespace
}  // namespace edgejoule
