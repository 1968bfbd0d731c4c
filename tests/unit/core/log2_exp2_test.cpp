#include "log2_exp2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace edgejoule {
namespace {

TEST(Log2, StaysWithinItsStatedError) {
  double worst = 0.0;
  for (double x = 1.2e-38; x < 3.4e38; x *= 1.00013) {
    const auto rounded = static_cast<float>(x);
    const double exact = std::log2(static_cast<double>(rounded));
    worst = std::max(worst, std::abs(static_cast<double>(log2_of(rounded)) - exact) / std::max(1.0, std::abs(exact)));
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 2e-7);
  for (int exponent = -126; exponent < 128; ++exponent) {
    EXPECT_EQ(log2_of(std::ldexp(1.0F, exponent)), static_cast<float>(exponent));
  }
}

TEST(Exp2, StaysWithinItsStatedError) {
  double worst = 0.0;
  for (double x = -125.9; x < 127.99; x += 0.00037) {
    const auto rounded = static_cast<float>(x);
    const double exact = std::exp2(static_cast<double>(rounded));
    worst = std::max(worst, std::abs(static_cast<double>(exp2_of(rounded)) - exact) / exact);
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 5e-7);
  for (int exponent = -126; exponent < 128; ++exponent) {
    EXPECT_EQ(exp2_of(static_cast<float>(exponent)), std::ldexp(1.0F, exponent));
  }
  EXPECT_EQ(exp2_of(-200.0F), 0.0F);
  EXPECT_EQ(exp2_of(-std::numeric_limits<float>::infinity()), 0.0F);
}

}  // namespace
}  // namespace edgejoule
