#include "fit/design.h"

#include <fmt/format.h>

namespace edgejoule::fit {

Observations::Observations(const measurements::MeasurementSet& set) : set_(&set) {
  for (const measurements::Measurement& m : set.measurements) {
    const Result<OpQuantities> quantities = measure_op(m.op_class, m.facts);
    if (!quantities) {
      throw measurements::MeasurementError(fmt::format("{}: {}", m.origin, error_text(quantities.error())));
    }
    quantities_.push_back(*quantities);
    caches_.push_back({set.last_level_bytes, m.facts[Fact::kUniqueWeightBytes]});
  }
}

Eigen::MatrixXd Observations::columns(std::span<const std::size_t> rows, std::span<const TermSpec> terms) const {
  Eigen::MatrixXd matrix(rows.size(), terms.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t row = rows[r];
    const auto repeats = static_cast<double>(set_->measurements[row].facts[Fact::kRepeats]);
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const float value = feature_value(terms[t].feature, quantities_[row], terms[t].tile, caches_[row]);
      matrix(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(t)) = repeats * static_cast<double>(value);
    }
  }
  return matrix;
}

Eigen::MatrixXf Observations::features(std::span<const std::size_t> rows, std::span<const Feature> features) const {
  Eigen::MatrixXf matrix(rows.size(), features.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      matrix(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(f)) =
          feature_value(features[f], quantities_[rows[r]], Tile{}, caches_[rows[r]]);
    }
  }
  return matrix;
}

Eigen::VectorXd Observations::energies(std::span<const std::size_t> rows) const {
  Eigen::VectorXd energies(rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    energies[static_cast<Eigen::Index>(r)] = set_->measurements[rows[r]].energy_joules;
  }
  return energies;
}

}  // namespace edgejoule::fit
