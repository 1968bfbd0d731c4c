// When a sensor really converted: better instants for samples whose windows are estimated from polling.
//
// A chip that is asked "new?" tells the end of a conversion to a fraction of a millisecond only, which is as long as an
// op. But it converts in time with its own oscillator: a line through the ends of some thousand conversions knows each
// to microseconds. What all ends have in common, a delay, follows from the run itself: the one at which the ops explain
// the samples best.
// Units: nanoseconds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "align/align.h"

namespace edgejoule::account {

// Samples of one rail, in the order of their windows. Where every end was signalled they stay as they are.
void straighten(std::vector<PowerSample>& samples);

struct SampleDelay {
  std::int64_t ns = 0;      // to add to the windows
  bool is_certain = false;  // the samples speak clearly for it; else 0
};

// At most half a window either way.
[[nodiscard]] SampleDelay find_delay(std::span<const PowerSample> samples, std::span<const align::ActivitySpan> spans,
                                     std::size_t activities, const align::AlignOptions& options);

void delay(std::vector<PowerSample>& samples, std::int64_t ns);

}  // namespace edgejoule::account
