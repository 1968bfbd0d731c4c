#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data_sets.h"
#include "fit/committee.h"
#include "fit/cross_validation.h"
#include "fit/op_terms.h"
#include "forest.h"
#include "measurements/importers.h"
#include "through_table.h"

namespace edgejoule::accuracy {
namespace {

using Eigen::Index;
using Rows = std::vector<Index>;

constexpr int kFolds = 5;
constexpr int kInnerFolds = 4;
constexpr double kLargestLog = 1;  // of an error that the choice of leaves counts
constexpr int kLeaves[] = {1, 4, 8, 12, 16};

struct Problem {
  Eigen::MatrixXd terms;
  Eigen::MatrixXf facts;
  Eigen::VectorXd energies, work;
  std::vector<int> fold;
};

struct Part {
  Rows inside, outside;
};

Part part_of(const std::vector<int>& fold, int which, const Rows& among) {
  Part part;
  for (const Index row : among) {
    (fold[static_cast<std::size_t>(row)] == which ? part.outside : part.inside).push_back(row);
  }
  return part;
}

fit::Committee grow(const Problem& p, const Rows& rows, int members, int leaves) {
  fit::TreeOptions options;
  options.most_leaves = leaves;
  return {p.terms(rows, Eigen::all),
          p.facts(rows, Eigen::all),
          p.energies(rows),
          Eigen::VectorXd::Ones(static_cast<Index>(rows.size())),
          p.work(rows),
          members,
          options};
}

// The number of leaves is chosen inside the training part.
int choose_leaves(const Problem& p, const Rows& rows, int members) {
  std::vector<int> inner(p.fold.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    inner[static_cast<std::size_t>(rows[i])] = static_cast<int>((i * 7) % kInnerFolds);
  }
  constexpr std::size_t kChoices = std::size(kLeaves);
  double cost[kChoices] = {};
  for (int f = 0; f < kInnerFolds; ++f) {
    const Part part = part_of(inner, f, rows);
    const fit::Committee committee = grow(p, part.inside, members, kLeaves[kChoices - 1]);
    for (std::size_t c = 0; c < kChoices; ++c) {
      const auto answer =
          committee.predict(p.terms(part.outside, Eigen::all), p.facts(part.outside, Eigen::all), kLeaves[c]);
      cost[c] += (answer.joules.array() / p.energies(part.outside).array()).log().abs().min(kLargestLog).sum();
    }
  }
  return kLeaves[std::min_element(cost, cost + kChoices) - cost];
}

Eigen::VectorXd by_committee(const Problem& p, int members, bool choose) {
  Eigen::VectorXd joules = Eigen::VectorXd::Zero(p.energies.size());
  Rows everything(static_cast<std::size_t>(p.energies.size()));
  std::iota(everything.begin(), everything.end(), 0);
  for (int f = 0; f < kFolds; ++f) {
    const Part part = part_of(p.fold, f, everything);
    const int leaves = choose ? choose_leaves(p, part.inside, members) : kLeaves[std::size(kLeaves) - 1];
    const fit::Committee committee = grow(p, part.inside, members, leaves);
    joules(part.outside) =
        committee.predict(p.terms(part.outside, Eigen::all), p.facts(part.outside, Eigen::all), leaves).joules;
  }
  return joules;
}

// Tables fitted without each fold, priced by core.
Eigen::VectorXd by_tables(const measurements::MeasurementSet& set, const Problem& p, IntervalRows& intervals) {
  Eigen::VectorXd joules = Eigen::VectorXd::Zero(p.energies.size());
  for (int f = 0; f < kFolds; ++f) {
    std::vector<bool> training;
    for (const int fold : p.fold) training.push_back(fold != f);
    const std::vector<TablePrice> prices = price_by_table(set, training);
    for (std::size_t i = 0; i < prices.size(); ++i) {
      if (training[i]) continue;
      joules[static_cast<Index>(i)] = prices[i].joules;
      add_interval(prices[i], set.measurements[i].energy_joules, 1, static_cast<int>(i), intervals);
    }
  }
  return joules;
}

std::vector<double> errors(const Eigen::VectorXd& predicted, const Problem& p) {
  const std::vector<double> ones(static_cast<std::size_t>(p.energies.size()), 1.0);
  const Errors e = errors_of({predicted.begin(), predicted.end()}, {p.energies.begin(), p.energies.end()}, ones);
  return {e.median, e.mean, e.p90};
}

Eigen::VectorXd by_row(const Problem& p, const Eigen::MatrixXd& terms, int robust_steps) {
  Eigen::VectorXd joules = Eigen::VectorXd::Zero(p.energies.size());
  Rows everything(static_cast<std::size_t>(p.energies.size()));
  std::iota(everything.begin(), everything.end(), 0);
  fit::RelativeFitOptions options;
  options.ridge = 1e-3;
  options.robust_steps = robust_steps;
  for (int f = 0; f < kFolds; ++f) {
    const Part part = part_of(p.fold, f, everything);
    const Eigen::VectorXd c = fit::fit_relative(terms(part.inside, Eigen::all), p.energies(part.inside),
                                                Eigen::VectorXd::Ones(static_cast<Index>(part.inside.size())), options);
    joules(part.outside) = (terms(part.outside, Eigen::all) * c).cwiseMax(1e-12);
  }
  return joules;
}

Eigen::VectorXd by_forest(const Problem& p, const Eigen::MatrixXd& columns) {
  Eigen::VectorXd joules = Eigen::VectorXd::Zero(p.energies.size());
  Rows everything(static_cast<std::size_t>(p.energies.size()));
  std::iota(everything.begin(), everything.end(), 0);
  for (int f = 0; f < kFolds; ++f) {
    const Part part = part_of(p.fold, f, everything);
    joules(part.outside) =
        forest_predict(columns(part.inside, Eigen::all), p.energies(part.inside).array().log().matrix(),
                       columns(part.outside, Eigen::all), 200)
            .array()
            .exp();
  }
  return joules;
}

}  // namespace

void run_jetson(const std::string& file, const Settings&, Report& report, std::vector<IntervalRows>& intervals) {
  const measurements::MeasurementSet set = measurements::import_measurements(file);
  const fit::Observations observations(set);
  std::vector<std::size_t> rows(observations.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  Problem p;
  const fit::OpTerms rich = fit::rich_terms(OpClass::kConvolution, true);
  p.terms = observations.columns(rows, rich.terms);
  p.facts = observations.features(rows, fit::kernel_choice_features(OpClass::kConvolution));
  p.energies = observations.energies(rows);
  p.work = observations.columns(rows, std::vector<fit::TermSpec>{{Feature::kMacs, {}}});
  std::vector<std::string> groups;
  for (const std::size_t row : rows) groups.push_back(observations[row].group);
  p.fold = fit::deal_folds(groups, kFolds);

  report.section(
      fmt::format("Jetson convolutions (fp32, above idle): {} rows, {} excluded before fitting (no energy); "
                  "five folds, equal specifications together\nmedian / mean / 90th percentile error, per cent",
                  set.measurements.size(), set.excluded.size()));
  const auto add = [&](const std::string& protocol, const std::string& method, const Eigen::VectorXd& joules,
                       const std::string& gate = "", const std::string& goal = "") {
    report.add({"jetson", protocol, method, "median/mean/p90 %", errors(joules, p), gate, goal});
  };
  const auto simple = [&](std::initializer_list<Feature> features) {
    std::vector<fit::TermSpec> terms;
    for (const Feature feature : features) terms.push_back({feature, {}});
    return observations.columns(rows, terms);
  };
  IntervalRows held_out{"jetson", "op", {}, {}};
  const int members = 5;
  add("specs only", "edgejoule, through a table and core", by_tables(set, p, held_out), "see forest", "6/15/40");
  intervals.push_back(std::move(held_out));
  add("specs only", fmt::format("the engine alone: {} trees, leaves chosen inside", members),
      by_committee(p, members, true));
  add("specs only", "edgejoule, one tree of 16 leaves", by_committee(p, 1, false));
  add("specs only", "edgejoule, one row of all terms", by_row(p, p.terms, 4));
  add("specs only", "one linear row: 1, MACs, bytes, groups",
      by_row(p,
             simple({Feature::kOne, Feature::kMacs, Feature::kInputBytes, Feature::kOutputBytes, Feature::kWeightBytes,
                     Feature::kGroups}),
             0));
  add("specs only", "MACs-proportional", by_row(p, simple({Feature::kMacs}), 0));
  Eigen::MatrixXd raw(p.energies.size(), 12);
  constexpr Fact kRaw[] = {Fact::kInC,     Fact::kInH,       Fact::kInW,     Fact::kOutC,
                           Fact::kOutH,    Fact::kOutW,      Fact::kKernelH, Fact::kKernelW,
                           Fact::kStrideH, Fact::kDilationH, Fact::kGroups,  Fact::kBatch};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < std::size(kRaw); ++c) {
      raw(static_cast<Index>(r), static_cast<Index>(c)) = static_cast<double>(observations[r].facts[kRaw[c]]);
    }
  }
  add("specs only", "random forest, 200 trees, raw columns", by_forest(p, raw));
  report.note(
      "transistor operations: one data type and no activation, so they are a constant times the MACs and\n"
      "  every table is the same with and without them");

  // Time known: a row of time and work per leaf; first with the conditions that a table
  // can state (facts), then with run-time ratios as well.
  Problem timed = p;
  timed.terms = simple({Feature::kTime, Feature::kOne, Feature::kMacs, Feature::kInputBytes, Feature::kOutputBytes,
                        Feature::kWeightBytes, Feature::kPatchBytes, Feature::kGroups});
  Eigen::VectorXd by_table(p.energies.size());
  for (int f = 0; f < kFolds; ++f) {
    std::vector<bool> training;
    for (const int of : p.fold) training.push_back(of != f);
    const std::vector<double> joules = known_joules_by_table(set, training);
    for (std::size_t i = 0; i < joules.size(); ++i) {
      if (!training[i]) by_table[static_cast<Index>(i)] = joules[i];
    }
  }
  add("time known", "edgejoule, through a table and core", by_table, "9/13/27", "5/10/20");
  add("time known", fmt::format("the engine alone: {} trees, split by facts", members),
      by_committee(timed, members, true), "9/13/27", "5/10/20");
  const Index facts = p.facts.cols();
  timed.facts.conservativeResize(Eigen::NoChange, facts + 3);
  for (Index i = 0; i < p.energies.size(); ++i) {
    const double time = timed.terms(i, 0);
    timed.facts(i, facts) = static_cast<float>(time);
    timed.facts(i, facts + 1) = static_cast<float>(timed.terms(i, 2) / time);
    timed.facts(i, facts + 2) = static_cast<float>((timed.terms(i, 3) + timed.terms(i, 4) + timed.terms(i, 5)) / time);
  }
  add("time known", fmt::format("the same, split by time and rates too (no table)"), by_committee(timed, members, true),
      "9/13/27", "5/10/20");
  add("time known", "power x time", by_row(timed, simple({Feature::kTime}), 0));
  add("time known", "one row of time and 1", by_row(timed, simple({Feature::kTime, Feature::kOne}), 4));
}

}  // namespace edgejoule::accuracy
