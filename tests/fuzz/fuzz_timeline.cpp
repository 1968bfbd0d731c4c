// Any bytes as a timeline (EJL1): what verifies is opened, summed up and taken apart into activities, or refused with
// a reason.
#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "account/activities.h"
#include "timeline/summary.h"
#include "timeline/timeline_file.h"

using namespace edgejoule;

namespace {

// They cover the time without a hole, whatever the timeline says.
void take_apart(const wire::TimelineT& timeline) {
  const timeline::TimeSpan own = account::extent_of(timeline);
  // A trace that saw neither the beginning nor the end.
  const timeline::TimeSpan within{own.begin_ns + own.length_ns() / 4, own.end_ns};
  std::int64_t at_ns = within.begin_ns;
  const account::RunActivities run = account::activities_of(timeline, 0, within);
  for (const align::ActivitySpan& span : run.spans) {
    if (span.begin_ns != at_ns || span.activity >= run.sets.size()) std::abort();
    at_ns = span.end_ns;
  }
  if (at_ns != within.end_ns) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flatbuffers::Verifier verifier(data, size);
  if (!wire::VerifyTimelineBuffer(verifier)) return 0;
  try {
    const wire::TimelineT timeline = timeline::open_timeline(files::FileBytes(data, size), "fuzz");
    if (timeline.kind == wire::TimelineKind::instants) static_cast<void>(timeline::summarise(timeline));
    take_apart(timeline);
  } catch (const timeline::TimelineError&) {
  } catch (const account::AccountError&) {
  }
  return 0;
}
