#include "fit/adapt.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fit/cross_validation.h"
#include "fit/nnls.h"

namespace edgejoule::fit {
namespace {

constexpr int kMostFolds = 20;
constexpr std::size_t kFewestGroupsToChoose = 4;
constexpr int kRobustSteps = 2;
constexpr double kSmallestJoules = 1e-15;

struct Fold {
  std::vector<Eigen::Index> inside, outside;
};

// Groups one by one up to kMostFolds, more of them in as many shares.
std::vector<Fold> folds_of(const AdaptData& data) {
  const std::set<std::string> groups(data.groups.begin(), data.groups.end());
  if (groups.size() < 2) return {};
  std::vector<int> fold_of;
  if (groups.size() <= static_cast<std::size_t>(kMostFolds)) {
    for (const std::string& group : data.groups) {
      fold_of.push_back(static_cast<int>(std::distance(groups.begin(), groups.find(group))));
    }
  } else {
    fold_of = deal_folds(data.groups, kMostFolds);
  }
  std::vector<Fold> folds(static_cast<std::size_t>(*std::max_element(fold_of.begin(), fold_of.end())) + 1);
  for (std::size_t f = 0; f < folds.size(); ++f) {
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
      (fold_of[i] == static_cast<int>(f) ? folds[f].outside : folds[f].inside).push_back(static_cast<Eigen::Index>(i));
    }
  }
  std::erase_if(folds, [](const Fold& fold) { return fold.outside.empty() || fold.inside.empty(); });
  return folds;
}

Eigen::VectorXd log_residuals(const AdaptData& data, const Eigen::VectorXd& coefficients) {
  const Eigen::VectorXd predicted = (data.terms * coefficients).cwiseMax(kSmallestJoules);
  return (data.energies.array() / predicted.array()).log();
}

std::vector<double> ridges_for(Eigen::Index measurements) {
  return {0.3 / static_cast<double>(measurements), 1e-3, 1e-2, 1e-1, kScaledOnly};
}

}  // namespace

AdaptData AdaptData::subset(const std::vector<Eigen::Index>& rows) const {
  AdaptData part;
  part.terms = terms(rows, Eigen::all);
  part.donor = donor;
  part.energies = energies(rows);
  part.weights = weights(rows);
  for (const Eigen::Index row : rows) part.groups.push_back(groups[static_cast<std::size_t>(row)]);
  return part;
}

double donor_factor(const AdaptData& data) {
  const Eigen::VectorXd residuals = log_residuals(data, data.donor);
  std::vector<double> sorted(residuals.data(), residuals.data() + residuals.size());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t n = sorted.size();
  return std::exp(n % 2 == 1 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]));
}

AdaptedRow adapt_row(const AdaptData& data, double ridge) {
  AdaptedRow row;
  row.factor = donor_factor(data);
  row.ridge = ridge;
  row.coefficients = row.factor * data.donor;
  if (std::isinf(ridge)) return row;
  RelativeFitOptions options;
  options.ridge = 0;
  options.ridge_share = ridge;
  options.prior = row.coefficients;
  options.robust_steps = kRobustSteps;
  row.coefficients = fit_relative(data.terms, data.energies, data.weights, options);
  return row;
}

AdaptedRow adapt_row(const AdaptData& data) {
  const std::vector<double> ridges = ridges_for(data.size());
  const std::set<std::string> groups(data.groups.begin(), data.groups.end());
  if (groups.size() < kFewestGroupsToChoose) return adapt_row(data, ridges.front());
  std::vector<double> scores(ridges.size(), 0.0);
  for (const Fold& fold : folds_of(data)) {
    const AdaptData train = data.subset(fold.inside), test = data.subset(fold.outside);
    for (std::size_t r = 0; r < ridges.size(); ++r) {
      const Eigen::VectorXd residuals = log_residuals(test, adapt_row(train, ridges[r]).coefficients);
      scores[r] += test.weights.dot(residuals.cwiseAbs());
    }
  }
  const auto best = static_cast<std::size_t>(std::min_element(scores.begin(), scores.end()) - scores.begin());
  return adapt_row(data, ridges[best]);
}

AdaptTest leave_groups_out(const AdaptData& data) {
  AdaptTest test;
  const std::vector<Fold> folds = folds_of(data);
  if (folds.empty()) return test;
  const auto n = static_cast<std::size_t>(data.size());
  test.donor.resize(n), test.scaled.resize(n), test.adapted.resize(n);
  for (const Fold& fold : folds) {
    const AdaptData train = data.subset(fold.inside), outside = data.subset(fold.outside);
    const Eigen::VectorXd donor = log_residuals(outside, data.donor);
    const Eigen::VectorXd scaled = log_residuals(outside, donor_factor(train) * data.donor);
    const Eigen::VectorXd adapted = log_residuals(outside, adapt_row(train).coefficients);
    for (std::size_t i = 0; i < fold.outside.size(); ++i) {
      const auto row = static_cast<std::size_t>(fold.outside[i]);
      const auto at = static_cast<Eigen::Index>(i);
      test.donor[row] = donor[at], test.scaled[row] = scaled[at], test.adapted[row] = adapted[at];
    }
  }
  return test;
}

}  // namespace edgejoule::fit
