// The kinds of file this project reads and writes: one row each.
//
// Growth: a new format is one enumerator, one row in file_kinds.cpp and its schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "edgejoule/core/span.h"

namespace flatbuffers {
struct TypeTable;
}

namespace edgejoule::files {

enum class FileKind : std::uint8_t { kGraph, kTable, kReport, kTrace, kBoard, kMeasurements, kTimeline };

struct FileKindInfo {
  FileKind kind;
  std::string_view identifier;   // four characters behind the root offset
  std::string_view what;         // "a coefficient table"
  std::string_view schema_file;  // for messages
  const flatbuffers::TypeTable* (*type_table)();
  bool (*verify)(Span<const std::byte> bytes);
  Span<const std::uint8_t> (*binary_schema)();
};

[[nodiscard]] Span<const FileKindInfo> file_kinds();
[[nodiscard]] const FileKindInfo& info_of(FileKind kind);

// From the identifier of a binary file; none where it is not one of ours.
[[nodiscard]] std::optional<FileKind> kind_of(Span<const std::byte> bytes);

}  // namespace edgejoule::files
