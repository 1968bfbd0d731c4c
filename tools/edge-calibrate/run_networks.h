// Networks that nobody calibrates on: those that validate a table, and those by which its intervals get their width.
// Every op of theirs has a kernel; what a machine has no memory for is left out of its calibration, and said.
#pragma once

#include <vector>

#include "calibration/session.h"

namespace edgejoule::calibrate {

// Shape: the most telling ones first, the two uses in turn.
[[nodiscard]] std::vector<calibration::Network> networks(int threads);

}  // namespace edgejoule::calibrate
