#include "fit/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

namespace edgejoule::fit {
namespace {

constexpr double kLargestLogError = 3.0;
// A larger tree must earn its leaves.
constexpr double kWorthALeaf = 0.98;

std::uint64_t hash_of(const std::string& text) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash;
}

struct Part {
  std::vector<Eigen::Index> inside, outside;
};

std::vector<Part> parts_of(const std::vector<int>& fold) {
  std::vector<Part> parts(static_cast<std::size_t>(*std::max_element(fold.begin(), fold.end())) + 1);
  for (std::size_t row = 0; row < fold.size(); ++row) {
    for (std::size_t f = 0; f < parts.size(); ++f) {
      (static_cast<std::size_t>(fold[row]) == f ? parts[f].outside : parts[f].inside)
          .push_back(static_cast<Eigen::Index>(row));
    }
  }
  return parts;
}

ModelTree grow(const KeyData& data, std::size_t term_set, const TreeOptions& options) {
  return {data.terms[term_set], data.facts, data.energies, data.weights, options};
}

}  // namespace

KeyData KeyData::subset(const std::vector<Eigen::Index>& rows) const {
  KeyData part;
  for (const Eigen::MatrixXd& matrix : terms) part.terms.emplace_back(matrix(rows, Eigen::all));
  part.facts = facts(rows, Eigen::all);
  part.energies = energies(rows);
  part.weights = weights(rows);
  for (const Eigen::Index row : rows) part.groups.push_back(groups[static_cast<std::size_t>(row)]);
  return part;
}

std::vector<int> deal_folds(const std::vector<std::string>& groups, int folds) {
  std::set<std::pair<std::uint64_t, std::string>> order;
  for (const std::string& group : groups) order.emplace(hash_of(group), group);
  std::map<std::string, int> fold_of;
  const int count = std::min(folds, static_cast<int>(order.size()));
  for (const auto& [hash, group] : order) {
    const int next = static_cast<int>(fold_of.size()) % count;
    fold_of[group] = next;
  }
  std::vector<int> result;
  for (const std::string& group : groups) result.push_back(fold_of[group]);
  return result;
}

Choice choose_form(const KeyData& data, const SelectionOptions& options) {
  const std::vector<Part> parts = parts_of(deal_folds(data.groups, options.folds));
  Choice best;
  best.score = kLargestLogError;
  if (parts.size() < 2) return best;
  for (std::size_t set = 0; set < data.terms.size(); ++set) {
    if (set > 0 && 2 * data.terms[set].cols() > data.size()) continue;
    Eigen::VectorXd cost = Eigen::VectorXd::Zero(options.tree.most_leaves);
    for (const Part& part : parts) {
      const ModelTree tree = grow(data.subset(part.inside), set, options.tree);
      const KeyData test = data.subset(part.outside);
      for (int leaves = 1; leaves <= options.tree.most_leaves; ++leaves) {
        const Eigen::VectorXd predicted = tree.predict(test.terms[set], test.facts, std::min(leaves, tree.leaves()));
        const Eigen::ArrayXd error = (test.energies.array() / predicted.array()).log().abs();
        cost[leaves - 1] += test.weights.dot(error.min(kLargestLogError).matrix());
      }
    }
    cost /= data.weights.sum();
    const double limit = cost.minCoeff() / kWorthALeaf;
    for (int leaves = 1; leaves <= options.tree.most_leaves; ++leaves) {
      if (cost[leaves - 1] > limit) continue;
      if (cost[leaves - 1] < best.score * kWorthALeaf) best = {set, leaves, cost[leaves - 1]};
      break;
    }
  }
  return best;
}

Committee elect(const KeyData& data, const Choice& choice, const SelectionOptions& options) {
  TreeOptions tree = options.tree;
  tree.most_leaves = choice.leaves;
  // A member must still have enough to grow on without its share.
  const bool many = choice.leaves > 1 && data.size() >= 2L * options.members * options.tree.smallest_leaf;
  return {data.terms[choice.term_set], data.facts, data.energies, data.weights, data.energies,
          many ? options.members : 1,  tree};
}

CrossValidation cross_validate(const KeyData& data, const SelectionOptions& options) {
  CrossValidation result;
  result.log_residuals = result.one_row_log_residuals = Eigen::VectorXd::Zero(data.size());
  const std::vector<Part> parts = parts_of(deal_folds(data.groups, options.folds));
  result.folds = static_cast<int>(parts.size());
  if (parts.size() < 2) return result;
  for (const Part& part : parts) {
    const KeyData train = data.subset(part.inside);
    const KeyData test = data.subset(part.outside);
    const Choice choice = choose_form(train, options);
    const Eigen::VectorXd predicted =
        elect(train, choice, options).predict(test.terms[choice.term_set], test.facts, choice.leaves).joules;
    result.log_residuals(part.outside) = (test.energies.array() / predicted.array()).log().matrix();
    TreeOptions chosen = options.tree;
    chosen.most_leaves = 1;
    const ModelTree one = grow(train, 0, chosen);
    const Eigen::VectorXd by_one = one.predict(test.terms[0], test.facts, 1);
    result.one_row_log_residuals(part.outside) = (test.energies.array() / by_one.array()).log().matrix();
  }
  return result;
}

}  // namespace edgejoule::fit
