// From a set of measurements to the rows of a table.
//
// Shape: one key per op kind and data type, each in the form that cross-validation chose
// (row_fit.h); rows for modules where modules were measured (module_ladder.h); one row
// per class; the roofline row. Rows of classes and the roofline are tested on kinds left
// out, because that is what they are used for. A set of whole models alone teaches the
// rows of their ops (fit_models.h).
// Errors: MeasurementError where the set cannot carry a fit: too few rows, or energies
// above idle that are mostly not above zero.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fit/fitted_row.h"
#include "fit/residuals.h"
#include "fit/tree_fit.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

// Ops that a table needs, of all kinds together.
inline constexpr std::size_t kFewestOps = 8;

struct KeyReport {
  std::string key{};  // "dense float32", "dense float32 with scaled weights"
  std::size_t measurements = 0;
  std::size_t groups = 0;
  std::size_t rows = 0;  // of the table
  std::string form{};
  ErrorPercent held_out{};
  ErrorPercent one_row{};  // what a single row of plain work and bytes would have given
};

struct LevelReport {
  std::size_t measurements = 0;
  std::size_t groups = 0;
  ErrorPercent held_out;
};

// Held-out figures are of measurements whose group neither the coefficients nor the
// choice of the form has seen.
struct FittedTable {
  std::vector<FittedRow> rows;
  Residual op_residual, module_residual, model_residual;
  LevelReport ops, modules, models;
  // The same of seconds, where they were measured (time_fit.h).
  Residual op_time_residual, module_time_residual, model_time_residual;
  LevelReport op_times, module_times, model_times;
  std::vector<KeyReport> keys;
  std::vector<double> held_out_log_residuals;  // ln(measured / predicted) of each measurement
};

struct TableOptions {
  TreeFitOptions fit;
  // Of more than ten groups; fewer are left out one by one. Twice as many where every group is of one key and keys have
  // few: a fifth of six measurements is a second one half of the time, and that row is not the table's any more.
  int folds = 5;
};

[[nodiscard]] FittedTable fit_table(const measurements::MeasurementSet& set, const TableOptions& options = {});

// Groups left out together (TableOptions::folds).
[[nodiscard]] std::vector<int> held_out_folds(const measurements::MeasurementSet& set, int folds);

}  // namespace edgejoule::fit
