// Power of what ran, from samples that remember: spans of time against each sample's real response.
//
// A sample is a weighted mean of the power before it (sensors' response.h): a box, or a running filter that reaches
// back over many conversions. The power of each activity is the unknown of a regression over all samples; an activity
// far shorter than a conversion is solved for over its many repetitions, never by splitting time.
// Units: nanoseconds, watts, joules.
// Shape: spans rise in time and do not overlap; what runs between them is not asked about, and samples that
// remember too much of it are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "edgejoule/core/power_sample.h"

namespace edgejoule::align {

struct ActivitySpan {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::size_t activity = 0;
};

struct AlignOptions {
  double tail = 1e-3;           // of a sample's weight that may lie outside all spans
  double quantum_watts = 0;     // smallest step of a sample; 0: not known
  bool constant_before = true;  // what ran before the first span drew constant power: one more unknown
  // What is known of any power beforehand, so that activities which hardly any sample saw do not run away and take
  // their neighbours along: about the samples' mean, give or take this. 0: nothing is known.
  double prior_watts = 0;
};

struct ActivityPower {
  double watts = 0;
  double standard_error = 0;  // infinite where no sample saw it
  double seconds = 0;         // of all its spans
  [[nodiscard]] double joules() const { return watts * seconds; }
};

struct Alignment {
  std::vector<ActivityPower> activities;
  std::size_t samples = 0;     // that were used
  std::size_t left_out = 0;    // invalid, or of something else
  double residual_watts = 0;   // root mean square
  double autocorrelation = 0;  // of neighbouring residuals
  // Energy of the activities over that of the samples, each for the time since the one before it, less 1. 0 where
  // samples come from a running filter: what they say of a short time is not its energy.
  double conservation = 0;
  double covered = 0;  // share of the spans' time that samples integrated
  // Of the activities' watts, row by row, in W^2: neighbours err in opposite directions, and sums of them hardly at
  // all. Empty without samples; rows of what no sample saw are 0.
  std::vector<double> covariance;
};

// Samples of one rail, in the order of their windows. Clipped and unreadable samples are left out.
[[nodiscard]] Alignment align(std::span<const PowerSample> samples, std::span<const ActivitySpan> spans,
                              std::size_t activities, const AlignOptions& options = {});

}  // namespace edgejoule::align
