#include "fit/nnls.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace edgejoule::fit {
namespace {

// The unconstrained solution on the columns that are free.
Eigen::VectorXd solve_free(const Eigen::MatrixXd& gram, const Eigen::VectorXd& moment,
                           const std::vector<Eigen::Index>& free) {
  return gram(free, free).ldlt().solve(moment(free));
}

double median(Eigen::VectorXd values) {
  double* middle = values.data() + values.size() / 2;
  std::nth_element(values.data(), middle, values.data() + values.size());
  return *middle;
}

}  // namespace

Eigen::VectorXd nnls(const Eigen::MatrixXd& gram, const Eigen::VectorXd& moment) {
  const Eigen::Index n = moment.size();
  Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
  std::vector<Eigen::Index> free;
  const auto is_free = [&](Eigen::Index j) { return std::find(free.begin(), free.end(), j) != free.end(); };
  const double tolerance = 1e-10 * moment.cwiseAbs().maxCoeff();
  const Eigen::Index most_steps = 3 * n + 10;  // Lawson and Hanson: finite, in practice fewer than 2n
  for (Eigen::Index step = 0; step < most_steps; ++step) {
    const Eigen::VectorXd gradient = moment - gram * x;
    Eigen::Index best = -1;
    for (Eigen::Index j = 0; j < n; ++j) {
      if (!is_free(j) && gradient[j] > tolerance && (best < 0 || gradient[j] > gradient[best])) best = j;
    }
    if (best < 0) break;
    free.push_back(best);
    while (!free.empty()) {
      const Eigen::VectorXd target = solve_free(gram, moment, free);
      double reach = 1;
      for (std::size_t i = 0; i < free.size(); ++i) {
        const double at = x[free[i]];
        const double to = target[static_cast<Eigen::Index>(i)];
        if (to <= 0) reach = std::min(reach, at / (at - to));
      }
      if (!(reach >= 0)) reach = 0;  // 0/0: a column that enters and leaves at once
      for (std::size_t i = 0; i < free.size(); ++i) {
        x[free[i]] += reach * (target[static_cast<Eigen::Index>(i)] - x[free[i]]);
      }
      if (reach == 1) break;
      const auto left = std::remove_if(free.begin(), free.end(), [&](Eigen::Index j) { return x[j] <= 1e-14; });
      if (left == free.end()) break;
      free.erase(left, free.end());
      for (Eigen::Index j = 0; j < n; ++j) {
        if (!is_free(j)) x[j] = 0;
      }
    }
  }
  return x.cwiseMax(0);
}

Eigen::VectorXd fit_relative(const Eigen::MatrixXd& terms, const Eigen::VectorXd& energies,
                             const Eigen::VectorXd& weights, const RelativeFitOptions& options) {
  const Eigen::Index n = terms.cols();
  const Eigen::VectorXd prior = options.prior.size() == n ? options.prior : Eigen::VectorXd::Zero(n);
  const Eigen::VectorXd penalty = options.penalty.size() == n ? options.penalty : Eigen::VectorXd::Ones(n);
  Eigen::MatrixXd scaled = energies.cwiseInverse().asDiagonal() * terms;
  Eigen::VectorXd size = (scaled.cwiseAbs2().transpose() * weights / weights.sum()).cwiseSqrt();
  const double largest = size.maxCoeff();
  std::vector<Eigen::Index> present;
  for (Eigen::Index j = 0; j < n; ++j) {
    if (size[j] > 1e-13 * largest) present.push_back(j);
  }
  Eigen::VectorXd coefficients = prior;
  if (present.empty()) return coefficients;
  scaled = scaled(Eigen::all, present).eval();
  size = size(present).eval();
  scaled.array().rowwise() /= size.transpose().array();
  const Eigen::VectorXd scaled_prior = prior(present).cwiseProduct(size);

  Eigen::VectorXd row_weights = weights;
  Eigen::VectorXd solution;
  for (int step = 0;; ++step) {
    const double strength = options.ridge * row_weights.mean() + options.ridge_share * row_weights.sum();
    const Eigen::VectorXd pull = strength * penalty(present);
    Eigen::MatrixXd gram = scaled.transpose() * row_weights.asDiagonal() * scaled;
    gram.diagonal() += pull;
    gram.diagonal() *= 1 + 1e-12;
    solution = nnls(gram, scaled.transpose() * row_weights + pull.cwiseProduct(scaled_prior));
    if (step == options.robust_steps) break;
    const Eigen::VectorXd residual = (scaled * solution).array() - 1;
    const double typical = std::max(median(residual.cwiseAbs()), 1e-3);
    row_weights = weights.cwiseProduct((residual.cwiseAbs().cwiseMax(typical) / typical).cwiseInverse());
  }
  coefficients(present) = solution.cwiseQuotient(size);
  return coefficients;
}

}  // namespace edgejoule::fit
