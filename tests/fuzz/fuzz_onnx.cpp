// Any bytes as an ONNX model: import_onnx answers with a graph that verifies or throws
// ImportError; anything else is a finding.
#include <cstddef>
#include <cstdint>

#include "import/import.h"
#include "import/onnx/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  edgejoule::import::ImportOptions options;
  options.bindings = {{"sequence", 4}};
  try {
    static_cast<void>(
        edgejoule::import::import_onnx({reinterpret_cast<const std::byte*>(data), size}, "fuzz", options));
  } catch (const edgejoule::import::ImportError&) {
  }
  return 0;
}
