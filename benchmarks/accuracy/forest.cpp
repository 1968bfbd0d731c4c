#include "forest.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace edgejoule::accuracy {
namespace {

using Eigen::Index;

struct Node {
  Index column = -1;  // -1: a leaf
  double threshold = 0, value = 0;
  std::size_t left = 0, right = 0;
};

class Tree {
 public:
  Tree(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, std::vector<Index> rows) : x_(x), y_(y) {
    grow(std::move(rows));
  }

  [[nodiscard]] double predict(const Eigen::RowVectorXd& row) const {
    std::size_t at = 0;
    while (nodes_[at].column >= 0)
      at = row[nodes_[at].column] <= nodes_[at].threshold ? nodes_[at].left : nodes_[at].right;
    return nodes_[at].value;
  }

 private:
  std::size_t grow(std::vector<Index> rows) {
    const std::size_t at = nodes_.size();
    nodes_.emplace_back();
    double sum = 0;
    for (const Index row : rows) sum += y_[row];
    const auto n = static_cast<double>(rows.size());
    nodes_[at].value = sum / n;
    double best = sum * sum / n + 1e-12;
    Node split;
    for (Index column = 0; column < x_.cols(); ++column) {
      std::sort(rows.begin(), rows.end(), [&](Index a, Index b) { return x_(a, column) < x_(b, column); });
      double left = 0;
      for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        left += y_[rows[i]];
        const double here = x_(rows[i], column), next = x_(rows[i + 1], column);
        if (here == next) continue;
        const auto on_left = static_cast<double>(i + 1);
        const double gain = left * left / on_left + (sum - left) * (sum - left) / (n - on_left);
        if (gain > best) best = gain, split.column = column, split.threshold = 0.5 * (here + next);
      }
    }
    if (split.column < 0) return at;
    const auto middle =
        std::partition(rows.begin(), rows.end(), [&](Index row) { return x_(row, split.column) <= split.threshold; });
    std::vector<Index> left(rows.begin(), middle), right(middle, rows.end());
    std::sort(left.begin(), left.end());
    std::sort(right.begin(), right.end());
    rows.clear();
    split.left = grow(std::move(left));
    split.right = grow(std::move(right));
    split.value = nodes_[at].value;
    nodes_[at] = split;
    return at;
  }

  const Eigen::MatrixXd& x_;
  const Eigen::VectorXd& y_;
  std::vector<Node> nodes_;
};

}  // namespace

Eigen::VectorXd forest_predict(const Eigen::MatrixXd& train, const Eigen::VectorXd& log_joules,
                               const Eigen::MatrixXd& test, int trees) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(test.rows());
  std::uint64_t state = 88172645463325252ULL;  // xorshift64
  for (int t = 0; t < trees; ++t) {
    std::vector<Index> rows;
    for (Index i = 0; i < train.rows(); ++i) {
      state ^= state << 13U, state ^= state >> 7U, state ^= state << 17U;
      rows.push_back(static_cast<Index>(state % static_cast<std::uint64_t>(train.rows())));
    }
    std::sort(rows.begin(), rows.end());
    const Tree tree(train, log_joules, std::move(rows));
    for (Index i = 0; i < test.rows(); ++i) sum[i] += tree.predict(test.row(i));
  }
  return sum / trees;
}

}  // namespace edgejoule::accuracy
