#include "capture/session.h"

#include <cstring>

#include "schemas/trace_generated.h"
#include "text/escape.h"

namespace edgejoule::capture {

std::vector<std::byte> session_frame(const Discovery& found, const std::vector<FoundRail>& rails,
                                     const SessionFacts& facts) {
  wire::TraceFrameT frame;
  frame.session = std::make_unique<wire::TraceSessionT>();
  wire::TraceSessionT& session = *frame.session;
  session.format_version = 1;
  session.tool_version = facts.tool_version;
  session.started_mono_ns = facts.started_mono_ns;
  session.started_unix_ns = facts.started_unix_ns;
  session.board = found.board != nullptr ? found.board->name : "";
  session.compatible = found.compatible;
  session.kernel = found.kernel;
  session.os_release = text::valid_utf8(found.os_release);
  session.total_description = found.has_total ? found.total_description : "";
  for (const std::string& word : facts.command) session.command.push_back(text::valid_utf8(word));
  session.markers = facts.markers;
  for (const Finding& finding : found.findings) session.notes.push_back(text::valid_utf8(finding.text));
  for (const FoundRail& rail : rails) {
    auto row = std::make_unique<wire::TraceRailT>();
    row->label = text::valid_utf8(rail.label);
    row->chip = text::valid_utf8(rail.info.chip);
    row->source = static_cast<std::uint16_t>(rail.source);
    row->kind = static_cast<wire::RailSourceKind>(rail.info.kind);
    row->path = text::valid_utf8(rail.info.path);
    row->i2c_bus = rail.info.i2c_bus;
    row->i2c_address = rail.info.i2c_address;
    row->channel = rail.info.channel;
    row->shunt_uohm = rail.info.shunt_uohm;
    row->quantum_uw = rail.quantum_uw();
    row->full_scale_uw = rail.info.full_scale_ua * rail.bus_uv / 1'000'000;
    row->cycle_ns = rail.info.cycle_ns;
    row->averages = rail.info.averages;
    row->in_total = rail.in_total;
    session.rails.push_back(std::move(row));
  }
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishTraceFrameBuffer(builder, wire::CreateTraceFrame(builder, &frame));
  std::vector<std::byte> bytes(builder.GetSize());
  std::memcpy(bytes.data(), builder.GetBufferPointer(), bytes.size());
  return bytes;
}

}  // namespace edgejoule::capture
