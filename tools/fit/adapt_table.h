// A whole table adapted: see adapt.h for what moves and how far.
//
// Shape: every term of a row that priced a measured op is a coefficient; a committee, and
// a logarithmic row, moves as a whole. What nothing measured touches is scaled by the
// common factor; gains on children stay, being ratios.
// Errors: MeasurementError where none of the measurements can be priced by the donor.
#pragma once

#include <string>
#include <vector>

#include "files/file_bytes.h"
#include "fit/residuals.h"
#include "fit/table_writer.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

struct AdaptedTable {
  files::FileBytes bytes;
  double factor = 1;
  double ridge = 0;
  std::size_t measurements = 0, groups = 0;
  std::size_t coefficients = 0;  // that the measurements could move
  // Of groups left out; all zero where there is one group only.
  bool is_tested = false;
  ErrorPercent donor, scaled, adapted;
  std::vector<std::string> not_priced;  // "origin: reason"

  // The mean |ln(measured / predicted)| of groups left out has become larger.
  bool is_worse = false;
};

[[nodiscard]] AdaptedTable adapt_table(const files::FileBytes& donor, const measurements::MeasurementSet& set,
                                       const std::string& operating_point, const TableInfo& info);

}  // namespace edgejoule::fit
