#include "fit/model_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "edgejoule/core/table.h"

namespace edgejoule::fit {
namespace {

// A residual beyond e^3 says "another algorithm", not how far.
constexpr double kLargestCost = 3.0;
constexpr double kLargestStep = 2.0;
constexpr double kSmallestGain = 1e-4;  // of the mean |ln(measured / predicted)|
constexpr double kSmallestJoules = 1e-12;

struct Proposal {
  double gain = 0;
  Eigen::Index feature = 0;
  float threshold = 0;
};

// Thresholds of one feature at which the clipped residuals separate best.
void propose(const Eigen::VectorXf& values, const Eigen::VectorXd& residuals, const Eigen::VectorXd& weights,
             Eigen::Index feature, int smallest_leaf, std::vector<Proposal>& proposals) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  const double total = weights.dot(residuals);
  const double mass = weights.sum();
  double left = 0, left_mass = 0;
  Proposal best, second;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    left += weights[order[i]] * residuals[order[i]];
    left_mass += weights[order[i]];
    const float here = values[order[i]], next = values[order[i + 1]];
    const auto on_left = static_cast<int>(i + 1);
    if (here == next || on_left < smallest_leaf || static_cast<int>(order.size()) - on_left < smallest_leaf) continue;
    const double right = total - left, right_mass = mass - left_mass;
    const double gain = left * left / left_mass + right * right / right_mass - total * total / mass;
    const Proposal proposal{gain, feature, roundest_between(here, next)};
    if (gain > best.gain) {
      second = best;
      best = proposal;
    } else if (gain > second.gain) {
      second = proposal;
    }
  }
  if (best.gain > 0) proposals.push_back(best);
  if (second.gain > 0) proposals.push_back(second);
}

void tighten(std::vector<Bound>& bounds, Eigen::Index feature, float min, float max) {
  for (Bound& bound : bounds) {
    if (bound.feature == feature) {
      bound.min = std::max(bound.min, min);
      bound.max = std::min(bound.max, max);
      return;
    }
  }
  bounds.push_back({feature, min, max});
}

}  // namespace

float roundest_between(float low, float high) {
  if (low < 1 && high >= 1) return 1;
  for (int digits = 1; digits < 9; ++digits) {
    // Candidates are multiples of a power of ten; the largest not above `high`.
    const double magnitude = std::floor(std::log10(static_cast<double>(std::max(high, 1e-30F))));
    const double step = std::pow(10.0, magnitude - digits + 1);
    const auto candidate = static_cast<float>(std::floor(static_cast<double>(high) / step * (1 + 1e-12)) * step);
    if (candidate > low && candidate <= high) return candidate;
  }
  return high;
}

struct ModelTree::Data {
  const Eigen::MatrixXd& terms;
  const Eigen::MatrixXf& facts;
  const Eigen::VectorXd& energies;
  const Eigen::VectorXd& weights;
};

struct ModelTree::Split {
  double gain = 0;
  Eigen::Index feature = 0;
  float threshold = 0;
  Node left, right;
};

ModelTree::ModelTree(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, const Eigen::VectorXd& energies,
                     const Eigen::VectorXd& weights, const TreeOptions& options)
    : options_(options) {
  const Data data{terms, facts, energies, weights};
  std::vector<Eigen::Index> all(static_cast<std::size_t>(energies.size()));
  std::iota(all.begin(), all.end(), 0);
  nodes_.push_back(make_node(data, std::move(all), {}));

  std::vector<std::size_t> leaves = {0};
  std::vector<Split> splits;
  splits.push_back(best_split(data, nodes_[0]));
  while (splits_ + 1 < options_.most_leaves) {
    std::size_t chosen = 0;
    for (std::size_t i = 1; i < leaves.size(); ++i) {
      if (splits[i].gain > splits[chosen].gain) chosen = i;
    }
    if (splits[chosen].gain <= kSmallestGain * weights.sum()) break;
    const std::size_t node = leaves[chosen];
    apply(node, std::move(splits[chosen]));
    leaves[chosen] = nodes_[node].left;
    splits[chosen] = best_split(data, nodes_[nodes_[node].left]);
    leaves.push_back(nodes_[node].right);
    splits.push_back(best_split(data, nodes_[nodes_[node].right]));
  }
}

ModelTree::Node ModelTree::make_node(const Data& data, std::vector<Eigen::Index> rows,
                                     const Eigen::VectorXd& parent) const {
  Node node;
  const Eigen::MatrixXd terms = data.terms(rows, Eigen::all);
  const Eigen::VectorXd energies = data.energies(rows);
  const Eigen::VectorXd weights = data.weights(rows);
  RelativeFitOptions fit;
  fit.robust_steps = options_.robust_steps;
  if (parent.size() > 0) {
    fit.ridge = options_.ridge;
    fit.prior = parent;
  } else {
    fit.prior = options_.prior;
    fit.penalty = options_.penalty;
  }
  node.coefficients = fit_relative(terms, energies, weights, fit);
  const Eigen::VectorXd predicted = (terms * node.coefficients).cwiseMax(kSmallestJoules);
  node.log_residuals = (energies.array() / predicted.array()).log();
  node.cost = weights.dot(node.log_residuals.cwiseAbs().cwiseMin(kLargestCost));
  node.rows = std::move(rows);
  return node;
}

ModelTree::Split ModelTree::best_split(const Data& data, const Node& node) const {
  Split best;
  if (static_cast<int>(node.rows.size()) < 2 * options_.smallest_leaf) return best;
  const Eigen::VectorXd residuals = node.log_residuals.cwiseMax(-kLargestStep).cwiseMin(kLargestStep);
  const Eigen::VectorXd weights = data.weights(node.rows);
  std::vector<Proposal> proposals;
  // A row of a table holds only so many conditions; a feature tested before costs none.
  const bool full = node.bounds.size() >= kMaxConditionsPerRow;
  const auto is_bound = [&](Eigen::Index f) {
    return std::any_of(node.bounds.begin(), node.bounds.end(), [f](const Bound& bound) { return bound.feature == f; });
  };
  for (Eigen::Index f = 0; f < data.facts.cols(); ++f) {
    if (full && !is_bound(f)) continue;
    propose(data.facts(node.rows, f), residuals, weights, f, options_.smallest_leaf, proposals);
  }
  std::stable_sort(proposals.begin(), proposals.end(), [](auto& a, auto& b) { return a.gain > b.gain; });
  if (proposals.size() > static_cast<std::size_t>(options_.proposals)) {
    proposals.resize(static_cast<std::size_t>(options_.proposals));
  }
  for (const Proposal& proposal : proposals) {
    std::vector<Eigen::Index> left, right;
    for (const Eigen::Index row : node.rows) {
      (data.facts(row, proposal.feature) < proposal.threshold ? left : right).push_back(row);
    }
    Split split;
    split.feature = proposal.feature;
    split.threshold = proposal.threshold;
    split.left = make_node(data, std::move(left), node.coefficients);
    split.right = make_node(data, std::move(right), node.coefficients);
    split.gain = node.cost - split.left.cost - split.right.cost;
    if (split.gain > best.gain) best = std::move(split);
  }
  return best;
}

void ModelTree::apply(std::size_t leaf, Split split) {
  constexpr float kOpen = std::numeric_limits<float>::infinity();
  split.left.bounds = split.right.bounds = nodes_[leaf].bounds;
  tighten(split.left.bounds, split.feature, -kOpen, split.threshold);
  tighten(split.right.bounds, split.feature, split.threshold, kOpen);
  nodes_[leaf].order = splits_++;
  nodes_[leaf].feature = split.feature;
  nodes_[leaf].threshold = split.threshold;
  nodes_[leaf].left = nodes_.size();
  nodes_[leaf].right = nodes_.size() + 1;
  nodes_.push_back(std::move(split.left));
  nodes_.push_back(std::move(split.right));
}

std::size_t ModelTree::node_of(const Eigen::MatrixXf& facts, Eigen::Index row, int leaves) const {
  std::size_t at = 0;
  while (nodes_[at].order >= 0 && nodes_[at].order < leaves - 1) {
    at = facts(row, nodes_[at].feature) < nodes_[at].threshold ? nodes_[at].left : nodes_[at].right;
  }
  return at;
}

Eigen::VectorXd ModelTree::predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, int leaves) const {
  Eigen::VectorXd joules(terms.rows());
  for (Eigen::Index row = 0; row < terms.rows(); ++row) {
    joules[row] = std::max(terms.row(row).dot(nodes_[node_of(facts, row, leaves)].coefficients), kSmallestJoules);
  }
  return joules;
}

std::vector<std::size_t> ModelTree::leaf_nodes(int leaves) const {
  std::vector<std::size_t> result;
  std::vector<std::size_t> stack = {0};
  while (!stack.empty()) {
    const std::size_t at = stack.back();
    stack.pop_back();
    if (nodes_[at].order >= 0 && nodes_[at].order < leaves - 1) {
      stack.push_back(nodes_[at].right);
      stack.push_back(nodes_[at].left);
    } else {
      result.push_back(at);
    }
  }
  return result;
}

std::vector<std::size_t> ModelTree::leaf_of(const Eigen::MatrixXf& facts, int leaves) const {
  const std::vector<std::size_t> nodes = leaf_nodes(leaves);
  std::vector<std::size_t> result;
  for (Eigen::Index row = 0; row < facts.rows(); ++row) {
    const auto found = std::find(nodes.begin(), nodes.end(), node_of(facts, row, leaves));
    result.push_back(static_cast<std::size_t>(found - nodes.begin()));
  }
  return result;
}

std::vector<TreeLeaf> ModelTree::pruned(int leaves) const {
  std::vector<TreeLeaf> result;
  for (const std::size_t at : leaf_nodes(leaves)) {
    result.push_back({nodes_[at].coefficients, nodes_[at].bounds, nodes_[at].rows});
  }
  return result;
}

}  // namespace edgejoule::fit
