#include "timeline/trace_events.h"

#include <fmt/format.h>

#include <cmath>

namespace edgejoule::timeline {
namespace {

constexpr std::int64_t kNsPerUs = 1000;
// 126 years; a beginning and a duration together still fit 64 bits of nanoseconds.
constexpr double kLongestUs = 4e15;

std::string text_of(flexbuffers::Reference value) {
  if (value.IsString()) return value.AsString().str();
  if (value.IsIntOrUint()) return fmt::format("{}", value.AsInt64());
  return value.IsNumeric() ? fmt::format("{}", value.AsDouble()) : "";
}

std::int64_t nanoseconds(const ForeignJson& file, const flexbuffers::Map& event, const char* key,
                         const std::string& place) {
  const double value = file.number(event, key, place);
  if (value > kLongestUs) file.damaged(place, fmt::format("'{}' is {} us, no time a machine has been up", key, value));
  return event[key].IsInt() ? event[key].AsInt64() * kNsPerUs
                            : static_cast<std::int64_t>(std::llround(value * static_cast<double>(kNsPerUs)));
}

}  // namespace

bool is_trace(flexbuffers::Reference root) {
  if (root.IsMap()) return root.AsMap()["traceEvents"].IsVector();
  if (!root.IsVector()) return false;
  const flexbuffers::Vector entries = root.AsVector();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].IsMap()) return entries[i].AsMap()["ph"].IsString();
  }
  return false;
}

TraceEvents read_events(const ForeignJson& file) {
  const flexbuffers::Reference root = file.root();
  const flexbuffers::Vector entries = root.IsMap() ? root.AsMap()["traceEvents"].AsVector() : root.AsVector();
  TraceEvents out;
  bool has_fraction = false;
  out.events.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string place = fmt::format("event [{}]", i);
    if (!entries[i].IsMap()) file.damaged(place, "it is no object");
    const flexbuffers::Map entry = entries[i].AsMap();
    const std::string phase = file.text(entry, "ph", place);
    if (phase != "X" && phase != "B" && phase != "E" && phase != "M") {
      ++out.other_phases;
      continue;
    }
    TraceEvent event;
    event.phase = phase[0];
    event.name = text_of(entry["name"]);
    event.category = text_of(entry["cat"]);
    event.process = text_of(entry["pid"]);
    event.thread = text_of(entry["tid"]);
    if (event.phase != 'M') {
      event.begin_ns = nanoseconds(file, entry, "ts", place);
      if (event.phase == 'X' && !entry["dur"].IsNull()) event.duration_ns = nanoseconds(file, entry, "dur", place);
      has_fraction |= event.begin_ns % kNsPerUs != 0 || event.duration_ns.value_or(0) % kNsPerUs != 0;
    }
    if (entry["args"].IsMap()) event.arguments = entry["args"].AsMap();
    out.events.push_back(std::move(event));
  }
  out.resolution_ns = has_fraction ? 1 : kNsPerUs;
  return out;
}

}  // namespace edgejoule::timeline
