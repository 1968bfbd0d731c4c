// Chrome traces in general: what is an op and what a run the caller may say.
#include <fmt/format.h>

#include <map>
#include <set>

#include "timeline/profile_readers.h"
#include "timeline/timeline_builder.h"

namespace edgejoule::timeline {
namespace {

bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return false;
  if (pattern.back() != '*') return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

struct Flat {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::string name;
  std::string category;
  std::uint8_t flags = 0;
};

struct FlatThread {
  std::string name;
  std::string process;
  std::vector<Flat> spans;
  std::vector<Flat> open;  // begun by B
};

class Pairing {
 public:
  void take(const TraceEvent& event, FlatThread& thread) {
    if (event.phase == 'X') {
      const bool has_end = event.duration_ns.has_value();
      thread.spans.push_back({event.begin_ns, event.begin_ns + event.duration_ns.value_or(0), event.name,
                              event.category, has_end ? std::uint8_t{0} : kEndMissing});
      ends_missing += has_end ? 0 : 1;
    } else if (event.phase == 'B') {
      thread.open.push_back({event.begin_ns, event.begin_ns, event.name, event.category, kEndMissing});
    } else {
      end(event, thread);
    }
  }

  // What is still open never ended.
  void finish(FlatThread& thread) {
    while (!thread.open.empty()) give_up(thread);
  }

  std::uint64_t begins_missing = 0;
  std::uint64_t ends_missing = 0;

 private:
  void give_up(FlatThread& thread) {
    thread.spans.push_back(std::move(thread.open.back()));
    thread.open.pop_back();
    ++ends_missing;
  }

  void end(const TraceEvent& event, FlatThread& thread) {
    std::size_t match = thread.open.size();
    while (match > 0 && !event.name.empty() && thread.open[match - 1].name != event.name) --match;
    if (match == 0) {
      thread.spans.push_back({event.begin_ns, event.begin_ns, event.name, event.category, kBeginMissing});
      ++begins_missing;
      return;
    }
    while (thread.open.size() > match) give_up(thread);
    Flat span = std::move(thread.open.back());
    thread.open.pop_back();
    if (event.begin_ns < span.begin_ns) {
      span.flags = kEndMissing;
      ++ends_missing;
    } else {
      span.end_ns = event.begin_ns;
      span.flags = 0;
    }
    thread.spans.push_back(std::move(span));
  }
};

}  // namespace

wire::TimelineT read_chrome_trace(const TraceEvents& trace, const std::string& file_name,
                                  const ProfileOptions& options) {
  TimelineBuilder builder(wire::TimelineSource::chrome_trace, trace.resolution_ns, file_name);
  builder.only_outermost_ops();
  std::map<std::string, FlatThread> threads;
  std::vector<std::string> order;
  std::set<std::string> processes;
  Pairing pairing;
  const auto thread_of = [&](const TraceEvent& event) -> FlatThread& {
    const std::string key = event.process + "/" + event.thread;
    const auto [entry, is_new] = threads.try_emplace(key, FlatThread{event.thread, event.process, {}, {}});
    if (is_new) order.push_back(key);
    return entry->second;
  };
  for (const TraceEvent& event : trace.events) {
    if (event.phase == 'M') {
      const flexbuffers::Reference name = event.arguments["name"];
      if (event.name == "thread_name" && name.IsString()) thread_of(event).name = name.AsString().str();
      continue;
    }
    processes.insert(event.process);
    pairing.take(event, thread_of(event));
  }
  std::uint64_t ops = 0;
  std::uint64_t runs = 0;
  std::uint64_t left_out = 0;
  for (const std::string& key : order) {
    FlatThread& thread = threads.at(key);
    pairing.finish(thread);
    if (thread.spans.empty()) continue;
    const std::string name = processes.size() > 1 ? thread.process + "/" + thread.name : thread.name;
    const std::uint16_t index = builder.thread(key, name);
    for (Flat& span : thread.spans) {
      const bool is_run = matches(span.name, options.inference);
      if (!is_run && !options.category.empty() && span.category != options.category) {
        ++left_out;
        continue;
      }
      (is_run ? runs : ops) += 1;
      builder.add(index, {.begin_ns = span.begin_ns,
                          .end_ns = span.end_ns,
                          .name = std::move(span.name),
                          .kind = is_run ? wire::SpanKind::inference : wire::SpanKind::op,
                          .flags = span.flags});
    }
  }
  if (ops == 0) {
    throw TimelineError(
        options.category.empty()
            ? fmt::format("{}: no op is in it; an op is an event with a beginning and an end", file_name)
            : fmt::format("{}: no event of the category '{}' is in it; the field 'cat' of an event names "
                          "its category",
                          file_name, options.category));
  }
  if (!options.inference.empty() && runs == 0) {
    throw TimelineError(
        fmt::format("{}: no event is called '{}'; name the events that are runs of the whole model (a '*' at the end "
                    "stands for the rest of a name)",
                    file_name, options.inference));
  }
  if (options.inference.empty()) {
    builder.note("which events are runs of the whole model was not said: every outermost event is an op");
  }
  if (left_out != 0) builder.note(fmt::format("{} events of other categories were left out", left_out));
  if (trace.other_phases != 0) {
    builder.note(fmt::format("{} events of phases other than X, B, E and M were left out", trace.other_phases));
  }
  if (pairing.begins_missing != 0) builder.note(fmt::format("{} ends have no beginning", pairing.begins_missing));
  if (pairing.ends_missing != 0) builder.note(fmt::format("{} beginnings have no end", pairing.ends_missing));
  if (processes.size() > 1) {
    builder.note(fmt::format("it has events of {} processes, taken to be on one clock", processes.size()));
  } else if (!processes.empty()) {
    builder.process(*processes.begin());
  }
  return builder.finish();
}

}  // namespace edgejoule::timeline
