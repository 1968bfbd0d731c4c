// The outside of a file: alignment, length, identifier and FlatBuffers structure.
//
// Errors: kMisaligned, kTruncated, kTooLarge, kWrongIdentifier, kCorrupt.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

// The views read vectors of numbers in place.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file formats are little-endian and read in place");

inline constexpr std::uint16_t kFormatVersion = 1;

[[nodiscard]] inline bool is_aligned(const void* data) noexcept {
  return reinterpret_cast<std::uintptr_t>(data) % alignof(std::uint64_t) == 0;
}

template <class Root>
[[nodiscard]] Result<const Root*> verify_file(Span<const std::byte> bytes, const char* identifier,
                                              std::uint32_t max_depth, std::uint32_t max_tables) noexcept {
  constexpr std::size_t kHeaderBytes = 2 * sizeof(std::uint32_t);  // offset of the root, identifier
  if (!is_aligned(bytes.data())) {
    return Error::kMisaligned;
  }
  if (bytes.size() <= kHeaderBytes) {
    return Error::kTruncated;
  }
  if (bytes.size() >= (std::size_t{1} << 31U)) {
    return Error::kTooLarge;
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (std::memcmp(data + sizeof(std::uint32_t), identifier, sizeof(std::uint32_t)) != 0) {
    return Error::kWrongIdentifier;
  }
  std::uint32_t root_offset = 0;
  std::memcpy(&root_offset, data, sizeof root_offset);
  if (root_offset >= bytes.size()) {
    return Error::kTruncated;
  }
  flatbuffers::Verifier verifier(data, bytes.size(), max_depth, max_tables);
  if (!verifier.VerifyBuffer<Root>(nullptr)) {
    return Error::kCorrupt;
  }
  return flatbuffers::GetRoot<Root>(data);
}

[[nodiscard]] inline std::string_view text_of(const flatbuffers::String* text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

}  // namespace edgejoule
