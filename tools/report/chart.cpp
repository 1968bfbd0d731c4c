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
    for (const Tick& tick : x_.ticks(6)) {
      const double at = px(tick.value);
      out += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", at, kTop,
                         kTop + kPlotHeight);
      const bool at_edge = at > kLeft + kPlotWidth - kRight;  // centred there it would be cut
      out += fmt::format("<text class=\"tick{}\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
                         tick.minor ? " minor" : "", at_edge ? kWidth - 2 : at, kTop + kPlotHeight + 22,
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
  std::string body = decorations(frame, options);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    // A value without a place breaks the line: a gap is not a measurement.
    std::string path;
    bool pen_down = false;
    for (const Point& p : series[i].points) {
      if (!frame.shows(p)) {
        ++left_out;
        pen_down = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", frame.px(p.x), frame.py(p.y));
      pen_down = true;
    }
    body += fmt::format("<path class=\"line c{}\" d=\"{}\"><title>{}</title></path>", i % kColours, path,
                        text::html(series[i].name));
  }
  return legend(series) + wrap(body + left_out_note(left_out), kHeight, description_of(options));
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
