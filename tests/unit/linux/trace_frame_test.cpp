#include "edgejoule/linux/trace_frame.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace edgejoule {
namespace {

Span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void append_frame(std::vector<std::byte>& file, std::uint32_t sequence, const std::string& text) {
  FrameHeader header;
  header.magic = kFrameMagic;
  header.size = static_cast<std::uint32_t>((text.size() + 7) / 8 * 8);
  header.sequence = sequence;
  std::vector<std::byte> payload(header.size);
  std::memcpy(payload.data(), text.data(), text.size());
  header.crc = frame_crc(header, Span<const std::byte>(payload.data(), payload.size()));
  const auto* raw = reinterpret_cast<const std::byte*>(&header);
  file.insert(file.end(), raw, raw + sizeof(header));
  file.insert(file.end(), payload.begin(), payload.end());
}

std::vector<std::uint32_t> sequences(const std::vector<std::byte>& file) {
  std::vector<std::uint32_t> result;
  const Span<const std::byte> view(file.data(), file.size());
  for (FoundFrame f = next_frame(view, 0); !f.payload.empty(); f = next_frame(view, f.end))
    result.push_back(f.sequence);
  return result;
}

TEST(Crc32c, CheckValuesOfRfc3720) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);
  EXPECT_EQ(crc32c(bytes_of("456789"), crc32c(bytes_of("123"))), 0xE3069283U);
}

TEST(Frames, AreFoundInOrder) {
  std::vector<std::byte> file;
  for (std::uint32_t i = 0; i < 5; ++i) append_frame(file, i, "frame " + std::to_string(i));
  EXPECT_EQ(sequences(file), (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
}

TEST(Frames, OneFlippedBitLosesOneFrame) {
  std::vector<std::byte> file;
  for (std::uint32_t i = 0; i < 3; ++i) append_frame(file, i, "a frame of some length");
  const std::size_t frame = file.size() / 3;
  for (std::size_t bit = 0; bit < frame * 8; ++bit) {
    std::vector<std::byte> damaged = file;
    damaged[frame + bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_EQ(sequences(damaged), (std::vector<std::uint32_t>{0, 2})) << "bit " << bit;
  }
}

TEST(Frames, ZerosAndTornTailsAreNone) {
  std::vector<std::byte> file;
  append_frame(file, 0, "whole");
  const std::size_t whole = file.size();
  append_frame(file, 1, "this one is torn by a power cut!");
  for (std::size_t size = whole; size < file.size(); ++size) {
    std::vector<std::byte> torn(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(sequences(torn), (std::vector<std::uint32_t>{0})) << size;
    torn.resize(size + 4'096);
    ASSERT_EQ(sequences(torn), (std::vector<std::uint32_t>{0})) << size << " and zeros";
  }
  EXPECT_TRUE(sequences(std::vector<std::byte>(10'000)).empty());
  EXPECT_TRUE(sequences({}).empty());
}

}  // namespace
}  // namespace edgejoule
