#include "fit/op_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numbers>
#include <utility>

namespace edgejoule::fit {
namespace {

// Trees of five, each of two leaves or more of five measurements, and none seen twice.
constexpr std::size_t kFewestForTrees = 100;

// Six digits are more than the data has.
double rounded(double value) {
  return std::strtod(fmt::format("{:.5e}", value).c_str(), nullptr);
}

bool all_single(const Observations& observations, const std::vector<std::size_t>& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](std::size_t row) { return observations[row].parts == nullptr; });
}

// With few measurements: a row of work and bytes, nothing that bends.
std::vector<FormSpec> plain_forms(const OpTerms& terms) {
  std::vector<FormSpec> forms;
  for (const int steps : {0, 3}) {
    FormSpec form;
    form.name = steps == 0 ? "one row of work and bytes" : "robust row of work and bytes";
    form.linear.ridge = 1e-4;
    form.linear.robust_steps = steps;
    for (std::size_t column = 0; column < terms.plain; ++column) {
      form.columns.push_back(static_cast<Eigen::Index>(column));
    }
    forms.push_back(std::move(form));
  }
  return forms;
}

}  // namespace

std::vector<FittedTerm> fitted_terms(const std::vector<TermSpec>& specs, const Eigen::VectorXd& coefficients,
                                     const Eigen::MatrixXd& terms) {
  std::vector<FittedTerm> result;
  for (std::size_t t = 0; t < specs.size(); ++t) {
    const auto column = static_cast<Eigen::Index>(t);
    const double coefficient = rounded(coefficients[column]);
    if (coefficient <= 0) continue;
    result.push_back({specs[t], coefficient, terms.col(column).minCoeff(), terms.col(column).maxCoeff()});
  }
  return result;
}

FittedCorrection fitted_correction(const Prototypes& prototypes, const std::vector<Feature>& axes) {
  FittedCorrection correction;
  if (prototypes.empty()) return correction;
  correction.axes = axes;
  correction.length_octaves = prototypes.length_octaves();
  for (Eigen::Index point = 0; point < prototypes.heights().size(); ++point) {
    correction.heights.push_back(prototypes.heights()[point] / std::numbers::ln2);
    for (Eigen::Index axis = 0; axis < prototypes.positions().cols(); ++axis) {
      correction.positions.push_back(prototypes.positions()(point, axis));
    }
  }
  return correction;
}

OpRow::OpRow(const Observations& observations, std::vector<std::size_t> rows, OpTerms terms,
             const OpFitOptions& options)
    : rows_(std::move(rows)), terms_(std::move(terms)) {
  RowData data = row_data(observations, rows_, terms_);
  std::vector<FormSpec> forms = options.forms;
  if (forms.size() > 1 && rows_.size() < 2 * terms_.terms.size()) forms = plain_forms(terms_);
  // Of ops measured together the facts by which a library chooses are not those of one op.
  if (options.most_leaves > 1 && rows_.size() >= kFewestForTrees && all_single(observations, rows_)) {
    facts_ = kernel_choice_features(observations[rows_.front()].op_class);
    data.facts = observations.features(rows_, facts_);
    for (FormSpec& form : tree_forms(options.most_leaves, options.trees)) forms.push_back(std::move(form));
  }
  selected_ = select_form(forms, data);
}

Eigen::VectorXd OpRow::predict(const Observations& observations, const std::vector<std::size_t>& rows) const {
  Eigen::MatrixXf facts;
  if (selected_.fitted.trees() != nullptr) facts = observations.features(rows, facts_);
  return selected_.fitted.predict(observations.columns(rows, terms_.terms), places_of(observations, rows, terms_.sizes),
                                  facts);
}

std::vector<FittedRow> OpRow::table_rows(const Observations& observations) const {
  const Eigen::MatrixXd columns = observations.columns(rows_, terms_.terms);
  const FittedForm& fitted = selected_.fitted;
  std::vector<FittedRow> result;
  if (const Committee* trees = fitted.trees()) {
    for (std::size_t member = 0; member < trees->members().size(); ++member) {
      const ModelTree& tree = trees->members()[member];
      for (TreeLeaf& leaf : tree.pruned(std::min(fitted.form().leaves, tree.leaves()))) {
        for (Eigen::Index& row : leaf.rows) row = trees->rows_of(member)[static_cast<std::size_t>(row)];
        FittedRow row;
        const bool alone = trees->members().size() == 1;
        row.member = alone ? std::uint8_t{0} : static_cast<std::uint8_t>(member + 1);
        for (const Bound& bound : leaf.bounds) {
          row.conditions.push_back({facts_[static_cast<std::size_t>(bound.feature)], bound.min, bound.max});
        }
        row.terms = fitted_terms(terms_.terms, leaf.coefficients, columns(leaf.rows, Eigen::all));
        for (const Eigen::Index at : leaf.rows) row.measurements.push_back(rows_[static_cast<std::size_t>(at)]);
        row.reason = alone ? selected_.reason
                           : fmt::format("tree {} of {}; {}", member + 1, trees->members().size(), selected_.reason);
        result.push_back(std::move(row));
      }
    }
    return result;
  }
  FittedRow row;
  row.measurements = rows_;
  row.reason = selected_.reason;
  if (fitted.form().base == FormSpec::Base::kLog2) {
    row.form = RowForm::kLog2;
    row.intercept = fitted.intercept();
    const Eigen::MatrixXf sizes = observations.features(rows_, terms_.sizes);
    for (std::size_t size = 0; size < terms_.sizes.size(); ++size) {
      const auto column = static_cast<Eigen::Index>(size);
      row.terms.push_back({{terms_.sizes[size], {}},
                           fitted.coefficients()[column],
                           static_cast<double>(sizes.col(column).minCoeff()),
                           static_cast<double>(sizes.col(column).maxCoeff())});
    }
  } else {
    row.terms = fitted_terms(terms_.terms, fitted.coefficients(), columns);
  }
  row.correction = fitted_correction(fitted.prototypes(), terms_.sizes);
  result.push_back(std::move(row));
  return result;
}

}  // namespace edgejoule::fit
