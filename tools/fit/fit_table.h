// From a set of measurements to the rows of a table.
//
// Shape: one key per op kind and data type, each a row or a shallow tree of rows; one
// row per class; the roofline row. Rows of classes and the roofline are tested on kinds
// left out, because that is what they are used for.
// Errors: MeasurementError where the set cannot carry a fit: too few rows, or energies
// above idle that are mostly not above zero.
#pragma once

#include <string>
#include <vector>

#include "fit/cross_validation.h"
#include "fit/design.h"
#include "fit/residuals.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

struct FittedTerm {
  TermSpec spec;
  double joules_per_unit = 0;  // above zero
  double min = 0, max = 0;     // of the feature, among the rows it was fitted on
};

struct FittedRow {
  Level level = Level::kRoofline;
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  DataType data_type = DataType::kUnknown;
  std::vector<Condition> conditions;
  std::uint8_t member = 0;  // of a committee; 0: alone
  std::vector<FittedTerm> terms;
  Residual residual;
  std::string reason;
};

struct KeyReport {
  OpKind kind = OpKind::kUnknown;
  DataType data_type = DataType::kUnknown;
  std::size_t measurements = 0;
  std::size_t groups = 0;
  std::size_t rows = 0;  // of the table
  ErrorPercent held_out;
  ErrorPercent one_row;  // what a single row would have given
};

struct FittedTable {
  std::vector<FittedRow> rows;
  Residual op_residual;
  ErrorPercent held_out;
  std::vector<KeyReport> keys;
};

[[nodiscard]] FittedTable fit_table(const measurements::MeasurementSet& set, const SelectionOptions& options);

}  // namespace edgejoule::fit
