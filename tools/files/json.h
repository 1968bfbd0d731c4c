// EJ* files as JSON text and back, without loss: the binary file that comes back has
// every number to the bit and every absent field absent.
//
// Shape: fields in the order of their ids, enumerators by name, numbers as the shortest
// text that reads back the same; what is small stands on one line.
// Errors: FileError; reading says file:line:column and what was expected there, writing
// says the path of the field ("rows[3].terms[0].coefficient").
#pragma once

#include <string>
#include <string_view>

#include "edgejoule/core/span.h"
#include "files/file_bytes.h"
#include "files/file_kinds.h"

namespace edgejoule::files {

// `file_name` is for messages.
[[nodiscard]] FileBytes from_json(std::string_view json, FileKind kind, std::string_view file_name);

// Refuses what JSON cannot hold: NaN, infinities, text that is not UTF-8.
[[nodiscard]] std::string to_json(Span<const std::byte> bytes, FileKind kind, std::string_view file_name);

// Binary or JSON text, told apart by content; the structure is verified.
[[nodiscard]] FileBytes load(const std::string& path, FileKind kind);

// JSON text where `path` ends in .json or is "-", else binary.
void save(const std::string& path, Span<const std::byte> bytes, FileKind kind);

}  // namespace edgejoule::files
