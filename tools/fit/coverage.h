// How honest intervals are: how often they hold, how wide they are, and both in one
// number, with what chance alone would do to the answer.
//
// Units: everything in ln(measured / predicted).
// Source: interval score, Gneiting and Raftery (2007); cluster bootstrap: whole groups
// are drawn with replacement, because rows of one group err together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgejoule::fit {

struct Checked {
  double lower = 0, upper = 0;  // of the interval
  double residual = 0;          // what came
  double weight = 1;
  int group = 0;
};

struct Coverage {
  double share = 0;          // that lay inside
  double low = 0, high = 0;  // 95 % interval of the share over groups
  double worst_group = 0;
  double mean_width = 0;
  double score = 0;  // mean interval score: smaller is better
  std::size_t groups = 0;
};

// `confidence` in (0, 1).
[[nodiscard]] Coverage coverage_of(const std::vector<Checked>& rows, double confidence, int draws = 1000);

// The q-quantile of values with weights, as the smallest value with that mass below.
[[nodiscard]] double weighted_quantile(std::vector<std::pair<double, double>> value_and_weight, double q);

}  // namespace edgejoule::fit
