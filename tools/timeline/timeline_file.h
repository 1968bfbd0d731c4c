// A timeline from its bytes, with instants that can be reckoned with.
//
// Units: nanoseconds.
// Errors: TimelineError, naming the file: spans that end before they begin, instants that no clock of this century
// shows, more time than that in all.
#pragma once

#include <string>

#include "files/file_bytes.h"
#include "schemas/timeline_generated.h"
#include "timeline/timeline_error.h"

namespace edgejoule::timeline {

// No instant and no offset lies further from zero: sums and differences of two stay within 64 bits.
inline constexpr std::int64_t kLatestNs = 4'000'000'000'000'000'000;

// EJL1 that verifies (files::load does).
[[nodiscard]] wire::TimelineT open_timeline(const files::FileBytes& bytes, const std::string& file_name);

}  // namespace edgejoule::timeline
