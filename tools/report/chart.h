// Charts as SVG text under an HTML legend: self-contained, scaling with the page, readable in light and
// dark, with a tooltip on every mark.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/axis.h"

namespace edgejoule::report {

struct Point {
  double x = 0;
  double y = 0;
  std::string tooltip;  // plain text; escaped here
};

struct Series {
  std::string name;  // plain text; "" keeps it out of the legend
  std::vector<Point> points;
};

// Something that lasted: a bar below the chart, on its x axis.
struct Strip {
  double from = 0;
  double to = 0;
  std::size_t lane = 0;  // row
  int colour = 0;        // of the page's, 0 to 6
  std::string label;     // plain text, shown where it has room
  std::string tooltip;   // plain text
};

// Marks that have no place on the axes are left out and counted under the chart.
struct ChartOptions {
  std::string x_label, x_unit;
  std::string y_label, y_unit;
  Scale x_scale = Scale::kLinear;
  Scale y_scale = Scale::kLinear;
  bool diagonal = false;                          // the line y = x, and equal ranges
  std::vector<double> guides;                     // horizontal lines
  std::vector<std::pair<double, double>> shaded;  // spans of x, behind the marks
  std::vector<Strip> strips;                      // of lines; those too short to see are left out
};

[[nodiscard]] std::string scatter_chart(const std::vector<Series>& series, const ChartOptions& options);
// A point whose x is not a number parts the line in two.
[[nodiscard]] std::string line_chart(const std::vector<Series>& series, const ChartOptions& options);

struct Bar {
  std::string label;
  double value = 0;
  std::string value_text;
};

// Horizontal bars, in the order given; values must not be negative.
[[nodiscard]] std::string bar_chart(const std::vector<Bar>& bars);

}  // namespace edgejoule::report
