#include "wire_file.h"

#include <cstring>

#include "alignment.h"

namespace edgejoule {

Result<const std::uint8_t*> verify_file(Span<const std::byte> bytes, const char* identifier, const TableSpec* specs,
                                        std::uint32_t max_tables) noexcept {
  constexpr std::size_t kHeaderBytes = 2 * sizeof(std::uint32_t);  // offset of the root, identifier
  constexpr std::size_t kMaxBytes = std::size_t{1} << 31U;
  if (!is_aligned(bytes.data())) {
    return Error::kMisaligned;
  }
  if (bytes.size() <= kHeaderBytes) {
    return Error::kTruncated;
  }
  if (bytes.size() >= kMaxBytes) {
    return Error::kTooLarge;
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::uint32_t header[2];
  std::memcpy(header, data, sizeof header);
  std::uint32_t expected = 0;
  std::memcpy(&expected, identifier, sizeof expected);
  if (header[1] != expected) {
    return Error::kWrongIdentifier;
  }
  if (header[0] >= bytes.size()) {
    return Error::kTruncated;
  }
  if (!StructureCheck(data, static_cast<std::uint32_t>(bytes.size()), specs, max_tables).root()) {
    return Error::kCorrupt;
  }
  return data + header[0];
}

}  // namespace edgejoule
