// Rows for many devices at once: what they have in common is fitted over all of them,
// with one factor per device; each device then has its own row, pulled toward that.
//
// Shape: coefficients are joules per unit of each term, per device. Averaging the rows
// of the best few forms (which stay non-negative rows) is steadier than the best one.
#pragma once

#include <Eigen/Dense>
#include <vector>

namespace edgejoule::fit {

struct PoolData {
  Eigen::MatrixXd terms;
  Eigen::VectorXd energies;
  std::vector<int> devices;   // board, runtime and data type
  std::vector<int> kinds;     // devices of one kind share a row (a data type)
  std::vector<int> families;  // of models; left out whole to choose a form, but for those below 0

  [[nodiscard]] Eigen::Index size() const { return energies.size(); }
  [[nodiscard]] PoolData subset(const std::vector<Eigen::Index>& rows) const;
};

struct PoolForm {
  std::vector<Eigen::Index> columns;
  double ridge = 1e-3;  // pull toward the common row, as a share of the device's weight
  int robust_steps = 2;
  double balance = 0.5;  // weight of a row: (rows of its family on its device)^-balance
};

class SetPool {
 public:
  SetPool(const PoolData& data, const PoolForm& form);

  // Joules; NaN for a device that was not in the data.
  [[nodiscard]] Eigen::VectorXd predict(const PoolData& data) const;
  [[nodiscard]] bool knows(int device) const;
  [[nodiscard]] const Eigen::VectorXd& coefficients(int device) const;  // over all terms
  [[nodiscard]] const Eigen::VectorXd& common(int kind) const;          // joules relative to a device's factor
  [[nodiscard]] static SetPool average(const std::vector<SetPool>& pools);

 private:
  SetPool() = default;
  std::vector<Eigen::VectorXd> by_device_;  // empty: not in the data
  std::vector<Eigen::VectorXd> common_;
};

// Median over devices of the median error of each, in per cent.
[[nodiscard]] double median_of_device_medians(const Eigen::VectorXd& predicted, const PoolData& data);

struct PoolChoice {
  std::vector<std::size_t> order;  // of the forms, best first
  std::vector<double> scores;      // of the forms: mean over left-out families of the above
  // ln(measured / predicted) of the average of the best forms, each row with its family
  // left out. NaN where it cannot be.
  Eigen::VectorXd log_residuals;
};
[[nodiscard]] PoolChoice choose_forms(const std::vector<PoolForm>& forms, const PoolData& data, std::size_t averaged);

}  // namespace edgejoule::fit
