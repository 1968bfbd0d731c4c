// One inference of a run over time: which ops ran when, and the power as the account has it.
//
// Units: nanoseconds of CLOCK_MONOTONIC, watts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "account/activities.h"
#include "edgejoule/core/power_sample.h"

namespace edgejoule::account {

struct TimeLine {
  struct Bar {
    TimeSpan time;
    std::uint32_t op = 0;
    std::size_t lane = 0;  // ops at the same time stand in different ones
  };
  struct Power {
    TimeSpan time;
    double watts = 0;
  };
  TimeSpan inference;
  std::vector<Bar> bars;
  std::vector<Power> solved;   // of what ran; instants of which nothing is known are left out
  std::vector<Power> samples;  // as the sensor gave them, by their windows
};

// Of the middle half of inferences by their time, the one that most samples saw; none where the timeline tells no
// inferences. `watts` and `was_seen` are by activity; samples in the order of their windows.
[[nodiscard]] std::optional<TimeLine> typical_inference(const RunActivities& run, const std::vector<double>& watts,
                                                        const std::vector<bool>& was_seen,
                                                        std::span<const PowerSample> samples);

}  // namespace edgejoule::account
