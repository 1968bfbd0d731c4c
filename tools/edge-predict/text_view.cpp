#include "text_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Cell;
using text::Columns;
using text::Style;

constexpr std::size_t kTopOps = 5;
constexpr std::size_t kTopKinds = 6;

// True of every node of a table or of a run, or said in another column.
bool has_place_elsewhere(Flag flag) {
  switch (flag) {
    case Flag::kFallback:
    case Flag::kIntervalNotGuaranteed:
    case Flag::kIntervalUnknown:
    case Flag::kStaticUnknown:
    case Flag::kStaticInDynamic:
    case Flag::kTimePredicted:
    case Flag::kTimeIntervalNotGuaranteed:
    case Flag::kOtherBoard:
    case Flag::kOtherRuntime: return true;
    default: return false;
  }
}

std::string flags_cell(Flags flags) {
  std::string out;
  for (const text::FlagText& row : text::flag_texts()) {
    if (has_place_elsewhere(row.flag) || !flags.has(row.flag)) continue;
    if (!out.empty()) out += ' ';
    out += row.short_name;
  }
  return out;
}

Style style_of_share(double share) {
  if (share >= 0.10) return Style::kRed;
  if (share >= 0.03) return Style::kYellow;
  return Style::kPlain;
}

Columns node_columns(const Prediction& prediction) {
  std::vector<std::string> titles = {"energy", "share", interval_title(prediction.request().confidence)};
  std::vector<Align> sides = {Align::kRight, Align::kRight, Align::kLeft};
  if (prediction.knows_time()) titles.emplace_back("time"), sides.push_back(Align::kRight);
  titles.insert(titles.end(), {"MACs", "by", "name", "kind", "flags"});
  sides.insert(sides.end(), {Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  return Columns(titles, sides);
}

std::size_t name_column(const Prediction& prediction) {
  return prediction.knows_time() ? 6 : 5;
}

void add_node(Columns& columns, const Prediction& prediction, std::uint32_t i, std::string name) {
  const NodeEstimate& node = prediction.node(i);
  const bool module = prediction.graph().is_module_node(i);
  const double share = prediction.share(i);
  const std::string kind =
      module ? std::string(name_of(prediction.graph().kind(i)))
             : fmt::format("{} {}", name_of(prediction.graph().kind(i)), name_of(prediction.graph().data_type(i)));
  std::vector<Cell> cells = {{text::si(node.dynamic), module ? Style::kBold : Style::kPlain},
                             {text::percent(share), module ? Style::kPlain : style_of_share(share)},
                             {interval_text(node.interval, node.flags), Style::kDim}};
  if (prediction.knows_time()) cells.push_back({node.time.value() < 0 ? "-" : text::si(node.time)});
  cells.insert(cells.end(), {{macs_text(prediction.macs(i))},
                             {std::string(text::level_text(node.level)),
                              node.level >= Level::kClass && node.level != Level::kNone ? Style::kYellow : Style::kDim},
                             {std::move(name), module ? Style::kBold : Style::kPlain},
                             {kind, Style::kDim},
                             {flags_cell(node.flags), Style::kYellow}});
  columns.add(std::move(cells));
}

std::string indented(const Prediction& prediction, std::uint32_t i) {
  return std::string(2UL * prediction.graph().depth(i), ' ') + prediction.name(i);
}

struct KindSum {
  OpKind kind = OpKind::kUnknown;
  std::vector<std::uint32_t> ops;
  std::uint64_t macs = 0;
  double joules = 0;
};

std::vector<KindSum> sums_by_kind(const Prediction& prediction) {
  std::map<OpKind, KindSum> sums;
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    if (prediction.graph().is_module_node(i)) continue;
    KindSum& sum = sums[prediction.graph().kind(i)];
    sum.kind = prediction.graph().kind(i);
    sum.ops.push_back(i);
    sum.macs += prediction.macs(i);
    sum.joules += prediction.node(i).dynamic.value();
  }
  std::vector<KindSum> sorted;
  for (const auto& [kind, sum] : sums) sorted.push_back(sum);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const KindSum& a, const KindSum& b) { return a.joules > b.joules; });
  return sorted;
}

}  // namespace

std::string interval_title(Confidence confidence) {
  return fmt::format("{:.0f} % interval", text::fraction_of(confidence) * 100);
}

std::string boundary_text(const CoefficientTable& table) {
  std::string out;
  switch (table.boundary()) {
    case BoundaryKind::kUnknown: out = "boundary not stated"; break;
    case BoundaryKind::kRails: out = "rails"; break;
    case BoundaryKind::kModuleInput: out = "module input"; break;
    case BoundaryKind::kWall: out = "wall"; break;
    case BoundaryKind::kChipSupply: out = "chip supply"; break;
    case BoundaryKind::kWholeMachine: out = "whole machine"; break;
  }
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) {
    out += fmt::format("{} {}", i == 0 ? "" : " +", text::printable(table.boundary_rail(i)));
  }
  if (!table.boundary_description().empty()) out += fmt::format(" ({})", text::printable(table.boundary_description()));
  switch (table.baseline()) {
    case BaselineKind::kUnknown: return out + ", baseline not stated";
    case BaselineKind::kTotal: return out + ", total";
    case BaselineKind::kAboveIdle: return out + ", above idle";
  }
  return out;
}

namespace {

// "" where no time is known.
std::string time_text(const Prediction& prediction) {
  const NodeEstimate& whole = prediction.node(0);
  if (whole.time.value() < 0) {
    return prediction.knows_time() ? "time      not known: of some ops the table states none (\"-\")\n" : "";
  }
  std::string out = fmt::format("time      {}", text::si(whole.time));
  if (whole.flags.has(Flag::kTimePredicted)) {
    out += fmt::format(" predicted, {} {} .. {}{}", interval_title(prediction.request().confidence),
                       text::si(whole.time_interval.lower), text::si(whole.time_interval.upper),
                       whole.flags.has(Flag::kTimeIntervalNotGuaranteed) ? " ?" : "");
  }
  if (!whole.flags.has(Flag::kStaticUnknown) && !whole.flags.has(Flag::kStaticInDynamic)) {
    out += fmt::format("; static {}", text::si(whole.static_part));
  }
  if (const std::optional<Pace> pace = pace_of(whole)) {
    out += fmt::format("; average power {}{}, energy-delay product {}", text::si(pace->average_power),
                       pace->with_static ? " with it" : "", text::si(pace->energy_delay, "J s"));
  }
  return out + "\n";
}

// "" where the table has measured no wake energy.
std::string first_text(const Prediction& prediction) {
  const Joules wake = prediction.wake();
  return wake.value() > 0
             ? fmt::format("first     {} more: the first inference after idling wakes the engine\n", text::si(wake))
             : std::string();
}

// "" of a model that no stream runs through.
std::string stream_text(const Prediction& prediction, const TextOptions& options) {
  const float period = prediction.request().period.value();
  if (!(period > 0)) return {};
  const NodeEstimate& whole = prediction.node(0);
  const double joules = static_cast<double>(whole.dynamic.value()) + static_cast<double>(whole.static_part.value());
  std::string out =
      fmt::format("stream    {} per second of input, an inference every {}{}\n",
                  text::styled(text::si(joules / static_cast<double>(period), "J"), Style::kBold, options.colour),
                  text::si(prediction.request().period),
                  whole.static_part.value() > 0 ? ", static power while it runs with it" : "");
  if (whole.time.value() > period) {
    out += text::styled(fmt::format("          it cannot keep up: one inference takes {}\n", text::si(whole.time)),
                        Style::kYellow, options.colour);
  }
  return out;
}

}  // namespace

std::string interval_text(const Interval& interval, Flags flags) {
  if (flags.has(Flag::kIntervalUnknown)) return "-";
  return fmt::format("{} .. {}{}", text::si(interval.lower), text::si(interval.upper),
                     flags.has(Flag::kIntervalNotGuaranteed) ? " ?" : "");
}

std::string macs_text(std::uint64_t macs) {
  if (macs == 0) return "-";
  std::string number = text::si(static_cast<double>(macs), "");
  while (!number.empty() && number.back() == ' ') number.pop_back();
  return number;
}

// Which of a table's engines and operating points; "" where there is one of each.
std::string chosen_text(const Prediction& prediction) {
  const CoefficientTable& table = prediction.table();
  std::string out;
  if (table.engine_count() > 1) {
    const std::string& engine = prediction.request().engine;
    out += fmt::format(", {}", text::printable(engine.empty() ? table.engine_name(0) : std::string_view(engine)));
  }
  const std::uint8_t point = prediction.plan().operating_point();
  if (table.operating_point_count() > 1 && point < table.operating_point_count()) {
    out += fmt::format(" at {}", text::printable(table.operating_point_name(point)));
  }
  return out;
}

std::string heading_text(const Prediction& prediction, const TextOptions& options) {
  const CoefficientTable& table = prediction.table();
  const auto strong = [&](std::string_view s) {
    return text::styled(text::printable(s), Style::kBold, options.colour);
  };
  std::string out = fmt::format("model     {}  ({} nodes, {} MACs, {} weights)\n",
                                strong(prediction.graph().model_name()), prediction.size(),
                                macs_text(prediction.macs(0)), text::bytes(prediction.graph().unique_weight_bytes()));
  out += fmt::format("table     {}  on {}{}{}{}\n", strong(table.name()), text::printable(table.board()),
                     table.runtime().empty() ? "" : ", ", text::printable(table.runtime()), chosen_text(prediction));
  out += fmt::format("a joule   {}\n", boundary_text(table));
  return out;
}

std::string tree_text(const Prediction& prediction, const TextOptions& options) {
  Columns columns = node_columns(prediction);
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    const unsigned depth = prediction.graph().depth(i);
    if (!options.depth || depth <= *options.depth) add_node(columns, prediction, i, indented(prediction, i));
  }
  return columns.render(options.colour, options.width, name_column(prediction));
}

std::string by_op_text(const Prediction& prediction, const TextOptions& options) {
  Columns columns = node_columns(prediction);
  std::vector<std::uint32_t> ops = prediction.ops_by_energy();
  const std::size_t all = ops.size();
  if (options.top && ops.size() > *options.top) ops.resize(*options.top);
  for (const std::uint32_t i : ops) add_node(columns, prediction, i, prediction.path(i));
  std::string out = columns.render(options.colour, options.width, name_column(prediction));
  if (ops.size() < all) out += fmt::format("... and {} more ops\n", all - ops.size());
  return out;
}

std::string by_module_text(const Prediction& prediction, const TextOptions& options) {
  Columns columns = node_columns(prediction);
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    const unsigned depth = prediction.graph().depth(i);
    if (!prediction.graph().is_module_node(i) || (options.depth && depth > *options.depth)) continue;
    add_node(columns, prediction, i, indented(prediction, i));
  }
  return columns.render(options.colour, options.width, name_column(prediction));
}

std::string by_kind_text(const Prediction& prediction, const TextOptions& options) {
  Columns columns({"energy", "share", interval_title(prediction.request().confidence), "ops", "MACs", "kind"},
                  {Align::kRight, Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
  std::vector<KindSum> sums = sums_by_kind(prediction);
  const std::size_t all = sums.size();
  if (options.top && sums.size() > *options.top) sums.resize(*options.top);
  for (const KindSum& sum : sums) {
    const double share = prediction.share(Joules(static_cast<float>(sum.joules)));
    const Spread spread = prediction.sum_of(sum.ops);
    columns.add({{text::si(sum.joules, "J")},
                 {text::percent(share), style_of_share(share)},
                 {interval_text(spread.interval, spread.flags), Style::kDim},
                 {fmt::format("{}", sum.ops.size())},
                 {macs_text(sum.macs)},
                 {std::string(name_of(sum.kind))}});
  }
  std::string out = columns.render(options.colour, options.width, 5);
  if (sums.size() < all) out += fmt::format("... and {} more kinds\n", all - sums.size());
  return out;
}

std::string summary_text(const Prediction& prediction, const TextOptions& options) {
  const NodeEstimate& whole = prediction.node(0);
  std::string out =
      fmt::format("total     {} per inference, {:.0f} % interval {}",
                  text::styled(text::si(whole.dynamic), Style::kBold, options.colour),
                  text::fraction_of(prediction.request().confidence) * 100, interval_text(whole.interval, whole.flags));
  out += '\n';
  out += time_text(prediction) + first_text(prediction) + stream_text(prediction, options);

  const std::vector<std::uint32_t> ops = prediction.ops_by_energy();
  for (std::size_t i = 0; i < std::min(kTopOps, ops.size()); ++i) {
    out += fmt::format("{}{:>7}  {}\n", i == 0 ? "top ops   " : "          ", text::percent(prediction.share(ops[i])),
                       prediction.path(ops[i]));
  }
  const std::vector<KindSum> kinds = sums_by_kind(prediction);
  for (std::size_t i = 0; i < std::min(kTopKinds, kinds.size()); ++i) {
    out += fmt::format("{}{:>7}  {} ({} op{})\n", i == 0 ? "by kind   " : "          ",
                       text::percent(prediction.share(Joules(static_cast<float>(kinds[i].joules)))),
                       name_of(kinds[i].kind), kinds[i].ops.size(), kinds[i].ops.size() == 1 ? "" : "s");
  }

  // Which rungs of the ladder carry the estimate, in energy.
  std::map<Level, double> by_level;
  Flags seen;
  std::map<std::string, unsigned> unknown;
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    seen |= prediction.node(i).flags;
    if (prediction.graph().is_module_node(i)) continue;
    by_level[prediction.node(i).level] += prediction.node(i).dynamic.value();
    if (prediction.node(i).flags.has(Flag::kUnknownOp)) ++unknown[text::printable(prediction.graph().type_name(i))];
  }
  std::string rungs;
  for (const auto& [level, joules] : by_level) {
    rungs += fmt::format("{}{} {}", rungs.empty() ? "" : ", ",
                         text::percent(prediction.share(Joules(static_cast<float>(joules)))), text::level_text(level));
  }
  out += fmt::format("priced by {}\n", rungs);
  for (const text::FlagText& row : text::flag_texts()) {
    if (!seen.has(row.flag)) continue;
    out += text::styled(fmt::format("flag      {}: {}\n", row.short_name, row.meaning), Style::kYellow, options.colour);
  }
  for (const auto& [type, count] : unknown) {
    out += text::styled(fmt::format("unknown   {} ({} op{})\n", type, count, count == 1 ? "" : "s"), Style::kYellow,
                        options.colour);
  }
  for (std::uint32_t i = 0; i < prediction.graph().note_count(); ++i) {
    out += fmt::format("note      {}\n", text::printable(prediction.graph().note(i)));
  }
  return out;
}

}  // namespace edgejoule::predict
