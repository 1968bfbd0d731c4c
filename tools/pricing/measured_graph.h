// A measurement as a graph, so that core prices it like any model.
//
// Shape: an op stands alone under a root; what was measured as parts stands as those ops;
// modules keep the structure that was measured. Counts become repeats of ops, and as many
// copies of modules.
// Errors: PricingError where the measurement does not say what it is made of.
#pragma once

#include <cstdint>
#include <vector>

#include "edgejoule/core/predictor.h"
#include "files/file_bytes.h"
#include "measurements/measurement_set.h"

namespace edgejoule::pricing {

struct MeasuredGraph {
  files::FileBytes bytes;             // EJG1
  std::uint32_t node = 0;             // the one that was measured
  double executions = 1;              // of it; more than 1 where its parts have broken counts
  std::vector<RuntimeFacts> runtime;  // one per node, as measured
};

[[nodiscard]] MeasuredGraph graph_of(const measurements::MeasurementSet& set, std::size_t index);

}  // namespace edgejoule::pricing
