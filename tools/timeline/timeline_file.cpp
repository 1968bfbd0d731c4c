#include "timeline/timeline_file.h"

#include <fmt/format.h>

#include "text/escape.h"

namespace edgejoule::timeline {
namespace {

bool is_sound(std::int64_t ns) {
  return ns > -kLatestNs && ns < kLatestNs;
}

}  // namespace

wire::TimelineT open_timeline(const files::FileBytes& bytes, const std::string& file_name) {
  wire::TimelineT timeline;
  wire::GetTimeline(bytes.span().data())->UnPackTo(&timeline);
  const auto refuse = [&](const std::string& what) {
    throw TimelineError(fmt::format("{}: {}: the file is damaged, or its clock went back; record the run again",
                                    text::printable(file_name), what));
  };
  if (!is_sound(timeline.offset_ns.value_or(0)) || !is_sound(timeline.realtime_offset_ns.value_or(0))) {
    refuse("its offset to another clock is more than a century");
  }
  double sum_ns = 0;
  for (const wire::Span& span : timeline.spans) {
    if (!is_sound(span.begin_ns()) || !is_sound(span.end_ns())) {
      refuse(fmt::format("a span from {} to {} ns lies more than a century from zero", span.begin_ns(), span.end_ns()));
    }
    if (span.end_ns() < span.begin_ns()) {
      refuse(fmt::format("a span ends {} ns before it begins (at {} ns of its clock)", span.begin_ns() - span.end_ns(),
                         span.begin_ns()));
    }
    sum_ns += static_cast<double>(span.end_ns() - span.begin_ns());
    if (sum_ns > static_cast<double>(kLatestNs)) refuse("its spans take more than a century in all");
  }
  return timeline;
}

}  // namespace edgejoule::timeline
