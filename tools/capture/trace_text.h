// A recording as CSV or JSON.
//
// Shape: CSV has one header line and one line per sample; JSON one object with the
// session, its samples as rows under "columns", and its events.
#pragma once

#include <cstdio>

#include "capture/trace_reader.h"

namespace edgejoule::capture {

// Each returns false where the stream would take no more.
bool write_samples_csv(const Recording& recording, std::FILE* out);
bool write_events_csv(const Recording& recording, std::FILE* out);
bool write_json(const Recording& recording, std::FILE* out);

}  // namespace edgejoule::capture
