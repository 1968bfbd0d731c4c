// What the accuracy benchmark prints: one line per data set, protocol and method, with
// the gates and goals beside it; the same lines as CSV.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <string>
#include <vector>

#include "fit/coverage.h"

namespace edgejoule::accuracy {

struct Line {
  std::string data, protocol, method;
  std::string unit;  // what the numbers are: "op/module/model mean %", "median/mean/p90 %"
  std::vector<double> values;
  std::string gate, goal;
};

class Report {
 public:
  void section(const std::string& title);  // printed when its first line comes
  void add(Line line);
  void keep(Line line) { lines_.push_back(std::move(line)); }  // for the CSV alone
  void note(const std::string& text);
  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }

 private:
  std::vector<Line> lines_;
};

// Weighted mean, and plain quantiles, of |predicted/measured - 1| in per cent.
struct Errors {
  double mean = 0, median = 0, p90 = 0;
};
[[nodiscard]] Errors errors_of(const std::vector<double>& predicted, const std::vector<double>& measured,
                               const std::vector<double>& weights);

inline constexpr std::array<double, 4> kConfidences = {0.5, 0.8, 0.9, 0.95};

// Held-out rows with their intervals, ours and of constant width, per confidence.
struct IntervalRows {
  std::string data, level;
  std::array<std::vector<fit::Checked>, kConfidences.size()> ours, constant;
};
void report_intervals(const std::vector<IntervalRows>& rows, Report& report);

void write_csv(const Report& report, const std::string& path);

// Markdown tables of the lines, between the lines <!-- accuracy --> and <!-- /accuracy -->
// of the file, which must be there: everything else stays.
void write_readme(const Report& report, const std::string& path);

}  // namespace edgejoule::accuracy
