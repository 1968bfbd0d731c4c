// What ops of all kinds have in common: being launched, and bytes that leave the last-level cache. Both are learned
// from kinds that were measured from sizes at which launching is most of it to sizes that no cache holds, and rows of
// every kind start from them. So an op that found its weights in the cache whenever it ran alone costs what it does in
// a network whose weights do not fit; and a kind without a small shape does not lose what launching costs.
//
// Shape: nothing is known where the set names no cache, or no kind crosses it.
// Units: joules or seconds (per byte), as the values they are learned from.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "fit/design.h"
#include "fit/fitted_row.h"
#include "fit/nnls.h"
#include "fit/op_terms.h"

namespace edgejoule::fit {

class CommonCosts {
 public:
  CommonCosts() = default;
  // Of single ops among `rows`; `values` has one per row.
  CommonCosts(const Observations& observations, const std::vector<std::size_t>& rows, const Eigen::VectorXd& values);

  [[nodiscard]] double launch() const { return launch_; }
  [[nodiscard]] double per_byte() const { return per_byte_; }
  // Where bytes beyond the cache cost no more than others, rows need no term for them.
  [[nodiscard]] bool knows_traffic() const { return per_byte_ > 0; }

  // With the traffic behind the plain terms, as one of them.
  [[nodiscard]] OpTerms with_traffic(OpTerms terms) const;
  // Holds what is common near what is known, each as firmly as one measurement would.
  void hold(const std::vector<TermSpec>& terms, RelativeFitOptions& options) const;
  // A row knows traffic as far as the kinds did from which its cost was learned.
  void widen(std::vector<FittedTerm>& terms) const;

 private:
  double launch_ = 0;
  double per_byte_ = 0;
  double most_bytes_ = 0;
};

}  // namespace edgejoule::fit
