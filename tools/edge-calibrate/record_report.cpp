#include "record_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"

namespace edgejoule::calibrate {
namespace {

using capture::Counts;
using capture::RailSummary;
using capture::Recorder;

constexpr std::int64_t kShowEveryNs = 500'000'000;
constexpr double kWholeCoverage = 0.999;

void add_row(text::Columns& table, const std::string& label, const RailSummary& s, bool bold) {
  table.add({{text::printable(label), bold ? text::Style::kBold : text::Style::kPlain},
             {text::si(s.joules, "J"), bold ? text::Style::kBold : text::Style::kPlain},
             {text::si(s.mean_w(), "W")},
             {text::si(s.peak_w, "W")},
             {text::percent(s.coverage()), s.coverage() < kWholeCoverage ? text::Style::kYellow : text::Style::kPlain},
             {s.quantisation_joules > 0 ? "+-" + text::si(s.quantisation_joules, "J") : "?"},
             {s.duration_s > 0 ? fmt::format("{:.1f}/s", static_cast<double>(s.conversions) / s.duration_s) : "-"},
             {fmt::format("{}", s.lost), s.lost != 0 ? text::Style::kYellow : text::Style::kPlain}});
}

std::string warnings(const Recorder& recorder, const std::vector<RailSummary>& summaries) {
  const Counts& counts = recorder.counts();
  std::string text;
  const auto warn = [&](const std::string& line) { text += "warning: " + line + "\n"; };
  double slowest_s = 0.0;
  std::size_t slowest = 0;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const std::string label = text::printable(recorder.rails()[i].label);
    const RailSummary& s = summaries[i];
    if (s.conversions == 0)
      warn(fmt::format("{}: no conversion in this time; it is shorter than the sensor's period", label));
    if (s.clipped != 0) warn(fmt::format("{}: {} samples at full scale, the truth is larger", label, s.clipped));
    if (s.lowest_w < 0) {
      warn(fmt::format("{}: power down to {}: current flowed backwards, or one step below zero at idle", label,
                       text::si(s.lowest_w, "W")));
    }
    const double period = s.conversions != 0 ? s.covered_s / static_cast<double>(s.conversions) : 0.0;
    if (period > slowest_s) {
      slowest_s = period;
      slowest = i;
    }
  }
  // A window of T seconds read every u has an uncertain edge on both sides.
  if (slowest_s > 0 && 2 * slowest_s > 0.01 * summaries[slowest].duration_s) {
    const double duration_s = summaries[slowest].duration_s;
    warn(fmt::format("{} is short for a sensor with a period of {}: the edges alone are worth up to {}",
                     text::si(duration_s, "s"), text::si(slowest_s, "s"),
                     text::percent(std::min(1.0, 2 * slowest_s / duration_s))));
  }
  if (counts.gaps != 0) {
    warn(fmt::format("{} gaps of {} altogether, in which a sensor could not be read ({})", counts.gaps,
                     text::si(static_cast<double>(counts.gap_ns) * 1e-9, "s"), error_text(counts.last_error)));
  }
  if (counts.lost != 0) {
    warn(fmt::format("{} conversions were lost: not read in time; try --realtime 50, or --cpu with a quiet processor",
                     counts.lost));
  }
  if (counts.dropped != 0) warn(fmt::format("{} samples found no room and were dropped", counts.dropped));
  for (const std::string& rail : counts.stuck) {
    warn(fmt::format(
        "{}: repeats one value for more than ten seconds: stuck, switched off, or a perfectly constant load",
        text::printable(rail)));
  }
  if (counts.clock_steps != 0) {
    warn(fmt::format("the wall clock was set {} times; the recording is on the monotonic clock and unharmed",
                     counts.clock_steps));
  }
  if (counts.marker_overflows != 0) {
    warn(fmt::format("marker edges may be missing: the kernel's buffer overflowed {} times", counts.marker_overflows));
  }
  if (counts.forced_writes != 0) {
    warn(fmt::format("storage was written {} times inside the measurement: the buffer was full", counts.forced_writes));
  }
  return text;
}

}  // namespace

LiveView::LiveView(std::FILE* out) : out_(out), terminal_(text::is_terminal(out)) {}

void LiveView::clear() {
  for (; lines_ > 0; --lines_) fmt::print(out_, "\x1b[A\x1b[2K");
  std::fflush(out_);
}

void LiveView::show(const Recorder& recorder, std::int64_t now_ns) {
  if (!terminal_ || now_ns - shown_ns_ < kShowEveryNs) return;
  const double seconds = shown_ns_ == 0 ? 0.0 : static_cast<double>(now_ns - shown_ns_) * 1e-9;
  shown_ns_ = now_ns;
  clear();
  conversions_.resize(recorder.rails().size());
  for (std::size_t i = 0; i < recorder.rails().size(); ++i) {
    const RailSummary s = recorder.summary(i, now_ns);
    const std::uint64_t fresh = s.conversions - std::min(conversions_[i], s.conversions);
    conversions_[i] = s.conversions;
    fmt::print(out_, "{:<24} {:>9} {:>10} {:>7}/s\n", text::printable(recorder.rails()[i].label),
               text::si(static_cast<double>(recorder.last_sample(i).power_uw) * 1e-6, "W"), text::si(s.joules, "J"),
               seconds > 0 ? fmt::format("{:.0f}", static_cast<double>(fresh) / seconds) : "-");
    ++lines_;
  }
  std::fflush(out_);
}

std::string summary_text(const Recorder& recorder, const std::string& total_description, std::int64_t now_ns,
                         bool colour) {
  using text::Align;
  text::Columns table({"rail", "energy", "mean", "peak", "coverage", "quantisation", "rate", "lost"},
                      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                       Align::kRight, Align::kRight});
  std::vector<RailSummary> summaries;
  RailSummary total;
  bool any_total = false;
  for (std::size_t i = 0; i < recorder.rails().size(); ++i) {
    const RailSummary s = recorder.summary(i, now_ns);
    summaries.push_back(s);
    add_row(table, recorder.rails()[i].label, s, false);
    if (!recorder.rails()[i].in_total) continue;
    total.joules += s.joules;
    total.quantisation_joules += s.quantisation_joules;
    // Peaks of different rails need not coincide: their sum bounds the peak of the total.
    total.peak_w += s.peak_w;
    total.duration_s = s.duration_s;
    total.covered_s = any_total ? std::min(total.covered_s, s.covered_s) : s.covered_s;
    total.conversions = any_total ? std::min(total.conversions, s.conversions) : s.conversions;
    total.lost += s.lost;
    any_total = true;
  }
  if (any_total) add_row(table, "total", total, true);
  std::string text = table.render(colour);
  if (any_total) text += fmt::format("total: {}\n", text::printable(total_description));
  const SamplerStats stats = recorder.stats();
  text += fmt::format("sampling: {} samples, woken {} late on average (99 %: {}, worst {}), {} of processor time\n",
                      stats.samples, text::si(static_cast<double>(stats.mean_late_ns) * 1e-9, "s"),
                      text::si(static_cast<double>(stats.p99_late_ns) * 1e-9, "s"),
                      text::si(static_cast<double>(stats.worst_late_ns) * 1e-9, "s"),
                      text::si(static_cast<double>(stats.cpu_ns) * 1e-9, "s"));
  return text + warnings(recorder, summaries);
}

}  // namespace edgejoule::calibrate
