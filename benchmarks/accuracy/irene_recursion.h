// IrEne's own method, for comparison: a standardised linear regression per op type, and
// E(node) = sum over children of (1 + tanh(w*phi(child) + b)/10) * E(child) with phi the
// standardised features expanded to polynomials of degree three.
//
// Source: Cao et al., "IrEne: Interpretable Energy Prediction for Transformers" (ACL
// 2021), sections 3 and 4; one w and b for all inner nodes, trained on the squared
// relative error of all of them by full-batch Adam.
#pragma once

#include <vector>

#include "measurements/measurement_set.h"

namespace edgejoule::accuracy {

struct IreneMethod {
  std::vector<std::size_t> columns;  // of Measurement::source_columns
  int epochs = 400;
};

// Joules of every row of the set, fitted on the rows with training[i].
struct IrenePrices {
  std::vector<double> recursion;        // the method
  std::vector<double> sum_of_children;  // its leaves, modules as plain sums
};
[[nodiscard]] IrenePrices irene_prices(const measurements::MeasurementSet& set, const std::vector<bool>& training,
                                       const IreneMethod& method);

}  // namespace edgejoule::accuracy
