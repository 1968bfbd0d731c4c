// The arithmetic that small machines do in software, against the processor's own.
#include "work.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace edgejoule {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(PortableFloat, RoundsAsAConversionDoes) {
  const auto check = [](std::uint64_t value) { ASSERT_EQ(portable_float(value), static_cast<float>(value)) << value; };
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (std::uint64_t near = 0; near < 4; ++near) {
      check(power - near);
      check(power + near);
      // Halfway between two floats, and one to either side.
      const std::uint64_t half = bit >= 24 ? power >> 24U : 0;
      for (const std::uint64_t odd : {std::uint64_t{0}, half * 2}) {
        check(power + odd + half - 1);
        check(power + odd + half);
        check(power + odd + half + 1);
      }
    }
  }
  check(kMax);
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 200000; ++trial) check(random() >> (random() % 64));
}

TEST(PortableQuotient, DividesAsTheProcessorDoes) {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 50000; ++trial) {
    const std::uint64_t dividend = random() >> (random() % 64);
    const std::uint64_t divisor = (random() >> (random() % 64)) | 1U;
    ASSERT_EQ(portable_quotient(dividend, divisor), dividend / divisor) << dividend << " / " << divisor;
  }
  EXPECT_EQ(portable_quotient(kMax, kMax), 1U);
  EXPECT_EQ(portable_quotient(kMax, kMax - 1), 1U);
  EXPECT_EQ(portable_quotient(kMax, 1), kMax);
  EXPECT_EQ(portable_quotient(0, kMax), 0U);
}

}  // namespace
}  // namespace edgejoule
