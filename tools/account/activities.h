// What ran at each instant: a timeline as spans of sets of ops, one behind the other, on the power trace's clock.
//
// Of ops inside each other on one thread the innermost counts; `inner` spans are the runtime's own affair. Ops are
// pooled over inferences by node and name, and where the runtime counts no nodes, by the place among ops of that name.
// Where events were lost, or an op lacks an end, nobody knows what ran until the next event of that thread: that time
// belongs to no op.
// Units: nanoseconds of CLOCK_MONOTONIC, seconds.
// Errors: AccountError: what, where, what to do next.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "align/align.h"
#include "schemas/timeline_generated.h"
#include "timeline/time_span.h"

namespace edgejoule::account {

struct AccountError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline constexpr std::uint32_t kNoNode = 0xFFFFFFFFU;

struct RunOp {
  std::string name;              // the runtime's; "": it told none
  std::uint32_t node = kNoNode;  // as the runtime counts
  std::uint16_t part = 0;
  std::uint32_t occurrence = 0;  // among ops of this name in an inference, where there is no node
  std::uint64_t calls = 0;       // whole ones within the trace
  std::uint64_t calls_in_inferences = 0;
  std::string type{};  // the runtime's own op type; "": it told none
};

// Activities that are no ops; those behind them are sets of ops.
enum Rest : std::uint8_t {
  kIdle = 0,        // outside inferences, for kShortestIdleNs or longer
  kPause = 1,       // outside inferences, shorter
  kBetweenOps = 2,  // inside an inference, no op running
  kLost = 3         // events are missing
};
inline constexpr std::size_t kRests = 4;
inline constexpr std::int64_t kShortestIdleNs = 20'000'000;

using timeline::TimeSpan;

struct RunActivities {
  std::vector<RunOp> ops;
  std::vector<std::vector<std::uint32_t>> sets;  // of ops, by activity; of Rest: empty
  std::vector<align::ActivitySpan> spans;        // cover the trace without a hole
  std::vector<TimeSpan> inferences;              // whole ones within the trace, by their beginnings
  std::uint64_t inferences_outside = 0;          // not wholly within the trace
  std::uint64_t incomplete = 0;                  // spans without their beginning or end
  std::uint64_t lost_events = 0;
  std::uint64_t crossing = 0;  // spans of one thread that overlap without one lying in the other
  bool by_name_only = false;   // neither nodes nor inferences: ops of one name are one op
};

// `within` is what the trace saw. A timeline of durations is refused.
[[nodiscard]] RunActivities activities_of(const wire::TimelineT& timeline, std::int64_t offset_ns, TimeSpan within);

// First and last instant of its ops and inferences, on its own clock. Refused where it has none.
[[nodiscard]] TimeSpan extent_of(const wire::TimelineT& timeline);

}  // namespace edgejoule::account
