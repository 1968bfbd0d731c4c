// Intervals of sums of ops in a graph that core has priced.
//
// Errors: PricingError.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "edgejoule/core/predictor.h"
#include "edgejoule/core/spread.h"

namespace edgejoule::pricing {

struct PricingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The sum of any ops, with an interval from the spreads of the rows that priced them
// under `inputs`; Flag::kIntervalUnknown where a row has none. The interval is that of a
// log-normal distribution: energy is above zero and its errors are relative.
[[nodiscard]] Spread sum_of(const Predictor& predictor, const PredictInputs& inputs,
                            std::span<const NodeEstimate> nodes, const std::vector<std::uint32_t>& ops);

// The table may know no residuals of modules: the spreads of their ops still bound them,
// in joules and in predicted seconds.
void bound_modules_by_their_ops(const Predictor& predictor, const PredictInputs& inputs, std::span<NodeEstimate> nodes);

}  // namespace edgejoule::pricing
