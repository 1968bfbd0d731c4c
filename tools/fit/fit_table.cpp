#include "fit/fit_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "fit/candidates.h"

namespace edgejoule::fit {
namespace {

using measurements::MeasurementError;
using measurements::MeasurementSet;
using Rows = std::vector<std::size_t>;

constexpr std::size_t kFewestRows = 8;    // of a whole set
constexpr std::size_t kFewestOfAKey = 5;  // below, a kind is left to its class
constexpr double kMostExcluded = 0.2;
// Below this a 95 % interval cannot be promised: leaves with fewer groups share theirs.
constexpr std::size_t kGroupsOfAnInterval = 19;

// Rows of a table are learned from ops measured one by one.
bool is_single_op(const measurements::Measurement& m) {
  return m.level == measurements::NodeLevel::kOp && m.parts == nullptr;
}

void check_usable(const MeasurementSet& set) {
  const std::size_t read = set.measurements.size() + set.excluded.size();
  const auto ops =
      static_cast<std::size_t>(std::count_if(set.measurements.begin(), set.measurements.end(), is_single_op));
  if (ops < kFewestRows) {
    throw MeasurementError(
        fmt::format("{} usable measurements of single ops among {}: a table needs at least {}; "
                    "measure more ops",
                    ops, read, kFewestRows));
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

template <class Key, class KeyOf>
std::map<Key, Rows> partition(const Observations& observations, KeyOf key_of) {
  std::map<Key, Rows> parts;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (is_single_op(observations[i])) parts[key_of(observations[i])].push_back(i);
  }
  return parts;
}

KeyData key_data(const Observations& observations, const Rows& rows, const std::vector<TermSet>& sets,
                 const std::vector<Feature>& facts) {
  KeyData data;
  for (const TermSet& set : sets) data.terms.push_back(observations.columns(rows, set.terms));
  data.facts = observations.features(rows, facts);
  data.energies = observations.energies(rows);
  data.weights.resize(data.energies.size());
  for (const std::size_t row : rows) {
    data.weights[static_cast<Eigen::Index>(data.groups.size())] = observations[row].weight;
    data.groups.push_back(observations[row].group);
  }
  return data;
}

// Terms that the fit left at zero are not stored; six digits are more than the data has.
std::vector<FittedTerm> fitted_terms(const std::vector<TermSpec>& specs, const Eigen::VectorXd& coefficients,
                                     const Eigen::MatrixXd& terms) {
  std::vector<FittedTerm> result;
  for (std::size_t t = 0; t < specs.size(); ++t) {
    const auto column = static_cast<Eigen::Index>(t);
    const double coefficient = std::strtod(fmt::format("{:.5e}", coefficients[column]).c_str(), nullptr);
    if (coefficient <= 0) continue;
    result.push_back({specs[t], coefficient, terms.col(column).minCoeff(), terms.col(column).maxCoeff()});
  }
  return result;
}

std::size_t distinct(const std::vector<std::string>& groups) {
  return std::set<std::string>(groups.begin(), groups.end()).size();
}

HeldOut held_out_of(const KeyData& data, const Eigen::VectorXd& residuals, const std::vector<Eigen::Index>& rows) {
  const KeyData part = data.subset(rows);
  HeldOut held_out;
  held_out.groups = part.groups;
  for (const Eigen::Index row : rows) held_out.log_residuals.push_back(residuals[row]);
  if (distinct(held_out.groups) > 1) held_out.neighbours = nearest_neighbours(part.facts, part.groups);
  return held_out;
}

std::vector<double> values_of(const Eigen::VectorXd& vector) {
  return {vector.data(), vector.data() + vector.size()};
}

class Fit {
 public:
  Fit(const MeasurementSet& set, const SelectionOptions& options) : observations_(set), options_(options) {}

  FittedTable run() {
    const auto keys = partition<std::pair<OpKind, DataType>>(
        observations_, [](const auto& m) { return std::pair(m.kind, m.data_type); });
    for (const auto& [key, rows] : keys) fit_key(key.first, key.second, rows);
    const auto classes = partition<OpClass>(observations_, [](const auto& m) { return m.op_class; });
    for (const auto& [op_class, rows] : classes) {
      if (op_class != OpClass::kUnknown) fit_fallback(Level::kClass, op_class, rows, fallback_terms());
    }
    const auto all = partition<bool>(observations_, [](const auto&) { return true; });
    fit_fallback(Level::kRoofline, OpClass::kUnknown, all.at(true), roofline_terms());
    table_.op_residual = summarise(everything_);
    table_.held_out = error_percent(everything_.log_residuals);
    return std::move(table_);
  }

 private:
  void fit_key(OpKind kind, DataType type, const Rows& rows) {
    const OpClass op_class = observations_[rows.front()].op_class;
    const std::vector<TermSet> sets = term_sets(op_class);
    const std::vector<Feature> facts = split_features(op_class);
    const KeyData data = key_data(observations_, rows, sets, facts);
    if (rows.size() < kFewestOfAKey || distinct(data.groups) < 2 || kind == OpKind::kUnknown) return;

    const CrossValidation validated = cross_validate(data, options_);
    const Choice choice = choose_form(data, options_);
    const TermSet& set = sets[choice.term_set];
    const Committee committee = elect(data, choice, options_);
    KeyReport report{.kind = kind,
                     .data_type = type,
                     .measurements = rows.size(),
                     .groups = distinct(data.groups),
                     .held_out = error_percent(values_of(validated.log_residuals)),
                     .one_row = error_percent(values_of(validated.one_row_log_residuals))};
    for (std::size_t member = 0; member < committee.members().size(); ++member) {
      std::vector<TreeLeaf> leaves = committee.members()[member].pruned(choice.leaves);
      std::vector<Eigen::Index> in_small_leaves;
      for (TreeLeaf& leaf : leaves) {
        for (Eigen::Index& row : leaf.rows) row = committee.rows_of(member)[static_cast<std::size_t>(row)];
        if (is_small(data, leaf)) in_small_leaves.insert(in_small_leaves.end(), leaf.rows.begin(), leaf.rows.end());
      }
      for (const TreeLeaf& leaf : leaves) {
        FittedRow row;
        row.level = type == DataType::kUnknown ? Level::kOp : Level::kOpAndType;
        row.kind = kind;
        row.op_class = op_class;
        row.data_type = type;
        for (const Bound& bound : leaf.bounds) {
          row.conditions.push_back({facts[static_cast<std::size_t>(bound.feature)], bound.min, bound.max});
        }
        row.member = committee.members().size() > 1 ? static_cast<std::uint8_t>(member + 1) : std::uint8_t{0};
        row.terms = fitted_terms(set.terms, leaf.coefficients, data.terms[choice.term_set](leaf.rows, Eigen::all));
        row.residual =
            summarise(held_out_of(data, validated.log_residuals, is_small(data, leaf) ? in_small_leaves : leaf.rows));
        row.reason =
            fmt::format("{}; {} of {} measurements, row {} of {} in tree {} of {}, chosen by {}-fold cross-validation",
                        set.name, leaf.rows.size(), rows.size(), 1 + (&leaf - leaves.data()), leaves.size(), member + 1,
                        committee.members().size(), validated.folds);
        table_.rows.push_back(std::move(row));
      }
      report.rows += leaves.size();
    }
    remember(data, validated.log_residuals);
    table_.keys.push_back(report);
  }

  static bool is_small(const KeyData& data, const TreeLeaf& leaf) {
    return distinct(data.subset(leaf.rows).groups) < kGroupsOfAnInterval;
  }

  // One row for what has none of its own, tested on kinds left out. With a single kind
  // there is nothing to leave out: the residuals count as one group, and promise nothing.
  void fit_fallback(Level level, OpClass op_class, const Rows& rows, const TermSet& set) {
    KeyData data = key_data(observations_, rows, {set}, {Feature::kTensorBytes});
    std::vector<std::string> kinds;
    for (const std::size_t row : rows) kinds.emplace_back(name_of(observations_[row].kind));
    const std::size_t kind_count = distinct(kinds);
    const std::vector<std::string>& left_out = kind_count > 1 ? kinds : data.groups;
    const Eigen::VectorXd residuals =
        leave_out(data, left_out, kind_count > 1 ? static_cast<int>(kind_count) : options_.folds);

    FittedRow row;
    row.level = level;
    row.op_class = op_class;
    row.terms = fitted_terms(set.terms, coefficients_of(data), data.terms.front());
    if (distinct(left_out) > 1) {
      HeldOut held_out{.log_residuals = values_of(residuals), .groups = kinds, .neighbours = {}};
      row.residual = summarise(held_out);
    }
    row.reason = kind_count > 1 ? fmt::format("{} over {} kinds, tested on each of them left out", set.name, kind_count)
                                : fmt::format("{}; only {} was measured, so no other kind could be tested", set.name,
                                              kinds.front());
    table_.rows.push_back(std::move(row));
  }

  [[nodiscard]] Eigen::VectorXd coefficients_of(const KeyData& data) const {
    TreeOptions one = options_.tree;
    one.most_leaves = 1;
    return ModelTree(data.terms.front(), data.facts, data.energies, data.weights, one).pruned(1).front().coefficients;
  }

  [[nodiscard]] Eigen::VectorXd leave_out(const KeyData& data, const std::vector<std::string>& groups,
                                          int folds) const {
    Eigen::VectorXd residuals = Eigen::VectorXd::Zero(data.size());
    const std::vector<int> fold = deal_folds(groups, folds);
    const int count = *std::max_element(fold.begin(), fold.end()) + 1;
    for (int f = 0; f < count && count > 1; ++f) {
      std::vector<Eigen::Index> inside, outside;
      for (std::size_t i = 0; i < fold.size(); ++i) {
        (fold[i] == f ? outside : inside).push_back(static_cast<Eigen::Index>(i));
      }
      const Eigen::VectorXd coefficients = coefficients_of(data.subset(inside));
      const KeyData test = data.subset(outside);
      const Eigen::VectorXd predicted = (test.terms.front() * coefficients).cwiseMax(1e-12);
      residuals(outside) = (test.energies.array() / predicted.array()).log().matrix();
    }
    return residuals;
  }

  void remember(const KeyData& data, const Eigen::VectorXd& residuals) {
    for (Eigen::Index i = 0; i < residuals.size(); ++i) {
      everything_.log_residuals.push_back(residuals[i]);
      everything_.groups.push_back(data.groups[static_cast<std::size_t>(i)]);
    }
  }

  Observations observations_;
  SelectionOptions options_;
  FittedTable table_;
  HeldOut everything_;
};

}  // namespace

FittedTable fit_table(const MeasurementSet& set, const SelectionOptions& options) {
  check_usable(set);
  return Fit(set, options).run();
}

}  // namespace edgejoule::fit
