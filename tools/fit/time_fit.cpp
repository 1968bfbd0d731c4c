#include "fit/time_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "fit/cross_validation.h"
#include "fit/nnls.h"
#include "fit/op_row.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using Rows = std::vector<std::size_t>;

constexpr std::size_t kFewestOfARow = 5;
constexpr double kShortest = 1e-12;  // seconds of any op
constexpr double kNotPredicted = std::numeric_limits<double>::quiet_NaN();

bool is_tested_on_kinds(const FittedRow& row) {
  return row.level == Level::kRoofline || row.level == Level::kClass;
}

class TimeFit {
 public:
  TimeFit(const MeasurementSet& set, const Observations& observations, int folds, FittedTable& table)
      : set_(set),
        observations_(observations),
        folds_(folds),
        table_(table),
        predicted_(set.measurements.size(), kNotPredicted) {}

  void run() {
    learn_common_costs();
    for (FittedRow& row : table_.rows) {
      if (row.known == Known::kNothing && row.op_class != OpClass::kModule) add_to(row);
    }
    sum_up_trees();
    const auto summarise_level = [&](NodeLevel level, Residual& residual, LevelReport& report) {
      HeldOut held_out;
      std::set<std::string> groups;
      for (std::size_t i = 0; i < predicted_.size(); ++i) {
        const Measurement& m = set_.measurements[i];
        if (m.level != level || !(m.time_seconds > 0) || !std::isfinite(predicted_[i])) continue;
        held_out.log_residuals.push_back(std::log(m.time_seconds / predicted_[i]));
        held_out.groups.push_back(m.group);
        groups.insert(m.group);
      }
      residual = summarise(held_out);
      report = {held_out.log_residuals.size(), groups.size(), error_percent(held_out.log_residuals)};
    };
    summarise_level(NodeLevel::kOp, table_.op_time_residual, table_.op_times);
    summarise_level(NodeLevel::kModule, table_.module_time_residual, table_.module_times);
    summarise_level(NodeLevel::kModel, table_.model_time_residual, table_.model_times);
  }

 private:
  [[nodiscard]] Rows timed(const Rows& rows) const {
    Rows result;
    for (const std::size_t row : rows) {
      if (set_.measurements[row].time_seconds > 0) result.push_back(row);
    }
    return result;
  }

  void learn_common_costs() {
    Rows ops;
    for (std::size_t i = 0; i < set_.measurements.size(); ++i) {
      if (set_.measurements[i].level == NodeLevel::kOp && set_.measurements[i].time_seconds > 0) ops.push_back(i);
    }
    common_ = CommonCosts(observations_, ops, times_of(ops));
  }

  [[nodiscard]] Eigen::VectorXd times_of(const Rows& rows) const {
    Eigen::VectorXd times(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      times[static_cast<Eigen::Index>(i)] = set_.measurements[rows[i]].time_seconds;
    }
    return times;
  }

  // Of the row itself; a leaf of a tree with too few takes all of its kind.
  [[nodiscard]] Rows measurements_of(const FittedRow& row) const {
    Rows rows = timed(row.measurements);
    if (rows.size() >= kFewestOfARow || is_tested_on_kinds(row)) return rows;
    std::set<std::size_t> of_kind;
    for (const FittedRow& other : table_.rows) {
      if (other.kind != row.kind || other.data_type != row.data_type || other.level != row.level ||
          other.scaled_weights != row.scaled_weights)
        continue;
      const Rows more = timed(other.measurements);
      of_kind.insert(more.begin(), more.end());
    }
    return {of_kind.begin(), of_kind.end()};
  }

  // What time may depend on: what joules do, and what any op of the class does.
  [[nodiscard]] std::vector<TermSpec> candidates(const FittedRow& row, const Rows& rows) const {
    const Measurement& first = set_.measurements[rows.front()];
    OpTerms terms = row.level == Level::kRoofline ? element_terms()
                                                  : rich_terms(first.op_class, first.facts[Fact::kWeightBytes] > 0);
    const bool few = rows.size() < 2 * terms.terms.size();
    if (row.level == Level::kClass && first.op_class != OpClass::kMatrix) {
      terms = terms.plain > 2 ? fallback_terms() : element_terms();
    } else if (few || row.form == RowForm::kLog2) {
      terms.terms.resize(terms.plain);
    }
    terms = common_.with_traffic(std::move(terms));
    std::vector<TermSpec> specs = terms.terms;
    for (const FittedTerm& term : row.terms) {
      const bool added = std::find(specs.begin(), specs.end(), term.spec) != specs.end();
      if (!added && row.form == RowForm::kLinear && specs.size() < kMaxTermsPerRow) specs.push_back(term.spec);
    }
    if (row.form == RowForm::kLinear) return specs;
    // A logarithmic row is outside its range where a feature is zero.
    const Eigen::MatrixXd columns = observations_.columns(rows, specs);
    std::vector<TermSpec> positive;
    for (std::size_t t = 0; t < specs.size(); ++t) {
      if (columns.col(static_cast<Eigen::Index>(t)).minCoeff() > 0) positive.push_back(specs[t]);
    }
    return positive;
  }

  [[nodiscard]] Eigen::VectorXd fit(const Rows& rows, const std::vector<TermSpec>& specs) const {
    Eigen::VectorXd weights(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      weights[static_cast<Eigen::Index>(i)] = set_.measurements[rows[i]].weight;
    }
    RelativeFitOptions options;
    options.ridge = 1e-4;
    common_.hold(specs, options);
    return fit_relative(observations_.columns(rows, specs), times_of(rows), weights, options);
  }

  void add_to(FittedRow& row) {
    const Rows rows = measurements_of(row);
    std::vector<std::string> groups, kinds;
    for (const std::size_t at : rows) {
      groups.push_back(set_.measurements[at].group);
      kinds.emplace_back(name_of(set_.measurements[at].kind));
    }
    if (rows.size() < kFewestOfARow || std::set<std::string>(groups.begin(), groups.end()).size() < 2) return;
    const std::vector<TermSpec> specs = candidates(row, rows);
    if (specs.empty()) return;
    for (const FittedTerm& found : fitted_terms(specs, fit(rows, specs), observations_.columns(rows, specs))) {
      const auto place = std::find_if(row.terms.begin(), row.terms.end(),
                                      [&](const FittedTerm& term) { return term.spec == found.spec; });
      if (place != row.terms.end()) {
        place->seconds = found.coefficient;
      } else if (row.terms.size() < kMaxTermsPerRow) {
        row.terms.push_back({found.spec, 0, found.min, found.max, found.coefficient});
      }
    }
    common_.widen(row.terms);
    const bool by_kind = is_tested_on_kinds(row) && std::set<std::string>(kinds.begin(), kinds.end()).size() > 1;
    const std::vector<int> fold =
        by_kind ? deal_folds(kinds, static_cast<int>(rows.size())) : deal_folds(groups, folds_);
    HeldOut held_out;
    for (int f = 0; f <= *std::max_element(fold.begin(), fold.end()); ++f) {
      Rows in, out;
      for (std::size_t i = 0; i < rows.size(); ++i) (fold[i] == f ? out : in).push_back(rows[i]);
      if (in.empty() || out.empty()) continue;
      const Eigen::VectorXd predicted = (observations_.columns(out, specs) * fit(in, specs)).cwiseMax(kShortest);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const Measurement& m = set_.measurements[out[i]];
        const double seconds = predicted[static_cast<Eigen::Index>(i)];
        held_out.log_residuals.push_back(std::log(m.time_seconds / seconds));
        held_out.groups.push_back(is_tested_on_kinds(row) ? std::string(name_of(m.kind)) : m.group);
        if (!std::isfinite(predicted_[out[i]])) predicted_[out[i]] = seconds;
      }
    }
    row.time_residual = summarise(held_out);
  }

  void sum_up_trees() {
    for (std::size_t i = 0; i < predicted_.size(); ++i) {
      const Measurement& m = set_.measurements[i];
      if (m.level == NodeLevel::kOp || m.children.empty()) continue;
      predicted_[i] = 0;
      for (const auto& child : m.children) predicted_[i] += child.count * predicted_[child.index];
    }
  }

  const MeasurementSet& set_;
  const Observations& observations_;
  int folds_;
  FittedTable& table_;
  CommonCosts common_;             // in seconds
  std::vector<double> predicted_;  // held-out seconds of each measurement, by the first row that holds it
};

}  // namespace

void add_times(const MeasurementSet& set, const Observations& observations, int folds, FittedTable& table) {
  TimeFit(set, observations, folds, table).run();
}

}  // namespace edgejoule::fit
