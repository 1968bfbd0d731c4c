// Whole-model measurements teach the coefficients of ops: one table for a device, from
// the models that ran on it and what all devices of the set have in common.
//
// Shape: forms are chosen by leaving out each family of models; the mean of the rows of
// the best ten (set_pool.h). One row per kind and data type of op that the models hold, a
// row of the root, and a roofline for any data type.
// Errors: MeasurementError where no device or several match, or models are too few.
#pragma once

#include <string>

#include "fit/fit_table.h"
#include "fit/set_pool.h"
#include "measurements/measurement_set.h"

namespace edgejoule::fit {

inline constexpr std::size_t kAveragedForms = 10;

// True of a set that knows whole models and their ops, and no ops on their own.
[[nodiscard]] bool is_of_whole_models(const measurements::MeasurementSet& set);

// Devices and families in the order of their first measurement; a family of one model is
// never left out.
struct ModelPool {
  PoolData data;
  std::vector<std::string> devices, families;
};
[[nodiscard]] ModelPool pool_of(const measurements::MeasurementSet& set);

// Of the one device (board, runtime and data type) whose name contains `device`, which may
// be empty where the set has one. All devices of the set share in the fit; other data
// types of the same board and runtime share in the roofline.
[[nodiscard]] std::string find_device(const measurements::MeasurementSet& set, const std::string& device);
[[nodiscard]] FittedTable fit_models(const measurements::MeasurementSet& set, const std::string& device);

}  // namespace edgejoule::fit
