// A row as the fit leaves it, ready to be written into a table.
#pragma once

#include <string>
#include <vector>

#include "edgejoule/core/table.h"
#include "fit/design.h"

namespace edgejoule::fit {

struct FittedTerm {
  TermSpec spec;
  double coefficient = 0;   // linear rows: joules per unit, above zero but for time's own terms; log rows: an exponent
  double min = 0, max = 0;  // of the feature, among the rows it was fitted on
  double seconds = 0;       // per unit
};

// Joules times 2^(sum of height * exp(-|z - position|^2 / (2 length^2))).
struct FittedCorrection {
  std::vector<Feature> axes;
  double length_octaves = 1;
  std::vector<double> positions;  // heights x axes
  std::vector<double> heights;    // octaves of joules; empty: no correction
};

// What a row asks for that is only known while running.
enum class Known { kNothing, kTime, kCounter };

struct FittedRow {
  Level level = Level::kRoofline;
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  DataType data_type = DataType::kUnknown;
  bool scaled_weights = false;  // of kinds: weights in blocks with scales, beside floats
  std::vector<Condition> conditions;
  std::uint8_t member = 0;  // of a committee; 0: alone
  RowForm form = RowForm::kLinear;
  double intercept = 0;      // log rows
  double children_gain = 0;  // module rows: above zero
  Known known = Known::kNothing;
  std::vector<FittedTerm> terms;
  FittedCorrection correction;
  Residual residual, time_residual;
  std::string reason;
  std::vector<std::size_t> measurements;  // of the set, that it was fitted on
};

}  // namespace edgejoule::fit
