// Whether the joules of a table and those of a set mean the same.
#pragma once

#include <string>
#include <vector>

#include "edgejoule/core/table.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibrate {

struct Comparison {
  std::vector<std::string> contradictions;  // nothing may be compared; whole sentences
  std::vector<std::string> remarks;         // it may, but a person should know
};

[[nodiscard]] Comparison compare_meaning(const CoefficientTable& table, const measurements::MeasurementSet& set);

}  // namespace edgejoule::calibrate
