#include "fit/op_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <numeric>
#include <set>
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

std::vector<Eigen::Index> first_columns(std::size_t count) {
  std::vector<Eigen::Index> columns(count);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

// With few measurements: a row of work and bytes, nothing that bends.
std::vector<FormSpec> plain_forms(const OpTerms& terms) {
  std::vector<FormSpec> forms;
  for (const int steps : {0, 3}) {
    FormSpec form;
    form.name = steps == 0 ? "one row of work and bytes" : "robust row of work and bytes";
    form.linear.ridge = 1e-4;
    form.linear.robust_steps = steps;
    form.columns = first_columns(terms.plain);
    forms.push_back(std::move(form));
  }
  return forms;
}

// Convolutions of 3 x 3 at stride 1 run by Winograd's transform where a library finds them worth it: from so many
// channels and so many outputs on. Where, only the measurements know; regions that hold the same of them are one.
struct WinogradRegion {
  float channels = 1, outputs = 1;
  std::vector<Bound> bounds;
};

std::vector<WinogradRegion> winograd_regions(const std::vector<Feature>& facts, const Eigen::MatrixXf& values) {
  constexpr float kOpen = std::numeric_limits<float>::infinity();
  constexpr std::size_t kFewestInside = 5, kFewestOutside = 8;
  const auto bound = [&](Feature feature, float min, float max) {
    return Bound{std::find(facts.begin(), facts.end(), feature) - facts.begin(), min, max};
  };
  std::vector<WinogradRegion> regions;
  std::set<std::vector<bool>> known;
  for (const float channels : {1.0F, 8.0F, 16.0F, 32.0F, 64.0F}) {
    for (const float outputs : {1.0F, 16.0F, 64.0F, 256.0F}) {
      const std::vector<Bound> bounds = {bound(Feature::kKernelArea, 9, 10),
                                         bound(Feature::kStrideArea, -kOpen, 2),
                                         bound(Feature::kDilationArea, -kOpen, 2),
                                         bound(Feature::kChannelsPerGroup, channels, kOpen),
                                         bound(Feature::kOutChannelsPerGroup, channels, kOpen),
                                         bound(Feature::kOutputPixelsPerChannel, outputs, kOpen)};
      std::vector<bool> inside;
      for (Eigen::Index row = 0; row < values.rows(); ++row) inside.push_back(is_inside(bounds, values, row));
      const auto count = static_cast<std::size_t>(std::count(inside.begin(), inside.end(), true));
      if (count < kFewestInside || inside.size() - count < kFewestOutside || !known.insert(inside).second) continue;
      regions.push_back({channels, outputs, bounds});
    }
  }
  return regions;
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
    : rows_(std::move(rows)), terms_(options.common.with_traffic(std::move(terms))), common_(options.common) {
  std::vector<FormSpec> forms = options.forms;
  if (forms.size() > 1 && rows_.size() < 2 * terms_.terms.size()) forms = plain_forms(terms_);
  const OpClass op_class = observations[rows_.front()].op_class;
  // Of ops measured together the facts by which a library chooses are not those of one op.
  const bool may_split = options.most_leaves > 1 && all_single(observations, rows_);
  if (may_split && rows_.size() >= kFewestForTrees) {
    facts_ = kernel_choice_features(op_class);
    for (FormSpec& form : tree_forms(options.most_leaves, options.trees)) forms.push_back(std::move(form));
  } else if (may_split && op_class == OpClass::kConvolution) {
    facts_ = kernel_choice_features(op_class);
    add_winograd_forms(observations, forms);
  }
  RowData data = row_data(observations, rows_, terms_);
  if (!facts_.empty()) data.facts = observations.features(rows_, facts_);
  if (common_.knows_traffic()) {
    // Powers of sizes cannot say what leaves the cache.
    std::erase_if(forms, [](const FormSpec& form) { return form.base == FormSpec::Base::kLog2; });
  }
  for (FormSpec& form : forms) common_.hold(terms_.terms, form.linear);
  selected_ = select_form(forms, data);
}

// With too few measurements for trees to find out where the library switches, the switch that all libraries make is
// offered to them.
void OpRow::add_winograd_forms(const Observations& observations, std::vector<FormSpec>& forms) {
  const std::vector<WinogradRegion> regions = winograd_regions(facts_, observations.features(rows_, facts_));
  if (regions.empty()) return;
  const std::vector<Eigen::Index> plain = first_columns(terms_.plain), all = first_columns(terms_.terms.size());
  for (FormSpec& form : forms) {
    if (form.columns.empty()) form.columns = all;
  }
  FormSpec form;
  form.linear.ridge = 1e-4;
  form.handicap = 0.2;  // offered many times, one of them fits noise a little better
  form.region_columns = plain;
  for (const TermSpec& term : transform_terms()) {
    form.region_columns.push_back(static_cast<Eigen::Index>(terms_.terms.size()));
    terms_.terms.push_back(term);
  }
  for (const WinogradRegion& region : regions) {
    for (const std::vector<Eigen::Index>& columns : {plain, all}) {
      form.name = fmt::format("two rows, one of 3 x 3 convolutions from {:g} channels and {:g} outputs on",
                              region.channels, region.outputs);
      form.region = region.bounds;
      form.columns = columns;
      forms.push_back(form);
    }
  }
}

Eigen::VectorXd OpRow::predict(const Observations& observations, const std::vector<std::size_t>& rows) const {
  Eigen::MatrixXf facts;
  if (!facts_.empty()) facts = observations.features(rows, facts_);
  return selected_.fitted.predict(observations.columns(rows, terms_.terms), places_of(observations, rows, terms_.sizes),
                                  facts);
}

FittedRow OpRow::linear_row(const Eigen::VectorXd& coefficients, const Eigen::MatrixXd& columns,
                            const std::vector<Eigen::Index>& members, const std::vector<Bound>& bounds) const {
  FittedRow row;
  for (const Bound& bound : bounds) {
    row.conditions.push_back({facts_[static_cast<std::size_t>(bound.feature)], bound.min, bound.max});
  }
  row.terms = fitted_terms(terms_.terms, coefficients, columns(members, Eigen::all));
  common_.widen(row.terms);
  for (const Eigen::Index at : members) row.measurements.push_back(rows_[static_cast<std::size_t>(at)]);
  return row;
}

std::vector<FittedRow> OpRow::table_rows(const Observations& observations) const {
  const Eigen::MatrixXd columns = observations.columns(rows_, terms_.terms);
  Eigen::MatrixXf facts;
  if (!facts_.empty()) facts = observations.features(rows_, facts_);
  const FittedForm& fitted = selected_.fitted;
  std::vector<FittedRow> result;
  if (const Committee* trees = fitted.trees()) {
    for (std::size_t member = 0; member < trees->members().size(); ++member) {
      const ModelTree& tree = trees->members()[member];
      for (TreeLeaf& leaf : tree.pruned(std::min(fitted.form().leaves, tree.leaves()))) {
        for (Eigen::Index& row : leaf.rows) row = trees->rows_of(member)[static_cast<std::size_t>(row)];
        const bool alone = trees->members().size() == 1;
        FittedRow row = linear_row(leaf.coefficients, columns, leaf.rows, leaf.bounds);
        row.member = alone ? std::uint8_t{0} : static_cast<std::uint8_t>(member + 1);
        row.reason = alone ? selected_.reason
                           : fmt::format("tree {} of {}; {}", member + 1, trees->members().size(), selected_.reason);
        result.push_back(std::move(row));
      }
    }
    return result;
  }
  std::vector<Eigen::Index> inside, outside;
  for (Eigen::Index row = 0; row < columns.rows(); ++row) {
    const bool is_in = !fitted.form().region.empty() && is_inside(fitted.form().region, facts, row);
    (is_in ? inside : outside).push_back(row);
  }
  if (!inside.empty()) {
    result.push_back(linear_row(fitted.region_coefficients(), columns, inside, fitted.form().region));
    result.back().reason = selected_.reason;
  }
  FittedRow row;
  if (fitted.form().base == FormSpec::Base::kLog2) {
    row.measurements = rows_;
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
    row = linear_row(fitted.coefficients(), columns, outside, {});
  }
  row.reason = selected_.reason;
  row.correction = fitted_correction(fitted.prototypes(), terms_.sizes);
  result.push_back(std::move(row));
  return result;
}

}  // namespace edgejoule::fit
