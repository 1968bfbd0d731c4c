#include "timeline/profiles.h"

#include <fmt/format.h>

#include "text/escape.h"
#include "timeline/profile_readers.h"

namespace edgejoule::timeline {
namespace {

constexpr const char* kNext = "let the runtime write the profile again, and let it end by itself";

// A top-level array without its end, closed behind its last whole element; "": it has its
// end, or nothing whole is in it. `lost` is what follows that element.
std::string closed_array(std::string_view text, std::size_t& lost) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '[') return "";
  std::size_t depth = 0;
  std::size_t whole = 0;  // behind the last whole element
  for (std::size_t i = first; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
      if (depth == 0) return "";
      if (depth == 1) whole = i + 1;
    }
  }
  if (whole == 0) return "";
  const std::string_view rest = text.substr(whole);
  lost = rest.find_first_not_of(" \t\r\n,") == std::string_view::npos ? 0 : rest.size();
  return std::string(text.substr(0, whole)) + "\n]";
}

// Files of other kinds that people hand over, and what to do with them.
void refuse_others(std::string_view bytes, const std::string& file_name) {
  const std::string_view identifier = bytes.size() >= 8 ? bytes.substr(4, 4) : std::string_view{};
  if (identifier == "EJL1") {
    throw TimelineError(
        fmt::format("{}: it is a timeline already; show it with edge-calibrate timeline show", file_name));
  }
}

bool is_trtexec(flexbuffers::Reference root) {
  if (!root.IsVector() || root.IsMap() || root.AsVector().size() == 0 || !root.AsVector()[0].IsMap()) return false;
  const flexbuffers::Map first = root.AsVector()[0].AsMap();
  return !first["count"].IsNull() || !first["startComputeMs"].IsNull();
}

}  // namespace

wire::TimelineT read_timeline(std::string_view profile, const std::string& file_name, const ProfileOptions& options) {
  const std::string shown = text::printable(file_name);
  if (is_etdump(profile)) return read_etdump(profile, shown, options);
  refuse_others(profile, shown);
  std::size_t lost = 0;
  const std::string closed = closed_array(profile, lost);
  const ForeignJson file(closed.empty() ? profile : closed, file_name, kNext);
  const flexbuffers::Reference root = file.root();
  wire::TimelineT timeline;
  if (is_trace(root)) {
    const TraceEvents trace = read_events(file);
    timeline = is_onnxruntime(trace) ? read_onnxruntime(trace, shown) : read_chrome_trace(trace, shown, options);
  } else if (is_armnn(root)) {
    timeline = read_armnn(file, shown);
  } else if (is_trtexec(root)) {
    throw TimelineError(
        fmt::format("{}: trtexec tells how long layers and inferences took, not when on a clock that "
                    "power has; use edgejoule's markers around the inferences",
                    shown));
  } else {
    throw TimelineError(
        fmt::format("{}: it is no profile that is known; known are ONNX Runtime's, Chrome traces (an "
                    "array of events or an object with 'traceEvents'), Arm NN's and ExecuTorch's ETDump",
                    shown));
  }
  if (!closed.empty()) {
    timeline.notes.push_back(
        fmt::format("the file has no end (the program was ended before it was written?): it was "
                    "closed behind its last whole event, {} bytes dropped",
                    lost));
  }
  return timeline;
}

}  // namespace edgejoule::timeline
