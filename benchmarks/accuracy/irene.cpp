#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "data_sets.h"
#include "fit/design.h"
#include "fit/tree_fit.h"
#include "irene_recursion.h"
#include "measurements/irene_csv.h"
#include "through_table.h"

namespace edgejoule::accuracy {
namespace {

using fit::Observations;
using fit::TreeFit;
using fit::TreeFitOptions;
using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using Mask = std::vector<bool>;
using Joules = std::vector<double>;

constexpr NodeLevel kLevels[] = {NodeLevel::kOp, NodeLevel::kModule, NodeLevel::kModel};
constexpr const char* kLevelNames[] = {"op", "module", "model"};
constexpr double kLargeWork = 2048;  // batch * sequence

struct Fold {
  std::string name;
  Mask train, test;
};

Mask mask_of(const MeasurementSet& set, const std::function<bool(const Measurement&)>& holds) {
  Mask mask;
  for (const Measurement& m : set.measurements) mask.push_back(holds(m));
  return mask;
}

Fold fold_of(const MeasurementSet& set, std::string name, const std::function<bool(const Measurement&)>& test) {
  Fold fold{std::move(name), {}, mask_of(set, test)};
  for (const bool outside : fold.test) fold.train.push_back(!outside);
  return fold;
}

std::vector<Fold> leave_models_out(const MeasurementSet& set) {
  std::set<std::string> names;
  for (const Measurement& m : set.measurements) names.insert(m.model);
  std::vector<Fold> folds;
  for (const std::string& name : names) {
    folds.push_back(fold_of(set, name, [&](const Measurement& m) { return m.model == name; }));
  }
  return folds;
}

std::vector<Fold> leave_families_out(const MeasurementSet& set) {
  std::vector<Fold> folds;
  for (const char* family : {"bert", "gpt"}) {
    folds.push_back(fold_of(set, family, [&](const Measurement& m) { return m.family == family; }));
  }
  return folds;
}

std::vector<Fold> leave_large_out(const MeasurementSet& set) {
  return {fold_of(set, "large", [](const Measurement& m) {
    return static_cast<double>(m.facts[Fact::kTokens] != 0
                                   ? m.facts[Fact::kTokens]
                                   : static_cast<std::uint64_t>(m.source_columns[0] * m.source_columns[1])) >
           kLargeWork;
  })};
}

// Joules of the test rows of all folds together; rows never tested stay 0.
Joules out_of_fold(const MeasurementSet& set, const std::vector<Fold>& folds,
                   const std::function<Joules(const Fold&)>& method) {
  Joules joules(set.measurements.size(), 0.0);
  for (const Fold& fold : folds) {
    const Joules prices = method(fold);
    for (std::size_t i = 0; i < joules.size(); ++i) {
      if (fold.test[i]) joules[i] = prices[i];
    }
  }
  return joules;
}

std::vector<double> level_errors(const MeasurementSet& set, const Joules& joules, const Mask* only = nullptr) {
  std::vector<double> result;
  for (const NodeLevel level : kLevels) {
    std::vector<double> predicted, measured, weights;
    for (std::size_t i = 0; i < joules.size(); ++i) {
      const Measurement& m = set.measurements[i];
      if (m.level != level || joules[i] == 0 || (only != nullptr && !(*only)[i])) continue;
      predicted.push_back(joules[i]), measured.push_back(m.energy_joules), weights.push_back(m.weight);
    }
    result.push_back(predicted.empty() ? NAN : errors_of(predicted, measured, weights).mean);
  }
  return result;
}

// Rows for what was measured while running are not asked here.
TreeFitOptions by_specs() {
  TreeFitOptions options;
  options.known_rows = false;
  return options;
}

TreeFitOptions plain_rows() {
  TreeFitOptions options = by_specs();
  options.ops.forms.resize(1);
  options.ops.most_leaves = 1;
  options.ladder.levels_with_prototypes = 0;
  return options;
}

// One coefficient per level: what counting work alone is worth.
Joules proportional(const MeasurementSet& set, const Fold& fold,
                    const std::function<double(const Measurement&)>& work) {
  Joules joules(set.measurements.size(), 0.0);
  for (const NodeLevel level : kLevels) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < joules.size(); ++i) {
      if (set.measurements[i].level == level && fold.train[i]) rows.push_back(i);
    }
    Eigen::MatrixXd terms(rows.size(), 1);
    Eigen::VectorXd energies(rows.size()), weights(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto at = static_cast<Eigen::Index>(r);
      terms(at, 0) = work(set.measurements[rows[r]]);
      energies[at] = set.measurements[rows[r]].energy_joules;
      weights[at] = set.measurements[rows[r]].weight;
    }
    const double each = fit::fit_relative(terms, energies, weights, {})[0];
    for (std::size_t i = 0; i < joules.size(); ++i) {
      if (set.measurements[i].level == level) joules[i] = std::max(each * work(set.measurements[i]), 1e-12);
    }
  }
  return joules;
}

// Rows over the board's energy counter, time and utilisation, chosen per key.
Joules by_counters(const MeasurementSet& set, const Fold& fold, bool ops,
                   const std::function<int(const Measurement&)>& key_of) {
  enum { kCounter, kTime, kOne, kGpu, kGpuMemory };
  std::vector<fit::FormSpec> forms;
  for (const std::vector<Eigen::Index>& columns : {std::vector<Eigen::Index>{kCounter, kTime},
                                                   {kCounter, kTime, kOne},
                                                   {kCounter, kTime, kGpu},
                                                   {kCounter, kTime, kGpuMemory},
                                                   {kCounter, kTime, kGpu, kGpuMemory},
                                                   {kCounter, kTime, kOne, kGpu, kGpuMemory}}) {
    for (const int steps : {0, 3}) {
      fit::FormSpec form;
      form.name = "counter row";
      form.columns = columns;
      form.linear.ridge = 1e-6;
      form.linear.robust_steps = steps;
      forms.push_back(form);
    }
  }
  std::map<int, std::vector<std::size_t>> rows_of;
  std::vector<std::size_t> everything;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    if ((set.measurements[i].level == NodeLevel::kOp) != ops) continue;
    rows_of[key_of(set.measurements[i])].push_back(i);
    everything.push_back(i);
  }
  const auto data_of = [&](const std::vector<std::size_t>& rows) {
    fit::RowData data;
    data.terms.resize(static_cast<Eigen::Index>(rows.size()), 5);
    data.places = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.size()), 1);
    data.energies.resize(data.terms.rows());
    data.weights.resize(data.terms.rows());
    std::map<std::string, int> groups;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const Measurement& m = set.measurements[rows[r]];
      const auto at = static_cast<Eigen::Index>(r);
      data.terms.row(at) << m.counter_joules, m.time_seconds, 1e-3, m.time_seconds * m.utilisation,
          m.time_seconds * m.memory_utilisation;
      data.energies[at] = m.energy_joules;
      data.weights[at] = m.weight;
      data.groups.push_back(groups.emplace(m.model, static_cast<int>(groups.size())).first->second);
    }
    return data;
  };
  Joules joules(set.measurements.size(), 0.0);
  for (const auto& [key, rows] : rows_of) {
    std::vector<std::size_t> train;
    const auto keep = [&](const std::vector<std::size_t>& from) {
      for (const std::size_t row : from) {
        if (fold.train[row]) train.push_back(row);
      }
    };
    keep(rows);
    if (train.empty()) keep(everything);
    const fit::Selected selected = fit::select_form(forms, data_of(train));
    const fit::RowData wanted = data_of(rows);
    const Eigen::VectorXd predicted = selected.fitted.predict(wanted.terms, wanted.places);
    for (std::size_t r = 0; r < rows.size(); ++r) joules[rows[r]] = predicted[static_cast<Eigen::Index>(r)];
  }
  return joules;
}

int kind_key(const Measurement& m) {
  return static_cast<int>(m.kind);
}
int shape_key(const Measurement& m) {
  return static_cast<int>(m.facts[Fact::kModuleShape]) + (m.level == NodeLevel::kModel ? 100 : 0);
}

// Tables fitted without each model, priced by core; their intervals beside.
Joules by_tables(const MeasurementSet& set, const std::vector<Fold>& folds, std::vector<IntervalRows>& intervals) {
  std::array<IntervalRows, 3> rows;
  for (std::size_t level = 0; level < rows.size(); ++level) {
    rows[level].data = "irene, model left out";
    rows[level].level = kLevelNames[level];
  }
  Joules joules(set.measurements.size(), 0.0);
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const std::vector<TablePrice> prices = price_by_table(set, folds[f].train);
    for (std::size_t i = 0; i < joules.size(); ++i) {
      if (!folds[f].test[i]) continue;
      const Measurement& m = set.measurements[i];
      joules[i] = prices[i].joules;
      add_interval(prices[i], m.energy_joules, m.weight, static_cast<int>(f), rows[static_cast<std::size_t>(m.level)]);
    }
  }
  for (IntervalRows& level : rows) intervals.push_back(std::move(level));
  return joules;
}

// Median and mean error, per cent, of ops whose kind the roofline has not seen.
std::vector<double> kinds_left_out(const MeasurementSet& set, const Observations& observations, Feature work) {
  std::map<OpKind, std::vector<std::size_t>> kinds;
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    if (set.measurements[i].level == NodeLevel::kOp) kinds[set.measurements[i].kind].push_back(i);
  }
  std::vector<double> predicted, measured, weights;
  for (const auto& [kind, test] : kinds) {
    std::vector<std::size_t> train;
    for (const auto& [other, rows] : kinds) {
      if (other != kind) train.insert(train.end(), rows.begin(), rows.end());
    }
    const Eigen::VectorXd joules = fit::Roofline(observations, std::move(train), work).predict(observations, test);
    for (std::size_t r = 0; r < test.size(); ++r) {
      predicted.push_back(joules[static_cast<Eigen::Index>(r)]);
      measured.push_back(set.measurements[test[r]].energy_joules);
      weights.push_back(set.measurements[test[r]].weight);
    }
  }
  const Errors errors = errors_of(predicted, measured, weights);
  return {errors.median, errors.mean};
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

void run_irene(const std::string& folder, const Settings& settings, Report& report,
               std::vector<IntervalRows>& intervals) {
  const MeasurementSet set = measurements::import_irene(folder);
  const Observations observations(set);
  double rows = 0;
  for (const Measurement& m : set.measurements) rows += m.weight;
  report.section(
      fmt::format("IrEne device 1: {:.0f} node measurements, {} distinct; {} rows excluded before fitting "
                  "(tiny-ctrl; one run without a model row)\nmean error op / module / model, per cent",
                  rows, set.measurements.size(), set.excluded.size()));
  const std::vector<Fold> models = leave_models_out(set), families = leave_families_out(set),
                          large = leave_large_out(set);
  const auto add = [&](const std::string& protocol, const std::string& method, const Joules& joules,
                       const std::string& gate = "", const std::string& goal = "") {
    report.add({"irene", protocol, method, "op/module/model mean %", level_errors(set, joules), gate, goal});
  };
  const auto engine = [&](const TreeFitOptions& options) {
    return [&, options](const Fold& fold) { return TreeFit(observations, fold.train, options).price().joules; };
  };
  const auto specs = [&](const std::string& protocol, const std::vector<Fold>& folds, const std::string& gate,
                         const std::string& goal) {
    const Joules joules = out_of_fold(set, folds, engine(by_specs()));
    add(protocol, "edgejoule", joules, gate, goal);
    for (const Fold& fold : folds) {
      if (folds.size() > 1) {
        report.add({"irene", protocol + ": " + fold.name, "edgejoule", "op/module/model mean %",
                    level_errors(set, joules, &fold.test), "", ""});
      }
    }
    add(protocol, "edgejoule, plain rows only", out_of_fold(set, folds, engine(plain_rows())));
  };
  specs("model left out, specs only", models, "2.6/2.8/2.4", "1.5/2.0/1.6");
  specs("family left out, specs only", families, "3.2/6/4.7", "2.5/4.5/3.5");
  specs("trained on batch*seq <= 2048, tested above", large, "3.5/3/2.2", "3/2.5/1.8");

  const auto leaf_counters = [&](const Fold& fold) {
    const Joules leaves = by_counters(set, fold, true, kind_key);
    return TreeFit(observations, fold.train, by_specs()).price(leaves).joules;
  };
  add("model left out, time and counters at leaves", "edgejoule", out_of_fold(set, models, leaf_counters),
      "0.6/1.8/1.9", "0.5/1.5/1.5");
  const auto all_counters = [&](const Fold& fold) {
    Joules joules = by_counters(set, fold, false, shape_key);
    const Joules leaves = by_counters(set, fold, true, kind_key);
    for (std::size_t i = 0; i < joules.size(); ++i) joules[i] += leaves[i];
    return joules;
  };
  add("model left out, counter at every node", "the engine alone, more terms", out_of_fold(set, models, all_counters),
      "0.6/0.5/0.5", "0.5/0.4/0.4");
  add("model left out, counter at every node", "edgejoule, through a table and core",
      out_of_fold(set, models, [&](const Fold& fold) { return known_joules_by_table(set, fold.train); }), "0.6/0.5/0.5",
      "0.5/0.4/0.4");

  const IreneMethod irene_specs{{0, 1, 2, 3}, settings.thorough ? 1500 : 300};
  const IreneMethod irene_full{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, settings.thorough ? 1500 : 300};
  Joules sums(set.measurements.size(), 0.0);
  const auto recursion = [&](const IreneMethod& method, bool keep_sums) {
    return [&, keep_sums, method](const Fold& fold) {
      IrenePrices prices = irene_prices(set, fold.train, method);
      for (std::size_t i = 0; keep_sums && i < sums.size(); ++i) {
        if (fold.test[i]) sums[i] = prices.sum_of_children[i];
      }
      return prices.recursion;
    };
  };
  add("model left out, time and counters at leaves", "IrEne's recursion",
      out_of_fold(set, models, recursion(irene_full, true)));
  add("model left out, time and counters at leaves", "IrEne's leaves, sum of children", sums);
  add("model left out, specs only", "IrEne's recursion", out_of_fold(set, models, recursion(irene_specs, false)));
  add("family left out, specs only", "IrEne's recursion", out_of_fold(set, families, recursion(irene_specs, false)));
  add("trained on batch*seq <= 2048, tested above", "IrEne's recursion",
      out_of_fold(set, large, recursion(irene_specs, false)));
  add("model left out", "FLOPs-proportional", out_of_fold(set, models, [&](const Fold& fold) {
        return proportional(set, fold, [](const Measurement& m) { return m.source_columns[2] + 1e-9; });
      }));
  add("no fit", "150 W x time", out_of_fold(set, models, [&](const Fold&) {
        Joules joules;
        for (const Measurement& m : set.measurements) joules.push_back(150 * m.time_seconds);
        return joules;
      }));
  // Transistor operations are a term of the roofline alone: within a kind of one data type
  // they are a constant times its work.
  for (const Feature work : {Feature::kMacs, Feature::kTransistorOps}) {
    report.add({"irene", "kind of op left out, priced by the roofline",
                fmt::format("bytes and {}", work == Feature::kMacs ? "MACs" : "transistor operations"),
                "op median/mean %", kinds_left_out(set, observations, work), "", ""});
  }

  // The forms as chosen, fitted alone: what a board would wait for.
  double seconds = 0;
  for (const Fold& fold : models) {
    const TreeFit chosen(observations, fold.train, by_specs());
    std::vector<std::pair<fit::FormSpec, fit::RowData>> work;
    for (const auto& [kind, row] : chosen.kinds()) {
      work.emplace_back(row.selected().fitted.form(), fit::row_data(observations, row.rows(), row.terms()));
    }
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& [form, data] : work) static_cast<void>(fit::FittedForm(form, data));
    seconds += seconds_since(begin);
  }
  report.add({"irene", "closed-form fit of the chosen op forms, six folds", "seconds", "s", {seconds}, "0.3", "0.1"});
  add("model left out, specs only", "the same through a table and core", by_tables(set, models, intervals));
}

}  // namespace edgejoule::accuracy
