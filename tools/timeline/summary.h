// What a timeline holds: how often each op ran and how long, its inferences, its holes.
//
// Units: nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schemas/timeline_generated.h"

namespace edgejoule::timeline {

struct OpSummary {
  std::string name;
  std::string type;
  std::uint32_t node = 0;   // 0xffffffff: none
  std::uint64_t calls = 0;  // whole ones
  std::int64_t total_ns = 0;
  std::int64_t own_ns = 0;  // without ops within it
};

struct TimelineSummary {
  std::vector<OpSummary> ops;  // in the order in which each ended first
  std::uint64_t op_spans = 0;
  std::uint64_t inner_spans = 0;
  std::uint64_t inferences = 0;
  std::uint64_t ops_outside = 0;  // of every inference, where there are any
  std::uint64_t incomplete = 0;
  std::uint64_t gaps = 0;
  std::uint64_t lost_events = 0;
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
  std::int64_t inferences_ns = 0;  // sum
  std::int64_t shortest_inference_ns = 0;
  std::int64_t longest_inference_ns = 0;
  std::int64_t ops_ns = 0;          // of all threads, ops within ops once
  std::int64_t between_ops_ns = 0;  // within inferences, no op of any thread running
};

// Of a timeline of instants.
[[nodiscard]] TimelineSummary summarise(const wire::TimelineT& timeline);

}  // namespace edgejoule::timeline
