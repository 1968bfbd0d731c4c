// Which form a key gets, and how well it predicts what it has not seen.
//
// Shape: rows of one group (a model, a specification) are never split between fitting
// and testing. The choice of the form is made inside each training part, so that the
// held-out residuals are those of the whole procedure.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "fit/committee.h"
#include "fit/model_tree.h"

namespace edgejoule::fit {

// One key's measurements under every candidate set of terms.
struct KeyData {
  std::vector<Eigen::MatrixXd> terms;  // one matrix per term set
  Eigen::MatrixXf facts;               // what a tree may split on
  Eigen::VectorXd energies;
  Eigen::VectorXd weights;
  std::vector<std::string> groups;

  [[nodiscard]] Eigen::Index size() const { return energies.size(); }
  [[nodiscard]] KeyData subset(const std::vector<Eigen::Index>& rows) const;
};

struct Choice {
  std::size_t term_set = 0;
  int leaves = 1;
  double score = 0;  // held-out mean of |ln(measured / predicted)|, clipped at 3
};

struct SelectionOptions {
  TreeOptions tree;
  int folds = 5;
  int members = 5;  // trees behind a key that takes more than one row
};

// The rows of a choice: one that has seen everything, or a committee of trees.
[[nodiscard]] Committee elect(const KeyData& data, const Choice& choice, const SelectionOptions& options);

struct CrossValidation {
  Eigen::VectorXd log_residuals;          // ln(measured / predicted) of every row, held out
  Eigen::VectorXd one_row_log_residuals;  // the same of a single row of the first term set
  int folds = 0;
};

// The fold of each row; groups are dealt out by a hash of their name, so that neither
// their order nor a new group moves the others far. At most one fold per group.
[[nodiscard]] std::vector<int> deal_folds(const std::vector<std::string>& groups, int folds);

// By cross-validation within `data`. Term sets with more terms than half the rows are
// no candidates, but for the first.
[[nodiscard]] Choice choose_form(const KeyData& data, const SelectionOptions& options);

[[nodiscard]] CrossValidation cross_validate(const KeyData& data, const SelectionOptions& options);

}  // namespace edgejoule::fit
