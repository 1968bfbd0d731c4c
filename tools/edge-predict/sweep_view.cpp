#include "sweep_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "json_text.h"
#include "report/chart.h"
#include "report/page.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Style;

constexpr int kBarWidth = 30;

std::string bar(double fraction) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarWidth * 8 + 0.5);
  std::string out;
  for (int i = 0; i < eighths / 8; ++i) out += "█";
  return out + kEighths[eighths % 8];
}

float per_input(const SweepPoint& point) {
  return point.whole.dynamic.value() / static_cast<float>(point.inputs);
}

std::optional<float> per_token(const SweepPoint& point) {
  if (point.tokens == 0) return std::nullopt;
  return point.whole.dynamic.value() / static_cast<float>(point.tokens);
}

bool interval_known(const SweepPoint& point) {
  return !point.whole.flags.has(Flag::kIntervalUnknown);
}

std::string time_text(const SweepPoint& point) {
  return point.whole.time.value() < 0 ? "-" : text::si(point.whole.time);
}

std::string power_text(const SweepPoint& point) {
  const std::optional<Pace> pace = pace_of(point.whole);
  return pace ? text::si(pace->average_power) : "-";
}

bool any_time(const std::vector<SweepPoint>& points) {
  return std::any_of(points.begin(), points.end(),
                     [](const SweepPoint& point) { return point.whole.time.value() >= 0; });
}

float dearest(const std::vector<SweepPoint>& points) {
  float most = 0;
  for (const SweepPoint& point : points) most = std::max(most, point.whole.dynamic.value());
  return most;
}

bool any_batch(const std::vector<SweepPoint>& points) {
  return std::any_of(points.begin(), points.end(), [](const SweepPoint& point) { return point.inputs != 1; });
}

bool any_tokens(const std::vector<SweepPoint>& points) {
  return std::any_of(points.begin(), points.end(), [](const SweepPoint& point) { return point.tokens != 0; });
}

std::optional<double> number_of(const std::string& value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string sweep_text(const SweepView& view, const std::vector<SweepPoint>& points, std::size_t best,
                       const TextOptions& options) {
  const bool batches = any_batch(points);
  const bool tokens = any_tokens(points);
  std::vector<std::string> header{text::printable(view.key), "energy", interval_title(view.confidence)};
  std::vector<Align> align{Align::kRight, Align::kRight, Align::kLeft};
  const auto column = [&](std::string title, Align side) {
    header.push_back(std::move(title));
    align.push_back(side);
  };
  const bool times = any_time(points);
  if (times) column("time", Align::kRight), column("power", Align::kRight);
  if (batches) column("per input", Align::kRight);
  if (tokens) column("per token", Align::kRight);
  column("MACs", Align::kRight);
  column("weights", Align::kRight);
  column("", Align::kLeft);
  text::Columns columns(header, align);
  const float most = dearest(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const SweepPoint& point = points[i];
    const Style style = i == best ? Style::kBold : Style::kPlain;
    std::vector<text::Cell> row{{text::printable(point.value), style},
                                {text::si(point.whole.dynamic), style},
                                {interval_text(point.whole.interval, point.whole.flags), Style::kDim}};
    if (times) row.insert(row.end(), {{time_text(point)}, {power_text(point)}});
    if (batches) row.push_back({text::si(per_input(point), "J")});
    if (tokens) row.push_back({per_token(point) ? text::si(*per_token(point), "J") : "-"});
    row.push_back({text::si(static_cast<double>(point.macs), "")});
    row.push_back({text::bytes(point.weight_bytes)});
    row.push_back({bar(most > 0 ? point.whole.dynamic.value() / most : 0) + (i == best ? " <" : ""),
                   i == best ? Style::kGreen : Style::kCyan});
    columns.add(std::move(row));
  }
  std::string out = columns.render(options.colour, options.width, 0);
  Flags seen;
  for (const SweepPoint& point : points) seen |= point.whole.flags;
  for (const text::FlagText& row : text::flag_texts()) {
    if (!seen.has(row.flag)) continue;
    out += text::styled(fmt::format("flag      {}: {}\n", row.short_name, row.meaning), Style::kYellow, options.colour);
  }
  return out;
}

std::string sweep_csv(const SweepView& view, const std::vector<SweepPoint>& points) {
  std::string out =
      "key,value,dynamic_j,lower_j,upper_j,j_per_input,j_per_token,macs,weight_bytes,flags,"
      "time_s,average_w,energy_delay_js\n";
  for (const SweepPoint& point : points) {
    const std::optional<Pace> pace = pace_of(point.whole);
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", text::csv_name(view.key),
                       text::csv_name(point.value), text::exact(point.whole.dynamic.value()),
                       text::exact(point.whole.interval.lower.value()), text::exact(point.whole.interval.upper.value()),
                       text::exact(per_input(point)), per_token(point) ? text::exact(*per_token(point)) : std::string(),
                       point.macs, point.weight_bytes, text::flag_names(point.whole.flags, " "),
                       point.whole.time.value() < 0 ? std::string() : text::exact(point.whole.time.value()),
                       pace ? text::exact(pace->average_power.value()) : std::string(),
                       pace ? text::exact(pace->energy_delay) : std::string());
  }
  return out;
}

std::string sweep_json(const SweepView& view, const std::vector<SweepPoint>& points, std::size_t best) {
  std::string out = fmt::format("{{\n  \"model\": {},\n  \"table\": {},\n  \"key\": {},\n  \"confidence\": {},\n",
                                text::json_string(view.model), text::json_string(view.table),
                                text::json_string(view.key), json_number(text::fraction_of(view.confidence)));
  if (best < points.size()) out += fmt::format("  \"answer\": {},\n", text::json_string(points[best].value));
  out += "  \"points\": [\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    const SweepPoint& point = points[i];
    const std::optional<Pace> pace = pace_of(point.whole);
    out += fmt::format(
        "    {{ \"value\": {}, \"dynamic_joules\": {}, \"lower_joules\": {}, \"upper_joules\": {}, "
        "\"joules_per_input\": {}, \"joules_per_token\": {}, \"macs\": {}, \"weight_bytes\": {}, \"flags\": {}, "
        "\"time_seconds\": {}, \"average_watts\": {}, \"energy_delay_joule_seconds\": {} }}{}\n",
        text::json_string(point.value), json_number(point.whole.dynamic.value()),
        json_number(point.whole.interval.lower.value()), json_number(point.whole.interval.upper.value()),
        json_number(per_input(point)), per_token(point) ? json_number(*per_token(point)) : "null", point.macs,
        point.weight_bytes, text::json_string(text::flag_names(point.whole.flags, " ")),
        point.whole.time.value() < 0 ? "null" : json_number(point.whole.time.value()),
        pace ? json_number(pace->average_power.value()) : "null", pace ? json_number(pace->energy_delay) : "null",
        i + 1 < points.size() ? "," : "");
  }
  return out + "  ]\n}\n";
}

std::string sweep_html(const SweepView& view, const std::vector<SweepPoint>& points) {
  report::Page page(fmt::format("{} over {}", view.model, view.key),
                    fmt::format("dynamic joules of one inference, priced by {}", view.table));
  report::Series energy{"energy", {}};
  report::Series lower{"lower bound", {}};
  report::Series upper{"upper bound", {}};
  std::vector<report::Bar> bars;
  bool numbers = true;
  bool bounded = true;
  for (const SweepPoint& point : points) {
    const std::optional<double> x = number_of(point.value);
    numbers = numbers && x.has_value();
    bounded = bounded && interval_known(point);
    const std::string tip = fmt::format("{}={}: {}", view.key, point.value, text::si(point.whole.dynamic));
    energy.points.push_back({x.value_or(0), point.whole.dynamic.value(), tip});
    lower.points.push_back({x.value_or(0), point.whole.interval.lower.value(), tip});
    upper.points.push_back({x.value_or(0), point.whole.interval.upper.value(), tip});
    bars.push_back({point.value, point.whole.dynamic.value(), text::si(point.whole.dynamic)});
  }
  if (numbers && points.size() > 1) {
    report::ChartOptions options;
    options.x_label = view.key;
    options.y_label = "energy of one inference";
    options.y_unit = "J";
    std::vector<report::Series> series{energy};
    if (bounded) series.insert(series.end(), {lower, upper});
    page.chart(fmt::format("Energy against {}{}", view.key,
                           bounded ? fmt::format(", with its {}", interval_title(view.confidence)) : std::string()),
               report::line_chart(series, options));
  } else {
    page.chart("Energy of one inference", report::bar_chart(bars));
  }
  std::vector<std::vector<std::string>> rows;
  for (const SweepPoint& point : points) {
    rows.push_back({point.value, text::si(point.whole.dynamic), interval_text(point.whole.interval, point.whole.flags),
                    time_text(point), power_text(point), text::si(per_input(point), "J"),
                    per_token(point) ? text::si(*per_token(point), "J") : "-",
                    text::si(static_cast<double>(point.macs), ""), text::flag_names(point.whole.flags, " ")});
  }
  page.table({{view.key, true},
              {"energy", true},
              {interval_title(view.confidence), true},
              {"time", true},
              {"average power", true},
              {"per input", true},
              {"per token", true},
              {"MACs", true},
              {"flags", false}},
             rows);
  return page.render();
}

}  // namespace edgejoule::predict
