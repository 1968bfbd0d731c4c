#include "fit/residuals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "fit/student_t.h"

namespace edgejoule::fit {
namespace {

HeldOut singles(const std::vector<double>& values) {
  HeldOut held_out;
  held_out.log_residuals = values;
  for (std::size_t i = 0; i < values.size(); ++i) held_out.groups.push_back("g" + std::to_string(i));
  return held_out;
}

TEST(Summarise, RoundsQuantilesOutward) {
  std::vector<double> values;
  for (int i = 1; i <= 19; ++i) values.push_back(i);
  const Residual residual = summarise(singles(values));
  EXPECT_EQ(residual.groups, 19U);
  EXPECT_FLOAT_EQ(residual.quantiles[1], 1);   // floor(0.05 * 20)
  EXPECT_FLOAT_EQ(residual.quantiles[7], 19);  // ceil(0.95 * 20)
  EXPECT_FLOAT_EQ(residual.quantiles[4], 10);
  EXPECT_FLOAT_EQ(residual.quantiles[3], 5);
  EXPECT_FLOAT_EQ(residual.quantiles[5], 15);
}

// The promise: of a new value, 90 % lie between the 5 % and the 95 % quantile.
TEST(Summarise, CoversNewValuesAsPromised) {
  std::mt19937 random(13);
  std::normal_distribution<double> normal;
  int inside = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> values(39);
    for (double& value : values) value = std::exp(normal(random));  // skewed on purpose
    const Residual residual = summarise(singles(values));
    const double next = std::exp(normal(random));
    inside += next >= static_cast<double>(residual.quantiles[1]) && next <= static_cast<double>(residual.quantiles[7]);
  }
  EXPECT_NEAR(inside / static_cast<double>(kRounds), 0.90, 0.015);
}

// Nothing can be promised whatever the distribution; of a normal one it holds all the same.
TEST(Summarise, CoversNewValuesOfFewGroupsToo) {
  std::mt19937 random(17);
  std::normal_distribution<double> normal(0.05, 0.2);
  for (const std::size_t groups : {3U, 6U, 12U, 18U}) {
    int inside = 0;
    constexpr int kRounds = 4000;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<double> values(groups);
      for (double& value : values) value = normal(random);
      const Residual residual = summarise(singles(values));
      const double next = normal(random);
      inside +=
          next >= static_cast<double>(residual.quantiles[1]) && next <= static_cast<double>(residual.quantiles[7]);
    }
    EXPECT_GT(inside / static_cast<double>(kRounds), 0.885) << groups;
    EXPECT_LT(inside / static_cast<double>(kRounds), 0.935) << groups;
  }
}

// Handbook of Mathematical Functions, table 26.10.
TEST(StudentT, IsWhatTablesSay) {
  EXPECT_NEAR(student_t_quantile(0.95, 1), 6.314, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.975, 1), 12.706, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.95, 2), 2.920, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.9, 5), 1.476, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.95, 9), 1.833, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.025, 17), -2.110, 5e-4);
}

TEST(Summarise, GivesEveryGroupTheSameMass) {
  HeldOut held_out;
  for (int i = 0; i < 1000; ++i) held_out.log_residuals.push_back(5), held_out.groups.push_back("large");
  for (int g = 0; g < 30; ++g) held_out.log_residuals.push_back(0), held_out.groups.push_back("g" + std::to_string(g));
  const Residual residual = summarise(held_out);
  EXPECT_EQ(residual.groups, 31U);
  EXPECT_EQ(residual.quantiles[6], 0);  // 90 %: one group in 31 is less than a tenth
  EXPECT_EQ(residual.quantiles[8], 5);
}

TEST(Summarise, IsSaneForOneGroup) {
  HeldOut held_out;
  for (int i = 0; i < 101; ++i) held_out.log_residuals.push_back(i - 50), held_out.groups.push_back("only");
  const Residual residual = summarise(held_out);
  EXPECT_EQ(residual.groups, 1U);
  EXPECT_NEAR(residual.quantiles[1], -30, 0.1);  // clamped
  for (std::size_t q = 1; q < Residual::kQuantiles; ++q) EXPECT_GE(residual.quantiles[q], residual.quantiles[q - 1]);
}

TEST(Summarise, TellsSharedFromIndependentSpread) {
  std::mt19937 random(17);
  std::normal_distribution<double> normal;
  HeldOut held_out;
  for (int g = 0; g < 400; ++g) {
    const double shared = 0.3 * normal(random);
    for (int i = 0; i < 10; ++i) {
      held_out.log_residuals.push_back(shared + 0.1 * normal(random));
      held_out.groups.push_back("g" + std::to_string(g));
    }
  }
  const Residual residual = summarise(held_out);
  EXPECT_NEAR(residual.shared_sigma, 0.3, 0.04);
  EXPECT_NEAR(residual.independent_sigma, 0.1, 0.01);
}

TEST(Summarise, TakesLikenessWhereGroupsHaveOneMember) {
  std::mt19937 random(19);
  std::normal_distribution<double> normal;
  HeldOut held_out;
  for (int pair = 0; pair < 2000; ++pair) {
    const double common = 0.4 * normal(random);
    for (int i = 0; i < 2; ++i) {
      held_out.neighbours.push_back(held_out.groups.size() ^ 1U);
      held_out.groups.push_back(std::to_string(held_out.groups.size()));
      held_out.log_residuals.push_back(common + 0.2 * normal(random));
    }
  }
  const Residual residual = summarise(held_out);
  EXPECT_NEAR(residual.shared_sigma, 0.4, 0.04);
  EXPECT_NEAR(residual.independent_sigma, 0.2, 0.03);
}

TEST(NearestNeighbours, AreAlikeAndOfAnotherGroup) {
  Eigen::MatrixXf facts(4, 1);
  facts << 1, 1.01F, 1.5F, 100;
  const std::vector<std::size_t> nearest = nearest_neighbours(facts, {"a", "a", "b", "c"});
  EXPECT_EQ(nearest, (std::vector<std::size_t>{2, 2, 1, 2}));
}

TEST(ErrorPercent, IsOfThePredictionAgainstTheMeasured) {
  const ErrorPercent error = error_percent({std::log(2.0), std::log(0.5), 0});
  EXPECT_DOUBLE_EQ(error.mean, (50.0 + 100.0 + 0.0) / 3);
  EXPECT_NEAR(error.median, 50, 1e-9);
}

// Four groups: 75 % reaches the last of them, 90 % is not promised and must not lie inside.
TEST(Summarise, QuantilesOfFewGroupsStayInOrder) {
  HeldOut held_out;
  for (int group = 0; group < 4; ++group) {
    held_out.log_residuals.push_back(0.1 * (group - 1.5));
    held_out.groups.push_back("g" + std::to_string(group));
  }
  const Residual residual = summarise(held_out);
  for (std::size_t q = 1; q < Residual::kQuantiles; ++q) EXPECT_GE(residual.quantiles[q], residual.quantiles[q - 1]);
}

TEST(Summarise, AQuartileOfManyValuesInFewGroupsIsNoExtreme) {
  HeldOut held_out;
  for (int i = 0; i < 400; ++i) {
    held_out.log_residuals.push_back(0.001 * (i - 200));
    held_out.groups.push_back("g" + std::to_string(i % 4));
  }
  EXPECT_NEAR(summarise(held_out).quantiles[5], 0.1, 0.01);
}

}  // namespace
}  // namespace edgejoule::fit
