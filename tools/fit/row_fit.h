// One row of a table fitted in one of several forms, and the choice among the forms by
// cross-validation inside the training data.
//
// Shape: folds leave out one group each (one model); of more than ten groups five shares
// of them; with a single group every fifth measurement. One more fold trains on small work
// and tests on large, so that a form that only interpolates is not chosen for a table
// people extrapolate with. An error beyond 100 % counts as 100 %.
#pragma once

#include <Eigen/Dense>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fit/committee.h"
#include "fit/nnls.h"
#include "fit/prototypes.h"

namespace edgejoule::fit {

// One key's measurements.
struct RowData {
  Eigen::MatrixXd terms;
  Eigen::MatrixXd places;  // log2 of the sizes that prototypes and log rows see
  Eigen::MatrixXf facts;   // what trees may split on; no columns: no trees
  Eigen::VectorXd energies;
  Eigen::VectorXd weights;
  Eigen::VectorXd work;     // orders measurements by size; empty: no extrapolation fold
  std::vector<int> groups;  // numbers, equal for rows that must not be separated

  [[nodiscard]] Eigen::Index size() const { return energies.size(); }
  [[nodiscard]] RowData subset(const std::vector<Eigen::Index>& rows) const;
};

struct FormSpec {
  enum class Base { kLinear, kLog2, kTrees };
  std::string name;
  Base base = Base::kLinear;
  RelativeFitOptions linear;
  std::vector<Eigen::Index> columns;  // of the terms, of linear rows; empty: all
  int leaves = 1;                     // of each tree
  int members = 5;                    // trees, of which the median answers
  std::optional<PrototypeOptions> prototypes;
  std::vector<Bound> region;  // of the facts, of linear rows: what lies inside has a row of its own; empty: none
  std::vector<Eigen::Index> region_columns;
  double handicap = 0;  // its error counts as so much larger, as a share: what it has in addition must be worth it
};

[[nodiscard]] bool is_inside(const std::vector<Bound>& region, const Eigen::MatrixXf& facts, Eigen::Index row);

class FittedForm {
 public:
  FittedForm() = default;
  FittedForm(const FormSpec& form, const RowData& data);

  // `facts` are read by trees alone.
  [[nodiscard]] Eigen::VectorXd predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXd& places,
                                        const Eigen::MatrixXf& facts = {}) const;

  [[nodiscard]] const FormSpec& form() const { return form_; }
  // Joules per unit of each term, or, of a log row, exponents of the sizes.
  [[nodiscard]] const Eigen::VectorXd& coefficients() const { return coefficients_; }
  [[nodiscard]] const Eigen::VectorXd& region_coefficients() const { return region_coefficients_; }
  [[nodiscard]] double intercept() const { return intercept_; }  // log rows: log2 of joules
  [[nodiscard]] const Prototypes& prototypes() const { return prototypes_; }
  [[nodiscard]] const Committee* trees() const { return trees_.get(); }  // null: a row
  // The same base with other prototypes, or trees of fewer leaves: forms that share a
  // base are fitted once.
  [[nodiscard]] FittedForm as(const FormSpec& form, const RowData& data) const;

 private:
  [[nodiscard]] Eigen::VectorXd base(const Eigen::MatrixXd& terms, const Eigen::MatrixXd& places) const;
  void fit_around_region(const RowData& data);
  FormSpec form_;
  Eigen::VectorXd coefficients_;
  Eigen::VectorXd region_coefficients_;  // of a form without a region: empty
  double intercept_ = 0;
  Prototypes prototypes_;
  std::shared_ptr<const Committee> trees_;
};

struct Selected {
  FittedForm fitted;
  std::size_t form = 0;
  double score = 0;               // mean error over folds, as a fraction
  Eigen::VectorXd log_residuals;  // ln(measured / predicted) with the row's group left out; 0 where never left out
  std::string reason;             // for the table: what was chosen, against what
};

// Never empty forms; data of at least one row.
[[nodiscard]] Selected select_form(const std::vector<FormSpec>& forms, const RowData& data);

// Rows as they are, robust rows, log rows, and rows with prototypes of several lengths.
[[nodiscard]] std::vector<FormSpec> op_forms();

// Rows over the first few terms and over all of them, plain and robust.
[[nodiscard]] std::vector<FormSpec> measured_forms(std::size_t terms);

// Committees of trees, the largest first.
[[nodiscard]] std::vector<FormSpec> tree_forms(int most_leaves, int members = 5);

// sum w*min(|predicted/measured - 1|, 1) / sum w.
[[nodiscard]] double relative_error(const Eigen::VectorXd& predicted, const Eigen::VectorXd& energies,
                                    const Eigen::VectorXd& weights);

}  // namespace edgejoule::fit
