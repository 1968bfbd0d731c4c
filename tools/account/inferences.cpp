#include "account/inferences.h"

#include <algorithm>

namespace edgejoule::account {
namespace {

// Joules of the activities within a time.
double joules_in(const std::vector<align::ActivitySpan>& spans, std::span<const double> watts, TimeSpan time) {
  auto span = std::upper_bound(spans.begin(), spans.end(), time.begin_ns,
                               [](std::int64_t t, const align::ActivitySpan& s) { return t < s.end_ns; });
  double joules = 0;
  for (; span != spans.end() && span->begin_ns < time.end_ns; ++span) {
    const TimeSpan both{std::max(span->begin_ns, time.begin_ns), std::min(span->end_ns, time.end_ns)};
    joules += watts[span->activity] * both.seconds();
  }
  return joules;
}

bool can_be_used(const PowerSample& sample) {
  return sample.response != ResponseKind::kExponential && !sample.has(SampleFlag::kClipped) &&
         !sample.has(SampleFlag::kMathOverflow) && !sample.has(SampleFlag::kCounterReset) &&
         sample.window_end_ns > sample.window_begin_ns;
}

}  // namespace

std::vector<InferencePower> power_of_inferences(const RunActivities& run, std::span<const PowerSample> samples,
                                                std::span<const double> watts, double residual_watts) {
  std::vector<InferencePower> out(run.inferences.size());
  std::int64_t latest_end_ns = run.inferences.empty() ? 0 : run.inferences.front().begin_ns;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const TimeSpan& time = run.inferences[i];
    const bool overlaps =
        time.begin_ns < latest_end_ns || (i + 1 < out.size() && run.inferences[i + 1].begin_ns < time.end_ns);
    latest_end_ns = std::max(latest_end_ns, time.end_ns);
    if (overlaps || time.length_ns() <= 0) continue;
    auto sample = std::lower_bound(samples.begin(), samples.end(), time.begin_ns,
                                   [](const PowerSample& s, std::int64_t t) { return s.window_begin_ns < t; });
    double left_over = 0;
    for (; sample != samples.end() && sample->window_end_ns <= time.end_ns; ++sample) {
      if (!can_be_used(*sample)) continue;
      const TimeSpan window{sample->window_begin_ns, sample->window_end_ns};
      left_over +=
          static_cast<double>(sample->power_uw) * 1e-6 - joules_in(run.spans, watts, window) / window.seconds();
      ++out[i].samples;
    }
    if (out[i].samples < kFewestSamples) continue;
    const auto count = static_cast<double>(out[i].samples);
    out[i].watts = joules_in(run.spans, watts, time) / time.seconds() + left_over / count;
    out[i].variance = residual_watts * residual_watts / count;
    out[i].is_known = true;
  }
  return out;
}

}  // namespace edgejoule::account
