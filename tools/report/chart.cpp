#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "text/escape.h"

namespace edgejoule::report {
namespace {

// The view box; the page scales it to its width.
constexpr double kWidth = 720;
constexpr double kHeight = 434;
constexpr double kLeft = 78;
constexpr double kRight = 14;
constexpr double kTop = 32;
constexpr double kBottom = 60;
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr double kPlotHeight = kHeight - kTop - kBottom;
constexpr int kColours = 7;  // classes c0..c6 of the page's style sheet

class Frame {
 public:
  Frame(const std::vector<Series>& series, const ChartOptions& options)
      : x_(options.x_scale, values(series, options, false), options.x_label, options.x_unit),
        y_(options.y_scale, values(series, options, true), options.y_label, options.y_unit) {}

  [[nodiscard]] double px(double x) const { return kLeft + x_.position(x) * kPlotWidth; }
  [[nodiscard]] double py(double y) const { return kTop + (1 - y_.position(y)) * kPlotHeight; }
  [[nodiscard]] bool shows(const Point& p) const { return x_.shows(p.x) && y_.shows(p.y); }
  [[nodiscard]] const Axis& x() const { return x_; }
  [[nodiscard]] const Axis& y() const { return y_; }

  [[nodiscard]] std::string axes() const {
    std::string out;
    const std::vector<Tick> ticks = x_.ticks(6);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      const Tick& tick = ticks[i];
      const bool minor = tick.minor || (ticks.size() > 7 && i % 2 == 1);  // a phone has no room for more
      const double at = px(tick.value);
      out += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", at, kTop,
                         kTop + kPlotHeight);
      const bool at_edge = at > kLeft + kPlotWidth - kRight;  // centred there it would be cut
      out += fmt::format("<text class=\"tick{}\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
                         minor ? " minor" : "", at_edge ? kWidth - 2 : at, kTop + kPlotHeight + 22,
                         at_edge ? "end" : "middle", text::html(tick.label));
    }
    for (const Tick& tick : y_.ticks(6)) {
      const double at = py(tick.value);
      out += fmt::format("<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>", kLeft,
                         kLeft + kPlotWidth, at);
      out += fmt::format("<text class=\"tick{}\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                         tick.minor ? " minor" : "", kLeft - 7, at + 4, text::html(tick.label));
    }
    out += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                       kLeft + kPlotWidth / 2, kHeight - 12, text::html(x_.label()));
    out += fmt::format("<text class=\"label\" x=\"{}\" y=\"{}\">{}</text>", 4, 14, text::html(y_.label()));
    return out;
  }

 private:
  static std::vector<double> values(const std::vector<Series>& series, const ChartOptions& options, bool want_y) {
    std::vector<double> out;
    for (const Series& s : series) {
      for (const Point& p : s.points) {
        if (want_y || options.diagonal) out.push_back(p.y);
        if (!want_y || options.diagonal) out.push_back(p.x);
      }
    }
    if (want_y) out.insert(out.end(), options.guides.begin(), options.guides.end());
    if (!want_y) {
      for (const Strip& strip : options.strips) out.insert(out.end(), {strip.from, strip.to});
    }
    return out;
  }

  Axis x_;
  Axis y_;
};

// Outside the drawing, so that it wraps with the page on a narrow screen.
std::string legend(const std::vector<Series>& series) {
  std::string out;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series[i].name.empty()) continue;
    out +=
        fmt::format("<span><svg viewBox=\"0 0 10 10\"><circle class=\"c{}\" cx=\"5\" cy=\"5\" r=\"4\"/></svg>{}</span>",
                    i % kColours, text::html(series[i].name));
  }
  return out.empty() ? out : "<div class=\"legend\">" + out + "</div>";
}

std::string decorations(const Frame& frame, const ChartOptions& options) {
  std::string out;
  for (const auto& [from, to] : options.shaded) {
    const double begin = std::clamp(frame.px(std::max(from, frame.x().low())), kLeft, kLeft + kPlotWidth);
    const double end = std::clamp(frame.px(std::min(to, frame.x().high())), kLeft, kLeft + kPlotWidth);
    if (end > begin) {
      out += fmt::format("<rect class=\"shade\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>", begin, kTop,
                         end - begin, kPlotHeight);
    }
  }
  out += frame.axes();
  for (const double guide : options.guides) {
    if (!frame.y().shows(guide)) continue;
    out += fmt::format("<line class=\"guide\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>", kLeft,
                       kLeft + kPlotWidth, frame.py(guide));
  }
  if (options.diagonal) {
    const double low = std::max(frame.x().low(), frame.y().low());
    const double high = std::min(frame.x().high(), frame.y().high());
    out += fmt::format("<line class=\"guide\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", frame.px(low),
                       frame.py(low), frame.px(high), frame.py(high));
  }
  return out;
}

constexpr double kLane = 26;

// What is too short for its label goes without; what is too short to see is not drawn.
std::string strips_of(const Frame& frame, const ChartOptions& options) {
  constexpr double kLeast = 0.15, kLetter = 7.5, kLetterOnPhone = 11;
  std::string out;
  for (const Strip& strip : options.strips) {
    if (!frame.x().shows(strip.from) || !frame.x().shows(strip.to)) continue;
    const double from = frame.px(strip.from), width = frame.px(strip.to) - from;
    if (width < kLeast) continue;
    const double y = kHeight + static_cast<double>(strip.lane) * kLane;
    out += fmt::format(
        "<g><title>{}</title><rect class=\"c{}\" fill-opacity=\"0.4\" stroke-width=\"0.5\" x=\"{:.2f}\" y=\"{:.0f}\" "
        "width=\"{:.2f}\" height=\"{:.0f}\"/>",
        text::html(strip.tooltip), strip.colour, from, y, width, kLane - 3);
    const double room = std::max(0.0, width - 6);
    if (room >= 3 * kLetter) {
      const std::string label = text::shorten(strip.label, static_cast<std::size_t>(room / kLetter));
      out += fmt::format("<text{} x=\"{:.1f}\" y=\"{:.0f}\">{}</text>",
                         static_cast<double>(label.size()) * kLetterOnPhone > room ? " class=\"minor\"" : "", from + 3,
                         y + kLane - 9, text::html(label));
    }
    out += "</g>";
  }
  return out;
}

double height_of(const ChartOptions& options) {
  std::size_t lanes = 0;
  for (const Strip& strip : options.strips) lanes = std::max(lanes, strip.lane + 1);
  return kHeight + static_cast<double>(lanes) * kLane;
}

std::string wrap(const std::string& body, double height, const std::string& description) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>", kWidth, height,
                     text::html(description), body);
}

std::string left_out_note(std::size_t count) {
  if (count == 0) return {};
  return fmt::format(
      "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{} value{} not shown: zero, negative or not "
      "finite</text>",
      kWidth - kRight, kHeight - 12, count, count == 1 ? "" : "s");
}

std::string description_of(const ChartOptions& options) {
  return fmt::format("{} against {}", options.y_label, options.x_label);
}

}  // namespace

std::string scatter_chart(const std::vector<Series>& series, const ChartOptions& options) {
  const Frame frame(series, options);
  std::string body = decorations(frame, options);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    body += fmt::format("<g class=\"c{}\" fill-opacity=\"0.55\">", i % kColours);
    for (const Point& p : series[i].points) {
      if (!frame.shows(p)) {
        ++left_out;
        continue;
      }
      body += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}</title></circle>", frame.px(p.x),
                          frame.py(p.y), text::html(p.tooltip));
    }
    body += "</g>";
  }
  return legend(series) + wrap(body + left_out_note(left_out), kHeight, description_of(options));
}

std::string line_chart(const std::vector<Series>& series, const ChartOptions& options) {
  const Frame frame(series, options);
  std::string body = decorations(frame, options) + strips_of(frame, options);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    // A value without a place breaks the line: a gap is not a measurement.
    std::string path;
    bool pen_down = false;
    for (const Point& p : series[i].points) {
      if (!frame.shows(p)) {
        left_out += std::isnan(p.x) ? 0 : 1;
        pen_down = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", frame.px(p.x), frame.py(p.y));
      pen_down = true;
    }
    body += fmt::format("<path class=\"line c{}\" d=\"{}\"><title>{}</title></path>", i % kColours, path,
                        text::html(series[i].name));
  }
  return legend(series) + wrap(body + left_out_note(left_out), height_of(options), description_of(options));
}

std::string bar_chart(const std::vector<Bar>& bars) {
  constexpr double kRow = 24;
  constexpr double kLabels = 220;
  constexpr double kValues = 90;
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  std::string body;
  double y = 4;
  for (const Bar& bar : bars) {
    const double length = most > 0 ? bar.value / most * (kWidth - kLabels - kValues) : 0;
    body += fmt::format("<text class=\"tick\" x=\"{}\" y=\"{:.0f}\" text-anchor=\"end\">{}</text>", kLabels - 8, y + 14,
                        text::html(text::shorten(bar.label, 34)));
    body += fmt::format(
        "<rect class=\"c0\" x=\"{}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"16\" rx=\"2\"><title>{}: {}</title></rect>",
        kLabels, y + 1, length, text::html(bar.label), text::html(bar.value_text));
    body += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.0f}\">{}</text>", kLabels + length + 6, y + 14,
                        text::html(bar.value_text));
    y += kRow;
  }
  return wrap(body, y + 4, "bars");
}

}  // namespace edgejoule::report
