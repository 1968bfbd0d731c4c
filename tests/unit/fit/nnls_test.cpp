#include "fit/nnls.h"

#include <gtest/gtest.h>

#include <random>

namespace edgejoule::fit {
namespace {

Eigen::MatrixXd random_matrix(Eigen::Index rows, Eigen::Index cols, std::mt19937& random, double low = 0) {
  std::uniform_real_distribution<double> uniform(low, 1);
  return Eigen::MatrixXd::NullaryExpr(rows, cols, [&] { return uniform(random); });
}

RelativeFitOptions plain() {
  RelativeFitOptions options;
  options.ridge = 1e-9;
  options.robust_steps = 0;
  return options;
}

TEST(Nnls, SolvesWhatHasANonNegativeSolution) {
  Eigen::Matrix2d gram{{2, 1}, {1, 2}};
  const Eigen::VectorXd x = nnls(gram, gram * Eigen::Vector2d(3, 5));
  EXPECT_NEAR(x[0], 3, 1e-12);
  EXPECT_NEAR(x[1], 5, 1e-12);
}

TEST(Nnls, HoldsAtZeroWhatWouldBeNegative) {
  Eigen::Matrix2d gram{{2, 1}, {1, 2}};
  const Eigen::VectorXd x = nnls(gram, gram * Eigen::Vector2d(-3, 5));
  EXPECT_EQ(x[0], 0);
  EXPECT_NEAR(x[1], 3.5, 1e-12);  // (1*-3 + 2*5) / 2
  EXPECT_TRUE(nnls(gram, Eigen::Vector2d(-1, -1)).isZero());
}

// The conditions of Karush, Kuhn and Tucker decide whether a point is the solution.
TEST(Nnls, MeetsTheOptimalityConditions) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const Eigen::Index n = 1 + round % 12;
    const Eigen::MatrixXd a = random_matrix(n + 5, n, random, -0.5);
    const Eigen::VectorXd b = random_matrix(n + 5, 1, random, -1);
    const Eigen::MatrixXd gram = a.transpose() * a;
    const Eigen::VectorXd moment = a.transpose() * b;
    const Eigen::VectorXd x = nnls(gram, moment);
    const Eigen::VectorXd gradient = gram * x - moment;
    for (Eigen::Index j = 0; j < n; ++j) {
      EXPECT_GE(x[j], 0) << round;
      EXPECT_GE(gradient[j], -1e-8) << round;
      EXPECT_NEAR(x[j] * gradient[j], 0, 1e-8) << round;
    }
  }
}

TEST(FitRelative, RecoversCoefficientsOfAnySize) {
  std::mt19937 random(2);
  Eigen::MatrixXd terms = random_matrix(60, 3, random);
  terms.col(0).setOnes();
  terms.col(1) *= 1e9;
  terms.col(2) *= 1e6;
  const Eigen::Vector3d truth(1e-3, 5e-12, 2e-9);
  const Eigen::VectorXd fitted = fit_relative(terms, terms * truth, Eigen::VectorXd::Ones(60), plain());
  for (int j = 0; j < 3; ++j) EXPECT_NEAR(fitted[j] / truth[j], 1, 1e-4);
}

TEST(FitRelative, WeighsRelativeErrors) {
  Eigen::MatrixXd terms = Eigen::MatrixXd::Ones(2, 1);
  // A constant c for energies 1 and 100: sum (c/E - 1)^2 is smallest near the small one.
  const Eigen::VectorXd fitted = fit_relative(terms, Eigen::Vector2d(1, 100), Eigen::Vector2d(1, 1), plain());
  EXPECT_NEAR(fitted[0], 1.01 / 1.0001, 1e-6);
}

TEST(FitRelative, IsNotMovedByOutliers) {
  std::mt19937 random(3);
  const Eigen::MatrixXd terms = random_matrix(101, 1, random).array() + 0.5;
  Eigen::VectorXd energies = 2 * terms.col(0);
  for (int i = 0; i < 5; ++i) energies[7 * i] /= 8;
  RelativeFitOptions robust;
  const double by_squares = fit_relative(terms, energies, Eigen::VectorXd::Ones(101), plain())[0];
  robust.robust_steps = 6;
  const double robustly = fit_relative(terms, energies, Eigen::VectorXd::Ones(101), robust)[0];
  EXPECT_LT(by_squares, 1);
  EXPECT_NEAR(robustly, 2, 0.05);
}

TEST(FitRelative, SharesASumAmongColumnsThatCannotBeToldApart) {
  std::mt19937 random(4);
  Eigen::MatrixXd terms(40, 3);
  terms.col(0) = random_matrix(40, 1, random).array() + 0.1;
  terms.col(1) = terms.col(0);
  terms.col(2) = 3 * terms.col(0);
  const Eigen::VectorXd energies = 6 * terms.col(0);
  const Eigen::VectorXd fitted = fit_relative(terms, energies, Eigen::VectorXd::Ones(40), RelativeFitOptions{});
  EXPECT_TRUE(fitted.allFinite());
  EXPECT_LT((terms * fitted - energies).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(FitRelative, TakesFewerRowsThanColumns) {
  std::mt19937 random(5);
  const Eigen::MatrixXd terms = random_matrix(3, 8, random);
  const Eigen::VectorXd energies = Eigen::Vector3d(1, 2, 3);
  const Eigen::VectorXd fitted = fit_relative(terms, energies, Eigen::VectorXd::Ones(3), RelativeFitOptions{});
  EXPECT_TRUE(fitted.allFinite());
  EXPECT_GE(fitted.minCoeff(), 0);
}

TEST(FitRelative, KeepsThePriorOfAColumnOfZeros) {
  Eigen::MatrixXd terms = Eigen::MatrixXd::Zero(10, 2);
  terms.col(0).setOnes();
  RelativeFitOptions options;
  options.prior = Eigen::Vector2d(7, 9);
  const Eigen::VectorXd fitted =
      fit_relative(terms, Eigen::VectorXd::Constant(10, 2), Eigen::VectorXd::Ones(10), options);
  EXPECT_NEAR(fitted[0], 2, 1e-2);
  EXPECT_EQ(fitted[1], 9);
}

TEST(FitRelative, IsPulledTowardThePriorAsFarAsAsked) {
  const Eigen::MatrixXd terms = Eigen::MatrixXd::Ones(10, 1);
  RelativeFitOptions options = plain();
  options.prior = Eigen::VectorXd::Constant(1, 4);
  const auto fit_with = [&](double ridge) {
    options.ridge = ridge;
    return fit_relative(terms, Eigen::VectorXd::Constant(10, 2), Eigen::VectorXd::Ones(10), options)[0];
  };
  EXPECT_NEAR(fit_with(1e-6), 2, 1e-5);
  EXPECT_NEAR(fit_with(10), 3, 1e-9);  // ten rows' worth of pull against ten rows
  EXPECT_NEAR(fit_with(1e6), 4, 1e-4);
}

}  // namespace
}  // namespace edgejoule::fit
