#include "fit/committee.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgejoule::fit {

Committee::Committee(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, const Eigen::VectorXd& energies,
                     const Eigen::VectorXd& weights, const Eigen::VectorXd& work, int members,
                     const TreeOptions& options) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(energies.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return work[a] < work[b]; });
  for (int member = 0; member < members; ++member) {
    std::vector<Eigen::Index> rows;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      if (members == 1 || static_cast<int>(rank) % members != member) rows.push_back(order[rank]);
    }
    std::sort(rows.begin(), rows.end());
    members_.emplace_back(terms(rows, Eigen::all), facts(rows, Eigen::all), energies(rows), weights(rows), options);
    rows_.push_back(std::move(rows));
  }
}

Committee::Answer Committee::predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, int leaves) const {
  Eigen::MatrixXd votes(terms.rows(), static_cast<Eigen::Index>(members_.size()));
  for (std::size_t m = 0; m < members_.size(); ++m) {
    votes.col(static_cast<Eigen::Index>(m)) = members_[m].predict(terms, facts, std::min(leaves, members_[m].leaves()));
  }
  Answer answer{Eigen::VectorXd(terms.rows()), Eigen::VectorXd(terms.rows())};
  for (Eigen::Index row = 0; row < votes.rows(); ++row) {
    Eigen::VectorXd sorted = votes.row(row);
    std::sort(sorted.data(), sorted.data() + sorted.size());
    const Eigen::Index n = sorted.size(), middle = n / 2;
    answer.joules[row] = n % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
    answer.spread[row] = std::log(sorted[n - 1] / sorted[0]);
  }
  return answer;
}

}  // namespace edgejoule::fit
