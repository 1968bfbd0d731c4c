// Energy of a rail from its samples, with what is not known about it.
//
// Each sample stands for the time from the end of the conversion before it to its own
// end; a conversion that was lost leaves that time uncovered instead of being made up.
// Units: seconds, joules, watts in double (sums over hours).
#pragma once

#include <cstdint>
#include <deque>
#include <limits>

#include "edgejoule/core/power_sample.h"

namespace edgejoule::capture {

struct RailSummary {
  std::uint64_t conversions = 0;
  std::uint64_t lost = 0;
  std::uint64_t unchanged = 0;  // conversions assumed because their time had come
  std::uint64_t clipped = 0;
  double joules = 0.0;  // over the covered time
  double covered_s = 0.0;
  double duration_s = 0.0;
  double peak_w = 0.0;
  double lowest_w = 0.0;
  double quantisation_joules = 0.0;  // half a step, all the time: the worst a constant load can meet

  [[nodiscard]] double mean_w() const { return covered_s > 0 ? joules / covered_s : 0.0; }
  [[nodiscard]] double coverage() const { return duration_s > 0 ? covered_s / duration_s : 0.0; }
};

class RailAccumulator {
 public:
  explicit RailAccumulator(std::int64_t quantum_uw = 0) : quantum_uw_(quantum_uw) {}

  // Counts what lies between the two instants, afresh from `begin_ns` on. Both may be up to kHorizonNs ago, because
  // the edge that told them was read late.
  static constexpr std::int64_t kHorizonNs = 250'000'000;
  void begin(std::int64_t begin_ns) {
    begin_ns_ = begin_ns;
    totals_ = {};
  }
  void end(std::int64_t end_ns) { end_ns_ = end_ns; }
  void add(const PowerSample& sample);

  [[nodiscard]] RailSummary summary(std::int64_t now_ns) const;
  [[nodiscard]] const PowerSample& last() const { return newest_; }

 private:
  void count(const PowerSample& sample);

  std::deque<PowerSample> pending_;  // not counted yet
  PowerSample newest_;
  std::int64_t quantum_uw_;
  std::int64_t begin_ns_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t end_ns_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t last_end_ns_ = std::numeric_limits<std::int64_t>::min();
  PowerSample last_;  // counted
  RailSummary totals_;
};

}  // namespace edgejoule::capture
