#include "run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/uncertainty.h"
#include "fit/table_writer.h"
#include "measurements/median.h"
#include "measurements/statement.h"
#include "report/chart.h"
#include "report/page.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "validation_view.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Block;
using calibration::Measured;
using text::printable;

constexpr double kCloseUpSeconds = 20;
constexpr std::size_t kNextInText = 3;
constexpr std::size_t kNextOnPage = 12;

std::string joules(double value) {
  return text::si(value, "J");
}

// Kinds of op by how badly they are known: where the held-out error is largest, or too few stand behind it.
struct Next {
  std::string kind, why;
  double error = 0;
};

std::vector<Next> what_next(const RunResult& result) {
  std::vector<Next> list;
  for (const fit::KeyReport& key : result.fitted.keys) {
    const double error = key.held_out.mean / 100;
    if (key.groups < 9) {
      list.push_back({key.key,
                      fmt::format("only {} shape{}: nine are needed for an interval that can be promised", key.groups,
                                  key.groups == 1 ? "" : "s"),
                      1 + error});
    } else {
      list.push_back(
          {key.key, fmt::format("shapes left out were missed by {:.1f} % on average", key.held_out.mean), error});
    }
  }
  std::stable_sort(list.begin(), list.end(), [](const Next& a, const Next& b) { return a.error > b.error; });
  return list;
}

// What to do about it.
const char* how_next(const RunResult& result) {
  return result.is_all_there_is
             ? "every built-in workload is measured: shapes of your own go to edge-calibrate import, fit and adapt"
             : "more time (--resume with a longer --budget) measures more shapes of each kind";
}

// Validation says that somebody should not rely on this table.
std::string distrust(const ErrorSummary* models) {
  constexpr double kFarOff = 0.15, kFewInside = 0.6;
  if (models == nullptr || models->rows == 0) return {};
  const bool misses = models->bounded > 0 && models->inside < kFewInside;
  if (models->median < kFarOff && !misses) return {};
  return fmt::format(
      "networks are off by {} (median){}: do not rely on this table yet; measure for longer, with nothing else running",
      percent(models->median),
      misses ? fmt::format(" and {} of them lie in their 90 % interval", percent(models->inside)) : "");
}

const ErrorSummary* level(const Validation* validation, std::string_view name) {
  if (validation == nullptr) return nullptr;
  for (const ErrorSummary& summary : validation->by_level) {
    if (summary.name == name) return &summary;
  }
  return nullptr;
}

std::string error_line(const char* what, const ErrorSummary& summary) {
  return fmt::format("{:<9} {} {}{}: median error {}, mean {}, bias {:+.1f} %; 90 % intervals held {}\n", what,
                     summary.rows, summary.name == "model" ? "network" : "shape", summary.rows == 1 ? "" : "s",
                     percent(summary.median), percent(summary.mean), 100 * summary.bias,
                     summary.bounded == 0 ? "unknown" : percent(summary.inside));
}

std::string watts(double value) {
  return text::si(value, "W");
}

// Over a whole calibration a line of samples is a smear: what each block drew and the idle around it tell more.
void add_blocks_over_time(report::Page& page, const RunResult& result, double begin_s) {
  report::Series running{"a workload runs", {}}, idle{"idle around it", {}};
  const std::vector<Measured>& measured = result.session.measured();
  for (std::size_t i = result.earlier_blocks; i < measured.size(); ++i) {
    const Block& block = measured[i].block;
    const double at_s = (block.begin_s + block.end_s) / 2 - begin_s;
    const std::string what = fmt::format("{}\n{:.1f} s: {}, idle {}{}", block.name, at_s, watts(block.run_watts),
                                         watts(block.idle_watts), block.problem.empty() ? "" : "\n" + block.problem);
    running.points.push_back({at_s, block.run_watts, what});
    idle.points.push_back({at_s, block.idle_watts, what});
  }
  report::ChartOptions options;
  options.x_label = "time", options.x_unit = "s";
  options.y_label = "power of the total", options.y_unit = "W";
  page.chart("One point per workload, and one for the idle around it, which should be a level line.",
             report::scatter_chart({running, idle}, options));
}

void add_power(report::Page& page, const RunResult& result) {
  report::Series series{"", {}};
  const std::vector<calibration::PowerPoint>& power = result.session.protocol().power();
  if (power.empty()) return;
  const double begin_s = power.front().seconds;
  const bool is_long = power.back().seconds - begin_s > kCloseUpSeconds;
  for (const calibration::PowerPoint& point : power) {
    const double at_s = point.seconds - begin_s;
    if (is_long && at_s > kCloseUpSeconds) break;
    series.points.push_back({at_s, point.watts, ""});
  }
  report::ChartOptions options;
  options.x_label = "time", options.x_unit = "s";
  options.y_label = "power of the total", options.y_unit = "W";
  const std::vector<Measured>& measured = result.session.measured();
  for (std::size_t i = result.earlier_blocks; i < measured.size(); ++i) {
    const Block& block = measured[i].block;
    if (is_long && block.end_s - begin_s > kCloseUpSeconds) continue;
    options.shaded.emplace_back(block.begin_s - begin_s, block.end_s - begin_s);
  }
  page.heading("Power over time");
  if (is_long) add_blocks_over_time(page, result, begin_s);
  page.chart(fmt::format("{}Shaded: a workload runs. Between them the board idles, with the sensors being read.",
                         is_long ? "The first seconds, sample by sample. " : ""),
             report::line_chart({series}, options));
  if (result.earlier_blocks > 0) {
    page.paragraph(
        fmt::format("{} blocks of an earlier run, which this one went on with, are not drawn.", result.earlier_blocks));
  }
}

void add_predictions(report::Page& page, const RunResult& result) {
  if (result.validation == nullptr) return;
  report::Series shapes{"shapes never fitted", {}}, networks{"whole networks", {}};
  for (const ValidatedRow& row : result.validation->rows) {
    const std::string tip =
        fmt::format("{}\npredicted {}, measured {}", row.origin, joules(row.predicted), joules(row.measured));
    (row.level == "model" ? networks : shapes).points.push_back({row.measured, row.predicted, tip});
  }
  report::ChartOptions options;
  options.x_label = "measured", options.x_unit = "J";
  options.y_label = "predicted", options.y_unit = "J";
  options.x_scale = options.y_scale = report::Scale::kLog10;
  options.diagonal = true;
  page.heading("Predicted against measured");
  page.chart("Joules above idle, both axes logarithmic. None of these was in the fit.",
             report::scatter_chart({shapes, networks}, options));
  std::vector<std::vector<std::string>> rows;
  for (const ValidatedRow& row : result.validation->rows) {
    if (row.level != "model") continue;
    rows.push_back({row.model, joules(row.measured), joules(row.predicted),
                    fmt::format("{:+.1f} %", 100 * (row.ratio() - 1)),
                    row.has_interval ? joules(row.lower) + " .. " + joules(row.upper) : "-"});
  }
  if (!rows.empty()) {
    page.table({{"network", false}, {"measured", true}, {"predicted", true}, {"off by", true}, {"90 % interval", true}},
               rows);
  }
}

std::string term_name(const fit::FittedTerm& term) {
  if (term.spec.feature == Feature::kOne) return "launch";
  std::string name(name_of(term.spec.feature));
  const Tile& tile = term.spec.tile;
  std::string sizes;
  for (const auto size : {tile.m, tile.n, tile.k}) {
    if (size != 0) sizes += fmt::format("{}{}", sizes.empty() ? "" : " x ", size);
  }
  return sizes.empty() ? name : fmt::format("{} ({})", name, sizes);
}

// "uJ" is written with a letter that every file can hold.
std::string coefficient_text(const fit::ReadableCoefficient& value) {
  std::string unit(symbol_of(value.unit));
  if (unit.starts_with('u')) unit.replace(0, 1, "µ");
  return fmt::format("{:.4g} {}", value.value, unit);
}

std::string count_range(double low, double high) {
  const auto count = [](double value) {
    return std::fabs(value) < 1000 ? fmt::format("{:.3g}", value) : text::si(value, "");
  };
  return low == high ? count(low) : count(low) + " .. " + count(high);
}

std::string row_name(const fit::FittedRow& row) {
  std::string name;
  switch (row.level) {
    case Level::kExact:
    case Level::kOpAndType: name = fmt::format("{} {}", name_of(row.kind), name_of(row.data_type)); break;
    case Level::kOp: name = name_of(row.kind); break;
    case Level::kClass: name = fmt::format("any {}", name_of(row.op_class)); break;
    default: name = "anything else";
  }
  for (const Condition& condition : row.conditions) {
    if (std::isfinite(condition.min) && condition.min > 0)
      name += fmt::format(", {} from {:g}", name_of(condition.feature), condition.min);
    if (std::isfinite(condition.max)) name += fmt::format(", {} below {:g}", name_of(condition.feature), condition.max);
  }
  return name;
}

void add_coefficients(report::Page& page, const RunResult& result) {
  constexpr double kNotApart = 1;
  std::vector<std::vector<std::string>> rows;
  for (const fit::FittedRow& row : result.fitted.rows) {
    if (row.form != RowForm::kLinear || row.known != fit::Known::kNothing || row.member > 1) continue;
    const std::vector<double> errors = calibration::coefficient_errors(result.set, row);
    rows.push_back({row_name(row)});
    for (std::size_t i = 0; i < row.terms.size(); ++i) {
      if (row.terms[i].coefficient == 0) continue;
      const double share = errors[i] / row.terms[i].coefficient;
      rows.push_back(
          {term_name(row.terms[i]), coefficient_text(fit::readable(row.terms[i].coefficient)),
           share < kNotApart ? fmt::format("± {:.1f} %", 100 * share) : "not apart",
           row.terms[i].spec.feature == Feature::kOne ? "" : count_range(row.terms[i].min, row.terms[i].max)});
    }
  }
  page.heading("Coefficients");
  page.paragraph(
      "Joules per unit of what is counted, under the op that they price. The uncertainty is one standard error; 'not "
      "apart': the measurements cannot tell this term from others of the row, only their sum is known. Where several "
      "rows vote, the first stands here.");
  page.table({{"per", false}, {"costs", true}, {"uncertainty", true}, {"fitted on", true}}, rows, 40);
}

void add_blocks(report::Page& page, const RunResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const Measured& measured : result.session.measured()) {
    const Block& block = measured.block;
    rows.push_back({block.name, block.problem.empty() ? joules(block.joules) : "-",
                    block.problem.empty() ? fmt::format("± {:.1f} %", 100 * block.relative_error()) : "-",
                    text::si(block.seconds, "s"), text::si(block.first_seconds, "s"), text::si(block.run_watts, "W"),
                    text::si(block.idle_watts, "W"), block.problem});
  }
  page.heading("Every block");
  page.table({{"workload", false},
              {"above idle", true},
              {"standard error", true},
              {"time", true},
              {"first run", true},
              {"power", true},
              {"idle", true},
              {"why it was measured again", false}},
             rows, 15);
}

std::string wake_text(const calibration::WakeUp& wake) {
  return fmt::format("± {}; takes {}", joules(wake.joules_error), text::si(wake.seconds, "s"));
}

}  // namespace

std::string to_text(const RunResult& result) {
  std::string out;
  std::vector<double> errors;
  for (const Measured& measured : result.session.measured()) {
    if (measured.block.problem.empty()) errors.push_back(measured.block.relative_error());
  }
  out += fmt::format("measured  {} blocks, median standard error {}; their energy adds up to the rail's within {}\n",
                     errors.size(), percent(measurements::median(errors)),
                     percent(result.session.protocol().worst_conservation()));
  out += fmt::format("idle      {}", text::si(result.session.idle_watts(), "W"));
  if (result.session.wake()) {
    const calibration::WakeUp& wake = *result.session.wake();
    out += fmt::format("; waking up costs {} ± {} and {}", joules(wake.joules), joules(wake.joules_error),
                       text::si(wake.seconds, "s"));
  }
  out += fmt::format("\na joule   {}, {}\n", measurements::boundary_text(result.set),
                     measurements::baseline_text(result.set));
  out +=
      fmt::format("fitted    {} rows to {} measurements; each left out in turn: median error {:.1f} %, mean {:.1f} %\n",
                  result.fitted.rows.size(), result.set.measurements.size(), result.fitted.ops.held_out.median,
                  result.fitted.ops.held_out.mean);
  if (result.spread.sigma > 0) {
    out += fmt::format("intervals widened by {}, the spread that ops of {} other networks shared\n",
                       percent(result.spread.sigma), result.spread.networks);
  }
  if (const ErrorSummary* ops = level(result.validation, "op")) out += error_line("validated", *ops);
  if (const ErrorSummary* models = level(result.validation, "model")) out += error_line("", *models);
  const std::vector<Next> next = what_next(result);
  for (std::size_t i = 0; i < std::min(kNextInText, next.size()); ++i) {
    out += fmt::format("{:<9} {}: {}\n", i == 0 ? "next" : "", next[i].kind, next[i].why);
  }
  if (!next.empty()) out += fmt::format("          {}\n", how_next(result));
  const std::string caution = distrust(level(result.validation, "model"));
  if (!caution.empty()) out += "caution   " + caution + "\n";
  return out;
}

std::string to_html(const RunResult& result) {
  const calibration::Session& session = result.session;
  report::Page page("Calibration of " + result.facts.board,
                    fmt::format("{}, {}; joules of {}, {}", result.facts.runtime, result.facts.engine,
                                measurements::boundary_text(result.set), measurements::baseline_text(result.set)));
  if (result.facts.emulated) page.warning("This board is emulated: no figure here is of a real one.");
  const calibration::Session::Outcome& outcome = session.outcome();
  if (outcome.interrupted) page.warning("Ended early because somebody asked for it.");
  if (!outcome.fault.empty()) page.warning("Ended early because " + outcome.fault + ".");
  for (const std::string& warning : outcome.warnings) page.warning(warning);
  const std::string caution = distrust(level(result.validation, "model"));
  if (!caution.empty()) page.warning("Careful: " + caution + ".");
  std::vector<report::Figure> figures;
  if (const ErrorSummary* models = level(result.validation, "model")) {
    figures.push_back({percent(models->median), "median error of networks",
                       fmt::format("{} that nobody calibrated on", models->rows)});
  }
  if (const ErrorSummary* ops = level(result.validation, "op")) {
    figures.push_back({percent(ops->median), "median error of shapes", fmt::format("{} never fitted", ops->rows)});
  }
  if (result.validation != nullptr && result.validation->all.bounded > 0) {
    const ErrorSummary& all = result.validation->all;
    figures.push_back({percent(all.inside), "in the 90 % interval",
                       fmt::format("chance: {:.0f} to {:.0f} %", 100 * all.inside_low, 100 * all.inside_high)});
  }
  figures.push_back({text::si(session.idle_watts(), "W"), "idle", "sampler running"});
  if (session.wake()) figures.push_back({joules(session.wake()->joules), "waking up", wake_text(*session.wake())});
  page.figures(figures);
  add_power(page, result);
  add_predictions(page, result);
  page.heading("What to measure next");
  std::vector<std::vector<std::string>> next;
  for (const Next& row : what_next(result)) next.push_back({row.kind, row.why});
  if (next.size() > kNextOnPage) next.resize(kNextOnPage);
  page.paragraph(fmt::format("The worst known first; {}.", how_next(result)));
  page.table({{"kind of op", false}, {"why", false}}, next);
  add_coefficients(page, result);
  add_blocks(page, result);
  page.heading("How it was measured");
  const ProvenanceView provenance = result.table.provenance();
  page.paragraph(fmt::format("{} on {}; {}.", provenance.tool_version, provenance.date, provenance.protocol));
  page.paragraph(fmt::format("Source: {}. Table: {}. Measurements: SHA-256 {}.", provenance.data_source,
                             result.table_file, provenance.measurements_sha256));
  std::vector<std::vector<std::string>> rails;
  for (const calibration::RailFacts& rail : result.facts.rails) {
    rails.push_back({rail.label, rail.chip, rail.shunt_uohm > 0 ? fmt::format("{:g} mOhm", rail.shunt_uohm / 1e3) : "?",
                     rail.quantum_uw > 0 ? text::si(static_cast<double>(rail.quantum_uw) * 1e-6, "W") : "?",
                     rail.cycle_ns > 0 ? fmt::format("{:.1f} ms", rail.cycle_ns / 1e6) : "?",
                     std::to_string(rail.averages), rail.in_total ? "yes" : "no"});
  }
  page.table({{"rail", false},
              {"chip", false},
              {"shunt", true},
              {"step", true},
              {"every", true},
              {"averages", true},
              {"in the total", false}},
             rails);
  return page.render();
}

}  // namespace edgejoule::calibrate
