#include "validation_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "measurements/statement.h"
#include "report/chart.h"
#include "report/page.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {
namespace {

using text::printable;

constexpr std::size_t kWorstInText = 8;
constexpr std::size_t kWorstOnPage = 50;
constexpr std::size_t kGroupsInText = 5;
constexpr std::size_t kNamedSeries = 6;  // of a chart; the rest is one more

std::string signed_percent(double share) {
  return fmt::format("{:+.1f} %", 100 * share);
}

std::string coverage_text(const ErrorSummary& summary) {
  return summary.bounded == 0 ? "-" : fmt::format("{:.1f} %", 100 * summary.inside);
}

std::string ratio_text(double ratio) {
  return ratio >= 1 ? fmt::format("\u00d7 {:.3g}", ratio) : fmt::format("\u00f7 {:.3g}", 1 / ratio);
}

std::string joules(double value) {
  return text::si(value, "J");
}

// "dense float32" of an op, the model's name of a model.
std::string what_text(const ValidatedRow& row) {
  return row.level == "op" || row.model.empty() ? row.kind : fmt::format("{} {}", row.level, row.model);
}

std::string interval_meaning(const ErrorSummary& all) {
  if (all.bounded == 0) return "the table states no residuals for these: no interval could be tested";
  return fmt::format(
      "90 % intervals held {:.1f} % of {} measurements; with {} {} chance alone moves that between {:.1f} "
      "and {:.1f} %",
      100 * all.inside, all.bounded, all.groups, all.groups == 1 ? "group" : "groups", 100 * all.inside_low,
      100 * all.inside_high);
}

std::size_t not_guaranteed(const Validation& validation) {
  return static_cast<std::size_t>(
      std::count_if(validation.rows.begin(), validation.rows.end(),
                    [](const ValidatedRow& row) { return row.flags.has(Flag::kIntervalNotGuaranteed); }));
}

std::map<std::string, std::size_t> rungs_of(const Validation& validation) {
  std::map<std::string, std::size_t> rungs;
  for (const ValidatedRow& row : validation.rows) ++rungs[std::string(text::level_text(row.rung))];
  return rungs;
}

std::string rungs_text(const Validation& validation) {
  std::string out;
  for (const auto& [name, count] : rungs_of(validation)) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, name);
  }
  return out;
}

void add_summaries(text::Columns& columns, const std::vector<ErrorSummary>& summaries, std::size_t most) {
  for (std::size_t i = 0; i < std::min(most, summaries.size()); ++i) {
    const ErrorSummary& s = summaries[i];
    columns.add({{printable(s.name)},
                 {fmt::format("{}", s.rows)},
                 {fmt::format("{}", s.groups)},
                 {percent(s.mean)},
                 {percent(s.median)},
                 {percent(s.p90)},
                 {signed_percent(s.bias)},
                 {coverage_text(s)}});
  }
}

text::Columns summary_columns(const std::string& title) {
  using text::Align;
  return text::Columns({title, "n", "groups", "mean", "median", "90th pct", "bias", "in 90 % interval"},
                       {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                        Align::kRight, Align::kRight});
}

std::vector<report::TableColumn> page_columns(const std::string& title) {
  return {{title, false},   {"n", true},        {"groups", true}, {"mean", true},
          {"median", true}, {"90th pct", true}, {"bias", true},   {"in interval", true}};
}

std::vector<std::vector<std::string>> page_rows(const std::vector<ErrorSummary>& summaries) {
  std::vector<std::vector<std::string>> rows;
  for (const ErrorSummary& s : summaries) {
    rows.push_back({s.name, fmt::format("{}", s.rows), fmt::format("{}", s.groups), percent(s.mean), percent(s.median),
                    percent(s.p90), signed_percent(s.bias), coverage_text(s)});
  }
  return rows;
}

struct Plots {
  std::vector<report::Series> against, by_size;
};

// One colour per kind, the commonest first.
Plots plots_of(const Validation& validation) {
  std::map<std::string, std::size_t> counts;
  for (const ValidatedRow& row : validation.rows) ++counts[row.kind];
  std::vector<std::pair<std::string, std::size_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<std::string, std::size_t> series_of;
  Plots plots;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool named = i < kNamedSeries || order.size() == kNamedSeries + 1;
    const std::size_t at = named ? i : kNamedSeries;
    if (plots.against.size() == at) {
      const std::string name = named ? order[i].first : "others";
      plots.against.push_back({name, {}});
      plots.by_size.push_back({name, {}});
    }
    series_of[order[i].first] = at;
  }
  for (const ValidatedRow& row : validation.rows) {
    const std::size_t at = series_of[row.kind];
    const std::string tip = fmt::format("{}\n{}\npredicted {}, measured {}: {}", row.origin, what_text(row),
                                        joules(row.predicted), joules(row.measured), ratio_text(row.ratio()));
    plots.against[at].points.push_back({row.measured, row.predicted, tip});
    plots.by_size[at].points.push_back({row.tensor_bytes, row.ratio(), tip});
  }
  return plots;
}

void add_charts(report::Page& page, const Validation& validation) {
  const Plots plots = plots_of(validation);
  report::ChartOptions against;
  against.x_label = "measured", against.x_unit = "J";
  against.y_label = "predicted", against.y_unit = "J";
  against.x_scale = against.y_scale = report::Scale::kLog10;
  against.diagonal = true;
  page.heading("Predicted against measured");
  page.chart("Joules, both axes logarithmic. On the dashed line the prediction is exact; above it, it is too high.",
             report::scatter_chart(plots.against, against));
  report::ChartOptions by_size;
  by_size.x_label = "tensor bytes of the op, or of all ops of a module or model", by_size.x_unit = "B";
  by_size.y_label = "predicted / measured", by_size.y_unit = "";
  by_size.x_scale = report::Scale::kLog10;
  by_size.y_scale = report::Scale::kRatio;
  by_size.guides = {1};
  page.heading("Residuals against size");
  page.chart("A trend here is work that the table's terms do not see.", report::scatter_chart(plots.by_size, by_size));
}

}  // namespace

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string to_text(const Validation& validation, const ValidatedPair& of, bool colour) {
  std::string out;
  for (const std::string& warning : validation.warnings) {
    out += text::styled("warning", text::Style::kYellow, colour) + "       " + warning + "\n";
  }
  out += fmt::format("table         {}  ({})\n", printable(of.table.name()), printable(of.table_file));
  out += fmt::format("measurements  {}  ({})\n", printable(of.set.board), printable(of.set_file));
  out +=
      fmt::format("a joule       {}, {}\n\n", measurements::boundary_text(of.set), measurements::baseline_text(of.set));

  text::Columns columns = summary_columns("error");
  add_summaries(columns, {validation.all}, 1);
  if (validation.by_level.size() > 1) add_summaries(columns, validation.by_level, validation.by_level.size());
  if (validation.by_kind.size() > 1) add_summaries(columns, validation.by_kind, validation.by_kind.size());
  out += columns.render(colour);
  for (const auto& [title, summaries] :
       {std::pair("worst groups", &validation.by_group), std::pair("worst devices", &validation.by_device)}) {
    if (summaries->empty()) continue;
    text::Columns list = summary_columns(title);
    add_summaries(list, *summaries, kGroupsInText);
    out += "\n" + list.render(colour);
    if (summaries->size() > kGroupsInText) out += fmt::format("... and {} more\n", summaries->size() - kGroupsInText);
  }

  text::Columns worst({"worst cases", "predicted", "measured", "", "by", "what"},
                      {text::Align::kLeft, text::Align::kRight, text::Align::kRight, text::Align::kLeft,
                       text::Align::kLeft, text::Align::kLeft});
  for (std::size_t i = 0; i < std::min(kWorstInText, validation.worst.size()); ++i) {
    const ValidatedRow& row = validation.rows[validation.worst[i]];
    worst.add({{printable(row.origin)},
               {joules(row.predicted)},
               {joules(row.measured)},
               {ratio_text(row.ratio())},
               {std::string(text::level_text(row.rung))},
               {printable(what_text(row))}});
  }
  out += "\n" + worst.render(colour);
  out +=
      fmt::format("\npriced by     {}\nintervals     {}\n", rungs_text(validation), interval_meaning(validation.all));
  if (const std::size_t few = not_guaranteed(validation); few > 0) {
    out += fmt::format("              {} of them rest on too few groups to promise 90 %\n", few);
  }
  if (!validation.not_priced.empty()) {
    out += fmt::format("not priced    {}, the first: {}\n", validation.not_priced.size(),
                       printable(validation.not_priced.front().reason));
  }
  return out;
}

std::string to_html(const Validation& validation, const ValidatedPair& of) {
  const ErrorSummary& all = validation.all;
  report::Page page("Table against measurements",
                    fmt::format("{} against {}; joules of {}, {}", of.table.name(), of.set_file,
                                measurements::boundary_text(of.set), measurements::baseline_text(of.set)));
  for (const std::string& warning : validation.warnings) page.warning(warning);
  const std::string of_rows = fmt::format("{} measurements, {} groups", all.rows, all.groups);
  page.figures(
      {{percent(all.mean), "mean error", of_rows},
       {percent(all.median), "median error", "half are closer"},
       {percent(all.p90), "90th percentile", "one in ten is further off"},
       {signed_percent(all.bias), "bias", all.bias >= 0 ? "predicted too much" : "predicted too little"},
       {coverage_text(all), "in the 90 % interval",
        all.bounded == 0 ? "the table states no interval here"
                         : fmt::format("chance: {:.0f} to {:.0f} %", 100 * all.inside_low, 100 * all.inside_high)}});
  add_charts(page, validation);
  page.heading("By kind");
  page.table(page_columns("kind"), page_rows(validation.by_kind));
  if (validation.by_level.size() > 1) {
    page.heading("By level");
    page.table(page_columns("level"), page_rows(validation.by_level));
  }
  if (!validation.by_device.empty()) {
    page.heading("By device");
    page.table(page_columns("device"), page_rows(validation.by_device), 15);
  }
  if (!validation.by_group.empty()) {
    page.heading("By group");
    page.paragraph("Largest mean error first.");
    page.table(page_columns("group"), page_rows(validation.by_group), 15);
  }
  page.heading("Worst cases");
  std::vector<std::vector<std::string>> worst;
  for (std::size_t i = 0; i < std::min(kWorstOnPage, validation.worst.size()); ++i) {
    const ValidatedRow& row = validation.rows[validation.worst[i]];
    worst.push_back({ratio_text(row.ratio()), what_text(row), joules(row.predicted), joules(row.measured),
                     std::string(text::level_text(row.rung)), row.origin});
  }
  page.table(
      {{"off by", true}, {"what", false}, {"predicted", true}, {"measured", true}, {"by", false}, {"origin", false}},
      worst, 12);
  page.heading("What was compared");
  const auto known = [](std::string_view text) { return text.empty() ? std::string_view("unknown") : text; };
  page.paragraph(fmt::format("Table {}: board {}, runtime {}, fitted on {} ({}).", of.table_file,
                             known(of.table.board()), known(of.table.runtime()),
                             known(of.table.provenance().data_source), known(of.table.provenance().date)));
  page.paragraph(fmt::format("Measurements {}: board {}, runtime {}, source {}.", of.set_file, known(of.set.board),
                             known(of.set.runtime), known(of.set.source)));
  page.paragraph(fmt::format("Priced by: {}. {}.", rungs_text(validation), interval_meaning(all)));
  if (const std::size_t few = not_guaranteed(validation); few > 0) {
    page.paragraph(fmt::format("{} intervals rest on too few groups to promise 90 %.", few));
  }
  if (!validation.not_priced.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const NotPriced& row : validation.not_priced) rows.push_back({row.origin, row.reason});
    page.heading("Not priced");
    page.table({{"origin", false}, {"why", false}}, rows, 10);
  }
  return page.render();
}

}  // namespace edgejoule::calibrate
