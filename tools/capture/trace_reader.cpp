#include "capture/trace_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "edgejoule/linux/trace_frame.h"
#include "files/file_kinds.h"
#include "files/io.h"

namespace edgejoule::capture {
namespace {

static_assert(sizeof(wire::PowerSample) == sizeof(PowerSample));
static_assert(sizeof(wire::TraceEvent) == sizeof(TraceEvent));

void append(Recording& recording, const wire::TraceFrame& frame) {
  if (const auto* samples = frame.samples(); samples != nullptr && samples->size() != 0) {
    const std::size_t before = recording.samples.size();
    recording.samples.resize(before + samples->size());
    std::memcpy(static_cast<void*>(recording.samples.data() + before), samples->Data(),
                samples->size() * sizeof(PowerSample));
  }
  if (const auto* events = frame.events(); events != nullptr && events->size() != 0) {
    const std::size_t before = recording.events.size();
    recording.events.resize(before + events->size());
    std::memcpy(static_cast<void*>(recording.events.data() + before), events->Data(),
                events->size() * sizeof(TraceEvent));
  }
}

}  // namespace

std::int64_t Recording::begin_ns() const {
  std::int64_t begin = session.started_mono_ns;
  if (!samples.empty()) begin = std::max(begin, samples.front().window_begin_ns);
  return begin;
}

std::int64_t Recording::end_ns() const {
  std::int64_t end = session.started_mono_ns;
  for (const PowerSample& sample : samples) end = std::max(end, sample.window_end_ns);
  return end;
}

Trace parse_trace(Span<const std::byte> bytes, const std::string& file_name) {
  Trace trace;
  std::size_t behind = 0;
  std::uint32_t expected = 0;
  for (FoundFrame found = next_frame(bytes, 0); !found.payload.empty(); found = next_frame(bytes, found.end)) {
    trace.damaged_bytes += found.offset - behind;
    behind = found.end;
    if (trace.frames != 0 && found.sequence > expected) trace.missing_frames += found.sequence - expected;
    expected = found.sequence + 1;
    ++trace.frames;
    const files::FileBytes payload(found.payload.data(), found.payload.size());
    const files::FileKindInfo& kind = files::info_of(files::FileKind::kTrace);
    // A whole frame with other contents is no accident of storage: a newer format, or a forgery.
    if (!kind.verify(payload.span())) {
      trace.damaged_bytes += found.end - found.offset;
      continue;
    }
    const wire::TraceFrame& frame = *wire::GetTraceFrame(payload.span().data());
    if (frame.session() != nullptr) {
      trace.recordings.emplace_back();
      frame.session()->UnPackTo(&trace.recordings.back().session);
    }
    if (trace.recordings.empty()) {
      ++trace.orphans;
      continue;
    }
    append(trace.recordings.back(), frame);
  }
  trace.damaged_bytes += bytes.size() - behind;
  if (trace.frames == 0) {
    throw files::FileError(fmt::format("{}: no frame of a power trace in it{}", file_name,
                                       bytes.empty() ? " (the file is empty)" : "; is it an .ejp file?"));
  }
  return trace;
}

Trace read_trace(const std::string& path) {
  const files::FileBytes bytes = files::read_file(path);
  return parse_trace(bytes.span(), path);
}

const char* name_of(EventKind kind) {
  switch (kind) {
    case EventKind::kGap: return "gap";
    case EventKind::kLost: return "lost";
    case EventKind::kDropped: return "dropped";
    case EventKind::kMarkerRising: return "marker_rising";
    case EventKind::kMarkerFalling: return "marker_falling";
    case EventKind::kMarkerOverflow: return "marker_overflow";
    case EventKind::kStuck: return "stuck";
    case EventKind::kClockStep: return "clock_step";
    case EventKind::kForcedWrite: return "forced_write";
    case EventKind::kWindowBegin: return "window_begin";
    case EventKind::kWindowEnd: return "window_end";
  }
  return "unknown";
}

}  // namespace edgejoule::capture
