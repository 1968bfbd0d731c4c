#include "capture/trace_text.h"

#include <fmt/format.h>

#include <iterator>

#include "edgejoule/core/result.h"
#include "files/json.h"
#include "text/escape.h"

namespace edgejoule::capture {
namespace {

const char* response_name(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kBox: return "box";
    case ResponseKind::kExponential: return "exponential";
    case ResponseKind::kUnknown: return "unknown";
  }
  return "unknown";
}

std::string rail_name(const Recording& recording, std::size_t rail) {
  return rail < recording.session.rails.size() ? recording.session.rails[rail]->label : fmt::format("rail {}", rail);
}

// Written in pieces of some size: a recording may be much larger than memory should hold twice.
class Lines {
 public:
  explicit Lines(std::FILE* out) : out_(out) {}
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    if (buffer_.size() > 60'000) flush();
  }
  bool flush() {
    good_ = good_ && std::fwrite(buffer_.data(), 1, buffer_.size(), out_) == buffer_.size();
    buffer_.clear();
    return good_;
  }

 private:
  std::FILE* out_;
  std::string buffer_;
  bool good_ = true;
};

// What `index` and `value` of an event say, in words.
std::string event_detail(const Recording& recording, const TraceEvent& event) {
  switch (event.kind) {
    case EventKind::kGap: return error_text(static_cast<Error>(event.value));
    case EventKind::kStuck: return rail_name(recording, event.index);
    case EventKind::kMarkerRising:
    case EventKind::kMarkerFalling:
    case EventKind::kMarkerOverflow:
      return event.index < recording.session.markers.size() ? recording.session.markers[event.index] : "";
    case EventKind::kClockStep: return fmt::format("{} ms", static_cast<std::int32_t>(event.value));
    case EventKind::kLost:
    case EventKind::kDropped:
    case EventKind::kForcedWrite:
    case EventKind::kWindowBegin:
    case EventKind::kWindowEnd: return "";
  }
  return "";
}

std::string session_json(const Recording& recording) {
  wire::TraceFrameT frame;
  frame.session = std::make_unique<wire::TraceSessionT>(recording.session);
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishTraceFrameBuffer(builder, wire::CreateTraceFrame(builder, &frame));
  const files::FileBytes bytes(builder.GetBufferPointer(), builder.GetSize());
  return files::to_json(bytes.span(), files::FileKind::kTrace, "session");
}

}  // namespace

bool write_samples_csv(const Recording& recording, std::FILE* out) {
  Lines lines(out);
  lines.add(
      "rail,t_mono_ns,window_begin_ns,window_end_ns,power_uw,bus_uv,current_ua,sequence,cycle_ns,response,taps,"
      "flags\n");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < recording.session.rails.size(); ++i)
    names.push_back(text::csv_name(rail_name(recording, i)));
  for (const PowerSample& s : recording.samples) {
    lines.add("{},{},{},{},{},", s.rail < names.size() ? names[s.rail] : rail_name(recording, s.rail), s.t_mono_ns,
              s.window_begin_ns, s.window_end_ns, s.power_uw);
    if (s.has(SampleFlag::kBusVoltageAbsent)) {
      lines.add(",,");  // absent is not zero
    } else {
      lines.add("{},{},", s.bus_uv, s.current_ua);
    }
    lines.add("{},{},{},{},{}\n", s.sequence, s.cycle_ns, response_name(s.response), s.taps, s.flags);
  }
  return lines.flush();
}

bool write_events_csv(const Recording& recording, std::FILE* out) {
  Lines lines(out);
  lines.add("event,begin_ns,end_ns,index,value,detail\n");
  for (const TraceEvent& e : recording.events) {
    lines.add("{},{},{},{},{},{}\n", name_of(e.kind), e.begin_ns, e.end_ns, e.index, e.value,
              text::csv_name(event_detail(recording, e)));
  }
  return lines.flush();
}

bool write_json(const Recording& recording, std::FILE* out) {
  Lines lines(out);
  lines.add("{{\"recording\": {},\n", session_json(recording));
  lines.add(
      "\"columns\": [\"rail\", \"t_mono_ns\", \"window_begin_ns\", \"window_end_ns\", \"power_uw\", \"bus_uv\", "
      "\"current_ua\", \"sequence\", \"cycle_ns\", \"response\", \"taps\", \"flags\"],\n\"samples\": [");
  const char* between = "\n";
  for (const PowerSample& s : recording.samples) {
    const bool absent = s.has(SampleFlag::kBusVoltageAbsent);
    lines.add("{}[{}, {}, {}, {}, {}, ", between, s.rail, s.t_mono_ns, s.window_begin_ns, s.window_end_ns, s.power_uw);
    if (absent) {
      lines.add("null, null, ");
    } else {
      lines.add("{}, {}, ", s.bus_uv, s.current_ua);
    }
    lines.add("{}, {}, \"{}\", {}, {}]", s.sequence, s.cycle_ns, response_name(s.response), s.taps, s.flags);
    between = ",\n";
  }
  lines.add("],\n\"events\": [");
  between = "\n";
  for (const TraceEvent& e : recording.events) {
    lines.add("{}{{\"event\": \"{}\", \"begin_ns\": {}, \"end_ns\": {}, \"index\": {}, \"value\": {}, \"detail\": {}}}",
              between, name_of(e.kind), e.begin_ns, e.end_ns, e.index, e.value,
              text::json_string(event_detail(recording, e)));
    between = ",\n";
  }
  lines.add("]}}\n");
  return lines.flush();
}

}  // namespace edgejoule::capture
