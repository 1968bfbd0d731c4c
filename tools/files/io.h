// Whole files in, whole files out; a file is replaced at once or not at all.
//
// Errors: FileError, whose text names the path, what went wrong and what to do next.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "files/file_bytes.h"

namespace edgejoule::files {

struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "-" reads standard input. Pipes and devices are read to their end.
[[nodiscard]] FileBytes read_file(const std::string& path);

// Written beside `path`, synced, renamed over it, and the folder synced: after a power
// cut either the old or the new file is there, whole. A symbolic link is followed, an
// existing file keeps its permissions. "-" writes standard output; pipes and devices
// are written in place, since they cannot be replaced.
void write_file(const std::string& path, std::string_view contents);

// Throws what write_file would, as far as it can be known beforehand; writes nothing.
void expect_writable(const std::string& path);

// The SHA-256 of the bytes as 64 hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace edgejoule::files
