// One reader per kind of profile; profiles.h chooses among them.
#pragma once

#include <string>
#include <string_view>

#include "timeline/foreign_json.h"
#include "timeline/profiles.h"
#include "timeline/trace_events.h"

namespace edgejoule::timeline {

[[nodiscard]] bool is_onnxruntime(const TraceEvents& trace);
[[nodiscard]] wire::TimelineT read_onnxruntime(const TraceEvents& trace, const std::string& file_name);
[[nodiscard]] wire::TimelineT read_chrome_trace(const TraceEvents& trace, const std::string& file_name,
                                                const ProfileOptions& options);
[[nodiscard]] bool is_etdump(std::string_view bytes);
[[nodiscard]] wire::TimelineT read_etdump(std::string_view bytes, const std::string& file_name,
                                          const ProfileOptions& options);
[[nodiscard]] bool is_armnn(flexbuffers::Reference root);
[[nodiscard]] wire::TimelineT read_armnn(const ForeignJson& file, const std::string& file_name);

}  // namespace edgejoule::timeline
