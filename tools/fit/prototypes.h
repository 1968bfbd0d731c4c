// A correction around measured sizes: exp of a sum of bumps, one per size that was
// measured, in octaves of the sizes. Far from data it is 1, so a physical row keeps its
// say wherever nobody has measured.
//
// Source: kernel ridge regression on the logarithmic residuals of a row; the noise
// divided by the number of measurements at a size is the ridge.
#pragma once

#include <Eigen/Dense>

namespace edgejoule::fit {

struct PrototypeOptions {
  double length_octaves = 0.5;  // of a bump
  double noise = 0.1;           // trust in one measurement: 0 follows it exactly
  Eigen::Index most = 128;      // sizes; more are merged with their neighbours
};

class Prototypes {
 public:
  Prototypes() = default;
  // Shape: `places` has a row per measurement and a column per axis, in octaves (log2);
  // `log_residuals` are ln(measured / row).
  Prototypes(const Eigen::MatrixXd& places, const Eigen::VectorXd& log_residuals, const Eigen::VectorXd& weights,
             const PrototypeOptions& options);

  // ln of the factor at each place.
  [[nodiscard]] Eigen::VectorXd log_factor(const Eigen::MatrixXd& places) const;

  [[nodiscard]] bool empty() const { return positions_.rows() == 0; }
  [[nodiscard]] const Eigen::MatrixXd& positions() const { return positions_; }
  [[nodiscard]] const Eigen::VectorXd& heights() const { return heights_; }
  [[nodiscard]] double length_octaves() const { return length_octaves_; }

 private:
  Eigen::MatrixXd positions_;
  Eigen::VectorXd heights_;
  double length_octaves_ = 1;
};

}  // namespace edgejoule::fit
