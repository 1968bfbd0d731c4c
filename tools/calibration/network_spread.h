// How much the ops of a network err alike, beyond what their rows say: rows know it from ops that ran one by one, and
// whatever a row cannot express of a library or a memory is the same for most ops of a network.
//
// Source: the least spread, shared by the ops of each row, with which intervals of networks that were measured for this
// alone are as wide as those networks were off; of few networks it is stated with Student's t.
#pragma once

#include <cstddef>

#include "fit/fit_table.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibration {

// Of fewer, nothing is learned.
inline constexpr std::size_t kFewestForSpread = 3;

struct NetworkSpread {
  double sigma = 0;  // of ln(measured / predicted), added to every row's own
  std::size_t networks = 0;
};

// Widens the rows of `fitted`, of the measurements `set`.
NetworkSpread widen_by_networks(const measurements::MeasurementSet& set, const measurements::MeasurementSet& networks,
                                fit::FittedTable& fitted);

}  // namespace edgejoule::calibration
