#include "import/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "edgejoule/core/graph.h"
#include "files/file_kinds.h"
#include "import/mapped_file.h"
#ifdef EDGEJOULE_WITH_ONNX
#include "import/onnx/file.h"
#include "import/onnx/import.h"
#endif
#include "import/tflite/file.h"
#include "import/tflite/import.h"

namespace edgejoule::import {
namespace {

constexpr std::size_t kAlignment = 8;

files::FileBytes pass_through(Span<const std::byte> bytes, std::string_view file) {
  files::FileBytes out(bytes.data(), bytes.size());
  const Result<GraphView> graph = GraphView::open(out.span());
  if (!graph) {
    throw ImportError(file, error_text(graph.error()), "import the model again with this version of edgejoule");
  }
  return out;
}

// What the first bytes look like, for a person who passed the wrong file.
std::string first_bytes(Span<const std::byte> bytes) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 8); ++i) {
    out += fmt::format("{}{:02x}", i == 0 ? "" : " ", static_cast<unsigned>(bytes[i]));
  }
  return out;
}

bool is_graph(Span<const std::byte> bytes) {
  const auto kind = files::kind_of(bytes);
  return kind.has_value() && *kind == files::FileKind::kGraph;
}

#ifdef EDGEJOULE_WITH_ONNX
bool is_onnx(Span<const std::byte> bytes) {
  return OnnxFile::recognises(bytes);
}
#else
// ModelProto begins with ir_version (field 1, a varint below 128), then a field of
// length-delimited bytes (producer_name, domain, graph) or another version.
bool is_onnx(Span<const std::byte> bytes) {
  constexpr std::size_t kHead = 3;
  if (bytes.size() < kHead || bytes[0] != std::byte{0x08} || bytes[1] > std::byte{0x7F}) return false;
  return bytes[2] == std::byte{0x12} || bytes[2] == std::byte{0x1A} || bytes[2] == std::byte{0x22} ||
         bytes[2] == std::byte{0x3A} || bytes[2] == std::byte{0x28};
}

files::FileBytes import_onnx(Span<const std::byte>, std::string_view file, const ImportOptions&) {
  throw ImportError(file, "an ONNX model, which this build does not read",
                    "build edge-predict on the development machine with libonnx-dev installed, and pass this device "
                    "the graph it writes with --write-graph");
}
#endif

}  // namespace

ImportError::ImportError(std::string_view where, std::string_view what, std::string_view next)
    : std::runtime_error(fmt::format("{}: {}; {}", where, what, next)) {}

files::FileBytes import_bytes(Span<const std::byte> bytes, std::string_view file, const ImportOptions& options) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment != 0) {
    const files::FileBytes aligned(bytes.data(), bytes.size());
    return import_bytes(aligned.span(), file, options);
  }
  if (is_onnx(bytes)) return import_onnx(bytes, file, options);
  if (!options.bindings.empty() && (is_graph(bytes) || TfliteFile::recognises(bytes))) {
    throw ImportError(file, "only an ONNX file has dimensions to bind", "leave out --bind");
  }
  if (is_graph(bytes)) return pass_through(bytes, file);
  if (TfliteFile::recognises(bytes)) return import_tflite(bytes, file, options);
  throw ImportError(
      file, fmt::format("neither a TFLite nor an ONNX model nor an EJG1 graph (it starts with {})", first_bytes(bytes)),
      "pass a .tflite, .onnx or .ejg file; a cut-short download or a web page saved as a model looks like this");
}

files::FileBytes import_model(const std::filesystem::path& path, const ImportOptions& options) {
  const MappedFile file(path);
  ImportOptions named = options;
  if (named.model_name.empty()) named.model_name = path.stem().string();
  return import_bytes(file.bytes(), path.string(), named);
}

}  // namespace edgejoule::import
