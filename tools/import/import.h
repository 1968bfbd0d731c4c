// Reads a model file of any format into an EJG1 graph.
//
// The file is recognised by its content, never by its name. Files are mapped, so a
// model of several gigabytes costs no heap; weights are never read.
// Errors: throws ImportError (what, where, what to do next).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "edgejoule/core/span.h"
#include "files/file_bytes.h"

namespace edgejoule::import {

struct ImportError : std::runtime_error {
  ImportError(std::string_view where, std::string_view what, std::string_view next);
};

// What the dimensions that an ONNX file leaves open are for this prediction, by name;
// a dimension without a name is called "input:axis".
using Bindings = std::map<std::string, std::int64_t>;

struct ImportOptions {
  std::string model_name;   // "": the file's name without its extension
  bool module_tree = true;  // false: every op hangs on the root, in execution order
  Bindings bindings;
};

// EJG1 bytes, verified: an .ejg file passes through, everything else is converted.
[[nodiscard]] files::FileBytes import_model(const std::filesystem::path& path, const ImportOptions& options = {});

// The same for bytes in memory; `file` is what messages and the graph call them.
[[nodiscard]] files::FileBytes import_bytes(Span<const std::byte> bytes, std::string_view file,
                                            const ImportOptions& options = {});

}  // namespace edgejoule::import
