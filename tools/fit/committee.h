// Several trees, each fitted without its share of the measurements; the answer is their
// median, and how far they disagree says how much to trust it.
//
// Shape: tree q does not see every q-th measurement in the order of work. Deterministic.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "fit/model_tree.h"

namespace edgejoule::fit {

class Committee {
 public:
  // `work` orders the measurements; `members` of at least 1 (one sees everything).
  Committee(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, const Eigen::VectorXd& energies,
            const Eigen::VectorXd& weights, const Eigen::VectorXd& work, int members, const TreeOptions& options);

  struct Answer {
    Eigen::VectorXd joules;  // the median of the members
    Eigen::VectorXd spread;  // ln(largest / smallest) of them
  };
  [[nodiscard]] Answer predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, int leaves) const;

  [[nodiscard]] const std::vector<ModelTree>& members() const { return members_; }
  // Measurements that member q was fitted on, as rows of what the committee was given.
  [[nodiscard]] const std::vector<Eigen::Index>& rows_of(std::size_t q) const { return rows_[q]; }

 private:
  std::vector<ModelTree> members_;
  std::vector<std::vector<Eigen::Index>> rows_;
};

}  // namespace edgejoule::fit
