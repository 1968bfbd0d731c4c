// Fields of a protobuf message, read where they lie: nothing is copied, and the payload
// of a field nobody asks for is stepped over without touching its pages.
//
// Lifetime: views the bytes handed in.
// Errors: throws WireError where the bytes are no message.
// Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "edgejoule/core/span.h"

namespace edgejoule::import {

struct WireError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;      // of a varint or a fixed number: its bits
  Span<const std::byte> bytes;  // of a length-delimited field

  [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(value); }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

class WireReader {
 public:
  explicit WireReader(Span<const std::byte> message) : rest_(message) {}

  // Nothing at the end. A group (deprecated) is refused.
  [[nodiscard]] std::optional<WireField> next();

 private:
  [[nodiscard]] std::uint64_t varint();
  [[nodiscard]] std::uint64_t fixed(std::size_t size);
  Span<const std::byte> rest_;
};

// Appends the integers of a repeated varint field, packed or one by one. At most
// `limit` stand in `out` afterwards: false where there were more.
[[nodiscard]] bool append_varints(const WireField& field, std::size_t limit, std::vector<std::int64_t>& out);

}  // namespace edgejoule::import
