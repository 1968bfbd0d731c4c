#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "files/file_bytes.h"
#include "files/io.h"

namespace edgejoule::accuracy {
namespace {

std::string joined(const std::vector<double>& values, const char* separator) {
  std::string text;
  for (const double value : values) {
    const std::string number =
        std::isfinite(value) ? fmt::format("{:.{}f}", value, std::abs(value) < 1 ? 3 : 2) : std::string("-");
    text += (text.empty() ? "" : separator) + number;
  }
  return text;
}

// Rows of every stratum (data set and level) get the same mass: none drowns the others.
std::vector<fit::Checked> pooled(const std::vector<IntervalRows>& strata, std::size_t confidence, bool ours) {
  std::vector<fit::Checked> all;
  int first_group = 0;
  for (const IntervalRows& stratum : strata) {
    const auto& rows = (ours ? stratum.ours : stratum.constant)[confidence];
    double weight = 0;
    int groups = 0;
    for (const fit::Checked& row : rows) weight += row.weight;
    for (fit::Checked row : rows) {
      row.weight /= weight;
      groups = std::max(groups, row.group + 1);
      row.group += first_group;
      all.push_back(row);
    }
    first_group += groups;
  }
  return all;
}

}  // namespace

void Report::section(const std::string& title) {
  fmt::print("\n{}\n", title);
  std::fflush(stdout);
}

void Report::add(Line line) {
  const std::string beside = line.gate.empty() && line.goal.empty()
                                 ? std::string()
                                 : fmt::format("  gate {:<16} goal {}", line.gate, line.goal);
  fmt::print("  {:<52} {:<44} {:>22}{}\n", line.protocol, line.method, joined(line.values, " / "), beside);
  std::fflush(stdout);
  lines_.push_back(std::move(line));
}

void Report::note(const std::string& text) {
  fmt::print("  {}\n", text);
}

Errors errors_of(const std::vector<double>& predicted, const std::vector<double>& measured,
                 const std::vector<double>& weights) {
  Errors errors;
  std::vector<std::pair<double, double>> all;
  double sum = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double error = 100 * std::abs(predicted[i] / measured[i] - 1);
    errors.mean += weights[i] * error;
    sum += weights[i];
    all.emplace_back(error, weights[i]);
  }
  errors.mean /= sum;
  errors.median = fit::weighted_quantile(all, 0.5);
  errors.p90 = fit::weighted_quantile(all, 0.9);
  return errors;
}

void report_intervals(const std::vector<IntervalRows>& strata, Report& report) {
  report.section(
      "Intervals on unseen groups: share inside, 95 % cluster-bootstrap interval of it, worst group; mean width and\n"
      "interval score in ln(measured/predicted), beside those of one constant width per data set and level");
  const auto print = [&](const std::string& data, const std::string& level, std::size_t c,
                         const std::vector<fit::Checked>& ours, const std::vector<fit::Checked>& constant) {
    const fit::Coverage a = fit::coverage_of(ours, kConfidences[c]);
    const fit::Coverage b = fit::coverage_of(constant, kConfidences[c]);
    fmt::print(
        "  {:<22} {:<8} {:>3.0f} %  inside {:.3f} [{:.3f}, {:.3f}] worst {:.2f} of {:>3}  width {:.3f} score {:.3f}"
        "  constant: inside {:.3f} width {:.3f} score {:.3f}  ({:+.0f} %)\n",
        data, level, 100 * kConfidences[c], a.share, a.low, a.high, a.worst_group, a.groups, a.mean_width, a.score,
        b.share, b.mean_width, b.score, 100 * (a.score / b.score - 1));
    return Line{data,
                fmt::format("interval {:.0f} % {}", 100 * kConfidences[c], level),
                "ours, constant width",
                "share low high worst width score constant_share constant_width constant_score",
                {a.share, a.low, a.high, a.worst_group, a.mean_width, a.score, b.share, b.mean_width, b.score},
                "",
                ""};
  };
  std::vector<Line> lines;
  for (const IntervalRows& stratum : strata) {
    for (std::size_t c = 0; c < kConfidences.size(); ++c) {
      lines.push_back(print(stratum.data, stratum.level, c, stratum.ours[c], stratum.constant[c]));
    }
  }
  for (std::size_t c = 0; c < kConfidences.size(); ++c) {
    lines.push_back(print("all, equal mass each", "pooled", c, pooled(strata, c, true), pooled(strata, c, false)));
  }
  report.note(
      "gate: the bootstrap interval of the pooled 90 % contains 0.90; goal: and score 20 % below constant width");
  for (Line& line : lines) report.keep(std::move(line));
}

void write_csv(const Report& report, const std::string& path) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  std::string csv = "data,protocol,method,unit,values,gate,goal\n";
  for (const Line& line : report.lines()) {
    std::string values;
    for (const double value : line.values) values += fmt::format("{}{:.5g}", values.empty() ? "" : " ", value);
    csv += fmt::format("{},{},{},{},{},{},{}\n", quoted(line.data), quoted(line.protocol), quoted(line.method),
                       quoted(line.unit), quoted(values), quoted(line.gate), quoted(line.goal));
  }
  files::write_file(path, csv);
}

void write_readme(const Report& report, const std::string& path) {
  constexpr std::string_view kBegin = "<!-- accuracy -->\n", kEnd = "<!-- /accuracy -->";
  const files::FileBytes bytes = files::read_file(path);
  const std::string_view text = bytes.text();
  const std::size_t begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    throw std::runtime_error(path + ": the lines <!-- accuracy --> and <!-- /accuracy --> are not there; add them");
  }
  std::string scores = "| data | left out, known | method | error, % | gate | goal |\n|---|---|---|---|---|---|\n";
  std::string intervals =
      "| data, level | inside 50 / 80 / 90 / 95 % | of 90 %: bootstrap interval | worst group | mean width | score | "
      "one "
      "width for all |\n|---|---|---|---|---|---|---|\n";
  std::string inside, of_ninety;
  for (const Line& line : report.lines()) {
    if (line.protocol.rfind("interval ", 0) == 0) {
      const std::vector<double>& v = line.values;
      inside += fmt::format("{}{:.1f}", inside.empty() ? "" : " / ", 100 * v[0]);
      const bool ninety = line.protocol.rfind("interval 90", 0) == 0;
      if (ninety) {
        of_ninety = fmt::format("{:.1f} to {:.1f} | {:.0f} | {:.3f} | {:.3f} | {:.3f} |", 100 * v[1], 100 * v[2],
                                100 * v[3], v[4], v[5], v[8]);
      }
      if (line.protocol.rfind("interval 95", 0) != 0) continue;
      const std::string level = line.protocol.substr(line.protocol.rfind(' ') + 1);
      intervals += fmt::format("| {}, {} | {} | {}\n", line.data, level, inside, of_ninety);
      inside.clear();
      continue;
    }
    if (line.protocol.find(": ") != std::string::npos) continue;  // of single folds
    scores += fmt::format("| {} | {} | {} | {} | {} | {} |\n", line.data, line.protocol, line.method,
                          joined(line.values, " / "), line.gate, line.goal);
  }
  const std::string head(text.substr(0, begin + kBegin.size())), tail(text.substr(end));
  files::write_file(path, head + scores + "\n" + intervals + tail);
}

}  // namespace edgejoule::accuracy
