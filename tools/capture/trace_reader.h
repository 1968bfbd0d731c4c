// Reads EJP1 files, whole or damaged, finished or still being written.
//
// Errors: files::FileError where the file cannot be read or is something else. Damage
// inside is no error: it is skipped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/linux/trace_writer.h"
#include "files/file_bytes.h"
#include "schemas/trace_generated.h"

namespace edgejoule::capture {

struct Recording {
  wire::TraceSessionT session;
  std::vector<PowerSample> samples;  // in the order they were read
  std::vector<TraceEvent> events;

  // First and last instant that anything in it speaks of; 0 and 0 where it is empty.
  [[nodiscard]] std::int64_t begin_ns() const;
  [[nodiscard]] std::int64_t end_ns() const;
};

struct Trace {
  std::vector<Recording> recordings;
  std::uint64_t frames = 0;
  std::uint64_t damaged_bytes = 0;   // between whole frames and behind the last one
  std::uint64_t missing_frames = 0;  // holes in the sequence
  std::uint64_t orphans = 0;         // frames of samples before any session: nobody knows what they mean
};

[[nodiscard]] Trace read_trace(const std::string& path);
[[nodiscard]] Trace parse_trace(Span<const std::byte> bytes, const std::string& file_name);

// The name a person knows an event by.
[[nodiscard]] const char* name_of(EventKind kind);

}  // namespace edgejoule::capture
