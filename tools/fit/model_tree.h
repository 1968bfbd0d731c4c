// A shallow tree whose leaves are rows: libraries switch algorithms with the shape of
// an op, so one row does not fit all shapes.
//
// Shape: grown best leaf first, so that one growth answers for every smaller number of
// leaves. A leaf's row is pulled toward its parent's, so a small leaf stays sensible.
// Deterministic: no randomness, ties go to the first feature.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "fit/nnls.h"

namespace edgejoule::fit {

struct TreeOptions {
  int most_leaves = 16;
  int smallest_leaf = 5;  // measurements
  int proposals = 6;      // splits that are fitted before one is chosen
  double ridge = 1.0;     // pull toward the parent's row, in rows
  int robust_steps = 4;
  Eigen::VectorXd prior, penalty;  // of the root's row, as in RelativeFitOptions
};

// min <= facts[feature] < max for each.
struct Bound {
  Eigen::Index feature = 0;
  float min = 0;  // -infinity: open
  float max = 0;
};

struct TreeLeaf {
  Eigen::VectorXd coefficients;
  std::vector<Bound> bounds;  // at most one per feature
  std::vector<Eigen::Index> rows;
};

class ModelTree {
 public:
  // Shape: one row per measurement in all four.
  ModelTree(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, const Eigen::VectorXd& energies,
            const Eigen::VectorXd& weights, const TreeOptions& options);

  // Largest number of leaves it could grow.
  [[nodiscard]] int leaves() const { return splits_ + 1; }
  // Joules by the tree pruned to `leaves` leaves.
  [[nodiscard]] Eigen::VectorXd predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXf& facts, int leaves) const;
  // Leaf of each row, as an index into pruned(leaves).
  [[nodiscard]] std::vector<std::size_t> leaf_of(const Eigen::MatrixXf& facts, int leaves) const;
  [[nodiscard]] std::vector<TreeLeaf> pruned(int leaves) const;

 private:
  struct Node {
    std::vector<Eigen::Index> rows;
    Eigen::VectorXd coefficients;
    Eigen::VectorXd log_residuals;  // ln(measured / predicted), of rows
    double cost = 0;
    std::vector<Bound> bounds;
    int order = -1;  // the how-manieth split this was; -1: a leaf
    Eigen::Index feature = 0;
    float threshold = 0;
    std::size_t left = 0, right = 0;
  };
  struct Data;
  struct Split;

  [[nodiscard]] Node make_node(const Data& data, std::vector<Eigen::Index> rows, const Eigen::VectorXd& parent) const;
  [[nodiscard]] Split best_split(const Data& data, const Node& node) const;
  void apply(std::size_t leaf, Split split);
  [[nodiscard]] std::vector<std::size_t> leaf_nodes(int leaves) const;
  [[nodiscard]] std::size_t node_of(const Eigen::MatrixXf& facts, Eigen::Index row, int leaves) const;

  TreeOptions options_;
  std::vector<Node> nodes_;
  int splits_ = 0;
};

// The number in (low, high] with the fewest digits: thresholds that a person can read.
[[nodiscard]] float roundest_between(float low, float high);

}  // namespace edgejoule::fit
