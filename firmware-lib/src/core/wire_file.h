// The outside of a file: alignment, length, identifier and FlatBuffers structure.
//
// Errors: kMisaligned, kTruncated, kTooLarge, kWrongIdentifier, kCorrupt.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "structure.h"

namespace edgejoule {

// The views read vectors of numbers in place.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file formats are little-endian and read in place");

inline constexpr std::uint16_t kFormatVersion = 1;

// The file's root table.
[[nodiscard]] Result<const std::uint8_t*> verify_file(Span<const std::byte> bytes, const char* identifier,
                                                      const TableSpec* specs, std::uint32_t max_tables) noexcept;

}  // namespace edgejoule
