// Measurements as matrices: the columns come from core's feature_value(), so the fit
// and the predictor cannot drift apart.
#pragma once

#include <Eigen/Dense>
#include <span>
#include <string>
#include <vector>

#include "edgejoule/core/features.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

// A column of a row of the table.
struct TermSpec {
  Feature feature = Feature::kOne;
  Tile tile;

  friend bool operator==(const TermSpec& a, const TermSpec& b) {
    return a.feature == b.feature && a.tile.m == b.tile.m && a.tile.n == b.tile.n && a.tile.k == b.tile.k;
  }
};

// Rows of one set, in the set's order.
class Observations {
 public:
  // Lifetime: views `set`. Throws MeasurementError where facts contradict each other.
  explicit Observations(const measurements::MeasurementSet& set);

  [[nodiscard]] std::size_t size() const { return set_->measurements.size(); }
  [[nodiscard]] const measurements::Measurement& operator[](std::size_t i) const { return set_->measurements[i]; }

  // Shape: rows.size() x terms.size(); repeats of an op multiply its row, parts that were
  // measured together add up. Run-time features are the measured ones.
  [[nodiscard]] Eigen::MatrixXd columns(std::span<const std::size_t> rows, std::span<const TermSpec> terms) const;
  // As the conditions of a row see them: one execution, float precision.
  [[nodiscard]] Eigen::MatrixXf features(std::span<const std::size_t> rows, std::span<const Feature> features) const;
  [[nodiscard]] Eigen::VectorXd energies(std::span<const std::size_t> rows) const;

 private:
  const measurements::MeasurementSet* set_;
  struct Counted {
    OpQuantities quantities;
    double count = 1;
  };
  std::vector<std::vector<Counted>> parts_;
  std::vector<CacheState> caches_;
};

}  // namespace edgejoule::fit
