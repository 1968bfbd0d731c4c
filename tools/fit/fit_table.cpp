#include "fit/fit_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "fit/cross_validation.h"
#include "fit/time_fit.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementError;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using Rows = std::vector<std::size_t>;

constexpr double kMostExcluded = 0.2;
constexpr std::size_t kMostGroupsOneByOne = 10;
constexpr std::size_t kFewOfAKey = 20;
// Below this a 95 % interval cannot be promised: rows with fewer groups share theirs.
constexpr std::size_t kGroupsOfAnInterval = 19;
constexpr double kNotHeldOut = std::numeric_limits<double>::quiet_NaN();

void check_usable(const MeasurementSet& set) {
  // Equal rows stand merged; those that were left out stand one by one.
  double kept = 0;
  for (const Measurement& m : set.measurements) kept += std::max(m.weight, 1.0);
  const std::size_t read = static_cast<std::size_t>(kept) + set.excluded.size();
  const auto ops =
      static_cast<std::size_t>(std::count_if(set.measurements.begin(), set.measurements.end(),
                                             [](const Measurement& m) { return m.level == NodeLevel::kOp; }));
  if (ops < kFewestOps) {
    throw MeasurementError(
        fmt::format("{} usable measurements of single ops among {}: a table needs at least {}; "
                    "measure more ops",
                    ops, read, kFewestOps));
  }
  if (static_cast<double>(set.excluded.size()) > kMostExcluded * static_cast<double>(read)) {
    throw MeasurementError(fmt::format(
        "{} of {} measurements cannot be used, the first at {}: {}. Check the idle power that was subtracted",
        set.excluded.size(), read, set.excluded.front().origin, set.excluded.front().reason));
  }
  std::set<std::string> groups;
  for (const auto& m : set.measurements) groups.insert(m.group);
  if (groups.size() < 2) {
    throw MeasurementError(
        "all measurements are of one group: nothing is left to test the fit on; name the groups "
        "(models, specifications) in the column 'group'");
  }
}

std::size_t distinct(const std::vector<std::string>& groups) {
  return std::set<std::string>(groups.begin(), groups.end()).size();
}

std::string text_of(const TreeFit::Key& key) {
  return fmt::format("{} {}{}", name_of(key.kind), name_of(key.data_type),
                     key.scaled_weights ? " with scaled weights" : "");
}

class Fit {
 public:
  Fit(const MeasurementSet& set, const TableOptions& options)
      : set_(set),
        observations_(set),
        options_(options),
        residuals_(set.measurements.size(), kNotHeldOut),
        one_row_residuals_(residuals_),
        timed_residuals_(residuals_),
        counted_residuals_(residuals_) {}

  FittedTable run() {
    const std::vector<bool> everything(set_.measurements.size(), true);
    const TreeFit fit(observations_, everything, options_.fit);
    leave_groups_out();
    table_.rows = fit.table_rows();
    for (FittedRow& row : table_.rows) {
      if (row.level == Level::kRoofline || (row.level == Level::kClass && row.op_class != OpClass::kModule)) {
        test_fallback(row);
      } else {
        row.residual = residual_of(row);
      }
    }
    std::array<HeldOut, 3> levels;
    for (const NodeLevel level : {NodeLevel::kOp, NodeLevel::kModule, NodeLevel::kModel}) {
      Rows rows;
      for (std::size_t i = 0; i < set_.measurements.size(); ++i) {
        if (set_.measurements[i].level == level) rows.push_back(i);
      }
      levels[static_cast<std::size_t>(level)] = held_out(rows, residuals_);
    }
    const auto report = [](const HeldOut& level) {
      return LevelReport{level.log_residuals.size(), distinct(level.groups), error_percent(level.log_residuals)};
    };
    table_.op_residual = summarise(levels[0]), table_.ops = report(levels[0]);
    table_.module_residual = summarise(levels[1]), table_.modules = report(levels[1]);
    table_.model_residual = summarise(levels[2]), table_.models = report(levels[2]);
    for (const auto& [key, row] : fit.kinds()) report_key(key, row);
    add_times(set_, observations_, options_.folds, table_);
    table_.held_out_log_residuals = residuals_;
    return std::move(table_);
  }

 private:
  // Fits everything again without each share of the groups, and once more as a person
  // would who has one row per kind.
  void leave_groups_out() {
    const std::vector<int> fold = held_out_folds(set_, options_.folds);
    const int folds = *std::max_element(fold.begin(), fold.end()) + 1;
    TreeFitOptions one_row = options_.fit;
    one_row.module_rows = false;
    one_row.known_rows = false;
    one_row.ops.most_leaves = 1;
    one_row.ops.forms = {plain_row()};
    for (int f = 0; f < folds; ++f) {
      std::vector<bool> training;
      for (const int of : fold) training.push_back(of != f);
      const auto keep = [&](const TreeFitOptions& options, std::vector<double>& residuals) {
        const TreeFit fit(observations_, training, options);
        const auto compare = [&](const std::vector<double>& joules, std::vector<double>& with) {
          for (std::size_t i = 0; i < fold.size(); ++i) {
            if (fold[i] == f) with[i] = std::log(set_.measurements[i].energy_joules / joules[i]);
          }
        };
        compare(fit.price().joules, residuals);
        if (!options.known_rows) return;
        compare(fit.price_known(Known::kTime), timed_residuals_);
        compare(fit.price_known(Known::kCounter), counted_residuals_);
      };
      keep(options_.fit, residuals_);
      keep(one_row, one_row_residuals_);
    }
  }

  [[nodiscard]] HeldOut held_out(const Rows& rows, const std::vector<double>& residuals) const {
    HeldOut result;
    for (const std::size_t row : rows) {
      if (!std::isfinite(residuals[row])) continue;
      result.log_residuals.push_back(residuals[row]);
      result.groups.push_back(set_.measurements[row].group);
    }
    return result;
  }

  // Of a row's own measurements; where these are of too few groups, of all its kind (a
  // tree's small leaves), for modules of all modules (core then takes those of the table).
  [[nodiscard]] Residual residual_of(const FittedRow& row) const {
    const std::vector<double>& residuals = row.known == Known::kTime      ? timed_residuals_
                                           : row.known == Known::kCounter ? counted_residuals_
                                                                          : residuals_;
    HeldOut own = held_out(row.measurements, residuals);
    if (row.op_class == OpClass::kModule || row.known != Known::kNothing) return summarise(own);
    Rows rows = row.measurements;
    if (row.member != 0 && distinct(own.groups) < kGroupsOfAnInterval) {
      rows.clear();
      for (const FittedRow& other : table_.rows) {
        if (other.kind != row.kind || other.data_type != row.data_type || other.scaled_weights != row.scaled_weights ||
            other.member != row.member)
          continue;
        if (distinct(held_out(other.measurements, residuals_).groups) >= kGroupsOfAnInterval) continue;
        rows.insert(rows.end(), other.measurements.begin(), other.measurements.end());
      }
      own = held_out(rows, residuals_);
    }
    if (own.log_residuals.size() == rows.size() && distinct(own.groups) > 1) {
      own.neighbours =
          nearest_neighbours(observations_.features(rows, kernel_choice_features(row.op_class)), own.groups);
    }
    return summarise(own);
  }

  // On each kind left out. With a single kind there is nothing to leave out: groups are,
  // and count as one, which promises nothing.
  void test_fallback(FittedRow& row) {
    std::map<OpKind, Rows> kinds;
    for (const std::size_t at : row.measurements) kinds[set_.measurements[at].kind].push_back(at);
    const bool by_kind = kinds.size() > 1;
    std::vector<Rows> parts;
    if (by_kind) {
      for (auto& [kind, rows] : kinds) parts.push_back(rows);
    } else {
      std::vector<std::string> groups;
      for (const std::size_t at : row.measurements) groups.push_back(set_.measurements[at].group);
      const std::vector<int> fold = deal_folds(groups, options_.folds);
      parts.resize(static_cast<std::size_t>(*std::max_element(fold.begin(), fold.end())) + 1);
      for (std::size_t i = 0; i < fold.size(); ++i) {
        parts[static_cast<std::size_t>(fold[i])].push_back(row.measurements[i]);
      }
    }
    if (parts.size() < 2) return;
    const Feature work = row.level == Level::kRoofline ? roofline_work(observations_, row.measurements) : Feature::kOne;
    HeldOut result;
    for (const Rows& part : parts) {
      Rows train;
      std::set_difference(row.measurements.begin(), row.measurements.end(), part.begin(), part.end(),
                          std::back_inserter(train));
      OpFitOptions ops = options_.fit.ops;
      ops.common = common_without(part);
      const Eigen::VectorXd predicted =
          row.level == Level::kRoofline
              ? Roofline(observations_, std::move(train), work).predict(observations_, part)
              : class_row(observations_, row.op_class, std::move(train), ops).predict(observations_, part);
      for (std::size_t i = 0; i < part.size(); ++i) {
        const Measurement& m = set_.measurements[part[i]];
        result.log_residuals.push_back(std::log(m.energy_joules / predicted[static_cast<Eigen::Index>(i)]));
        result.groups.emplace_back(name_of(m.kind));
      }
    }
    row.residual = summarise(result);
    const std::string about =
        by_kind ? fmt::format("over {} kinds of ops, tested on each of them left out: median error {:.0f} %",
                              kinds.size(), row.residual.median_error_percent)
                : fmt::format("only {} was measured, so no other kind could be tested", name_of(kinds.begin()->first));
    row.reason = row.reason.empty() ? about : about + "; " + row.reason;
  }

  [[nodiscard]] CommonCosts common_without(const Rows& left_out) const {
    Rows others;
    for (std::size_t i = 0; i < set_.measurements.size(); ++i) {
      const bool wanted = set_.measurements[i].level == NodeLevel::kOp;
      if (wanted && !std::binary_search(left_out.begin(), left_out.end(), i)) others.push_back(i);
    }
    return {observations_, others, observations_.energies(others)};
  }

  void report_key(const TreeFit::Key& key, const OpRow& row) {
    KeyReport report{.key = text_of(key), .measurements = row.rows().size()};
    const HeldOut own = held_out(row.rows(), residuals_);
    report.groups = distinct(own.groups);
    report.held_out = error_percent(own.log_residuals);
    report.one_row = error_percent(held_out(row.rows(), one_row_residuals_).log_residuals);
    report.rows =
        static_cast<std::size_t>(std::count_if(table_.rows.begin(), table_.rows.end(), [&](const FittedRow& r) {
          return r.kind == key.kind && r.data_type == key.data_type && r.scaled_weights == key.scaled_weights &&
                 r.level <= Level::kOp && r.known == Known::kNothing;
        }));
    report.form = row.selected().fitted.form().name;
    table_.keys.push_back(std::move(report));
  }

  static FormSpec plain_row() {
    FormSpec form;
    form.name = "one row";
    form.linear.ridge = 1e-3;
    form.linear.robust_steps = 0;
    return form;
  }

  const MeasurementSet& set_;
  Observations observations_;
  TableOptions options_;
  // ln(measured / predicted), held out; of rows with run-time facts the last two
  std::vector<double> residuals_, one_row_residuals_, timed_residuals_, counted_residuals_;
  FittedTable table_;
};

}  // namespace

std::vector<int> held_out_folds(const MeasurementSet& set, int folds) {
  std::vector<std::string> groups, keys;
  std::map<std::string, std::set<std::string>> keys_of;
  for (const Measurement& m : set.measurements) {
    groups.push_back(m.group);
    keys.push_back(m.level == NodeLevel::kOp ? text_of(TreeFit::key_of(m)) : "");
    keys_of[m.group].insert(keys.back());
  }
  const std::size_t count = keys_of.size();
  if (count <= kMostGroupsOneByOne) return deal_folds(groups, static_cast<int>(count));
  const bool one_key_each =
      std::all_of(keys_of.begin(), keys_of.end(), [](const auto& group) { return group.second.size() == 1; });
  const bool few_of_each = count < kFewOfAKey * distinct(keys);
  return deal_folds(groups, keys, one_key_each && few_of_each ? 2 * folds : folds);
}

FittedTable fit_table(const MeasurementSet& set, const TableOptions& options) {
  check_usable(set);
  return Fit(set, options).run();
}

}  // namespace edgejoule::fit
