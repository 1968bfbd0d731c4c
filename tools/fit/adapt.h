// A donor's coefficients for a new board, runtime, data type or power mode, from few
// measurements there.
//
// Shape: all of the donor is scaled by one factor, exp of the median ln(measured /
// donor); then each coefficient may leave that as far as the measurements ask for,
// against a pull toward it. With one measurement only the factor moves.
// Errors: none; energies are above zero, weights not negative, at least one measurement
// and one coefficient.
#pragma once

#include <Eigen/Dense>
#include <limits>
#include <string>
#include <vector>

namespace edgejoule::fit {

struct AdaptData {
  Eigen::MatrixXd terms;  // a row per measurement, a column per coefficient
  Eigen::VectorXd donor;  // coefficients; their product with a row is above zero
  Eigen::VectorXd energies;
  Eigen::VectorXd weights;
  std::vector<std::string> groups;  // left out together

  [[nodiscard]] Eigen::Index size() const { return energies.size(); }
  [[nodiscard]] AdaptData subset(const std::vector<Eigen::Index>& rows) const;
};

// Of the pull, as a share of all weight; no coefficient leaves the scaled donor.
inline constexpr double kScaledOnly = std::numeric_limits<double>::infinity();

struct AdaptedRow {
  Eigen::VectorXd coefficients;
  double factor = 1;  // of the donor as a whole
  double ridge = kScaledOnly;
};

[[nodiscard]] double donor_factor(const AdaptData& data);
[[nodiscard]] AdaptedRow adapt_row(const AdaptData& data, double ridge);

// The ridge that errs least on groups left out, among 0.3 / measurements, 1e-3, 1e-2,
// 1e-1 and the scaled donor; 0.3 / measurements where there are fewer than four groups.
[[nodiscard]] AdaptedRow adapt_row(const AdaptData& data);

// ln(measured / predicted) of every measurement with its group left out of everything,
// the choice of the ridge included. Empty where there is one group.
struct AdaptTest {
  std::vector<double> donor, scaled, adapted;
};
[[nodiscard]] AdaptTest leave_groups_out(const AdaptData& data);

}  // namespace edgejoule::fit
