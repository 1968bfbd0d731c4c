// A whole tree of ops, modules and models priced from fitted rows: ops by their kind,
// modules by the ladder over what their children were priced at.
//
// Shape: works on a set in which children stand before their parents (IrEne's data, or
// any board measured at several levels).
#pragma once

#include <Eigen/Dense>
#include <map>
#include <optional>
#include <vector>

#include "fit/design.h"
#include "fit/module_ladder.h"
#include "fit/op_terms.h"
#include "fit/row_fit.h"

namespace edgejoule::fit {

struct TreeFitOptions {
  std::vector<RowForm> op_forms = fit::op_forms();
  LadderOptions ladder;
  bool module_rows = true;
};

class TreeFit {
 public:
  // Rows with `training[i]` are fitted on. Lifetime: views `observations`.
  TreeFit(const Observations& observations, const std::vector<bool>& training, const TreeFitOptions& options);

  struct Prices {
    std::vector<double> joules;  // per row of the set
    std::vector<int> level;      // ops: 0 kind, 1 class, 2 roofline; modules: of the ladder
  };
  // Every row, bottom up. `op_joules` replaces the ops' prices where it is not empty.
  [[nodiscard]] Prices price(const std::vector<double>& op_joules = {}) const;

  // Held-out ln(measured / predicted) of the training ops of a kind, with their rows.
  struct OpRow {
    std::vector<std::size_t> rows;
    Selected selected;
    OpTerms terms;
  };
  [[nodiscard]] const std::map<OpKind, OpRow>& kinds() const { return kinds_; }
  [[nodiscard]] const ModuleLadder& ladder() const { return ladder_; }

  // The terms of a module's row: children's joules, then physics of its own.
  static constexpr Eigen::Index kModuleTerms = 8;
  [[nodiscard]] static Eigen::RowVectorXd module_terms(const measurements::Measurement& m, double children_joules);
  [[nodiscard]] static std::vector<int> module_keys(const measurements::Measurement& m);

 private:
  void fit_modules(const std::vector<bool>& training, const LadderOptions& options);

  const Observations* observations_;
  std::map<OpKind, OpRow> kinds_;
  std::map<OpClass, OpRow> classes_;  // of matrix products with weights, for a kind never seen
  OpRow elements_;                    // ops that are no matrix products
  ModuleLadder ladder_;
  bool has_ladder_ = false;
};

}  // namespace edgejoule::fit
