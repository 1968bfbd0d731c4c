// From held-out residuals ln(measured/predicted) to what a table says about them.
//
// Shape: each group has the same mass, however many measurements it has.
// Source: split conformal prediction: with G groups of one value each the p-quantile of a
// new group is bounded by the ceil(p*(G+1))-th of G values; below ceil(a/(1-a)) groups no interval
// of confidence a can be promised, and readers of the table say so. What is stated then is the prediction interval of
// a normal distribution, mean + t*s*sqrt(1 + 1/G) with Student's t of G - 1 degrees: the outermost of ten values holds
// the next one on either side in 82 of 100 cases, not in 90.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "edgejoule/core/table.h"

namespace edgejoule::fit {

struct HeldOut {
  std::vector<double> log_residuals;
  std::vector<std::string> groups;
  // Index of the row most alike in another group; empty where not known. Ops that are
  // alike err alike, which a sum over a model must know.
  std::vector<std::size_t> neighbours;
};

[[nodiscard]] Residual summarise(const HeldOut& held_out);

// |predicted / measured - 1| in per cent.
struct ErrorPercent {
  double median = 0, mean = 0, p90 = 0;
};
[[nodiscard]] ErrorPercent error_percent(const std::vector<double>& log_residuals);

// For each row the most alike row of another group: Euclidean distance of the
// logarithms of `facts`.
[[nodiscard]] std::vector<std::size_t> nearest_neighbours(const Eigen::MatrixXf& facts,
                                                          const std::vector<std::string>& groups);

}  // namespace edgejoule::fit
