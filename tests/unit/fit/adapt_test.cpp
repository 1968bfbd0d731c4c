#include "fit/adapt.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgejoule::fit {
namespace {

// Two terms; the new board costs (12, 2) times what the donor does.
AdaptData board(Eigen::Index rows) {
  AdaptData data;
  data.terms.resize(rows, 2);
  for (Eigen::Index i = 0; i < rows; ++i) {
    data.terms.row(i) << 1 + static_cast<double>(i % 5), 10 - static_cast<double>((3 * i) % 7);
    data.groups.push_back("g" + std::to_string(i));
  }
  data.donor = Eigen::Vector2d(2, 4);
  data.energies = data.terms * Eigen::Vector2d(24, 8);
  data.weights = Eigen::VectorXd::Ones(rows);
  return data;
}

TEST(Adapt, OneMeasurementMovesTheFactorAlone) {
  const AdaptData data = board(1);
  const AdaptedRow row = adapt_row(data);
  EXPECT_NEAR(row.coefficients[0] / row.coefficients[1], 0.5, 1e-6) << "the donor's proportion";
  EXPECT_NEAR(data.terms.row(0).dot(row.coefficients), data.energies[0], 1e-6 * data.energies[0]);
  EXPECT_TRUE(leave_groups_out(data).adapted.empty());
}

TEST(Adapt, ManyMeasurementsFindTheBoardsOwnRow) {
  const AdaptedRow row = adapt_row(board(30), 1e-6);
  EXPECT_NEAR(row.coefficients[0], 24, 0.01);
  EXPECT_NEAR(row.coefficients[1], 8, 0.01);
}

TEST(Adapt, AStrongPullKeepsTheScaledDonor) {
  const AdaptData data = board(12);
  const AdaptedRow row = adapt_row(data, 1e6);
  EXPECT_NEAR(row.coefficients[0], row.factor * 2, 1e-3);
  EXPECT_NEAR(row.coefficients[1], row.factor * 4, 1e-3);
  EXPECT_EQ(adapt_row(data, kScaledOnly).coefficients, donor_factor(data) * data.donor);
}

TEST(Adapt, IsTestedOnGroupsLeftOut) {
  AdaptData data = board(12);
  const AdaptTest test = leave_groups_out(data);
  ASSERT_EQ(test.adapted.size(), 12U);
  double donor = 0, scaled = 0, adapted = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    donor += std::abs(test.donor[i]), scaled += std::abs(test.scaled[i]), adapted += std::abs(test.adapted[i]);
  }
  EXPECT_LT(scaled, donor);
  EXPECT_LT(adapted, 0.2 * scaled);
  for (std::string& group : data.groups) group = "one";
  EXPECT_TRUE(leave_groups_out(data).adapted.empty());
}

TEST(Adapt, AnOutlierDoesNotMoveTheFactor) {
  AdaptData data = board(9);
  data.energies = 3 * (data.terms * data.donor);
  data.energies[4] *= 100;
  EXPECT_NEAR(donor_factor(data), 3, 1e-9);
}

}  // namespace
}  // namespace edgejoule::fit
