// Arm NN's profiler output: events are keys, "NAME_#ID", and every measurement of an event
// has one number per inference.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "timeline/profile_readers.h"
#include "timeline/timeline_builder.h"

namespace edgejoule::timeline {
namespace {

constexpr std::string_view kRoot = "ArmNN";
constexpr std::string_view kInferences = "inference_measurements";
constexpr std::string_view kStart = "Wall clock time (Start)";
constexpr std::string_view kStop = "Wall clock time (Stop)";
constexpr std::string_view kIdMark = "_#";

struct Key {
  std::string name;
  std::uint32_t id = kNoNode;
};

Key key_of(const std::string& text) {
  const std::size_t mark = text.rfind(kIdMark);
  if (mark == std::string::npos) return {text, kNoNode};
  Key key{text.substr(0, mark), kNoNode};
  const char* const digits = text.data() + mark + kIdMark.size();
  if (std::from_chars(digits, text.data() + text.size(), key.id).ec != std::errc()) return {text, kNoNode};
  return key;
}

class ArmnnReader {
 public:
  ArmnnReader(const ForeignJson& file, TimelineBuilder& builder)
      : file_(file), builder_(builder), thread_(builder.thread("", "inference")) {}

  void read(const Key& key, const flexbuffers::Map& event, const std::string& place, bool is_inference) {
    std::optional<std::vector<std::int64_t>> starts;
    std::optional<std::vector<std::int64_t>> stops;
    bool has_events = false;
    const flexbuffers::TypedVector keys = event.Keys();
    const flexbuffers::Vector values = event.Values();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!values[i].IsMap()) continue;
      const flexbuffers::Map child = values[i].AsMap();
      const std::string child_text = keys[i].AsKey();
      const Key child_key = key_of(child_text);
      const std::string child_place = fmt::format("{}.{}", place, child_text);
      const std::string type = file_.text(child, "type", child_place);
      if (type == "Event") {
        has_events = true;
        read(child_key, child, child_place, false);
      } else if (child_key.name == kStart) {
        starts = instants(child, child_place);
      } else if (child_key.name == kStop) {
        stops = instants(child, child_place);
      }
    }
    // An event around others is how Arm NN got there (Execute, EnqueueWorkload), no work of its own.
    if (has_events && !is_inference) return;
    if (!starts) file_.damaged(place, fmt::format("'{}' is missing", kStart));
    if (!stops) stops.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) {
      const bool has_end = i < stops->size();
      const std::int64_t begin = (*starts)[i];
      const std::int64_t end = has_end ? (*stops)[i] : begin;
      if (end < begin) file_.damaged(place, fmt::format("inference {} ends before it begins", i));
      builder_.add(thread_, {.begin_ns = begin,
                             .end_ns = end,
                             .name = key.name,
                             .node = is_inference ? kNoNode : key.id,
                             .kind = is_inference ? wire::SpanKind::inference : wire::SpanKind::op,
                             .flags = has_end ? std::uint8_t{0} : kEndMissing});
      ends_missing += has_end ? 0 : 1;
      ops += is_inference ? 0 : 1;
    }
    if (stops->size() > starts->size()) {
      file_.damaged(place, fmt::format("'{}' has more numbers than '{}'", kStop, kStart));
    }
  }

  std::uint64_t ends_missing = 0;
  std::uint64_t ops = 0;

 private:
  std::vector<std::int64_t> instants(const flexbuffers::Map& measurement, const std::string& place) const {
    const std::string unit = file_.text(measurement, "unit", place);
    const double ns = unit == "ns" ? 1 : unit == "us" ? 1e3 : unit == "ms" ? 1e6 : 0;
    if (ns == 0) file_.damaged(place, fmt::format("its unit is '{}', neither ns, us nor ms", unit));
    if (!measurement["raw"].IsVector()) file_.damaged(place, "'raw' is no array of numbers");
    const flexbuffers::Vector raw = measurement["raw"].AsVector();
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const double value = raw[i].IsNumeric() ? raw[i].AsDouble() * ns : -1;
      if (!(value >= 0 && value < 9.2e18)) file_.damaged(place, fmt::format("raw[{}] is no instant", i));
      out.push_back(static_cast<std::int64_t>(std::llround(value)));
    }
    return out;
  }

  const ForeignJson& file_;
  TimelineBuilder& builder_;
  std::uint16_t thread_;
};

}  // namespace

bool is_armnn(flexbuffers::Reference root) {
  return root.IsMap() && root.AsMap()[kRoot.data()].IsMap();
}

wire::TimelineT read_armnn(const ForeignJson& file, const std::string& file_name) {
  TimelineBuilder builder(wire::TimelineSource::armnn, 1, file_name);
  builder.timeline().runtime = "Arm NN";
  ArmnnReader reader(file, builder);
  const flexbuffers::Map top = file.root().AsMap()[kRoot.data()].AsMap();
  const flexbuffers::TypedVector keys = top.Keys();
  const flexbuffers::Vector values = top.Values();
  bool has_inferences = false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string text = keys[i].AsKey();
    const Key key = key_of(text);
    if (key.name != kInferences || !values[i].IsMap()) continue;
    has_inferences = true;
    reader.read(key, values[i].AsMap(), text, true);
  }
  if (!has_inferences || reader.ops == 0) {
    throw TimelineError(
        fmt::format("{}: no inference with workloads is in it; enable profiling before the network is "
                    "loaded, and print the profile after the last inference",
                    file_name));
  }
  if (reader.ends_missing != 0) builder.note(fmt::format("{} beginnings have no end", reader.ends_missing));
  builder.note("its clock is CLOCK_MONOTONIC_RAW where the kernel has it: the offset to a power trace's clock drifts");
  return builder.finish();
}

}  // namespace edgejoule::timeline
