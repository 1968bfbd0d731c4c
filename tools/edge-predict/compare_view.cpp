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

std::string joules_text(std::optional<std::uint32_t> node, float joules) {
  return node ? text::si(joules, "J") : "-";
}

std::string signed_text(float joules) {
  return (joules > 0 ? "+" : "") + text::si(joules, "J");
}

std::string difference_interval(const ComparedNode& node) {
  if (node.flags.has(Flag::kIntervalUnknown)) return "-";
  return fmt::format("{} .. {}{}", signed_text(node.lower), signed_text(node.upper),
                     node.flags.has(Flag::kIntervalNotGuaranteed) ? " ?" : "");
}

std::string ratio_text(const ComparedNode& node) {
  if (!node.has_ratio()) return node.a ? (node.b ? "-" : "only A") : "only B";
  const std::string ratio = fmt::format("x {:.3g}", node.joules_b / node.joules_a);
  if (node.flags.has(Flag::kIntervalUnknown)) return ratio;
  return ratio + fmt::format(" ({:.3g} .. {:.3g})", node.ratio_lower, node.ratio_upper);
}

std::string side_text(const char* side, const Prediction& prediction) {
  const Request& request = prediction.request();
  std::string out = fmt::format("{}         {}", side, text::printable(request.model));
  if (!request.settings.empty()) out += ", " + settings_text(request.settings);
  out += fmt::format("; table {}", text::printable(request.table));
  if (!request.operating_point.empty()) out += " at " + text::printable(request.operating_point);
  return out + "\n";
}

std::string in_text(const ComparedNode& node) {
  return node.a && node.b ? "both" : node.a ? "a" : "b";
}

}  // namespace

std::string compare_text(const Comparison& comparison, bool ops, const TextOptions& options) {
  const ComparedNode& whole = comparison.nodes.front();
  const int percent = static_cast<int>(text::fraction_of(comparison.b.request().confidence) * 100 + 0.5F);
  std::string out = side_text("A", comparison.a) + side_text("B", comparison.b);
  out += fmt::format("total     A {}, B {}: {}, {} % interval {}; {}\n\n", text::si(whole.joules_a, "J"),
                     text::styled(text::si(whole.joules_b, "J"), Style::kBold, options.colour),
                     signed_text(whole.difference()), percent, difference_interval(whole), ratio_text(whole));
  text::Columns columns({"A", "B", "B - A", fmt::format("{} % interval", percent), "B / A", ops ? "op" : "module"},
                        {Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft});
  const std::vector<std::uint32_t> movers = comparison.movers(!ops);
  const std::size_t shown = std::min<std::size_t>(movers.size(), options.top.value_or(kTopMovers));
  for (std::size_t i = 0; i < shown; ++i) {
    const ComparedNode& node = comparison.nodes[movers[i]];
    const Style style = node.difference() > 0 ? Style::kRed : node.difference() < 0 ? Style::kGreen : Style::kPlain;
    columns.add({{joules_text(node.a, node.joules_a)},
                 {joules_text(node.b, node.joules_b)},
                 {signed_text(node.difference()), style},
                 {difference_interval(node), Style::kDim},
                 {ratio_text(node)},
                 {node.path}});
  }
  if (!columns.empty()) out += columns.render(options.colour, options.width, 5);
  if (shown < movers.size()) out += fmt::format("... and {} more\n", movers.size() - shown);
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
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", i,
                       i == 0 ? std::string() : fmt::format("{}", node.parent), node.depth, text::csv_name(node.path),
                       name_of(node.kind), in_text(node), text::exact(node.joules_a), text::exact(node.joules_b),
                       text::exact(node.difference()), text::exact(node.lower), text::exact(node.upper),
                       ratio(node.has_ratio() ? node.joules_b / node.joules_a : 0.0F), ratio(node.ratio_lower),
                       ratio(node.ratio_upper), text::flag_names(node.flags, " "));
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
        json_number(node.lower), json_number(node.upper),
        ratio(node.has_ratio() ? node.joules_b / node.joules_a : 0.0F), ratio(node.ratio_lower),
        ratio(node.ratio_upper), text::json_string(text::flag_names(node.flags, " ")),
        i + 1 < comparison.nodes.size() ? "," : "");
  }
  return out + "  ]\n}\n";
}

}  // namespace edgejoule::predict
