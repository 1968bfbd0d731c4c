// ONNX Runtime's profile: a Chrome trace whose Node events are ops.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "timeline/profile_readers.h"
#include "timeline/timeline_builder.h"

namespace edgejoule::timeline {
namespace {

constexpr std::string_view kOpEnd = "_kernel_time";
constexpr std::string_view kRun = "model_run";
constexpr std::string_view kExecutorEnd = "Executor::Execute";
constexpr std::size_t kMostEvents = 1'000'000;  // that ONNX Runtime records; the rest it drops

std::uint32_t node_of(const flexbuffers::Map& arguments) {
  const flexbuffers::Reference value = arguments["node_index"];
  if (value.IsInt() && value.AsInt64() >= 0 && value.AsInt64() < kNoNode) return value.AsUInt32();
  if (!value.IsString()) return kNoNode;
  const std::string text = value.AsString().str();
  std::uint32_t node = kNoNode;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node);
  return error == std::errc() && end == text.data() + text.size() ? node : kNoNode;
}

std::string key_of(const TraceEvent& event) {
  return event.process + "/" + event.thread;
}

bool is_whole(const TraceEvent& event) {
  return event.phase == 'X' && event.duration_ns.has_value();
}

// Of the events that are whole runs: model_run, and where a profile has none, the
// executors' (those of subgraphs lie within an op and are told apart by their depth).
std::string_view run_end(const TraceEvents& trace) {
  const bool has_runs = std::any_of(trace.events.begin(), trace.events.end(), [](const TraceEvent& event) {
    return event.category == "Session" && event.name == kRun;
  });
  return has_runs ? kRun : kExecutorEnd;
}

}  // namespace

bool is_onnxruntime(const TraceEvents& trace) {
  return std::any_of(trace.events.begin(), trace.events.end(), [](const TraceEvent& event) {
    return (event.category == "Node" && event.name.ends_with(kOpEnd)) ||
           (event.category == "Session" && (event.name == kRun || event.name == "session_initialization"));
  });
}

wire::TimelineT read_onnxruntime(const TraceEvents& trace, const std::string& file_name) {
  TimelineBuilder builder(wire::TimelineSource::onnxruntime, trace.resolution_ns, file_name);
  builder.timeline().runtime = "ONNX Runtime";
  const std::string_view run = run_end(trace);
  std::set<std::string> processes;
  std::map<std::string, std::int64_t> last_end;  // of ops since the last run of that thread
  std::uint64_t ops = 0;
  std::uint64_t runs = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t loading = 0;
  std::uint64_t fences = 0;
  std::uint64_t kernels = 0;
  std::int64_t loading_ns = 0;
  std::int64_t fences_ns = 0;
  // Where only executors tell of runs, those within an op are of its subgraph.
  std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>> op_times;
  if (run == kExecutorEnd) {
    for (const TraceEvent& event : trace.events) {
      if (!is_whole(event) || event.category != "Node" || !event.name.ends_with(kOpEnd)) continue;
      op_times[key_of(event)].emplace_back(event.begin_ns, event.begin_ns + *event.duration_ns);
    }
  }
  const auto is_in_op = [&op_times](const TraceEvent& event, std::int64_t end) {
    const auto found = op_times.find(key_of(event));
    if (found == op_times.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const auto& op) {
      return op.first <= event.begin_ns && end <= op.second && op.second - op.first > *event.duration_ns;
    });
  };
  for (const TraceEvent& event : trace.events) {
    if (event.phase == 'M') continue;
    processes.insert(event.process);
    if (!is_whole(event)) {
      ++unfinished;
      continue;
    }
    const std::string key = key_of(event);
    const std::int64_t end = event.begin_ns + *event.duration_ns;
    ProfileSpan span{.begin_ns = event.begin_ns, .end_ns = end};
    if (event.category == "Node" && event.name.ends_with(kOpEnd)) {
      span.name = event.name.substr(0, event.name.size() - kOpEnd.size());
      const flexbuffers::Reference type = event.arguments["op_name"];
      if (type.IsString()) span.type = type.AsString().str();
      span.node = node_of(event.arguments);
      builder.add(builder.thread(key, event.thread), std::move(span));
      last_end[key] = std::max(last_end[key], end);
      ++ops;
    } else if (event.category == "Node") {  // _fence_before, _fence_after
      ++fences;
      fences_ns += *event.duration_ns;
    } else if (event.category == "Kernel") {
      // On the accelerator, beside what the thread does meanwhile.
      span.name = event.name;
      span.kind = wire::SpanKind::inner;
      builder.add(builder.thread("kernels of " + key, "kernels of " + event.thread), std::move(span));
      ++kernels;
    } else if (event.name.ends_with(run) && (run == kRun || !is_in_op(event, end))) {
      span.name = event.name;
      span.kind = wire::SpanKind::inference;
      // Instants and durations are both cut to microseconds: the run's end may lie before its last op's.
      const std::int64_t ops_end = last_end[key];
      if (ops_end > end && ops_end - end <= 2 * trace.resolution_ns) span.end_ns = ops_end;
      last_end[key] = 0;
      builder.add(builder.thread(key, event.thread), std::move(span));
      ++runs;
    } else if (!event.name.ends_with(kExecutorEnd)) {
      ++loading;
      loading_ns += *event.duration_ns;
    }
  }
  if (processes.size() > 1) {
    throw TimelineError(
        fmt::format("{}: it has events of {} processes, and each counts from its own start; give each run a file of "
                    "its own",
                    file_name, processes.size()));
  }
  if (ops == 0) {
    throw TimelineError(
        fmt::format("{}: no op is in it; run the model while profiling is on, and end it with "
                    "EndProfiling before the program ends",
                    file_name));
  }
  if (loading != 0) {
    builder.note(fmt::format("{} events of loading, {} ms in all, are no part of a run", loading,
                             static_cast<double>(loading_ns) * 1e-6));
  }
  if (fences != 0) {
    builder.note(fmt::format("{} events are waits between devices, {} ms in all: they stand as time between ops",
                             fences, static_cast<double>(fences_ns) * 1e-6));
  }
  if (unfinished != 0) builder.note(fmt::format("{} events have no duration and were left out", unfinished));
  if (kernels != 0)
    builder.note(fmt::format("{} events are an accelerator's kernels, on threads of their own", kernels));
  if (runs == 0) builder.note("no run has its end: ops belong to no inference");
  if (trace.events.size() >= kMostEvents) {
    builder.note("it has as many events as ONNX Runtime records: what ran later is missing");
  }
  builder.process(*processes.begin());
  return builder.finish();
}

}  // namespace edgejoule::timeline
