#include "calibration/uncertainty.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "fit/design.h"

namespace edgejoule::calibration {

std::vector<double> coefficient_errors(const measurements::MeasurementSet& set, const fit::FittedRow& row) {
  std::vector<double> errors(row.terms.size(), std::numeric_limits<double>::infinity());
  if (row.terms.empty() || row.measurements.empty()) return errors;
  const fit::Observations observations(set);
  std::vector<fit::TermSpec> terms;
  Eigen::VectorXd coefficients(static_cast<Eigen::Index>(row.terms.size()));
  for (std::size_t i = 0; i < row.terms.size(); ++i) {
    terms.push_back(row.terms[i].spec);
    coefficients[static_cast<Eigen::Index>(i)] = row.terms[i].coefficient;
  }
  // In units in which each coefficient is 1, and every row counts by its relative error.
  const Eigen::VectorXd energies = observations.energies(row.measurements);
  const Eigen::MatrixXd shares =
      energies.cwiseInverse().asDiagonal() * observations.columns(row.measurements, terms) * coefficients.asDiagonal();
  const double freedom = std::max(1.0, static_cast<double>(shares.rows() - shares.cols()));
  const double variance = (shares.rowwise().sum().array() - 1).square().sum() / freedom;
  const Eigen::MatrixXd gram = shares.transpose() * shares;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  constexpr double kSeen = 1e-10;  // of the largest direction
  const double largest = solver.eigenvalues().maxCoeff();
  for (std::size_t i = 0; i < errors.size(); ++i) {
    double sum = 0;
    for (Eigen::Index k = 0; k < gram.rows(); ++k) {
      const double part = solver.eigenvectors()(static_cast<Eigen::Index>(i), k);
      const double value = solver.eigenvalues()[k];
      if (value > kSeen * largest) {
        sum += part * part / value;
      } else if (part * part > kSeen) {
        sum = std::numeric_limits<double>::infinity();
        break;
      }
    }
    errors[i] = std::sqrt(variance * sum) * std::abs(row.terms[i].coefficient);
  }
  return errors;
}

}  // namespace edgejoule::calibration
