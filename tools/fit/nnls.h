// Non-negative least squares, and its relative-error weighted form for rows of a table.
//
// Errors: none; collinear, constant and empty columns give a finite answer (the small
// ridge shares a sum among columns that cannot be told apart).
// Source: Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23, on the
// normal equations; columns are scaled to unit size before.
#pragma once

#include <Eigen/Dense>

namespace edgejoule::fit {

// The x >= 0 that minimises x'Gx/2 - m'x.
// Shape: `gram` is n x n, symmetric and positive definite; `moment` has n entries.
[[nodiscard]] Eigen::VectorXd nnls(const Eigen::MatrixXd& gram, const Eigen::VectorXd& moment);

struct RelativeFitOptions {
  // Pull of each coefficient toward `prior`, in units of one row's weight.
  double ridge = 1e-3;
  double ridge_share = 0;   // more of it, as a share of the weight of all rows
  Eigen::VectorXd prior;    // empty: zeros
  Eigen::VectorXd penalty;  // factor of the ridge per coefficient; empty: ones
  // Reweighting steps from squared toward absolute relative error: outliers and rows
  // of another algorithm pull less.
  int robust_steps = 3;
};

// The c >= 0 with the smallest sum of w_i * ((x_i c)/E_i - 1)^2 plus the ridge.
// Shape: `terms` has a row per measurement; energies above zero, weights not negative.
// A column of zeros keeps its prior.
[[nodiscard]] Eigen::VectorXd fit_relative(const Eigen::MatrixXd& terms, const Eigen::VectorXd& energies,
                                           const Eigen::VectorXd& weights, const RelativeFitOptions& options);

}  // namespace edgejoule::fit
