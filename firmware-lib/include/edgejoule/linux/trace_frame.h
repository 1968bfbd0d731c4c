// The frames of an EJP1 file: how a torn or damaged file is still read.
//
// Shape: a header of 16 bytes, then the payload, padded to 8; every frame begins at a
// multiple of 8. The checksum covers the header before it and the padded payload, so
// one flipped bit loses one frame and a tail of zeros is no frame.
// Byte order: little-endian, as FlatBuffers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/span.h"

namespace edgejoule {

struct FrameHeader {
  std::uint32_t magic = 0;
  std::uint32_t size = 0;      // of the payload, padding included
  std::uint32_t sequence = 0;  // rises by one from frame to frame
  std::uint32_t crc = 0;       // CRC32C
};
static_assert(sizeof(FrameHeader) == 16);

inline constexpr std::uint32_t kFrameMagic = 0x314A4546;  // "FEJ1"
inline constexpr std::uint32_t kMaxFramePayload = 64U << 20;

// CRC32C (Castagnoli), continued from an earlier result; begin with 0.
[[nodiscard]] std::uint32_t crc32c(Span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

// Checksum of a whole frame, its header filled but for `crc`.
[[nodiscard]] std::uint32_t frame_crc(const FrameHeader& header, Span<const std::byte> payload) noexcept;

struct FoundFrame {
  std::size_t offset = 0;  // of the header
  std::size_t end = 0;     // behind the padded payload
  std::uint32_t sequence = 0;
  Span<const std::byte> payload;  // empty: there is no further frame
};

// The first whole frame at or behind `offset`; what stands before it is damage.
[[nodiscard]] FoundFrame next_frame(Span<const std::byte> file, std::size_t offset) noexcept;

}  // namespace edgejoule
