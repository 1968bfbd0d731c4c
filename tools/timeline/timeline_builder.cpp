#include "timeline/timeline_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <tuple>

#include "text/escape.h"

namespace edgejoule::timeline {
namespace {

constexpr std::uint8_t kDeepest = std::numeric_limits<std::uint8_t>::max();

double us(std::int64_t ns) {
  return static_cast<double>(ns) * 1e-3;
}

}  // namespace

TimelineBuilder::TimelineBuilder(wire::TimelineSource source, std::int64_t resolution_ns, std::string file_name)
    : tolerance_ns_(2 * resolution_ns), file_name_(std::move(file_name)) {
  timeline_.format_version = 1;
  timeline_.kind = wire::TimelineKind::instants;
  timeline_.source = source;
  timeline_.resolution_ns = static_cast<std::uint64_t>(resolution_ns);
}

std::uint16_t TimelineBuilder::thread(const std::string& key, const std::string& name) {
  const auto found = thread_of_.find(key);
  if (found != thread_of_.end()) return found->second;
  if (threads_.size() > std::numeric_limits<std::uint16_t>::max()) {
    throw TimelineError(fmt::format("{}: it has more than 65536 threads; export one process of it", file_name_));
  }
  const auto index = static_cast<std::uint16_t>(threads_.size());
  thread_of_.emplace(key, index);
  threads_.emplace_back();
  auto thread = std::make_unique<wire::TimelineThreadT>();
  thread->name = text::valid_utf8(name);
  thread->names.emplace_back();
  thread->types.emplace_back();
  timeline_.threads.push_back(std::move(thread));
  return index;
}

void TimelineBuilder::add(std::uint16_t thread, ProfileSpan span) {
  wire::TimelineThreadT& lists = *timeline_.threads[thread];
  std::uint32_t name = 0;
  if (!span.name.empty() || !span.type.empty()) {
    const auto [entry, is_new] =
        threads_[thread].names.try_emplace({span.name, span.type}, static_cast<std::uint32_t>(lists.names.size()));
    if (is_new) {
      lists.names.push_back(text::valid_utf8(span.name));
      lists.types.push_back(text::valid_utf8(span.type));
    }
    name = entry->second;
  }
  threads_[thread].spans.push_back({span.begin_ns, span.end_ns, span.node, name, span.kind, span.flags});
}

void TimelineBuilder::note(std::string text) {
  timeline_.notes.push_back(std::move(text));
}

void TimelineBuilder::process(std::string_view text) {
  std::uint32_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) timeline_.process = number;
}

void TimelineBuilder::overlap(std::uint16_t index, const LaidSpan& outer, const LaidSpan& inner) const {
  const wire::TimelineThreadT& thread = *timeline_.threads[index];
  throw TimelineError(fmt::format(
      "{}: thread '{}': '{}' ({} to {} us) and '{}' ({} to {} us) overlap and neither lies in the other: two clocks or "
      "two runs in one file; profile one session in one process, and give each run a file of its own",
      file_name_, text::printable(thread.name), text::printable(thread.names[outer.name]), us(outer.begin_ns),
      us(outer.end_ns), text::printable(thread.names[inner.name]), us(inner.begin_ns), us(inner.end_ns)));
}

// An op of no length at the very end of an inference still belongs to it.
bool TimelineBuilder::begins_within(const LaidSpan& inner, const LaidSpan& outer) {
  if (inner.begin_ns < outer.end_ns) return true;
  return inner.begin_ns == outer.end_ns && inner.end_ns == inner.begin_ns && outer.kind == wire::SpanKind::inference;
}

void TimelineBuilder::nest(std::uint16_t index) {
  std::vector<LaidSpan>& spans = threads_[index].spans;
  // Outer ones first; of two alike the one added later is the outer: events are written at their ends.
  std::reverse(spans.begin(), spans.end());
  std::stable_sort(spans.begin(), spans.end(), [](const LaidSpan& a, const LaidSpan& b) {
    const bool a_is_run = a.kind == wire::SpanKind::inference;
    const bool b_is_run = b.kind == wire::SpanKind::inference;
    return std::tuple(a.begin_ns, -a.end_ns, !a_is_run) < std::tuple(b.begin_ns, -b.end_ns, !b_is_run);
  });
  std::vector<LaidSpan*> open;
  for (LaidSpan& span : spans) {
    while (!open.empty() && !begins_within(span, *open.back())) open.pop_back();
    while (!open.empty() && span.end_ns - open.back()->end_ns > tolerance_ns_) {
      const std::int64_t end = open.back()->end_ns;
      if (end - span.begin_ns > tolerance_ns_) overlap(index, *open.back(), span);
      span.begin_ns = std::max(span.begin_ns, end);
      open.pop_back();
    }
    for (LaidSpan* const outer : open) {
      outer->end_ns = std::max(outer->end_ns, span.end_ns);
      span.begin_ns = std::max(span.begin_ns, outer->begin_ns);
    }
    span.end_ns = std::max(span.end_ns, span.begin_ns);
    span.depth = static_cast<std::uint8_t>(std::min<std::size_t>(open.size(), kDeepest));
    const bool is_in_op = !open.empty() && open.back()->kind != wire::SpanKind::inference;
    if (only_outermost_ops_ && is_in_op && span.kind == wire::SpanKind::op) span.kind = wire::SpanKind::inner;
    open.push_back(&span);
  }
  std::stable_sort(spans.begin(), spans.end(), [](const LaidSpan& a, const LaidSpan& b) {
    return std::tuple(a.end_ns, -int{a.depth}) < std::tuple(b.end_ns, -int{b.depth});
  });
}

wire::TimelineT TimelineBuilder::finish() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    nest(static_cast<std::uint16_t>(i));
    for (const LaidSpan& span : threads_[i].spans) {
      timeline_.spans.emplace_back(span.begin_ns, span.end_ns, span.node, span.name, static_cast<std::uint16_t>(i),
                                   std::uint16_t{0}, span.kind, span.flags, span.depth);
    }
    std::vector<std::string>& types = timeline_.threads[i]->types;
    if (std::all_of(types.begin(), types.end(), [](const std::string& type) { return type.empty(); })) types.clear();
  }
  return std::move(timeline_);
}

}  // namespace edgejoule::timeline
