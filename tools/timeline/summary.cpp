#include "timeline/summary.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "timeline/time_span.h"
#include "timeline/timeline_builder.h"

namespace edgejoule::timeline {
namespace {

std::int64_t length(const std::vector<TimeSpan>& spans) {
  std::int64_t sum = 0;
  for (const TimeSpan& span : spans) sum += span.length_ns();
  return sum;
}

// Time in both; each is united.
std::int64_t common(const std::vector<TimeSpan>& a, const std::vector<TimeSpan>& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    sum += std::max<std::int64_t>(0, std::min(a[i].end_ns, b[j].end_ns) - std::max(a[i].begin_ns, b[j].begin_ns));
    a[i].end_ns < b[j].end_ns ? ++i : ++j;
  }
  return sum;
}

std::string entry(const std::vector<std::string>& list, std::uint32_t index) {
  return index < list.size() ? list[index] : "";
}

}  // namespace

TimelineSummary summarise(const wire::TimelineT& timeline) {
  TimelineSummary out;
  std::vector<TimeSpan> runs;
  std::vector<TimeSpan> op_times;
  std::map<std::tuple<std::string, std::string, std::uint32_t>, std::size_t> place;
  // By thread and depth: how long the ops took that lie in the next one around them.
  std::map<std::uint16_t, std::map<std::uint8_t, std::int64_t>> within;
  out.first_ns = std::numeric_limits<std::int64_t>::max();
  out.last_ns = std::numeric_limits<std::int64_t>::min();
  for (const wire::Span& span : timeline.spans) {
    const std::int64_t duration = span.end_ns() - span.begin_ns();
    out.first_ns = std::min(out.first_ns, span.begin_ns());
    out.last_ns = std::max(out.last_ns, span.end_ns());
    if (span.kind() == wire::SpanKind::gap) {
      ++out.gaps;
      out.lost_events += span.node() == kNoNode ? 0 : span.node();
      continue;
    }
    if (span.kind() == wire::SpanKind::inner) {
      ++out.inner_spans;
      continue;
    }
    std::map<std::uint8_t, std::int64_t>& depths = within[span.thread()];
    std::int64_t inside = 0;
    const auto deeper = depths.upper_bound(span.depth());
    for (auto it = deeper; it != depths.end(); ++it) inside += it->second;
    depths.erase(deeper, depths.end());
    const bool is_whole = span.flags() == 0;
    out.incomplete += is_whole ? 0 : 1;
    if (span.kind() == wire::SpanKind::inference) {
      if (!is_whole) continue;
      runs.push_back({span.begin_ns(), span.end_ns()});
      out.inferences_ns += duration;
      out.shortest_inference_ns = out.inferences == 0 ? duration : std::min(out.shortest_inference_ns, duration);
      out.longest_inference_ns = std::max(out.longest_inference_ns, duration);
      ++out.inferences;
      continue;
    }
    depths[span.depth()] += duration;
    ++out.op_spans;
    op_times.push_back({span.begin_ns(), span.end_ns()});
    std::string name;
    std::string type;
    if (span.thread() < timeline.threads.size()) {
      name = entry(timeline.threads[span.thread()]->names, span.name());
      type = entry(timeline.threads[span.thread()]->types, span.name());
    }
    const auto [found, is_new] = place.try_emplace({name, type, span.node()}, out.ops.size());
    if (is_new) out.ops.push_back({name, type, span.node()});
    OpSummary& op = out.ops[found->second];
    op.calls += is_whole ? 1 : 0;
    op.total_ns += duration;
    op.own_ns += duration - inside;
    out.ops_ns += duration - inside;
  }
  if (timeline.spans.empty()) out.first_ns = out.last_ns = 0;
  const std::vector<TimeSpan> run_time = united(std::move(runs));
  for (const TimeSpan& op : op_times) {
    const auto after = std::upper_bound(run_time.begin(), run_time.end(), op.begin_ns,
                                        [](std::int64_t t, const TimeSpan& run) { return t < run.begin_ns; });
    const bool is_within = after != run_time.begin() && std::prev(after)->end_ns >= op.end_ns;
    out.ops_outside += run_time.empty() || is_within ? 0 : 1;
  }
  out.between_ops_ns = length(run_time) - common(run_time, united(std::move(op_times)));
  return out;
}

}  // namespace edgejoule::timeline
