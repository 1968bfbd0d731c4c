#include "account/activities.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace edgejoule::account {
namespace {

constexpr std::uint8_t kMissing = 3;  // either flag of a span
constexpr std::uint8_t kBeginMissing = 1;
constexpr std::uint32_t kNone = 0xFFFFFFFFU;

// One beginning or end of anything that changes what is known to run.
struct Edge {
  std::int64_t t_ns = 0;
  bool begins = false;
  enum class What : std::uint8_t { kOp, kInference, kUnknown } what = What::kOp;
  std::uint16_t thread = 0;
  std::uint16_t depth = 0;
  std::uint32_t op = 0;
};

using Texts = std::vector<std::string>;

// Of the names or types of its thread.
const std::string& text_of(const wire::TimelineT& timeline, const wire::Span& span,
                           Texts wire::TimelineThreadT::*texts) {
  static const std::string none;
  if (span.thread() >= timeline.threads.size()) return none;
  const Texts& list = *timeline.threads[span.thread()].*texts;
  return span.name() < list.size() ? list[span.name()] : none;
}

class Builder {
 public:
  Builder(const wire::TimelineT& timeline, std::int64_t offset_ns, TimeSpan within)
      : timeline_(timeline), offset_ns_(offset_ns), within_(within) {}

  RunActivities build() {
    sort_by_beginning();
    find_inferences();
    find_instants();
    bool has_nodes = false;
    for (const wire::Span* span : spans_) {
      if (span->kind() == wire::SpanKind::op) has_nodes = has_nodes || span->node() != kNoNode;
      add(*span);
    }
    run_.by_name_only = !has_nodes && run_.inferences.empty();
    sweep();
    tell_idle_from_pauses();
    return std::move(run_);
  }

 private:
  [[nodiscard]] std::int64_t begin(const wire::Span& span) const { return span.begin_ns() + offset_ns_; }
  [[nodiscard]] std::int64_t end(const wire::Span& span) const { return span.end_ns() + offset_ns_; }
  [[nodiscard]] bool is_within(const wire::Span& span) const {
    return begin(span) >= within_.begin_ns && end(span) <= within_.end_ns;
  }

  void sort_by_beginning() {
    for (const wire::Span& span : timeline_.spans) {
      if (span.end_ns() < span.begin_ns()) {
        throw AccountError(
            fmt::format("a span of the timeline ends {} ns before it begins (at {} ns of its clock): "
                        "the file is damaged, or its clock went back; record the run again",
                        span.begin_ns() - span.end_ns(), span.begin_ns()));
      }
      if (span.kind() != wire::SpanKind::inner) spans_.push_back(&span);
    }
    std::stable_sort(spans_.begin(), spans_.end(), [](const wire::Span* a, const wire::Span* b) {
      return std::tuple(a->begin_ns(), -a->end_ns()) < std::tuple(b->begin_ns(), -b->end_ns());
    });
  }

  void find_inferences() {
    for (const wire::Span* span : spans_) {
      if (span->kind() != wire::SpanKind::inference || (span->flags() & kMissing) != 0) continue;
      if (is_within(*span)) {
        run_.inferences.push_back({begin(*span), end(*span)});
      } else {
        ++run_.inferences_outside;
      }
    }
  }

  // Of every thread, sorted: how far what is not known reaches.
  void find_instants() {
    for (const wire::Span* span : spans_) {
      auto& instants = instants_[span->thread()];
      instants.push_back(begin(*span));
      instants.push_back(end(*span));
    }
    for (auto& [thread, instants] : instants_) std::sort(instants.begin(), instants.end());
  }

  [[nodiscard]] TimeSpan not_known(const wire::Span& span) const {
    const auto& instants = instants_.at(span.thread());
    if ((span.flags() & kBeginMissing) != 0) {
      const auto at = std::lower_bound(instants.begin(), instants.end(), end(span));
      return {at == instants.begin() ? end(span) : *(at - 1), end(span)};
    }
    const auto at = std::upper_bound(instants.begin(), instants.end(), begin(span));
    return {begin(span), at == instants.end() ? begin(span) : *at};
  }

  void add(const wire::Span& span) {
    const auto edges = [&](TimeSpan time, Edge::What what, std::uint32_t op) {
      time.begin_ns = std::clamp(time.begin_ns, within_.begin_ns, within_.end_ns);
      time.end_ns = std::clamp(time.end_ns, within_.begin_ns, within_.end_ns);
      if (time.end_ns <= time.begin_ns) return;
      edges_.push_back({time.begin_ns, true, what, span.thread(), span.depth(), op});
      edges_.push_back({time.end_ns, false, what, span.thread(), span.depth(), op});
    };
    const TimeSpan time{begin(span), end(span)};
    if (span.kind() == wire::SpanKind::gap) {
      run_.lost_events += span.node();
      edges(time, Edge::What::kUnknown, kNone);
      return;
    }
    if ((span.flags() & kMissing) != 0) {
      ++run_.incomplete;
      edges(not_known(span), Edge::What::kUnknown, kNone);
      return;
    }
    auto& open_until = open_until_[span.thread()];
    while (!open_until.empty() && open_until.back() <= time.begin_ns) open_until.pop_back();
    if (!open_until.empty() && open_until.back() < time.end_ns) ++run_.crossing;
    open_until.push_back(time.end_ns);
    if (span.kind() == wire::SpanKind::inference) {
      edges(time, Edge::What::kInference, kNone);
    } else if (!is_within(span)) {  // cut by the trace's end: its energy is not all there
      edges(time, Edge::What::kUnknown, kNone);
    } else {
      edges(time, Edge::What::kOp, op_of(span));
    }
  }

  // The last one that holds it; runs on several threads may overlap.
  [[nodiscard]] std::size_t inference_of(const wire::Span& span) const {
    constexpr std::size_t kLookBack = 16;
    const auto after =
        std::upper_bound(run_.inferences.begin(), run_.inferences.end(), begin(span),
                         [](std::int64_t t, const TimeSpan& inference) { return t < inference.begin_ns; });
    auto place = static_cast<std::size_t>(after - run_.inferences.begin());
    for (std::size_t back = 0; back < kLookBack && place > 0; ++back) {
      if (run_.inferences[--place].end_ns >= end(span)) return place;
    }
    return run_.inferences.size();
  }

  std::uint32_t op_of(const wire::Span& span) {
    const std::string& name = text_of(timeline_, span, &wire::TimelineThreadT::names);
    const std::size_t inference = inference_of(span);
    const bool inside = inference < run_.inferences.size();
    std::uint32_t occurrence = 0;
    if (span.node() == kNoNode && inside) occurrence = seen_[std::tuple(inference, span.part(), name)]++;
    const auto [found, is_new] = op_index_.try_emplace(std::tuple(span.part(), span.node(), name, occurrence),
                                                       static_cast<std::uint32_t>(run_.ops.size()));
    if (is_new) {
      run_.ops.push_back({name, span.node(), span.part(), occurrence});
      run_.ops.back().type = text_of(timeline_, span, &wire::TimelineThreadT::types);
    }
    RunOp& op = run_.ops[found->second];
    ++op.calls;
    if (inside) ++op.calls_in_inferences;
    return found->second;
  }

  std::size_t activity_of(std::vector<std::uint32_t> set) {
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    const auto [found, is_new] = set_index_.try_emplace(set, run_.sets.size());
    if (is_new) run_.sets.push_back(std::move(set));
    return found->second;
  }

  void sweep() {
    run_.sets.resize(kRests);
    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) {
      return std::tuple(a.t_ns, a.begins) < std::tuple(b.t_ns, b.begins);  // ends first
    });
    struct Open {
      std::uint16_t depth;
      std::uint32_t op;
    };
    std::map<std::uint16_t, std::vector<Open>> open;
    std::uint64_t inferences = 0, unknown = 0;
    std::int64_t from_ns = within_.begin_ns;
    const auto emit = [&](std::int64_t to_ns) {
      if (to_ns <= from_ns) return;
      std::vector<std::uint32_t> set;
      for (const auto& [thread, ops] : open) {
        if (ops.empty()) continue;
        const auto innermost =
            std::max_element(ops.begin(), ops.end(), [](const Open& a, const Open& b) { return a.depth <= b.depth; });
        set.push_back(innermost->op);
      }
      std::size_t activity = inferences > 0 ? kBetweenOps : kIdle;
      if (unknown > 0) {
        activity = kLost;
      } else if (!set.empty()) {
        activity = activity_of(std::move(set));
      }
      if (!run_.spans.empty() && run_.spans.back().activity == activity) {
        run_.spans.back().end_ns = to_ns;
      } else {
        run_.spans.push_back({from_ns, to_ns, activity});
      }
      from_ns = to_ns;
    };
    for (const Edge& edge : edges_) {
      emit(edge.t_ns);
      switch (edge.what) {
        case Edge::What::kInference: inferences += edge.begins ? 1 : std::uint64_t(-1); break;
        case Edge::What::kUnknown: unknown += edge.begins ? 1 : std::uint64_t(-1); break;
        case Edge::What::kOp: {
          auto& ops = open[edge.thread];
          if (edge.begins) {
            ops.push_back({edge.depth, edge.op});
          } else {
            ops.erase(std::find_if(ops.begin(), ops.end(),
                                   [&](const Open& o) { return o.op == edge.op && o.depth == edge.depth; }));
          }
          break;
        }
      }
    }
    emit(within_.end_ns);
  }

  void tell_idle_from_pauses() {
    for (align::ActivitySpan& span : run_.spans) {
      if (span.activity == kIdle && span.end_ns - span.begin_ns < kShortestIdleNs) span.activity = kPause;
    }
  }

  const wire::TimelineT& timeline_;
  std::int64_t offset_ns_;
  TimeSpan within_;
  RunActivities run_;
  std::vector<const wire::Span*> spans_;
  std::vector<Edge> edges_;
  std::map<std::uint16_t, std::vector<std::int64_t>> instants_, open_until_;
  std::map<std::tuple<std::size_t, std::uint16_t, std::string>, std::uint32_t> seen_;
  std::map<std::tuple<std::uint16_t, std::uint32_t, std::string, std::uint32_t>, std::uint32_t> op_index_;
  std::map<std::vector<std::uint32_t>, std::size_t> set_index_;
};

void require_instants(const wire::TimelineT& timeline) {
  if (timeline.kind == wire::TimelineKind::instants) return;
  throw AccountError(fmt::format(
      "the timeline tells how long ops took ({} of them) but not when: power cannot be laid over it. Record "
      "one with instants (the adapters' markers, a Chrome trace of ONNX Runtime), or price the model with "
      "edge-predict and a table",
      timeline.durations.size()));
}

}  // namespace

TimeSpan extent_of(const wire::TimelineT& timeline) {
  require_instants(timeline);
  TimeSpan extent{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  for (const wire::Span& span : timeline.spans) {
    if (span.kind() != wire::SpanKind::op && span.kind() != wire::SpanKind::inference) continue;
    extent.begin_ns = std::min(extent.begin_ns, span.begin_ns());
    extent.end_ns = std::max(extent.end_ns, span.end_ns());
  }
  if (extent.begin_ns > extent.end_ns) {
    throw AccountError(
        "the timeline holds no op and no inference: nothing ran while it was recorded, or the runtime's hooks were not "
        "installed; see \"In a runtime\" in the README");
  }
  return extent;
}

RunActivities activities_of(const wire::TimelineT& timeline, std::int64_t offset_ns, TimeSpan within) {
  require_instants(timeline);
  return Builder(timeline, offset_ns, within).build();
}

}  // namespace edgejoule::account
