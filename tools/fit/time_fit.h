// Seconds beside the joules of a fitted table: each row keeps its key, conditions and
// terms, and gains what its work takes in time.
//
// Shape: terms that joules do without are added where time needs them, with a coefficient
// of zero joules. Rows with run-time facts and rows of modules have no time of their own:
// there it is measured, or the sum of the children's.
// Held out: each group is predicted by coefficients that have not seen it; which rows a
// tree has was chosen by joules, with all groups. Classes and the roofline are tested on
// kinds left out, modules and models on the sums of their ops.
// Errors: none; a row with too few times stays without.
#pragma once

#include "fit/design.h"
#include "fit/fit_table.h"

namespace edgejoule::fit {

void add_times(const measurements::MeasurementSet& set, const Observations& observations, int folds,
               FittedTable& table);

}  // namespace edgejoule::fit
