#include "fit/set_pool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace edgejoule::fit {
namespace {

// Three boards, 1, 2 and 5 times E = 1e-3 + 2e-3 * work + 1e-3 * bytes; families differ in size.
PoolData boards(std::uint32_t seed, double noise) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> octave(0, 5);
  std::normal_distribution<double> error(0, 1);
  constexpr double kFactor[] = {1, 2, 5};
  PoolData data;
  constexpr Eigen::Index kRows = 90;
  data.terms.resize(kRows, 4);
  data.energies.resize(kRows);
  for (Eigen::Index i = 0; i < kRows; ++i) {
    const int device = static_cast<int>(i % 3), family = static_cast<int>((i / 3) % 3);
    const double work = std::exp2(octave(random) + family), bytes = std::exp2(octave(random));
    data.terms.row(i) << 1, work, bytes, 0.5 * work;
    data.energies[i] = kFactor[device] * (1e-3 + 2e-3 * work + 1e-3 * bytes) * std::exp(noise * error(random));
    data.devices.push_back(device);
    data.kinds.push_back(0);
    data.families.push_back(family);
  }
  return data;
}

}  // namespace

TEST(SetPool, FindsWhatBoardsHaveInCommonAndTheirFactors) {
  const SetPool pool(boards(1, 0), {{0, 1, 2}, 1e-3, 2, 0.5});
  EXPECT_NEAR(pool.coefficients(2)[1] / pool.coefficients(0)[1], 5, 0.1);
  EXPECT_NEAR(pool.coefficients(0)[1], 2e-3, 4e-5);
  EXPECT_EQ(pool.coefficients(0)[3], 0) << "a column that the form does not use";
}

TEST(SetPool, AFewRowsOfABoardAreCarriedByTheOthers) {
  const PoolData all = boards(2, 0.05);
  std::vector<Eigen::Index> rows;
  for (Eigen::Index i = 0; i < all.size(); ++i) {
    if (all.devices[static_cast<std::size_t>(i)] != 2 || i < 6) rows.push_back(i);
  }
  const SetPool pool(all.subset(rows), {{0, 1, 2}, 1e-1, 2, 0.5});
  EXPECT_LT(median_of_device_medians(pool.predict(all), all), 8);
}

TEST(SetPool, ADeviceNeverSeenHasNoPrice) {
  PoolData data = boards(3, 0);
  const SetPool pool(data, {{0, 1, 2}, 1e-3, 0, 0.5});
  data.devices[0] = 9;
  EXPECT_TRUE(std::isnan(pool.predict(data)[0]));
  EXPECT_FALSE(pool.knows(9));
}

TEST(SetPool, AveragesStayNonNegativeRows) {
  const PoolData data = boards(4, 0.02);
  const SetPool a(data, {{0, 1}, 1e-3, 0, 0.5}), b(data, {{0, 2}, 1e-3, 0, 0.5});
  const SetPool mean = SetPool::average({a, b});
  EXPECT_TRUE(mean.coefficients(0).isApprox(0.5 * (a.coefficients(0) + b.coefficients(0))));
  EXPECT_GE(mean.coefficients(0).minCoeff(), 0);
}

TEST(ChooseForms, PrefersTheFormThatPredictsAFamilyLeftOut) {
  const PoolData data = boards(5, 0.02);
  const std::vector<PoolForm> forms = {{{0}, 1e-3, 0, 0.5}, {{0, 1, 2}, 1e-3, 0, 0.5}};
  const PoolChoice choice = choose_forms(forms, data, 1);
  EXPECT_EQ(choice.order.front(), 1U);
  EXPECT_LT(choice.scores[1], 5);
  EXPECT_LT(std::abs(choice.log_residuals[0]), 0.15);
}

TEST(ChooseForms, FamiliesBelowZeroAreNeverLeftOut) {
  PoolData data = boards(6, 0.02);
  for (int& family : data.families) family = family == 0 ? -1 : family;
  const PoolChoice choice = choose_forms({{{0, 1, 2}, 1e-3, 0, 0.5}}, data, 1);
  for (std::size_t i = 0; i < data.families.size(); ++i) {
    EXPECT_EQ(std::isnan(choice.log_residuals[static_cast<Eigen::Index>(i)]), data.families[i] < 0);
  }
}

}  // namespace edgejoule::fit
