#include "capture/rail_summary.h"

#include <algorithm>

namespace edgejoule::capture {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

}  // namespace

void RailAccumulator::add(const PowerSample& sample) {
  newest_ = sample;
  pending_.push_back(sample);
  while (pending_.front().window_end_ns < sample.window_end_ns - kHorizonNs) {
    count(pending_.front());
    pending_.pop_front();
  }
}

void RailAccumulator::count(const PowerSample& sample) {
  // The window of one channel is a slot of the cycle; what the sample stands for is the whole cycle.
  const std::int64_t end = sample.window_end_ns;
  const std::int64_t cycle = sample.cycle_ns != 0 ? std::int64_t{sample.cycle_ns} : end - sample.window_begin_ns;
  std::int64_t begin = end - cycle;
  const bool follows = last_end_ns_ != kNone && sample.sequence == last_.sequence + 1;
  // Neighbours share their border, or the jitter of their ends would count time twice or not at all.
  if (follows || begin < last_end_ns_) begin = std::max(last_end_ns_, end - 2 * cycle);
  if (last_end_ns_ != kNone && sample.sequence > last_.sequence) totals_.lost += sample.sequence - last_.sequence - 1;
  last_end_ns_ = std::max(end, last_end_ns_);
  last_ = sample;

  const std::int64_t from = std::max(begin, begin_ns_);
  const std::int64_t to = std::min(end, end_ns_);
  if (sample.has(SampleFlag::kCounterReset) || to <= from) return;
  const double seconds = static_cast<double>(to - from) * 1e-9;
  const double watts = static_cast<double>(sample.power_uw) * 1e-6;
  if (totals_.conversions == 0) totals_.peak_w = totals_.lowest_w = watts;
  totals_.peak_w = std::max(totals_.peak_w, watts);
  totals_.lowest_w = std::min(totals_.lowest_w, watts);
  ++totals_.conversions;
  if (sample.has(SampleFlag::kUnchanged)) ++totals_.unchanged;
  if (sample.has(SampleFlag::kClipped)) ++totals_.clipped;
  totals_.joules += watts * seconds;
  totals_.covered_s += seconds;
}

RailSummary RailAccumulator::summary(std::int64_t now_ns) const {
  RailAccumulator all = *this;
  for (const PowerSample& sample : pending_) all.count(sample);
  RailSummary summary = all.totals_;
  const std::int64_t end = std::min(now_ns, end_ns_);
  if (begin_ns_ != kNone && end > begin_ns_) summary.duration_s = static_cast<double>(end - begin_ns_) * 1e-9;
  summary.quantisation_joules = 0.5e-6 * static_cast<double>(quantum_uw_) * summary.covered_s;
  return summary;
}

}  // namespace edgejoule::capture
