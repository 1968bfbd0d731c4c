#include "account_time_line.h"

#include <fmt/format.h>

#include <limits>
#include <map>

#include "account_text.h"
#include "report/chart.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {
namespace {

using account::TimeLine;
using account::TimeSpan;
using text::si;

constexpr int kStripColours = 7;  // of the page's

}  // namespace

void add_time_line(report::Page& page, const account::Account& account, const account::Model* model,
                   const std::string& prefix) {
  if (!account.typical) {
    page.paragraph(prefix + "the timeline tells no inferences, so there is none to draw.");
    return;
  }
  const TimeLine& line = *account.typical;
  std::vector<std::string> names(account.ops.size());
  for (const account::Line& op : account::lines_of(account, model, account::By::kOp)) {
    if (op.op) names[*op.op] = op.name;
  }
  const auto at = [&](std::int64_t t_ns) { return TimeSpan{line.inference.begin_ns, t_ns}.seconds(); };
  constexpr double kBreak = std::numeric_limits<double>::quiet_NaN();
  const auto levels = [&](std::string name, const std::vector<TimeLine::Power>& powers) {
    report::Series series{std::move(name), {}};
    std::int64_t last_ns = line.inference.begin_ns;
    for (const TimeLine::Power& power : powers) {
      if (power.time.begin_ns != last_ns && !series.points.empty()) series.points.push_back({kBreak, kBreak, ""});
      series.points.push_back({at(power.time.begin_ns), power.watts, ""});
      series.points.push_back({at(power.time.end_ns), power.watts, ""});
      last_ns = power.time.end_ns;
    }
    return series;
  };
  std::vector<report::Series> series{levels("power of what ran, as solved for", line.solved)};
  if (!line.samples.empty()) series.push_back(levels("samples while it ran", line.samples));
  report::ChartOptions options;
  options.x_label = "time of the inference";
  options.x_unit = "s";
  options.y_label = rails_text(account);
  options.y_unit = "W";
  if (account.has_idle) options.guides.push_back(account.idle_watts);
  std::map<std::string, int> colours;  // what has one name in every layer has one colour
  for (const TimeLine::Bar& bar : line.bars) {
    const std::string& name = names[bar.op];
    const std::string leaf = name.substr(name.rfind('/') + 1);
    const int colour = colours.try_emplace(leaf, static_cast<int>(colours.size()) % kStripColours).first->second;
    options.strips.push_back(
        {at(bar.time.begin_ns), at(bar.time.end_ns), bar.lane, colour, leaf,
         fmt::format("{}: {} from {}", name, si(bar.time.seconds(), "s"), si(at(bar.time.begin_ns), "s"))});
  }
  page.chart(
      fmt::format("{}An inference of usual length, {}, and its ops.{}", prefix, si(line.inference.seconds(), "s"),
                  account.has_idle ? fmt::format(" Dashed: idle, {}.", si(account.idle_watts, "W")) : ""),
      report::line_chart(series, options));
}

}  // namespace edgejoule::calibrate
