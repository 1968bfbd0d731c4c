// The first frame of a recording: what its samples mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/discovery.h"

namespace edgejoule::capture {

struct SessionFacts {
  std::int64_t started_mono_ns = 0;
  std::int64_t started_unix_ns = 0;
  std::string tool_version;
  std::vector<std::string> command;
  std::vector<std::string> markers;
};

// A finished TraceFrame. `rails` in the order of PowerSample::rail.
[[nodiscard]] std::vector<std::byte> session_frame(const Discovery& found, const std::vector<FoundRail>& rails,
                                                   const SessionFacts& facts);

}  // namespace edgejoule::capture
