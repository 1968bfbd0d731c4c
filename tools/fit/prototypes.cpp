#include "fit/prototypes.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <vector>

namespace edgejoule::fit {
namespace {

struct Cell {
  Eigen::VectorXd place;
  double residual = 0;
  double weight = 0;
  double count = 0;
};

// Measurements of one size (places within `width`) as one; in the order of the sizes.
std::vector<Cell> cells_of(const Eigen::MatrixXd& places, const Eigen::VectorXd& residuals,
                           const Eigen::VectorXd& weights, double width) {
  std::map<std::vector<std::int64_t>, Cell> cells;
  for (Eigen::Index row = 0; row < places.rows(); ++row) {
    std::vector<std::int64_t> key;
    for (Eigen::Index axis = 0; axis < places.cols(); ++axis) key.push_back(std::llround(places(row, axis) / width));
    Cell& cell = cells[key];
    if (cell.count == 0) cell.place = Eigen::VectorXd::Zero(places.cols());
    cell.place += weights[row] * places.row(row).transpose();
    cell.residual += weights[row] * residuals[row];
    cell.weight += weights[row];
    cell.count += 1;
  }
  std::vector<Cell> result;
  for (auto& [key, cell] : cells) {
    if (cell.weight <= 0) continue;
    cell.place /= cell.weight;
    cell.residual /= cell.weight;
    result.push_back(std::move(cell));
  }
  return result;
}

Eigen::MatrixXd kernel(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, double length) {
  Eigen::MatrixXd distance = -2 * a * b.transpose();
  distance.colwise() += a.rowwise().squaredNorm();
  distance.rowwise() += b.rowwise().squaredNorm().transpose();
  return (distance.cwiseMax(0) / (-2 * length * length)).array().exp().matrix();
}

}  // namespace

Prototypes::Prototypes(const Eigen::MatrixXd& places, const Eigen::VectorXd& log_residuals,
                       const Eigen::VectorXd& weights, const PrototypeOptions& options)
    : length_octaves_(options.length_octaves) {
  constexpr double kSamePlace = 1e-6;  // octaves
  std::vector<Cell> cells = cells_of(places, log_residuals, weights, kSamePlace);
  for (double width = options.length_octaves / 4; static_cast<Eigen::Index>(cells.size()) > options.most; width *= 2) {
    cells = cells_of(places, log_residuals, weights, width);
  }
  const auto n = static_cast<Eigen::Index>(cells.size());
  positions_.resize(n, places.cols());
  Eigen::VectorXd residuals(n), noise(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Cell& cell = cells[static_cast<std::size_t>(i)];
    positions_.row(i) = cell.place.transpose();
    residuals[i] = cell.residual;
    noise[i] = options.noise / cell.count;
  }
  // A table holds heights of up to 64 octaves; close sizes that disagree would ask for more.
  constexpr double kLargestHeight = 60 * std::numbers::ln2;
  const Eigen::MatrixXd overlap = kernel(positions_, positions_, length_octaves_);
  for (double trust = 1; trust < 1e6; trust *= 2) {
    heights_ = (overlap + Eigen::MatrixXd((trust * noise).asDiagonal())).ldlt().solve(residuals);
    if (heights_.cwiseAbs().maxCoeff() <= kLargestHeight) break;
  }
}

Eigen::VectorXd Prototypes::log_factor(const Eigen::MatrixXd& places) const {
  if (empty()) return Eigen::VectorXd::Zero(places.rows());
  // As core does: nothing is corrected by more than four octaves.
  constexpr double kMost = 4 * std::numbers::ln2;
  return (kernel(places, positions_, length_octaves_) * heights_).cwiseMax(-kMost).cwiseMin(kMost);
}

}  // namespace edgejoule::fit
