#include "compare_view.h"

#include <fmt/format.h>

#include "json_text.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Style;

constexpr unsigned kTopMovers = 20;

std::string in_text(const ComparedNode& node) {
  return node.a && node.b ? "both" : node.a ? "a" : "b";
}

std::string header_of(CompareBy by) {
  switch (by) {
    case CompareBy::kModule: return "module";
    case CompareBy::kOp: return "op";
    case CompareBy::kKind: return "kind";
    case CompareBy::kTree: return "name";
  }
  return "";
}

void add_row(text::Columns& columns, const Compared& compared, std::string name) {
  const Style style = compared.difference() > 0   ? Style::kRed
                      : compared.difference() < 0 ? Style::kGreen
                                                  : Style::kPlain;
  columns.add({{joules_text(compared.in_a, compared.joules_a)},
               {joules_text(compared.in_b, compared.joules_b)},
               {signed_text(compared.difference()), style},
               {difference_interval(compared), Style::kDim},
               {ratio_text(compared)},
               {std::move(name)}});
}

// How many rows are left out.
std::size_t add_rows(text::Columns& columns, const Comparison& comparison, CompareBy by, const TextOptions& options) {
  if (by == CompareBy::kTree) {
    std::size_t left_out = 0;
    for (const ComparedNode& node : comparison.nodes) {
      if (options.depth && node.depth > *options.depth) {
        ++left_out;
        continue;
      }
      add_row(columns, node, std::string(2UL * node.depth, ' ') + node.name);
    }
    return left_out;
  }
  const std::size_t most = options.top.value_or(kTopMovers);
  if (by == CompareBy::kKind) {
    for (std::size_t i = 0; i < std::min(most, comparison.kinds.size()); ++i) {
      add_row(columns, comparison.kinds[i], std::string(name_of(comparison.kinds[i].kind)));
    }
    return comparison.kinds.size() - std::min(most, comparison.kinds.size());
  }
  const std::vector<std::uint32_t> movers = comparison.movers(by == CompareBy::kModule);
  for (std::size_t i = 0; i < std::min(most, movers.size()); ++i) {
    const ComparedNode& node = comparison.nodes[movers[i]];
    add_row(columns, node, node.path);
  }
  return movers.size() - std::min(most, movers.size());
}

}  // namespace

std::string joules_text(bool is_in, float joules) {
  return is_in ? text::si(joules, "J") : "-";
}

std::string signed_text(float joules) {
  return (joules > 0 ? "+" : "") + text::si(joules, "J");
}

std::string difference_interval(const Compared& compared) {
  if (compared.flags.has(Flag::kIntervalUnknown)) return "-";
  return fmt::format("{} .. {}{}", signed_text(compared.lower), signed_text(compared.upper),
                     compared.flags.has(Flag::kIntervalNotGuaranteed) ? " ?" : "");
}

std::string ratio_text(const Compared& compared) {
  if (!compared.has_ratio()) return compared.in_a ? (compared.in_b ? "-" : "only A") : "only B";
  const std::string ratio = fmt::format("x {:.3g}", compared.ratio());
  if (compared.flags.has(Flag::kIntervalUnknown)) return ratio;
  // Nothing independent of the shared error is known of these rows: no width to state.
  if (compared.flags.has(Flag::kIntervalNotGuaranteed) && compared.ratio_lower == compared.ratio_upper) {
    return ratio + " (?)";
  }
  return ratio + fmt::format(" ({:.3g} .. {:.3g}{})", compared.ratio_lower, compared.ratio_upper,
                             compared.flags.has(Flag::kIntervalNotGuaranteed) ? " ?" : "");
}

std::string side_text(const Prediction& prediction) {
  const Request& request = prediction.request();
  std::string out = text::printable(request.model);
  if (!request.settings.empty()) out += ", " + settings_text(request.settings);
  out += fmt::format("; table {}", text::printable(request.table));
  if (!request.engine.empty()) out += " on " + text::printable(request.engine);
  if (!request.operating_point.empty()) out += " at " + text::printable(request.operating_point);
  return out;
}

std::string compare_text(const Comparison& comparison, CompareBy by, const TextOptions& options) {
  const ComparedNode& whole = comparison.nodes.front();
  const std::string interval = interval_title(comparison.b.request().confidence);
  std::string out = fmt::format("A         {}\nB         {}\n", side_text(comparison.a), side_text(comparison.b));
  out += fmt::format("total     A {}, B {}: {}, {} {}; {}\n\n", text::si(whole.joules_a, "J"),
                     text::styled(text::si(whole.joules_b, "J"), Style::kBold, options.colour),
                     signed_text(whole.difference()), interval, difference_interval(whole), ratio_text(whole));
  text::Columns columns({"A", "B", "B - A", interval, "B / A", header_of(by)},
                        {Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft});
  const std::size_t left_out = add_rows(columns, comparison, by, options);
  if (!columns.empty()) out += columns.render(options.colour, options.width, 5);
  if (left_out > 0) out += fmt::format("... and {} more\n", left_out);
  out += comparison.one_table ? "\nOne table: errors that a row makes in both cancel.\n"
                              : "\nTwo tables share no errors: the intervals of differences hold both.\n";
  Flags seen = comparison.a.node(0).flags;
  seen |= comparison.b.node(0).flags;
  for (const text::FlagText& row : text::flag_texts()) {
    if (!seen.has(row.flag)) continue;
    out += text::styled(fmt::format("flag      {}: {}\n", row.short_name, row.meaning), Style::kYellow, options.colour);
  }
  return out;
}

std::string compare_csv(const Comparison& comparison) {
  std::string out =
      "index,parent,depth,path,kind,in,a_j,b_j,difference_j,lower_j,upper_j,ratio,ratio_lower,ratio_upper,flags\n";
  for (std::uint32_t i = 0; i < comparison.nodes.size(); ++i) {
    const ComparedNode& node = comparison.nodes[i];
    const auto ratio = [&](float value) { return node.has_ratio() ? text::exact(value) : std::string(); };
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", i, i == 0 ? std::string() : fmt::format("{}", node.parent),
        node.depth, text::csv_name(node.path), name_of(node.kind), in_text(node), text::exact(node.joules_a),
        text::exact(node.joules_b), text::exact(node.difference()), text::exact(node.lower), text::exact(node.upper),
        ratio(node.ratio()), ratio(node.ratio_lower), ratio(node.ratio_upper), text::flag_names(node.flags, " "));
  }
  return out;
}

std::string compare_json(const Comparison& comparison) {
  const auto side = [](const Prediction& p) {
    return fmt::format("{{ \"model\": {}, \"settings\": {}, \"table\": {}, \"at\": {} }}",
                       text::json_string(p.request().model), text::json_string(settings_text(p.request().settings)),
                       text::json_string(p.request().table), text::json_string(p.request().operating_point));
  };
  std::string out =
      fmt::format("{{\n  \"a\": {},\n  \"b\": {},\n  \"confidence\": {},\n  \"one_table\": {},\n  \"nodes\": [\n",
                  side(comparison.a), side(comparison.b),
                  json_number(text::fraction_of(comparison.b.request().confidence)), comparison.one_table);
  for (std::uint32_t i = 0; i < comparison.nodes.size(); ++i) {
    const ComparedNode& node = comparison.nodes[i];
    const auto ratio = [&](float value) { return node.has_ratio() ? json_number(value) : std::string("null"); };
    out += fmt::format(
        "    {{ \"path\": {}, \"parent\": {}, \"kind\": {}, \"in\": {}, \"a_joules\": {}, \"b_joules\": {}, "
        "\"lower_joules\": {}, \"upper_joules\": {}, \"ratio\": {}, \"ratio_lower\": {}, \"ratio_upper\": {}, "
        "\"flags\": {} }}{}\n",
        text::json_string(node.path), i == 0 ? "null" : fmt::format("{}", node.parent),
        text::json_string(name_of(node.kind)), text::json_string(in_text(node)),
        node.a ? json_number(node.joules_a) : "null", node.b ? json_number(node.joules_b) : "null",
        json_number(node.lower), json_number(node.upper), ratio(node.ratio()), ratio(node.ratio_lower),
        ratio(node.ratio_upper), text::json_string(text::flag_names(node.flags, " ")),
        i + 1 < comparison.nodes.size() ? "," : "");
  }
  return out + "  ]\n}\n";
}

}  // namespace edgejoule::predict
