#include "structure.h"

#include <cstring>

namespace edgejoule {
namespace {

template <class T>
T read(const std::uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr std::uint32_t kOffsetBytes = 4;

}  // namespace

bool StructureCheck::root() noexcept {
  std::uint32_t target = 0;
  return follow(0, target) && table(target, 0);
}

bool StructureCheck::follow(std::uint32_t at, std::uint32_t& target) const noexcept {
  if (!holds(at, kOffsetBytes, kOffsetBytes)) {
    return false;
  }
  const auto offset = read<std::uint32_t>(data_ + at);
  target = at + offset;
  return offset != 0 && offset < size_ - at;
}

bool StructureCheck::vector(std::uint32_t at, std::uint32_t element, std::uint32_t alignment,
                            std::uint32_t& count) const noexcept {
  if (!holds(at, kOffsetBytes, kOffsetBytes)) {
    return false;
  }
  count = read<std::uint32_t>(data_ + at);
  const bool aligned = count == 0 || ((at + kOffsetBytes) & (alignment - 1U)) == 0;  // nothing to align in none
  return aligned && count <= (size_ - at - kOffsetBytes) / element;
}

bool StructureCheck::string(std::uint32_t at) const noexcept {
  std::uint32_t length = 0;
  if (!vector(at, 1, 1, length)) {
    return false;
  }
  const std::uint32_t end = at + kOffsetBytes + length;
  return end < size_ && data_[end] == 0;
}

bool StructureCheck::field(std::uint32_t at, FieldSpec spec) noexcept {
  if (spec.kind == FieldSpec::kScalar) {
    return holds(at, spec.size, spec.alignment);
  }
  std::uint32_t target = 0;
  if (!follow(at, target)) {
    return false;
  }
  std::uint32_t count = 0;
  switch (spec.kind) {
    case FieldSpec::kString: return string(target);
    case FieldSpec::kScalars: return vector(target, spec.size, spec.alignment, count);
    case FieldSpec::kTable: return table(target, spec.size);
    default: break;
  }
  if (!vector(target, kOffsetBytes, kOffsetBytes, count)) {
    return false;
  }
  for (std::uint32_t slot = target + kOffsetBytes; count > 0; --count, slot += kOffsetBytes) {
    if (!follow(slot, target) || !(spec.kind == FieldSpec::kStrings ? string(target) : table(target, spec.size))) {
      return false;
    }
  }
  return true;
}

bool StructureCheck::table(std::uint32_t at, std::uint8_t which) noexcept {
  constexpr std::uint32_t kVtableHeader = 4;  // its own size and the table's
  if (tables_left_ == 0 || !holds(at, kOffsetBytes, kOffsetBytes)) {
    return false;
  }
  --tables_left_;
  // The offset to the vtable is signed; the sum modulo 2^32 is right either way.
  const std::uint32_t vtable = at - read<std::uint32_t>(data_ + at);
  if (!holds(vtable, kVtableHeader, sizeof(std::uint16_t))) {
    return false;
  }
  const std::uint32_t vtable_bytes = read<std::uint16_t>(data_ + vtable);
  if (vtable_bytes < kVtableHeader || (vtable_bytes & 1U) != 0 || !holds(vtable, vtable_bytes, sizeof(std::uint16_t))) {
    return false;
  }
  const TableSpec& spec = specs_[which];
  std::uint32_t fields = (vtable_bytes - kVtableHeader) / sizeof(std::uint16_t);
  fields = fields < spec.count ? fields : spec.count;  // newer fields are nobody's concern
  const std::uint8_t* slot = data_ + vtable + kVtableHeader;
  for (std::uint32_t i = 0; i < fields; ++i, slot += sizeof(std::uint16_t)) {
    const std::uint32_t offset = read<std::uint16_t>(slot);
    if (offset != 0 && !field(at + offset, spec.fields[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace edgejoule
