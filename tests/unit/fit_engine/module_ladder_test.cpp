#include "fit/module_ladder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace edgejoule::fit {
namespace {

// Modules cost their children + 1e-9 J per own byte; those of key 7 cost 10 % more on top.
LadderData modules(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> octave(0, 6);
  constexpr Eigen::Index kRows = 120;
  LadderData data;
  data.rows.terms = Eigen::MatrixXd::Zero(kRows, 3);
  data.rows.places.resize(kRows, 1);
  data.rows.energies.resize(kRows);
  data.rows.weights = Eigen::VectorXd::Ones(kRows);
  data.rows.work.resize(kRows);
  data.keys.resize(2);
  for (Eigen::Index i = 0; i < kRows; ++i) {
    const double children = std::exp2(octave(random)) * 1e-3, bytes = std::exp2(18 + octave(random));
    data.rows.terms.row(i) << children, 1, bytes;
    data.rows.places(i, 0) = std::log2(children);
    data.rows.work[i] = children;
    const int key = i % 2 == 0 ? 7 : 3;
    data.rows.energies[i] = (children + 1e-9 * bytes) * (key == 7 ? 1.1 : 1.0);
    data.rows.groups.push_back(static_cast<int>(i % 5));
    data.keys[0].push_back(key);
    data.keys[1].push_back(0);
  }
  return data;
}

Eigen::RowVectorXd terms(double children, double bytes) {
  Eigen::RowVectorXd row(3);
  row << children, 1, bytes;
  return row;
}

}  // namespace

TEST(ModuleLadder, RecoversWhatAByteOfItsOwnCosts) {
  const ModuleLadder ladder(modules(1), {}, {});
  const Eigen::VectorXd& plain = ladder.row(0, 3)->fitted.coefficients();
  EXPECT_NEAR(plain[0], 1.0, 0.02);
  EXPECT_NEAR(plain[2], 1e-9, 5e-11);
}

TEST(ModuleLadder, PricesByTheFinestRowItKnows) {
  const ModuleLadder ladder(modules(2), {}, {});
  const Eigen::RowVectorXd place = Eigen::RowVectorXd::Constant(1, std::log2(8e-3));
  const double physical = 8e-3 + 1e-9 * 1048576;
  const auto known = ladder.price(terms(8e-3, 1048576), place, {7, 0});
  EXPECT_EQ(known.level, 0U);
  EXPECT_NEAR(known.joules, 1.1 * physical, 0.02 * physical);
  const auto unknown = ladder.price(terms(8e-3, 1048576), place, {99, 0});
  EXPECT_EQ(unknown.level, 1U);
  EXPECT_NEAR(unknown.joules, 1.05 * physical, 0.06 * physical);
}

TEST(ModuleLadder, WithoutAnyRowAModuleCostsItsChildren) {
  const ModuleLadder ladder(modules(3), {}, {});
  const auto priced = ladder.price(terms(5e-3, 0), Eigen::RowVectorXd::Zero(1), {99, 99});
  EXPECT_EQ(priced.joules, 5e-3);
  EXPECT_EQ(priced.level, 2U);
}

TEST(ModuleLadder, OpsMeasuredAloneSayWhatBytesCostWhereModulesCannot) {
  LadderData data = modules(4);
  data.rows.terms.col(2) = 1e5 * data.rows.terms.col(0) * 1e3;  // own bytes always go with the children
  for (Eigen::Index i = 0; i < data.rows.size(); ++i) {
    data.rows.energies[i] = data.rows.terms(i, 0) + 1e-9 * data.rows.terms(i, 2);
  }
  RowData elements;
  elements.terms = Eigen::MatrixXd::Zero(20, 3);
  elements.places = Eigen::MatrixXd::Zero(20, 1);
  elements.energies.resize(20);
  elements.weights = elements.work = Eigen::VectorXd::Ones(20);
  for (Eigen::Index i = 0; i < 20; ++i) {
    elements.terms.row(i) << 0, 1, 1e6 * static_cast<double>(i + 1);
    elements.energies[i] = 1e-9 * elements.terms(i, 2);
    elements.groups.push_back(static_cast<int>(i % 5));
  }
  const ModuleLadder ladder(data, elements, {});
  EXPECT_NEAR(ladder.row(1, 0)->fitted.coefficients()[2], 1e-9, 1e-10);
}

}  // namespace edgejoule::fit
