// A library that uses FlatBuffers' verifier under its own name, as core must not.
#include <cstddef>
#include <cstdint>

#include "edgejoule_wire/table_generated.h"

bool verify_plainly(const std::uint8_t* bytes, std::size_t size) {
  flatbuffers::Verifier verifier(bytes, size);
  return edgejoule::wire::VerifyCoefficientTableBuffer(verifier);
}
