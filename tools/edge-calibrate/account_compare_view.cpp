#include "account_compare_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "account_text.h"
#include "account_time_line.h"
#include "report/page.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {
namespace {

using account::Account;
using account::By;
using account::ComparedLine;
using account::ComparedSide;
using account::Energy;
using account::kInterval90;
using account::Ratio;
using account::RunComparison;
using text::exact;
using text::si;

std::string signed_joules(double joules) {
  return (joules > 0 ? "+" : "") + si(joules, "J");
}

std::string joules_text(const std::optional<ComparedSide>& side) {
  if (!side) return "-";
  return side->energy ? si(side->energy->joules, "J") : "not resolved";
}

std::string time_text(const std::optional<ComparedSide>& side) {
  return side ? si(side->seconds, "s") : "-";
}

std::string difference_text(const ComparedLine& line) {
  const std::optional<Energy> difference = line.difference();
  return difference ? signed_joules(difference->joules) : "";
}

std::string interval_text(const ComparedLine& line) {
  const std::optional<Energy> difference = line.difference();
  if (!difference) return "";
  const double half = kInterval90 * difference->standard_error;
  return fmt::format("{} .. {}", signed_joules(difference->joules - half), signed_joules(difference->joules + half));
}

// Near 1 what matters stands behind the point.
std::string factor(double value) {
  return value > 0.5 && value < 2 ? fmt::format("{:.3f}", value) : fmt::format("{:.3g}", value);
}

std::string ratio_text(const ComparedLine& line) {
  if (!line.a) return "only B";
  if (!line.b) return "only A";
  const std::optional<Ratio> ratio = line.ratio();
  return ratio ? fmt::format("x {} ({} .. {})", factor(ratio->value), factor(ratio->lower), factor(ratio->upper)) : "-";
}

std::string joules_name(const RunComparison& comparison) {
  return comparison.is_dynamic ? "dynamic" : "total";
}

// "run.ejl, 300 inferences of net.onnx"
std::string side_text(const AccountedRun& run) {
  std::string out = text::printable(run.files().timeline);
  if (!run.account().run.inferences.empty()) {
    out += fmt::format(", {} inferences", run.account().run.inferences.size());
  }
  if (!run.files().model.empty()) out += " of " + text::printable(run.files().model);
  return out;
}

// What a run takes as a whole: figures that differ between power modes even where no op does.
struct WholeRow {
  std::string energy, total, time, power, idle;
};

WholeRow whole_row(const AccountedRun& run) {
  const account::Line whole = account::whole_of(run.account(), run.model());
  const Account& account = run.account();
  return {account.has_idle ? with_interval(whole.dynamic, whole.is_resolved) : "",
          with_interval(whole.total, whole.is_resolved), si(whole.seconds, "s"), si(whole.watts(), "W"),
          account.has_idle ? si(account.idle_watts, "W") : "not known"};
}

std::string whole_text(const RunComparison& comparison) {
  const ComparedLine& whole = comparison.whole;
  if (!whole.difference()) return "not resolved";
  return fmt::format("{}, 90 % interval {}; {}", difference_text(whole), interval_text(whole), ratio_text(whole));
}

std::vector<std::string> row_of(const ComparedLine& line) {
  return {line.name,           joules_text(line.a), joules_text(line.b), difference_text(line),
          interval_text(line), ratio_text(line),    time_text(line.a),   time_text(line.b)};
}

std::vector<report::TableColumn> columns_of(const std::string& what) {
  return {{what, false},           {"A", true},     {"B", true},      {"B - A", true},
          {"90 % interval", true}, {"B / A", true}, {"time A", true}, {"time B", true}};
}

// Twice or half as much has the full tone.
double tone_of(const ComparedLine& line) {
  const std::optional<Energy> difference = line.difference();
  if (!difference) return 0;
  if (const std::optional<Ratio> ratio = line.ratio()) return std::clamp(std::log2(ratio->value), -1.0, 1.0);
  return difference->joules > 0 ? 1 : difference->joules < 0 ? -1 : 0;
}

report::Icicle icicle_of(const RunComparison& comparison) {
  report::Icicle icicle{
      {"width: B", "A", "change", "time B", "time A"}, {}, "B takes half or less", "B takes twice or more"};
  const auto joules = [](const std::optional<ComparedSide>& side) {
    return side && side->energy ? std::max(0.0, side->energy->joules) : 0.0;
  };
  const auto seconds = [](const std::optional<ComparedSide>& side) { return side ? side->seconds : 0.0; };
  const auto add = [&](const ComparedLine& line, std::uint32_t parent) {
    report::IcicleNode& node = icicle.nodes.emplace_back();
    const std::optional<Energy> difference = line.difference();
    node.parent = parent;
    node.name = line.name;
    node.sizes = {joules(line.b), joules(line.a), difference ? std::abs(difference->joules) : 0, seconds(line.b),
                  seconds(line.a)};
    node.tone = tone_of(line);
    node.details = {{"A", fmt::format("{} in {}", joules_text(line.a), time_text(line.a))},
                    {"B", fmt::format("{} in {}", joules_text(line.b), time_text(line.b))},
                    {"B - A", difference_text(line)},
                    {"90 % interval", interval_text(line)},
                    {"B / A", ratio_text(line)}};
  };
  const bool is_tree = !comparison.lines.empty() && comparison.lines.back().parent != account::kNoNode;
  if (!is_tree) add(comparison.whole, report::kNoIcicleParent);
  for (const ComparedLine& line : comparison.lines) add(line, is_tree ? line.parent : 0);
  return icicle;
}

std::string json_side(const std::optional<ComparedSide>& side) {
  if (!side) return "null";
  return fmt::format("{{\"seconds\":{},\"energy\":{}}}", exact(side->seconds),
                     side->energy ? json_energy(*side->energy) : "null");
}

std::string json_line(const ComparedLine& line) {
  const std::optional<Energy> difference = line.difference();
  const std::optional<Ratio> ratio = line.ratio();
  return fmt::format(
      "{{\"name\":{},\"depth\":{},\"a\":{},\"b\":{},\"difference\":{},\"ratio\":{},\"ratio_lower\":{},"
      "\"ratio_upper\":{}}}",
      text::json_string(line.name), line.depth, json_side(line.a), json_side(line.b),
      difference ? json_energy(*difference) : "null", ratio ? exact(ratio->value) : "null",
      ratio ? exact(ratio->lower) : "null", ratio ? exact(ratio->upper) : "null");
}

}  // namespace

std::string runs_text(const RunsView& view, std::size_t top, bool colour, int width) {
  using text::Align;
  const RunComparison& comparison = view.comparison;
  std::string out;
  text::Columns wholes(
      {"", "dynamic", "total", "time", "power", "idle", "of"},
      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  for (const auto& [name, run] : {std::pair{"A", &view.a}, std::pair{"B", &view.b}}) {
    const WholeRow row = whole_row(*run);
    wholes.add({{name}, {row.energy}, {row.total}, {row.time}, {row.power}, {row.idle}, {side_text(*run)}});
  }
  out += wholes.render(colour, width, 6);
  out += fmt::format("\nB - A     {} ({} energy of {} on {})\n\n", whole_text(comparison), joules_name(comparison),
                     unit_of(view.a.account()), rails_text(view.a.account()));
  text::Columns columns({"A", "B", "B - A", "90 % interval", "B / A", "time A", "time B", "name"},
                        {Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft, Align::kRight,
                         Align::kRight, Align::kLeft});
  const bool is_tree = !comparison.lines.empty() && comparison.lines.back().parent != account::kNoNode;
  const std::size_t shown = is_tree ? comparison.lines.size() : std::min(top, comparison.lines.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const ComparedLine& line = comparison.lines[i];
    const std::optional<Energy> difference = line.difference();
    const bool is_clear = difference && std::abs(difference->joules) > kInterval90 * difference->standard_error;
    const text::Style style = !is_clear                ? text::Style::kPlain
                              : difference->joules > 0 ? text::Style::kRed
                                                       : text::Style::kGreen;
    columns.add({{joules_text(line.a)},
                 {joules_text(line.b)},
                 {difference_text(line), style},
                 {interval_text(line), text::Style::kDim},
                 {ratio_text(line)},
                 {time_text(line.a)},
                 {time_text(line.b)},
                 {std::string(2 * static_cast<std::size_t>(line.depth), ' ') + line.name}});
  }
  out += columns.render(colour, width, 7);
  if (shown < comparison.lines.size()) {
    out += fmt::format("{} more (--top, --csv)\n", comparison.lines.size() - shown);
  }
  return out;
}

std::string runs_csv(const RunsView& view) {
  std::string out =
      "name,depth,in,a_j,a_se_j,b_j,b_se_j,difference_j,difference_se_j,ratio,ratio_lower,ratio_upper,a_s,b_s\n";
  for (const ComparedLine& line : view.comparison.lines) {
    const auto energy = [](const std::optional<Energy>& e) {
      return e ? fmt::format("{},{}", exact(e->joules), exact(e->standard_error)) : std::string(",");
    };
    const auto joules = [&](const std::optional<ComparedSide>& side) {
      return energy(side ? side->energy : std::nullopt);
    };
    const std::optional<Ratio> ratio = line.ratio();
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{}\n", text::csv_name(line.name), line.depth,
        line.a && line.b ? "both"
        : line.a         ? "a"
                         : "b",
        joules(line.a), joules(line.b), energy(line.difference()),
        ratio ? fmt::format("{},{},{}", exact(ratio->value), exact(ratio->lower), exact(ratio->upper)) : ",,",
        line.a ? exact(line.a->seconds) : "", line.b ? exact(line.b->seconds) : "");
  }
  return out;
}

std::string runs_json(const RunsView& view) {
  const auto side = [](const AccountedRun& run) {
    const Account& account = run.account();
    const account::Line whole = account::whole_of(account, run.model());
    return fmt::format(
        "{{\"trace\":{},\"timeline\":{},\"model\":{},\"inferences\":{},\"idle_watts\":{},\"total\":{},\"dynamic\":{}}}",
        text::json_string(run.files().trace), text::json_string(run.files().timeline),
        text::json_string(run.files().model), account.run.inferences.size(),
        account.has_idle ? exact(account.idle_watts) : "null", json_energy(whole.total),
        account.has_idle ? json_energy(whole.dynamic) : "null");
  };
  const RunComparison& comparison = view.comparison;
  std::string out =
      fmt::format("{{\"unit\":\"{}\",\"joules\":\"{}\",\n\"a\":{},\n\"b\":{},\n\"whole\":{},\n\"lines\":[",
                  comparison.per_inference ? "inference" : "run", joules_name(comparison), side(view.a), side(view.b),
                  json_line(comparison.whole));
  const char* comma = "";
  for (const ComparedLine& line : comparison.lines) {
    out += fmt::format("{}\n {}", comma, json_line(line));
    comma = ",";
  }
  out += "],\n\"notes\":[";
  comma = "";
  for (const std::string& note : comparison.notes) {
    out += comma + text::json_string(note);
    comma = ",";
  }
  return out + "]}\n";
}

std::string runs_html(const RunsView& view) {
  constexpr std::size_t kShownMovers = 15;
  const ComparedLine& whole = view.comparison.whole;
  const account::RunOfModel a{view.a.account(), view.a.model()}, b{view.b.account(), view.b.model()};
  const bool has_modules = a.model != nullptr && b.model != nullptr;
  report::Page page("Two runs side by side",
                    fmt::format("A: {}. B: {}. On {}.", side_text(view.a), side_text(view.b), rails_text(a.account)));
  const std::string unit = fmt::format("{}, {}", unit_of(a.account), joules_name(view.comparison));
  const std::optional<Ratio> ratio = whole.ratio();
  page.figures({{joules_text(whole.a), "A, " + unit, "in " + time_text(whole.a)},
                {joules_text(whole.b), "B, " + unit, "in " + time_text(whole.b)},
                {difference_text(whole), "B - A", interval_text(whole)},
                {ratio ? "x " + factor(ratio->value) : "-", "B / A",
                 ratio ? fmt::format("{} .. {}", factor(ratio->lower), factor(ratio->upper)) : ""}});
  const WholeRow of_a = whole_row(view.a), of_b = whole_row(view.b);
  page.figures({{of_a.total, "A, with what idling takes", fmt::format("at {}, idle {}", of_a.power, of_a.idle)},
                {of_b.total, "B, with what idling takes", fmt::format("at {}, idle {}", of_b.power, of_b.idle)}});
  for (const std::string& note : view.comparison.notes) page.warning(note);
  page.heading("Where the difference is");
  page.icicle(
      "Click a bar to look inside, the trail above or Escape to come out again. Widths are joules of B, of A, of the "
      "change, or seconds, whichever is chosen.",
      icicle_of(account::compare(a, b, has_modules ? By::kTree : By::kOp)));
  page.heading("One inference of each over time");
  add_time_line(page, a.account, a.model, "A: ");
  add_time_line(page, b.account, b.model, "B: ");
  for (const By by : {By::kModule, By::kOp, By::kKind}) {
    if (by == By::kModule && !has_modules) continue;
    const std::string what = by == By::kModule ? "module" : by == By::kOp ? "op" : "kind";
    std::vector<std::vector<std::string>> rows;
    for (const ComparedLine& line : account::compare(a, b, by).lines) rows.push_back(row_of(line));
    if (rows.empty()) continue;
    page.heading(by == By::kModule ? "Modules, the biggest movers first"
                 : by == By::kOp   ? "Ops, the biggest movers first"
                                   : "Kinds of op");
    page.table(columns_of(what), rows, kShownMovers);
  }
  return page.render();
}

}  // namespace edgejoule::calibrate
