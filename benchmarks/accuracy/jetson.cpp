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

namespace edgejoule::accuracy {
namespace {

using Eigen::Index;
using Rows = std::vector<Index>;

constexpr int kFolds = 5;
constexpr int kInnerFolds = 4;
constexpr double kLargestLog = 1;  // of an error that the choice of leaves counts
constexpr int kLeaves[] = {1, 4, 8, 12, 16};
constexpr std::size_t kBins = 6;
constexpr double kBinEdges[kBins - 1] = {0.4, 0.6, 0.75, 0.85, 0.95};

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

struct HeldOut {
  Eigen::VectorXd joules, spread;
};

// The number of leaves is chosen inside the training part.
int choose_leaves(const Problem& p, const Rows& rows, int members, HeldOut& left_out) {
  std::vector<int> inner(p.fold.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    inner[static_cast<std::size_t>(rows[i])] = static_cast<int>((i * 7) % kInnerFolds);
  }
  constexpr std::size_t kChoices = std::size(kLeaves);
  double cost[kChoices] = {};
  std::vector<HeldOut> by_choice(kChoices,
                                 {Eigen::VectorXd::Zero(p.energies.size()), Eigen::VectorXd::Zero(p.energies.size())});
  for (int f = 0; f < kInnerFolds; ++f) {
    const Part part = part_of(inner, f, rows);
    const fit::Committee committee = grow(p, part.inside, members, kLeaves[kChoices - 1]);
    for (std::size_t c = 0; c < kChoices; ++c) {
      const auto answer =
          committee.predict(p.terms(part.outside, Eigen::all), p.facts(part.outside, Eigen::all), kLeaves[c]);
      by_choice[c].joules(part.outside) = answer.joules;
      by_choice[c].spread(part.outside) = answer.spread;
      cost[c] += (answer.joules.array() / p.energies(part.outside).array()).log().abs().min(kLargestLog).sum();
    }
  }
  const std::size_t best = static_cast<std::size_t>(std::min_element(cost, cost + kChoices) - cost);
  left_out = by_choice[best];
  return kLeaves[best];
}

std::vector<double> errors(const Eigen::VectorXd& predicted, const Problem& p) {
  const std::vector<double> ones(static_cast<std::size_t>(p.energies.size()), 1.0);
  const Errors e = errors_of({predicted.begin(), predicted.end()}, {p.energies.begin(), p.energies.end()}, ones);
  return {e.median, e.mean, e.p90};
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
}

// Quantiles of the residuals per bin of the committee's spread, from the training part.
void add_intervals(const Problem& p, const Rows& train, const HeldOut& left_out, const Rows& test,
                   const HeldOut& answers, IntervalRows& rows) {
  std::vector<double> spreads;
  for (const Index row : train) spreads.push_back(left_out.spread[row]);
  std::vector<double> edges;
  for (const double q : kBinEdges) edges.push_back(quantile(spreads, q));
  const auto bin_of = [&](double spread) {
    return static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), spread) - edges.begin());
  };
  std::array<std::vector<double>, kBins> residuals;
  std::vector<double> sizes;
  for (const Index row : train) {
    const double residual = std::log(p.energies[row] / left_out.joules[row]);
    residuals[bin_of(left_out.spread[row])].push_back(residual);
    sizes.push_back(std::abs(residual));
  }
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    const double tail = (1 - kConfidences[c]) / 2, constant = quantile(sizes, kConfidences[c]);
    for (const Index row : test) {
      const auto& bin = residuals[bin_of(answers.spread[row])];
      const double residual = std::log(p.energies[row] / answers.joules[row]);
      const int group = static_cast<int>(row);
      rows.ours[c].push_back({quantile(bin, tail), quantile(bin, 1 - tail), residual, 1, group});
      rows.constant[c].push_back({-constant, constant, residual, 1, group});
    }
  }
}

HeldOut by_committee(const Problem& p, int members, bool choose, IntervalRows* intervals, std::string* picked) {
  HeldOut all{Eigen::VectorXd::Zero(p.energies.size()), Eigen::VectorXd::Zero(p.energies.size())};
  Rows everything(static_cast<std::size_t>(p.energies.size()));
  std::iota(everything.begin(), everything.end(), 0);
  for (int f = 0; f < kFolds; ++f) {
    const Part part = part_of(p.fold, f, everything);
    HeldOut left_out;
    const int leaves = choose ? choose_leaves(p, part.inside, members, left_out) : kLeaves[std::size(kLeaves) - 1];
    if (picked != nullptr) *picked += (picked->empty() ? "" : " ") + std::to_string(leaves);
    const fit::Committee committee = grow(p, part.inside, members, leaves);
    const auto answer = committee.predict(p.terms(part.outside, Eigen::all), p.facts(part.outside, Eigen::all), leaves);
    all.joules(part.outside) = answer.joules;
    all.spread(part.outside) = answer.spread;
    if (intervals != nullptr) add_intervals(p, part.inside, left_out, part.outside, all, *intervals);
  }
  return all;
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
  std::string picked;
  const int members = 5;
  add("specs only", fmt::format("edgejoule, {} trees, leaves chosen inside", members),
      by_committee(p, members, true, &held_out, &picked).joules, "see forest", "6/15/40");
  report.note("leaves chosen: " + picked);
  intervals.push_back(std::move(held_out));
  add("specs only", "edgejoule, one tree of 16 leaves", by_committee(p, 1, false, nullptr, nullptr).joules);
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
  add("time known", fmt::format("edgejoule, {} trees, split by facts", members),
      by_committee(timed, members, true, nullptr, nullptr).joules, "9/13/27", "5/10/20");
  const Index facts = p.facts.cols();
  timed.facts.conservativeResize(Eigen::NoChange, facts + 3);
  for (Index i = 0; i < p.energies.size(); ++i) {
    const double time = timed.terms(i, 0);
    timed.facts(i, facts) = static_cast<float>(time);
    timed.facts(i, facts + 1) = static_cast<float>(timed.terms(i, 2) / time);
    timed.facts(i, facts + 2) = static_cast<float>((timed.terms(i, 3) + timed.terms(i, 4) + timed.terms(i, 5)) / time);
  }
  add("time known", fmt::format("the same, split by time and rates too (no table)"),
      by_committee(timed, members, true, nullptr, nullptr).joules, "9/13/27", "5/10/20");
  add("time known", "power x time", by_row(timed, simple({Feature::kTime}), 0));
  add("time known", "one row of time and 1", by_row(timed, simple({Feature::kTime, Feature::kOne}), 4));
}

}  // namespace edgejoule::accuracy
