#include "edgejoule/linux/trace_frame.h"

#include <array>
#include <cstring>

namespace edgejoule {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, reflected

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

constexpr std::size_t kAlignment = 8;

}  // namespace

std::uint32_t crc32c(Span<const std::byte> bytes, std::uint32_t crc) noexcept {
  crc = ~crc;
  for (const std::byte byte : bytes) crc = kTable[(crc ^ static_cast<std::uint32_t>(byte)) & 0xFFU] ^ crc >> 8;
  return ~crc;
}

std::uint32_t frame_crc(const FrameHeader& header, Span<const std::byte> payload) noexcept {
  std::byte before[offsetof(FrameHeader, crc)];
  std::memcpy(before, &header, sizeof(before));
  return crc32c(payload, crc32c(Span<const std::byte>(before, sizeof(before))));
}

FoundFrame next_frame(Span<const std::byte> file, std::size_t offset) noexcept {
  offset = (offset + kAlignment - 1) / kAlignment * kAlignment;
  for (; offset + sizeof(FrameHeader) <= file.size(); offset += kAlignment) {
    FrameHeader header;
    std::memcpy(&header, file.data() + offset, sizeof(header));
    if (header.magic != kFrameMagic || header.size == 0 || header.size > kMaxFramePayload) continue;
    if (header.size % kAlignment != 0 || file.size() - offset - sizeof(header) < header.size) continue;
    const Span<const std::byte> payload = file.subspan(offset + sizeof(header), header.size);
    if (frame_crc(header, payload) != header.crc) continue;
    FoundFrame found;
    found.offset = offset;
    found.end = offset + sizeof(header) + header.size;
    found.sequence = header.sequence;
    found.payload = payload;
    return found;
  }
  return {};
}

}  // namespace edgejoule
