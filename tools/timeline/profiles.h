// Profiles of runtimes that tell instants, as timelines: ONNX Runtime's, Chrome traces in
// general, Arm NN's, ExecuTorch's ETDump.
//
// Units: nanoseconds on the clock of the profile, which is nobody else's until its offset
// is found.
// Source: onnxruntime/core/common/profiler.cc (1.30); "Trace Event Format"; Arm NN's
// Profiling.cpp, JsonPrinter.cpp and WallClockTimer.cpp (20.08 to 24.08).
// Errors: TimelineError: file, place, what, what to do next.
#pragma once

#include <string>
#include <string_view>

#include "schemas/timeline_generated.h"
#include "timeline/timeline_error.h"

namespace edgejoule::timeline {

struct ProfileOptions {
  // Of Chrome traces in general. Names end in '*' where only their beginning is meant.
  std::string inference;   // the name of events that are one run of the model
  std::string category;    // of events that are ops; "": of any
  double ns_per_tick = 1;  // of an ETDump: its platform's clock
};

// Told apart by content. Outermost events are ops, events within ops are inner; ONNX
// Runtime's nodes within nodes (of If, Loop) are ops. `file_name` is for messages.
// An array that lacks its end (the program was killed) is closed behind its last whole
// event, and a note says so.
[[nodiscard]] wire::TimelineT read_timeline(std::string_view profile, const std::string& file_name,
                                            const ProfileOptions& options = {});

}  // namespace edgejoule::timeline
