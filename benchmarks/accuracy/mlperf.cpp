#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "data_sets.h"
#include "edge-calibrate/model_sources.h"
#include "fit/adapt.h"
#include "fit/fit_models.h"
#include "fit/model_sums.h"
#include "fit/nnls.h"
#include "fit/set_pool.h"
#include "measurements/measurement_set.h"
#include "through_table.h"

namespace edgejoule::accuracy {
namespace {

using Eigen::Index;
using fit::PoolData;
using fit::PoolForm;
using fit::SetPool;
using measurements::MeasurementSet;

struct Study {
  PoolData data;
  std::vector<std::string> families;
  std::vector<std::string> device_names, boards;  // per device
};

Study study_of(const MeasurementSet& set) {
  Study study;
  fit::ModelPool pool = fit::pool_of(set);
  study.data = std::move(pool.data);
  study.families = std::move(pool.families);
  study.device_names = std::move(pool.devices);
  for (const std::string& device : study.device_names) {
    const std::string system = device.substr(device.find('|') + 1);
    std::string board = system.substr(0, system.find_first_of(".-|"));
    if (board == "nvidia_orin") board = "orin";
    if (board == "rpi4coral") board = "rpi4";
    study.boards.push_back(board);
  }
  return study;
}

struct Split {
  std::vector<Index> train, test;
};

using Families = std::vector<std::string>;

Split split_of(const Study& study, const Families& families) {
  Split split;
  for (Index i = 0; i < study.data.size(); ++i) {
    const int family = study.data.families[static_cast<std::size_t>(i)];
    const bool outside = family >= 0 && std::find(families.begin(), families.end(),
                                                  study.families[static_cast<std::size_t>(family)]) != families.end();
    (outside ? split.test : split.train).push_back(i);
  }
  return split;
}

std::vector<double> scores_of(const Eigen::VectorXd& predicted, const PoolData& test) {
  std::vector<double> p, e, w;
  for (Index i = 0; i < test.size(); ++i) {
    if (!std::isfinite(predicted[i])) continue;
    p.push_back(predicted[i]), e.push_back(test.energies[i]), w.push_back(1);
  }
  const Errors errors = errors_of(p, e, w);
  return {fit::median_of_device_medians(predicted, test), errors.mean, errors.p90};
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  return values[below] +
         (position - std::floor(position)) * (values[std::min(below + 1, values.size() - 1)] - values[below]);
}

// As the table of a device states them: from its own models, each training family left
// out in turn; beside them one width for all devices.
void add_intervals(const PoolData& train, const fit::PoolChoice& choice, const PoolData& test,
                   const Eigen::VectorXd& predicted, IntervalRows& rows) {
  fit::HeldOut all;
  std::map<int, fit::HeldOut> by_device;
  for (Index i = 0; i < train.size(); ++i) {
    if (!std::isfinite(choice.log_residuals[i])) continue;
    const auto at = static_cast<std::size_t>(i);
    for (fit::HeldOut* held_out : {&all, &by_device[train.devices[at]]}) {
      held_out->log_residuals.push_back(choice.log_residuals[i]);
      held_out->groups.push_back(std::to_string(train.families[at]));
    }
  }
  TablePrice price;
  price.constant = constant_bounds(all.log_residuals, std::vector<double>(all.log_residuals.size(), 1.0));
  for (Index i = 0; i < test.size(); ++i) {
    if (!std::isfinite(predicted[i])) continue;
    const int device = test.devices[static_cast<std::size_t>(i)];
    const auto own = by_device.find(device);
    price.joules = predicted[i];
    price.bounds = own == by_device.end() ? bounds_of(fit::summarise(all)) : bounds_of(fit::summarise(own->second));
    add_interval(price, test.energies[i], 1, device, rows);
  }
}

void leave_families_out(const Study& study, const std::string& name, const Families& families, const std::string& gate,
                        const std::string& goal, Report& report, std::vector<IntervalRows>* intervals) {
  const Split split = split_of(study, families);
  const PoolData train = study.data.subset(split.train), test = study.data.subset(split.test);
  const std::string protocol = name + " left out, specs only";
  const auto add = [&](const std::string& method, const Eigen::VectorXd& predicted, const std::string& g = "",
                       const std::string& h = "") {
    report.add({"mlperf_edge", protocol, method, "median of set medians/mean/p90 %", scores_of(predicted, test), g, h});
  };
  const auto engine = [&](const std::vector<Index>& always, bool keep) {
    const std::vector<PoolForm> forms = fit::pool_forms(always);
    const fit::PoolChoice choice = fit::choose_forms(forms, train, fit::kAveragedForms);
    std::vector<SetPool> best;
    for (std::size_t i = 0; i < fit::kAveragedForms; ++i) best.emplace_back(train, forms[choice.order[i]]);
    const Eigen::VectorXd predicted = SetPool::average(best).predict(test);
    if (keep && intervals != nullptr) {
      IntervalRows rows{"mlperf_edge, " + name + " out", "model", {}, {}};
      add_intervals(train, choice, test, predicted, rows);
      intervals->push_back(std::move(rows));
      add("the best single form", best.front().predict(test));
    }
    return predicted;
  };
  add("edgejoule, mean of the best 10 rows", engine({}, true), gate, goal);
  if (intervals == nullptr) return;
  add("the same with transistor operations", engine({fit::kTransistorsColumn}, false));

  const auto each_alone = [&](const std::vector<Index>& columns) {
    Eigen::VectorXd predicted = Eigen::VectorXd::Constant(test.size(), std::nan(""));
    const std::set<int> devices(train.devices.begin(), train.devices.end());
    for (const int device : devices) {
      std::vector<Index> rows;
      for (Index i = 0; i < train.size(); ++i) {
        if (train.devices[static_cast<std::size_t>(i)] == device) rows.push_back(i);
      }
      fit::RelativeFitOptions options;
      options.robust_steps = 0;
      const Eigen::VectorXd c = fit::fit_relative(train.terms(rows, columns), train.energies(rows),
                                                  Eigen::VectorXd::Ones(static_cast<Index>(rows.size())), options);
      for (Index i = 0; i < test.size(); ++i) {
        if (test.devices[static_cast<std::size_t>(i)] == device) {
          predicted[i] = std::max(test.terms.row(i)(columns).dot(c), 1e-12);
        }
      }
    }
    return predicted;
  };
  add("one row of the base terms per set", each_alone(fit::base_columns({})));
  // MACs of all kinds as one column: the naive count.
  PoolData naive_train = train, naive_test = test;
  for (PoolData* part : {&naive_train, &naive_test}) {
    part->terms.col(fit::kPointwiseColumn) += part->terms.col(fit::kOtherColumn) +
                                              part->terms.col(fit::kDepthwiseColumn) +
                                              part->terms.col(fit::kDenseColumn);
  }
  const auto naive = [&](const std::vector<Index>& columns) {
    PoolForm form{columns, 0, 0, 0.5};
    return SetPool(naive_train, form).predict(naive_test);
  };
  add("E = a + b*MACs", naive({fit::kOnceColumn, fit::kPointwiseColumn}));
  add("MACs-proportional", naive({fit::kPointwiseColumn}));

  // One row for uint8 and float32 together: the rung an op of another type falls back on.
  for (const bool with : {false, true}) {
    PoolData both = train, both_test = test;
    for (PoolData* part : {&both, &both_test}) {
      for (std::size_t i = 0; i < part->kinds.size(); ++i) {
        part->kinds[i] = 0;
        const std::string& device = study.device_names[static_cast<std::size_t>(part->devices[i])];
        const std::string board = device.substr(0, device.rfind('|'));
        part->devices[i] = static_cast<int>(std::find_if(study.device_names.begin(), study.device_names.end(),
                                                         [&](const std::string& other) {
                                                           return other.compare(0, board.size() + 1, board + "|") == 0;
                                                         }) -
                                            study.device_names.begin());
      }
    }
    PoolForm form{
        fit::base_columns({fit::kPatchesColumn, fit::kPackedColumn, fit::kOutputsColumn, fit::kElementsColumn}), 1e-2,
        2, 0.5};
    if (with) form.columns.push_back(fit::kTransistorsColumn);
    report.add({"mlperf_edge", protocol,
                fmt::format("one row for uint8 and float32, {} transistor ops", with ? "with" : "without"),
                "median of set medians/mean/p90 %", scores_of(SetPool(both, form).predict(both_test), test), "", ""});
  }
}

// A donor of other boards and N measurements of a new one.
void adapt(const Study& study, Report& report) {
  constexpr int kDraws = 6;
  const std::vector<Index> columns =
      fit::base_columns({fit::kPatchesColumn, fit::kPackedColumn, fit::kOutputsColumn, fit::kElementsColumn});
  const PoolData& data = study.data;
  const PoolForm form{columns, 1e-3, 2, 0.0};
  std::map<std::string, std::map<int, std::vector<double>>> errors;
  std::uint64_t state = 88172645463325252ULL;
  const auto random_below = [&](std::size_t n) {
    state ^= state << 13U, state ^= state >> 7U, state ^= state << 17U;
    return static_cast<std::size_t>(state % n);
  };
  const std::set<std::string> boards(study.boards.begin(), study.boards.end());
  for (const std::string& board : boards) {
    std::vector<Index> others;
    std::map<int, std::vector<Index>> rows_of;
    for (Index i = 0; i < data.size(); ++i) {
      const int device = data.devices[static_cast<std::size_t>(i)];
      if (study.boards[static_cast<std::size_t>(device)] == board) {
        rows_of[device].push_back(i);
      } else {
        others.push_back(i);
      }
    }
    const SetPool donors(data.subset(others), form);
    for (auto& [device, rows] : rows_of) {
      const Eigen::VectorXd donor = donors.common(data.kinds[static_cast<std::size_t>(rows.front())]);
      if (donor.size() == 0) continue;
      for (int draw = 0; draw < kDraws; ++draw) {
        for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random_below(i)]);
        for (const int n : {5, 10, 20, 40}) {
          if (rows.size() < static_cast<std::size_t>(n) + 5) continue;
          const std::vector<Index> train(rows.begin(), rows.begin() + n), test(rows.begin() + n, rows.end());
          const fit::AdaptData measured{
              data.terms(train, columns), donor(columns), data.energies(train), Eigen::VectorXd::Ones(n), {}};
          const auto score = [&](const std::string& method, const Eigen::VectorXd& c) {
            std::vector<double> of_set;
            for (const Index row : test) {
              of_set.push_back(100 * std::abs(data.terms.row(row)(columns).dot(c) / data.energies[row] - 1));
            }
            errors[method][n].push_back(quantile(of_set, 0.5));
          };
          score("donor, scaled by the N", fit::adapt_row(measured, fit::kScaledOnly).coefficients);
          fit::RelativeFitOptions alone;
          alone.ridge = 0, alone.ridge_share = 1e-6, alone.robust_steps = 2;
          score("the N alone", fit::fit_relative(measured.terms, measured.energies, measured.weights, alone));
          score("edgejoule: the N, pulled toward the donor", fit::adapt_row(measured, 0.3 / n).coefficients);
        }
      }
    }
  }
  report.section(
      fmt::format("adapt: a donor row of the other boards and N measurements of a set; {} draws each, the rest "
                  "tested\nmedian over sets of the median error, per cent, at N = 5 / 10 / 20 / 40",
                  kDraws));
  for (auto& [method, by_n] : errors) {
    std::vector<double> values;
    for (auto& [n, list] : by_n) values.push_back(quantile(list, 0.5));
    report.add({"mlperf_edge", "adapt to a new board", method, "median % at N=5/10/20/40", values, "", ""});
  }
}

}  // namespace

void run_mlperf_edge(const std::string& file, const Settings& settings, Report& report,
                     std::vector<IntervalRows>& intervals) {
  const MeasurementSet set = calibrate::read_set(file, {});
  const Study study = study_of(set);
  report.section(
      fmt::format("MLPerf edge: {} whole-model runs in {} sets (round, board, runtime, data type), none "
                  "excluded; layers from the zoo\nmedian over sets of the median error / mean / 90th "
                  "percentile over rows, per cent; a family is left out of all sets at once",
                  set.measurements.size(), study.device_names.size()));
  leave_families_out(study, "v2", {"mobilenet_v2"}, "7.2", "5", report, &intervals);
  leave_families_out(study, "v1 and EfficientNet-Lite", {"mobilenet_v1", "efficientnet_lite"}, "13.8", "9", report,
                     &intervals);
  if (settings.thorough) {
    leave_families_out(study, "v1", {"mobilenet_v1"}, "", "", report, nullptr);
    leave_families_out(study, "EfficientNet-Lite", {"efficientnet_lite"}, "", "", report, nullptr);
  }
  leave_families_out(study, "v3", {"mobilenet_v3"}, "", "", report, nullptr);
  adapt(study, report);
}

}  // namespace edgejoule::accuracy
