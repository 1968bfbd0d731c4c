// Held-out measurements as a device would price them: a table fitted to the others,
// opened and planned by core.
#pragma once

#include <array>
#include <vector>

#include "edgejoule/core/table.h"
#include "measurements/measurement_set.h"
#include "report.h"

namespace edgejoule::accuracy {

// Bounds in ln(measured / predicted) at each confidence.
using Bounds = std::array<std::pair<double, double>, kConfidences.size()>;

struct TablePrice {
  double joules = 0;
  Bounds bounds{};    // of this row, as core states them
  Bounds constant{};  // of any op, module or model: one width per level
};

// One per measurement; those with training[i] stay empty.
[[nodiscard]] std::vector<TablePrice> price_by_table(const measurements::MeasurementSet& set,
                                                     const std::vector<bool>& training);

// Joules alone, with what was measured while running handed to the table.
[[nodiscard]] std::vector<double> known_joules_by_table(const measurements::MeasurementSet& set,
                                                        const std::vector<bool>& training);

[[nodiscard]] Bounds bounds_of(const Residual& residual);
// One width for all: plain quantiles of the size of held-out residuals.
[[nodiscard]] Bounds constant_bounds(const std::vector<double>& log_residuals, const std::vector<double>& weights);

// Appends a held-out row to both kinds of interval.
void add_interval(const TablePrice& price, double measured, double weight, int group, IntervalRows& rows);

}  // namespace edgejoule::accuracy
