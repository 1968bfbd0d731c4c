// How well the coefficients of a fitted row are known.
//
// Source: covariance of a relative least-squares fit, s^2 (A'A)^-1 with rows x/E.
#pragma once

#include <vector>

#include "fit/fitted_row.h"
#include "measurements/measurement_set.h"

namespace edgejoule::calibration {

// Standard errors of the terms' coefficients, in joules per unit; infinite where the measurements cannot tell a term
// from the others. Precondition: the row was fitted on this set, and is linear.
[[nodiscard]] std::vector<double> coefficient_errors(const measurements::MeasurementSet& set,
                                                     const fit::FittedRow& row);

}  // namespace edgejoule::calibration
