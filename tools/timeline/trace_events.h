// The events of a Chrome trace: an array of them, or an object with "traceEvents".
//
// Units: nanoseconds; the file has microseconds, with or without a fraction.
// Source: "Trace Event Format" (the document of Chromium's tracing); X, B, E and M are
// read, other phases say nothing about spans and are counted.
// Errors: TimelineError: file, place, what, what to do next.
#pragma once

#include <flatbuffers/flexbuffers.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "timeline/foreign_json.h"

namespace edgejoule::timeline {

struct TraceEvent {
  char phase = 'X';
  std::string name;
  std::string category;
  std::string process;
  std::string thread;
  std::int64_t begin_ns = 0;
  std::optional<std::int64_t> duration_ns;
  flexbuffers::Map arguments = flexbuffers::Map::EmptyMap();
};

struct TraceEvents {
  std::vector<TraceEvent> events;
  std::uint64_t other_phases = 0;
  std::int64_t resolution_ns = 1;  // 1000 where no instant has a fraction
};

[[nodiscard]] bool is_trace(flexbuffers::Reference root);
// `file` must outlive what comes back.
[[nodiscard]] TraceEvents read_events(const ForeignJson& file);

}  // namespace edgejoule::timeline
