// Spans of time, and what several of them cover together.
//
// Units: nanoseconds of whichever clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace edgejoule::timeline {

struct TimeSpan {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  [[nodiscard]] std::int64_t length_ns() const { return end_ns - begin_ns; }
  [[nodiscard]] double seconds() const { return static_cast<double>(length_ns()) * 1e-9; }
};

// In the order of time, without overlaps; what touches becomes one.
[[nodiscard]] inline std::vector<TimeSpan> united(std::vector<TimeSpan> spans) {
  std::sort(spans.begin(), spans.end(), [](const TimeSpan& a, const TimeSpan& b) { return a.begin_ns < b.begin_ns; });
  std::vector<TimeSpan> out;
  for (const TimeSpan& span : spans) {
    if (!out.empty() && span.begin_ns <= out.back().end_ns) {
      out.back().end_ns = std::max(out.back().end_ns, span.end_ns);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

}  // namespace edgejoule::timeline
