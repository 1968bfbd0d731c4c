#include "fit/design.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgejoule::fit {

namespace {

// A run-time feature as measured; 0 where it was not.
double measured(Feature feature, const measurements::Measurement& m) {
  switch (feature) {
    case Feature::kTime: return std::max(m.time_seconds, 0.0);
    case Feature::kCounterEnergy: return std::max(m.counter_joules, 0.0);
    case Feature::kUtilisationTime: return std::max(m.utilisation, 0.0) * std::max(m.time_seconds, 0.0);
    default: return 0;
  }
}

}  // namespace

Observations::Observations(const measurements::MeasurementSet& set) : set_(&set) {
  for (const measurements::Measurement& m : set.measurements) {
    std::vector<Counted> parts;
    const auto add = [&](OpClass op_class, const Facts& facts, double count) {
      const Result<OpQuantities> quantities = measure_op(op_class, facts);
      if (!quantities) {
        throw measurements::MeasurementError(fmt::format("{}: {}", m.origin, error_text(quantities.error())));
      }
      parts.push_back({*quantities, count * static_cast<double>(facts[Fact::kRepeats])});
    };
    if (m.parts == nullptr) {
      add(m.op_class, m.facts, 1);
    } else {
      for (const measurements::Part& part : *m.parts) add(part.op_class, part.facts, part.count);
    }
    parts_.push_back(std::move(parts));
    caches_.push_back({set.last_level_bytes, m.facts[Fact::kUniqueWeightBytes]});
  }
}

Eigen::MatrixXd Observations::columns(std::span<const std::size_t> rows, std::span<const TermSpec> terms) const {
  Eigen::MatrixXd matrix =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(terms.size()));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t row = rows[r];
    for (std::size_t t = 0; t < terms.size(); ++t) {
      double& cell = matrix(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(t));
      if (is_runtime(terms[t].feature)) {
        cell = measured(terms[t].feature, set_->measurements[row]);
        continue;
      }
      for (const Counted& part : parts_[row]) {
        const float value = feature_value(terms[t].feature, part.quantities, terms[t].tile, caches_[row]);
        cell += part.count * static_cast<double>(value);
      }
    }
  }
  return matrix;
}

Eigen::MatrixXf Observations::features(std::span<const std::size_t> rows, std::span<const Feature> features) const {
  Eigen::MatrixXf matrix(rows.size(), features.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      matrix(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(f)) =
          feature_value(features[f], parts_[rows[r]].front().quantities, Tile{}, caches_[rows[r]]);
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
