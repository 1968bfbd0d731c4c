// What one key of a table (an op kind and data type, or a class of ops) costs: the form
// that cross-validation chose, and the table's rows for it.
//
// Errors: none; a key with fewer measurements than its terms have coefficients gets a
// row of plain work and bytes.
#pragma once

#include <vector>

#include "fit/common_costs.h"
#include "fit/fitted_row.h"
#include "fit/op_terms.h"
#include "fit/row_fit.h"

namespace edgejoule::fit {

struct OpFitOptions {
  std::vector<FormSpec> forms = op_forms();
  int most_leaves = 16;  // of the trees that are tried; 1: none
  int trees = 5;         // of a committee; 1: a tree by itself, as rows with run-time facts must be
  CommonCosts common;    // where every row starts
};

class OpRow {
 public:
  OpRow() = default;
  // `rows` of `observations`, at least one.
  OpRow(const Observations& observations, std::vector<std::size_t> rows, OpTerms terms, const OpFitOptions& options);

  // Joules of rows of any set with the same meaning.
  [[nodiscard]] Eigen::VectorXd predict(const Observations& observations, const std::vector<std::size_t>& rows) const;

  [[nodiscard]] const Selected& selected() const { return selected_; }
  [[nodiscard]] const OpTerms& terms() const { return terms_; }
  [[nodiscard]] const std::vector<std::size_t>& rows() const { return rows_; }

  // As rows of a table, without their key.
  [[nodiscard]] std::vector<FittedRow> table_rows(const Observations& observations) const;

 private:
  void add_winograd_forms(const Observations& observations, std::vector<FormSpec>& forms);
  [[nodiscard]] FittedRow linear_row(const Eigen::VectorXd& coefficients, const Eigen::MatrixXd& columns,
                                     const std::vector<Eigen::Index>& members, const std::vector<Bound>& bounds) const;

  std::vector<std::size_t> rows_;
  OpTerms terms_;
  CommonCosts common_;
  std::vector<Feature> facts_;  // what trees split on; empty: no trees
  Selected selected_;
};

// Terms with their ranges; those the fit left at zero are not stored.
[[nodiscard]] std::vector<FittedTerm> fitted_terms(const std::vector<TermSpec>& specs,
                                                   const Eigen::VectorXd& coefficients, const Eigen::MatrixXd& terms);
[[nodiscard]] FittedCorrection fitted_correction(const Prototypes& prototypes, const std::vector<Feature>& axes);

}  // namespace edgejoule::fit
