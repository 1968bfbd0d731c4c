// Single inferences: what each took by the samples that fell into it.
//
// The power of what ran, as solved for over the whole run, explains most of a sample; what is left over of the samples
// within an inference is that inference's own. Where too few fell into it, or the sensor remembers what was before, or
// inferences overlap, a single one is not resolved.
// Units: watts, joules.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "account/activities.h"
#include "edgejoule/core/power_sample.h"

namespace edgejoule::account {

struct InferencePower {
  double watts = 0;     // mean, the whole rail's
  double variance = 0;  // of it
  std::size_t samples = 0;
  bool is_known = false;
};

inline constexpr std::size_t kFewestSamples = 4;

// Of one rail, by inference of the run. `watts` is by activity, `residual_watts` what a sample is off by (root mean
// square); samples in the order of their windows.
[[nodiscard]] std::vector<InferencePower> power_of_inferences(const RunActivities& run,
                                                              std::span<const PowerSample> samples,
                                                              std::span<const double> watts, double residual_watts);

}  // namespace edgejoule::account
