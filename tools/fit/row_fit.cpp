#include "fit/row_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace edgejoule::fit {
namespace {

constexpr double kSmallestJoules = 1e-12;
constexpr double kSmallWork = 0.7;  // quantile of the work that the extrapolation fold trains on
constexpr std::size_t kMostGroupsOneByOne = 10;
constexpr int kShares = 5;
constexpr double kLargestError = 1.0;

struct Fold {
  std::vector<Eigen::Index> inside, outside;
  bool leaves_groups_out = true;
};

std::vector<Fold> folds_of(const RowData& data) {
  std::vector<Fold> folds;
  const std::set<int> groups(data.groups.begin(), data.groups.end());
  const auto add = [&](auto is_outside, bool of_groups) {
    Fold fold;
    for (Eigen::Index i = 0; i < data.size(); ++i) (is_outside(i) ? fold.outside : fold.inside).push_back(i);
    fold.leaves_groups_out = of_groups;
    if (!fold.inside.empty() && !fold.outside.empty()) folds.push_back(std::move(fold));
  };
  if (groups.size() > kMostGroupsOneByOne) {
    // In the order of their numbers, which are hashes: dealt out like cards.
    std::map<int, int> share_of;
    for (const int group : groups) share_of.emplace(group, static_cast<int>(share_of.size()) % kShares);
    for (int share = 0; share < kShares; ++share) {
      add([&](Eigen::Index i) { return share_of.at(data.groups[static_cast<std::size_t>(i)]) == share; }, true);
    }
  } else if (groups.size() >= 2) {
    for (const int group : groups) {
      add([&](Eigen::Index i) { return data.groups[static_cast<std::size_t>(i)] == group; }, true);
    }
  } else {
    for (int f = 0; f < kShares; ++f) add([&](Eigen::Index i) { return i % kShares == f; }, true);
  }
  if (data.work.size() == data.size() && data.size() > 1) {
    std::vector<double> work(data.work.data(), data.work.data() + data.work.size());
    std::sort(work.begin(), work.end());
    const double position = kSmallWork * static_cast<double>(work.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const double limit =
        work[below] + (position - std::floor(position)) * (work[std::min(below + 1, work.size() - 1)] - work[below]);
    add([&](Eigen::Index i) { return data.work[i] > limit; }, false);
  }
  return folds;
}

// Whether what was fitted as `a` can answer as `b`, too.
bool same_base(const FormSpec& a, const FormSpec& b) {
  if (!a.region.empty() || !b.region.empty()) return false;
  if (a.base == FormSpec::Base::kTrees) return b.base == a.base && a.members == b.members && a.leaves >= b.leaves;
  return a.base == b.base && a.columns == b.columns && a.linear.ridge == b.linear.ridge &&
         a.linear.robust_steps == b.linear.robust_steps;
}

Eigen::VectorXd fit_columns(const RowData& data, const std::vector<Eigen::Index>& columns,
                            const RelativeFitOptions& linear) {
  if (columns.empty()) return fit_relative(data.terms, data.energies, data.weights, linear);
  RelativeFitOptions options = linear;
  if (options.prior.size() != 0) options.prior = options.prior(columns).eval();
  if (options.penalty.size() != 0) options.penalty = options.penalty(columns).eval();
  Eigen::VectorXd coefficients = Eigen::VectorXd::Zero(data.terms.cols());
  coefficients(columns) = fit_relative(data.terms(Eigen::all, columns), data.energies, data.weights, options);
  return coefficients;
}

}  // namespace

bool is_inside(const std::vector<Bound>& region, const Eigen::MatrixXf& facts, Eigen::Index row) {
  return std::all_of(region.begin(), region.end(), [&](const Bound& bound) {
    const float value = facts(row, bound.feature);
    return value >= bound.min && value < bound.max;
  });
}

RowData RowData::subset(const std::vector<Eigen::Index>& rows) const {
  RowData part;
  part.terms = terms(rows, Eigen::all);
  part.places = places(rows, Eigen::all);
  if (facts.rows() == size()) part.facts = facts(rows, Eigen::all);
  part.energies = energies(rows);
  part.weights = weights(rows);
  if (work.size() == size()) part.work = work(rows);
  for (const Eigen::Index row : rows) part.groups.push_back(groups[static_cast<std::size_t>(row)]);
  return part;
}

FittedForm::FittedForm(const FormSpec& form, const RowData& data) : form_(form) {
  if (form.base == FormSpec::Base::kTrees) {
    TreeOptions options;
    options.most_leaves = form.leaves;
    options.prior = form.linear.prior;
    options.penalty = form.linear.penalty;
    trees_ = std::make_shared<const Committee>(data.terms, data.facts, data.energies, data.weights,
                                               data.work.size() == data.size() ? data.work : data.energies,
                                               form.members, options);
    return;
  }
  if (form.base == FormSpec::Base::kLog2) {
    const Eigen::VectorXd share = data.weights / data.weights.sum();
    const Eigen::VectorXd y = data.energies.array().log() / std::log(2.0);
    const Eigen::RowVectorXd mean = share.transpose() * data.places;
    Eigen::MatrixXd centred = data.places.rowwise() - mean;
    const double level = share.dot(y);
    Eigen::MatrixXd gram = centred.transpose() * share.asDiagonal() * centred;
    // A size that never varied gets the exponent 0.
    gram.diagonal() += (1e-3 * gram.diagonal().array() + 1e-9).matrix();
    coefficients_ = gram.ldlt().solve(centred.transpose() * share.cwiseProduct((y.array() - level).matrix()));
    intercept_ = level - mean.dot(coefficients_);
  } else if (form.region.empty()) {
    coefficients_ = fit_columns(data, form.columns, form.linear);
  } else {
    fit_around_region(data);
  }
  if (form.prototypes) *this = as(form, data);
}

void FittedForm::fit_around_region(const RowData& data) {
  std::vector<Eigen::Index> inside, outside;
  for (Eigen::Index row = 0; row < data.size(); ++row) {
    (is_inside(form_.region, data.facts, row) ? inside : outside).push_back(row);
  }
  // A fold may leave one of them empty: the other answers for both.
  if (inside.empty() || outside.empty()) {
    coefficients_ = fit_columns(data, form_.columns, form_.linear);
    region_coefficients_ = coefficients_;
    return;
  }
  coefficients_ = fit_columns(data.subset(outside), form_.columns, form_.linear);
  region_coefficients_ = fit_columns(data.subset(inside), form_.region_columns, form_.linear);
}

FittedForm FittedForm::as(const FormSpec& form, const RowData& data) const {
  FittedForm result = *this;
  result.form_ = form;
  result.prototypes_ = {};
  if (form.prototypes) {
    const Eigen::VectorXd residuals = (data.energies.array() / base(data.terms, data.places).array()).log();
    result.prototypes_ = Prototypes(data.places, residuals, data.weights, *form.prototypes);
  }
  return result;
}

Eigen::VectorXd FittedForm::base(const Eigen::MatrixXd& terms, const Eigen::MatrixXd& places) const {
  if (form_.base == FormSpec::Base::kLog2) {
    return (((places * coefficients_).array() + intercept_) * std::log(2.0)).exp();
  }
  return (terms * coefficients_).cwiseMax(kSmallestJoules);
}

Eigen::VectorXd FittedForm::predict(const Eigen::MatrixXd& terms, const Eigen::MatrixXd& places,
                                    const Eigen::MatrixXf& facts) const {
  if (trees_ != nullptr) return trees_->predict(terms, facts, form_.leaves).joules;
  Eigen::VectorXd joules = base(terms, places);
  for (Eigen::Index row = 0; !form_.region.empty() && row < joules.size(); ++row) {
    if (is_inside(form_.region, facts, row)) {
      joules[row] = std::max(terms.row(row).dot(region_coefficients_), kSmallestJoules);
    }
  }
  if (!prototypes_.empty()) joules.array() *= prototypes_.log_factor(places).array().exp();
  return joules;
}

double relative_error(const Eigen::VectorXd& predicted, const Eigen::VectorXd& energies,
                      const Eigen::VectorXd& weights) {
  return weights.dot(((predicted.array() / energies.array()) - 1).abs().min(kLargestError).matrix()) / weights.sum();
}

Selected select_form(const std::vector<FormSpec>& forms, const RowData& data) {
  const std::vector<Fold> folds = folds_of(data);
  std::vector<double> scores(forms.size(), 0.0);
  std::vector<Eigen::VectorXd> left_out(forms.size(), Eigen::VectorXd::Zero(data.size()));
  for (const Fold& fold : folds) {
    const RowData train = data.subset(fold.inside);
    const RowData test = data.subset(fold.outside);
    std::vector<std::pair<std::size_t, FittedForm>> bases;
    for (std::size_t f = 0; f < forms.size(); ++f) {
      const auto known = std::find_if(bases.begin(), bases.end(),
                                      [&](const auto& base) { return same_base(forms[base.first], forms[f]); });
      FittedForm fitted;
      if (known != bases.end()) {
        fitted = known->second.as(forms[f], train);
      } else {
        fitted = FittedForm(forms[f], train);
        bases.emplace_back(f, fitted);
      }
      const Eigen::VectorXd predicted = fitted.predict(test.terms, test.places, test.facts);
      scores[f] += relative_error(predicted, test.energies, test.weights) / static_cast<double>(folds.size());
      if (fold.leaves_groups_out) {
        left_out[f](fold.outside) = (test.energies.array() / predicted.array()).log().matrix();
      }
    }
  }
  Selected best;
  // The first that is as good as the best: forms stand from plain to rich.
  constexpr double kAsGood = 2e-4;
  const auto counted = [&](std::size_t form) { return scores[form] * (1 + forms[form].handicap); };
  double least = counted(0);
  for (std::size_t f = 1; f < forms.size(); ++f) least = std::min(least, counted(f));
  while (counted(best.form) > least + kAsGood) ++best.form;
  best.score = scores[best.form];
  best.fitted = FittedForm(forms[best.form], data);
  best.log_residuals = left_out[best.form];
  best.reason = fmt::format("{}: {:.2f} % in {} folds of its training data, the best of {} forms ({}: {:.2f} %)",
                            forms[best.form].name, 100 * best.score, folds.size(), forms.size(), forms.front().name,
                            100 * scores.front());
  return best;
}

std::vector<FormSpec> op_forms() {
  FormSpec plain;
  plain.name = "one row";
  plain.linear.ridge = 1e-4;
  plain.linear.robust_steps = 0;
  FormSpec robust = plain;
  robust.name = "robust row";
  robust.linear.robust_steps = 3;
  FormSpec log2 = plain;
  log2.name = "logarithmic row";
  log2.base = FormSpec::Base::kLog2;
  std::vector<FormSpec> forms = {plain, robust, log2};
  for (const double length : {0.1, 0.25, 0.5, 1.0}) {
    for (const double noise : {0.01, 0.1, 0.5}) {
      for (const FormSpec& base : {plain, log2}) {
        FormSpec form = base;
        form.name = fmt::format("{} and prototypes of {} octaves, noise {}", base.name, length, noise);
        form.prototypes = PrototypeOptions{.length_octaves = length, .noise = noise};
        forms.push_back(std::move(form));
      }
    }
  }
  return forms;
}

std::vector<FormSpec> measured_forms(std::size_t terms) {
  std::vector<FormSpec> forms;
  for (std::size_t used = 1; used <= terms; ++used) {
    if (used > 3 && used != terms) continue;
    for (const int steps : {0, 3}) {
      FormSpec form;
      form.name = fmt::format("{} of the first {} terms", steps == 0 ? "one row" : "robust row", used);
      form.linear.ridge = 1e-4;
      form.linear.robust_steps = steps;
      for (std::size_t column = 0; column < used; ++column) form.columns.push_back(static_cast<Eigen::Index>(column));
      forms.push_back(std::move(form));
    }
  }
  return forms;
}

std::vector<FormSpec> tree_forms(int most_leaves, int members) {
  std::vector<FormSpec> forms;
  for (int leaves = most_leaves; leaves > 1; leaves = leaves > 4 ? leaves - 4 : 1) {
    FormSpec form;
    form.base = FormSpec::Base::kTrees;
    form.leaves = leaves;
    form.members = members;
    form.name = members == 1 ? fmt::format("a tree of up to {} rows", leaves)
                             : fmt::format("the median of {} trees of up to {} rows", members, leaves);
    forms.push_back(std::move(form));
  }
  return forms;
}

}  // namespace edgejoule::fit
