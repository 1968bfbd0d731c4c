// Any bytes as a TFLite model: import_bytes answers with a graph that verifies or
// throws ImportError; anything else is a finding.
#include <cstddef>
#include <cstdint>

#include "import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    static_cast<void>(edgejoule::import::import_bytes({reinterpret_cast<const std::byte*>(data), size}, "fuzz"));
  } catch (const edgejoule::import::ImportError&) {
  }
  return 0;
}
