// A validation for a person: as text, and as one self-contained page.
#pragma once

#include <string>

#include "edgejoule/core/table.h"
#include "measurements/measurement_set.h"
#include "validation.h"

namespace edgejoule::calibrate {

// Lifetime: views.
struct ValidatedPair {
  const CoefficientTable& table;
  const measurements::MeasurementSet& set;
  std::string table_file, set_file;
};

// Of errors: "4.2 %".
[[nodiscard]] std::string percent(double share);
[[nodiscard]] std::string to_text(const Validation& validation, const ValidatedPair& of, bool colour);
[[nodiscard]] std::string to_html(const Validation& validation, const ValidatedPair& of);

}  // namespace edgejoule::calibrate
