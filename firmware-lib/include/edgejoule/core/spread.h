// The joules of any selection or difference of ops (by kind, a subtree, two models),
// with an interval: what rows share adds up linearly per row and signed, so that it
// cancels in a difference; what is independent adds in quadrature.
//
// Units: joules; sigmas of rows are relative (of ln(measured / predicted)).
// Lifetime: views the table's bytes and the caller's sums, one float per row and one.
// Source: ARCHITECTURE.md, "Intervals".
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/core/table.h"

namespace edgejoule {

struct Spread {
  Joules total;
  Joules sigma;
  Interval interval;  // total and sigma as a normal distribution
  Flags flags;        // kIntervalNotGuaranteed, kIntervalUnknown (a part without figures)
};

class SpreadAccumulator {
 public:
  [[nodiscard]] static std::size_t required_sums(const CoefficientTable& table) noexcept {
    return std::size_t{table.row_count()} + 1;
  }
  // Errors: kWorkspaceTooSmall.
  [[nodiscard]] static Result<SpreadAccumulator> start(const CoefficientTable& table, Span<float> sums) noexcept;

  // Adds weight * joules of a node priced by the table's row (Predictor::row_of, or
  // kNoRow). Weight -1 subtracts. For sums over a tree take each node's own joules, or
  // the joules of nodes none of which contains another.
  void add(std::uint32_t row, Joules joules, float weight = 1.0F) noexcept;

  // Errors: kInvalidArgument (confidence).
  [[nodiscard]] Result<Spread> finish(Confidence confidence) const noexcept;

 private:
  SpreadAccumulator(const CoefficientTable& table, Span<float> sums) noexcept : table_(table), shared_(sums) {}
  friend class Result<SpreadAccumulator>;
  CoefficientTable table_;
  Span<float> shared_;  // joules * shared sigma of each row; the last: of no row
  float total_ = 0.0F;
  float independent_ = 0.0F;  // squared joules
  std::uint32_t fewest_groups_ = 0xFFFFFFFFU;
  bool unknown_ = false;
};

}  // namespace edgejoule
