// TFLite to EJG1.
//
// Errors: throws ImportError.
#pragma once

#include <cstddef>
#include <string_view>

#include "edgejoule/core/span.h"
#include "files/file_bytes.h"
#include "import/import.h"

namespace edgejoule::import {

// Precondition: TfliteFile::recognises(bytes), and they start on an 8-byte boundary.
[[nodiscard]] files::FileBytes import_tflite(Span<const std::byte> bytes, std::string_view file,
                                             const ImportOptions& options);

}  // namespace edgejoule::import
