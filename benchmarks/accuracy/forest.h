// A random forest on raw columns, as small as it can be: what a person with a statistics
// package would try first. For comparison only; nobody puts 200 trees into firmware.
//
// Shape: regression trees on ln(joules) grown to single rows on bootstrap samples, all
// columns tried at every split, the mean over trees. Deterministic.
#pragma once

#include <Eigen/Dense>

namespace edgejoule::accuracy {

// ln(joules) of the test rows.
[[nodiscard]] Eigen::VectorXd forest_predict(const Eigen::MatrixXd& train, const Eigen::VectorXd& log_joules,
                                             const Eigen::MatrixXd& test, int trees);

}  // namespace edgejoule::accuracy
