#include "files/file_kinds.h"

#include <array>

#include "schemas/board_bfbs_generated.h"
#include "schemas/board_generated.h"
#include "schemas/graph_bfbs_generated.h"
#include "schemas/graph_generated.h"
#include "schemas/measurements_bfbs_generated.h"
#include "schemas/measurements_generated.h"
#include "schemas/report_bfbs_generated.h"
#include "schemas/report_generated.h"
#include "schemas/table_bfbs_generated.h"
#include "schemas/table_generated.h"
#include "schemas/timeline_bfbs_generated.h"
#include "schemas/timeline_generated.h"
#include "schemas/trace_bfbs_generated.h"
#include "schemas/trace_generated.h"

namespace edgejoule::files {
namespace {

// Nesting and table counts are bounded by the bytes themselves.
template <bool (*verify_root)(flatbuffers::Verifier&)>
bool verify(Span<const std::byte> bytes) {
  constexpr flatbuffers::uoffset_t kDepth = 64;
  const auto tables = static_cast<flatbuffers::uoffset_t>(bytes.size() / sizeof(flatbuffers::uoffset_t));
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), kDepth, tables);
  return verify_root(verifier);
}

template <class BinarySchema>
Span<const std::uint8_t> binary_schema() {
  return {BinarySchema::data(), BinarySchema::size()};
}

constexpr std::array<FileKindInfo, 7> kKinds = {{
    {FileKind::kGraph, "EJG1", "a model graph", "schemas/graph.fbs", wire::ModelGraphTypeTable,
     verify<wire::VerifyModelGraphBuffer>, binary_schema<wire::ModelGraphBinarySchema>},
    {FileKind::kTable, "EJT1", "a coefficient table", "schemas/table.fbs", wire::CoefficientTableTypeTable,
     verify<wire::VerifyCoefficientTableBuffer>, binary_schema<wire::CoefficientTableBinarySchema>},
    {FileKind::kReport, "EJR1", "a report", "schemas/report.fbs", wire::ReportTypeTable,
     verify<wire::VerifyReportBuffer>, binary_schema<wire::ReportBinarySchema>},
    {FileKind::kTrace, "EJP1", "a frame of a power trace", "schemas/trace.fbs", wire::TraceFrameTypeTable,
     verify<wire::VerifyTraceFrameBuffer>, binary_schema<wire::TraceFrameBinarySchema>},
    {FileKind::kBoard, "EJB1", "a board description", "schemas/board.fbs", wire::BoardDescriptionTypeTable,
     verify<wire::VerifyBoardDescriptionBuffer>, binary_schema<wire::BoardDescriptionBinarySchema>},
    {FileKind::kMeasurements, "EJM1", "a set of measurements", "schemas/measurements.fbs",
     wire::MeasurementSetTypeTable, verify<wire::VerifyMeasurementSetBuffer>,
     binary_schema<wire::MeasurementSetBinarySchema>},
    {FileKind::kTimeline, "EJL1", "a timeline", "schemas/timeline.fbs", wire::TimelineTypeTable,
     verify<wire::VerifyTimelineBuffer>, binary_schema<wire::TimelineBinarySchema>},
}};

}  // namespace

Span<const FileKindInfo> file_kinds() {
  return {kKinds.data(), kKinds.size()};
}

const FileKindInfo& info_of(FileKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<FileKind> kind_of(Span<const std::byte> bytes) {
  constexpr std::size_t kIdentifierAt = sizeof(flatbuffers::uoffset_t);
  for (const FileKindInfo& kind : kKinds) {
    const std::size_t end = kIdentifierAt + kind.identifier.size();
    if (bytes.size() < end) continue;
    const std::string_view found(reinterpret_cast<const char*>(bytes.data()) + kIdentifierAt, kind.identifier.size());
    if (found == kind.identifier) return kind.kind;
  }
  return std::nullopt;
}

}  // namespace edgejoule::files
