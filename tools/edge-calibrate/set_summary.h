// What a set of measurements holds, for a person.
#pragma once

#include <string>

#include "measurements/measurement_set.h"

namespace edgejoule::calibrate {

// Several lines: counts by level, groups and devices, what the joules are, what was left
// out and why.
[[nodiscard]] std::string set_summary(const measurements::MeasurementSet& set);

}  // namespace edgejoule::calibrate
