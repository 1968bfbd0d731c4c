#include "fit/model_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace edgejoule::fit {
namespace {

// A library that switches: from 96 channels on, a unit of work costs five times as much.
struct Switching {
  Eigen::MatrixXd terms;
  Eigen::MatrixXf facts;
  Eigen::VectorXd energies;
  Eigen::VectorXd weights;

  explicit Switching(int rows) {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> channels(8, 200), other(1, 50);
    terms.resize(rows, 2);
    facts.resize(rows, 2);
    energies.resize(rows);
    weights = Eigen::VectorXd::Ones(rows);
    for (int i = 0; i < rows; ++i) {
      const int c = channels(random);
      terms.row(i) << 1, c * 1e6;
      facts.row(i) << static_cast<float>(other(random)), static_cast<float>(c);
      energies[i] = 1e-3 + c * 1e6 * (c < 96 ? 1e-11 : 5e-11);
    }
  }
  [[nodiscard]] ModelTree tree(int leaves) const {
    TreeOptions options;
    options.most_leaves = leaves;
    options.ridge = 1e-3;
    return {terms, facts, energies, weights, options};
  }
};

double worst_error(const Eigen::VectorXd& predicted, const Eigen::VectorXd& energies) {
  return (predicted.array() / energies.array() - 1).abs().maxCoeff();
}

TEST(ModelTree, FindsTheSwitchOfALibrary) {
  const Switching data(400);
  const ModelTree tree = data.tree(2);
  const std::vector<TreeLeaf> leaves = tree.pruned(2);
  ASSERT_EQ(leaves.size(), 2U);
  ASSERT_EQ(leaves[0].bounds.size(), 1U);
  EXPECT_EQ(leaves[0].bounds[0].feature, 1);
  EXPECT_NEAR(leaves[0].bounds[0].max, 96, 4);
  EXPECT_EQ(leaves[0].bounds[0].max, leaves[1].bounds[0].min);
  EXPECT_NEAR(leaves[1].coefficients[1], 5e-11, 1e-12);
  EXPECT_GT(worst_error(tree.predict(data.terms, data.facts, 1), data.energies), 0.5);
  EXPECT_LT(worst_error(tree.predict(data.terms, data.facts, 2), data.energies), 0.02);
}

TEST(ModelTree, AnswersForEverySmallerTree) {
  const Switching data(200);
  const ModelTree large = data.tree(8);
  for (int leaves = 1; leaves <= large.leaves(); ++leaves) {
    const ModelTree small = data.tree(leaves);
    EXPECT_EQ(small.leaves(), leaves);
    EXPECT_TRUE(small.predict(data.terms, data.facts, leaves).isApprox(large.predict(data.terms, data.facts, leaves)));
  }
}

TEST(ModelTree, LeavesPartitionTheRows) {
  const Switching data(200);
  const ModelTree tree = data.tree(6);
  const std::vector<TreeLeaf> leaves = tree.pruned(tree.leaves());
  const std::vector<std::size_t> leaf_of = tree.leaf_of(data.facts, tree.leaves());
  std::size_t rows = 0;
  for (std::size_t l = 0; l < leaves.size(); ++l) {
    rows += leaves[l].rows.size();
    EXPECT_GE(leaves[l].rows.size(), 5U);
    for (const Eigen::Index row : leaves[l].rows) {
      EXPECT_EQ(leaf_of[static_cast<std::size_t>(row)], l);
      for (const Bound& bound : leaves[l].bounds) {
        EXPECT_GE(data.facts(row, bound.feature), bound.min);
        EXPECT_LT(data.facts(row, bound.feature), bound.max);
      }
    }
  }
  EXPECT_EQ(rows, 200U);
}

TEST(ModelTree, DoesNotSplitWhatOneRowExplains) {
  Switching data(100);
  data.energies = data.terms * Eigen::Vector2d(1e-3, 2e-11);
  TreeOptions options;
  options.ridge = 0;
  EXPECT_EQ(ModelTree(data.terms, data.facts, data.energies, data.weights, options).leaves(), 1);
}

TEST(RoundestBetween, PrefersFewDigits) {
  EXPECT_EQ(roundest_between(95, 97), 97);
  EXPECT_EQ(roundest_between(95, 104), 100);
  EXPECT_EQ(roundest_between(104, 105), 105);
  EXPECT_EQ(roundest_between(0.5F, 3), 1);
  EXPECT_EQ(roundest_between(1, 2), 2);
  EXPECT_EQ(roundest_between(123456.0F, 124100.0F), 124000.0F);
  EXPECT_EQ(roundest_between(0, 0.25F), 0.2F);
}

TEST(RoundestBetween, SeparatesNeighbours) {
  std::mt19937 random(9);
  std::uniform_real_distribution<float> exponent(-10, 20);
  for (int i = 0; i < 10000; ++i) {
    const float low = std::exp2(exponent(random));
    const float high = i % 2 == 0 ? std::nextafter(low, 2 * low) : low * (1 + std::exp2(-exponent(random) - 10));
    if (!(high > low)) continue;
    const float between = roundest_between(low, high);
    EXPECT_GT(between, low);
    EXPECT_LE(between, high);
  }
}

}  // namespace
}  // namespace edgejoule::fit
