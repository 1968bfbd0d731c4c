#include "account/time_line.h"

#include <algorithm>
#include <map>

namespace edgejoule::account {
namespace {

using InTime = std::span<const PowerSample>;

InTime samples_in(InTime samples, TimeSpan time) {
  const auto first = std::upper_bound(samples.begin(), samples.end(), time.begin_ns,
                                      [](std::int64_t t, const PowerSample& s) { return t < s.window_end_ns; });
  const auto last = std::lower_bound(first, samples.end(), time.end_ns,
                                     [](const PowerSample& s, std::int64_t t) { return s.window_begin_ns < t; });
  return {first, last};
}

// Of the middle half by their time the one that most samples saw.
TimeSpan typical_of(std::vector<TimeSpan> inferences, InTime samples) {
  std::stable_sort(inferences.begin(), inferences.end(),
                   [](const TimeSpan& a, const TimeSpan& b) { return a.end_ns - a.begin_ns < b.end_ns - b.begin_ns; });
  std::size_t best = inferences.size() / 2;
  std::size_t most = samples_in(samples, inferences[best]).size();
  for (std::size_t i = inferences.size() / 4; i < inferences.size() - inferences.size() / 4; ++i) {
    const std::size_t seen = samples_in(samples, inferences[i]).size();
    if (seen > most) best = i, most = seen;
  }
  return inferences[best];
}

class Bars {
 public:
  void add(TimeSpan time, const std::vector<std::uint32_t>& set) {
    std::vector<bool> taken(most_lanes_ + set.size(), false);
    std::map<std::uint32_t, std::size_t> still;
    for (const std::uint32_t op : set) {
      const auto found = open_.find(op);
      if (found == open_.end()) continue;
      still.insert(*found);
      taken[bars[found->second].lane] = true;
      bars[found->second].time.end_ns = time.end_ns;
    }
    for (const std::uint32_t op : set) {
      if (still.count(op) > 0) continue;
      const auto lane = static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
      taken[lane] = true;
      most_lanes_ = std::max(most_lanes_, lane + 1);
      still[op] = bars.size();
      bars.push_back({time, op, lane});
    }
    open_ = std::move(still);
  }

  std::vector<TimeLine::Bar> bars;

 private:
  std::map<std::uint32_t, std::size_t> open_;  // bars that reach to here
  std::size_t most_lanes_ = 0;
};

}  // namespace

std::optional<TimeLine> typical_inference(const RunActivities& run, const std::vector<double>& watts,
                                          const std::vector<bool>& was_seen, std::span<const PowerSample> samples) {
  if (run.inferences.empty()) return std::nullopt;
  TimeLine line;
  line.inference = typical_of(run.inferences, samples);
  const auto within = [&](std::int64_t begin_ns, std::int64_t end_ns) {
    return TimeSpan{std::max(begin_ns, line.inference.begin_ns), std::min(end_ns, line.inference.end_ns)};
  };
  Bars bars;
  auto span = std::upper_bound(run.spans.begin(), run.spans.end(), line.inference.begin_ns,
                               [](std::int64_t t, const align::ActivitySpan& s) { return t < s.end_ns; });
  for (; span != run.spans.end() && span->begin_ns < line.inference.end_ns; ++span) {
    const TimeSpan time = within(span->begin_ns, span->end_ns);
    bars.add(time, run.sets[span->activity]);
    if (was_seen[span->activity] && span->activity != kLost) line.solved.push_back({time, watts[span->activity]});
  }
  line.bars = std::move(bars.bars);
  for (const PowerSample& sample : samples_in(samples, line.inference)) {
    line.samples.push_back(
        {within(sample.window_begin_ns, sample.window_end_ns), static_cast<double>(sample.power_uw) * 1e-6});
  }
  return line;
}

}  // namespace edgejoule::account
