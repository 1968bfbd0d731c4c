#include "compare_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compare_view.h"
#include "report/page.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using report::TableColumn;

// Twice or half as much has the full tone.
double tone_of(const Compared& compared) {
  if (!compared.has_ratio()) return compared.difference() > 0 ? 1 : compared.difference() < 0 ? -1 : 0;
  return std::clamp(std::log2(static_cast<double>(compared.ratio())), -1.0, 1.0);
}

report::Icicle icicle_of(const Comparison& comparison, const std::string& interval) {
  report::Icicle icicle{{"width: B", "A", "change"}, {}, "B costs half or less", "B costs twice or more"};
  icicle.nodes.reserve(comparison.nodes.size());
  for (const ComparedNode& node : comparison.nodes) {
    report::IcicleNode& out = icicle.nodes.emplace_back();
    out.parent = node.parent;
    out.name = node.name;
    out.sizes = {node.joules_b, node.joules_a, std::abs(node.difference())};
    out.tone = tone_of(node);
    out.details = {{"kind", std::string(name_of(node.kind))},    {"A", joules_text(node.in_a, node.joules_a)},
                   {"B", joules_text(node.in_b, node.joules_b)}, {"B - A", signed_text(node.difference())},
                   {interval, difference_interval(node)},        {"B / A", ratio_text(node)}};
  }
  return icicle;
}

std::vector<TableColumn> columns_of(const std::string& what, const std::string& interval) {
  return {{what, false}, {"A", true}, {"B", true}, {"B - A", true}, {interval, true}, {"B / A", true}};
}

std::vector<std::string> row_of(const Compared& compared, const std::string& name) {
  return {name,
          joules_text(compared.in_a, compared.joules_a),
          joules_text(compared.in_b, compared.joules_b),
          signed_text(compared.difference()),
          difference_interval(compared),
          ratio_text(compared)};
}

}  // namespace

std::string compare_html(const Comparison& comparison) {
  constexpr std::size_t kShownMovers = 15;
  const ComparedNode& whole = comparison.nodes.front();
  const std::string interval = interval_title(comparison.b.request().confidence);
  report::Page page("Two predictions side by side",
                    fmt::format("A: {}. B: {}.", side_text(comparison.a), side_text(comparison.b)));
  page.figures({{text::si(whole.joules_a, "J"), "A, per inference", ""},
                {text::si(whole.joules_b, "J"), "B, per inference", ""},
                {signed_text(whole.difference()), "B - A", difference_interval(whole)},
                {whole.has_ratio() ? fmt::format("x {:.3g}", whole.ratio()) : "-", "B / A", ratio_text(whole)}});
  page.paragraph(comparison.one_table ? "Both are priced by one table: errors that a row makes in both cancel in the "
                                        "intervals of differences and ratios."
                                      : "Two tables share no errors: the intervals of differences hold both.");
  page.heading("Where the difference is");
  page.icicle(
      "Click a bar to look inside, the trail above or Escape to come out again. Widths are joules of B, of A, or of "
      "the change, whichever is chosen.",
      icicle_of(comparison, interval));
  for (const bool modules : {true, false}) {
    std::vector<std::vector<std::string>> rows;
    for (const std::uint32_t i : comparison.movers(modules)) {
      if (comparison.nodes[i].difference() == 0) continue;  // those that cost the same stand in the bars above
      rows.push_back(row_of(comparison.nodes[i], comparison.nodes[i].path));
    }
    if (rows.empty()) continue;
    page.heading(modules ? "Modules, the biggest movers first" : "Ops, the biggest movers first");
    page.table(columns_of(modules ? "module" : "op", interval), rows, kShownMovers);
  }
  std::vector<std::vector<std::string>> kinds;
  for (const Compared& kind : comparison.kinds) kinds.push_back(row_of(kind, std::string(name_of(kind.kind))));
  page.heading("Kinds of op");
  page.table(columns_of("kind", interval), kinds);
  Flags seen = comparison.a.node(0).flags;
  seen |= comparison.b.node(0).flags;
  for (const text::FlagText& row : text::flag_texts()) {
    if (seen.has(row.flag)) page.warning(fmt::format("{}: {}", row.short_name, row.meaning));
  }
  return page.render();
}

}  // namespace edgejoule::predict
