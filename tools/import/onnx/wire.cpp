#include "import/onnx/wire.h"

#include <fmt/format.h>

namespace edgejoule::import {

std::uint64_t WireReader::varint() {
  constexpr std::size_t kMaxBytes = 10;
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kMaxBytes; ++i) {
    if (i == rest_.size()) throw WireError("a number is cut short");
    const auto byte = static_cast<std::uint64_t>(rest_[i]);
    out |= (byte & 0x7FU) << (7 * i);
    if ((byte & 0x80U) == 0) {
      rest_ = rest_.subspan(i + 1, rest_.size() - i - 1);
      return out;
    }
  }
  throw WireError("a number has more than ten bytes");
}

std::uint64_t WireReader::fixed(std::size_t size) {
  if (rest_.size() < size) throw WireError("a number is cut short");
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out |= static_cast<std::uint64_t>(rest_[i]) << (8 * i);
  rest_ = rest_.subspan(size, rest_.size() - size);
  return out;
}

std::optional<WireField> WireReader::next() {
  constexpr std::uint64_t kMaxNumber = (1U << 29U) - 1;
  if (rest_.empty()) return std::nullopt;
  const std::uint64_t tag = varint();
  WireField field;
  if (tag >> 3U == 0 || tag >> 3U > kMaxNumber) throw WireError("a field has no valid number");
  field.number = static_cast<std::uint32_t>(tag >> 3U);
  switch (tag & 7U) {
    case 0: field.value = varint(); break;
    case 1: field.value = fixed(8); break;
    case 2: {
      const std::uint64_t size = varint();
      if (size > rest_.size()) {
        throw WireError(fmt::format("field {} claims {} bytes where {} are left", field.number, size, rest_.size()));
      }
      field.bytes = rest_.subspan(0, static_cast<std::size_t>(size));
      rest_ = rest_.subspan(static_cast<std::size_t>(size), rest_.size() - static_cast<std::size_t>(size));
      break;
    }
    case 5: field.value = fixed(4); break;
    default: throw WireError(fmt::format("field {} is of wire type {}", field.number, tag & 7U));
  }
  field.type = static_cast<WireType>(tag & 7U);
  return field;
}

bool append_varints(const WireField& field, std::size_t limit, std::vector<std::int64_t>& out) {
  if (field.type == WireType::kVarint) {
    if (out.size() >= limit) return false;
    out.push_back(field.integer());
    return true;
  }
  if (field.type != WireType::kBytes) throw WireError(fmt::format("field {} holds no integers", field.number));
  // A packed field is a run of bare varints: 1 byte each at least.
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const std::byte byte : field.bytes) {
    if (shift > 63) throw WireError("a number has more than ten bytes");
    value |= (static_cast<std::uint64_t>(byte) & 0x7FU) << shift;
    shift += 7;
    if ((byte & std::byte{0x80}) == std::byte{0}) {
      if (out.size() >= limit) return false;
      out.push_back(static_cast<std::int64_t>(value));
      value = 0;
      shift = 0;
    }
  }
  if (shift != 0) throw WireError("a number is cut short");
  return true;
}

}  // namespace edgejoule::import
