#include "fit/coverage.h"

#include <gtest/gtest.h>

namespace edgejoule::fit {
namespace {

TEST(Coverage, CountsWidthAndMisses) {
  // Group 0: inside, inside; group 1: inside, 0.5 above.
  const std::vector<Checked> rows = {{-1, 1, 0.5, 1, 0}, {-1, 1, -1, 1, 0}, {-1, 1, 1, 1, 1}, {-1, 1, 1.5, 1, 1}};
  const Coverage coverage = coverage_of(rows, 0.9);
  EXPECT_DOUBLE_EQ(coverage.share, 0.75);
  EXPECT_DOUBLE_EQ(coverage.worst_group, 0.5);
  EXPECT_DOUBLE_EQ(coverage.mean_width, 2);
  EXPECT_NEAR(coverage.score, 2 + 0.25 * 2 / 0.1 * 0.5, 1e-12);
  EXPECT_EQ(coverage.groups, 2U);
  EXPECT_DOUBLE_EQ(coverage.low, 0.5) << "both draws the second group";
  EXPECT_DOUBLE_EQ(coverage.high, 1.0);
}

TEST(Coverage, WeightsCount) {
  const std::vector<Checked> rows = {{-1, 1, 0, 9, 0}, {-1, 1, 5, 1, 1}};
  EXPECT_DOUBLE_EQ(coverage_of(rows, 0.8).share, 0.9);
}

TEST(WeightedQuantile, IsTheValueThatHoldsTheMass) {
  EXPECT_EQ(weighted_quantile({{3, 1}, {1, 1}, {2, 2}}, 0.5), 2);
  EXPECT_EQ(weighted_quantile({{3, 1}, {1, 1}, {2, 2}}, 0.75), 2);
  EXPECT_EQ(weighted_quantile({{3, 1}, {1, 1}, {2, 2}}, 0.76), 3);
}

}  // namespace
}  // namespace edgejoule::fit
