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
constexpr std::uint32_t kVtableHeader = 4;  // its own size and the table's

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

bool StructureCheck::reference(std::uint32_t at, const FieldSpec& spec) noexcept {
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

bool StructureCheck::learn(std::uint32_t vtable, std::uint8_t which, Shape& out) const noexcept {
  if (!holds(vtable, kVtableHeader, sizeof(std::uint16_t))) {
    return false;
  }
  const std::uint32_t vtable_bytes = read<std::uint16_t>(data_ + vtable);
  if (vtable_bytes < kVtableHeader || (vtable_bytes & 1U) != 0 || !holds(vtable, vtable_bytes, sizeof(std::uint16_t))) {
    return false;
  }
  Shape shape{vtable, 0, 0, kNoLongs, which};
  std::uint32_t end = 0;
  const TableSpec& spec = specs_[which];
  std::uint32_t fields = (vtable_bytes - kVtableHeader) / sizeof(std::uint16_t);
  fields = fields < spec.count ? fields : spec.count;  // newer fields are nobody's concern
  for (std::uint32_t i = 0; i < fields; ++i) {
    const std::uint32_t offset = read<std::uint16_t>(data_ + vtable + kVtableHeader + i * sizeof(std::uint16_t));
    if (offset == 0) {
      continue;  // absent
    }
    const FieldSpec& field = spec.fields[i];
    const bool scalar = field.kind == FieldSpec::kScalar;
    const std::uint32_t field_end = offset + (scalar ? field.size : kOffsetBytes);
    end = field_end > end ? field_end : end;
    shape.references |= scalar ? 0U : 1U << i;
    const std::uint32_t alignment = scalar ? field.alignment : kOffsetBytes;
    // Tables stand at multiples of 4; a field of 8 bytes asks more of its table.
    if (alignment <= kOffsetBytes ? (offset & (alignment - 1U)) != 0
                                  : shape.long_at != kNoLongs && shape.long_at != offset % alignment) {
      return false;
    }
    if (alignment > kOffsetBytes) {
      shape.long_at = static_cast<std::uint8_t>(offset % alignment);
    }
  }
  shape.end = static_cast<std::uint16_t>(end);
  out = shape;
  return end <= 0xFFFFU;
}

bool StructureCheck::table(std::uint32_t at, std::uint8_t which) noexcept {
  if (tables_left_ == 0 || !holds(at, kOffsetBytes, kOffsetBytes)) {
    return false;
  }
  --tables_left_;
  // The offset to the vtable is signed; the sum modulo 2^32 is right either way.
  const std::uint32_t vtable = at - read<std::uint32_t>(data_ + at);
  Shape& known = shapes_[((vtable + which) * 0x9E3779B1U >> 16U) % kShapes];
  if ((vtable != known.vtable || which != known.which) && !learn(vtable, which, known)) {
    known.vtable = 0;
    return false;
  }
  const Shape shape = known;  // tables below may take its place
  if (vtable == 0 || shape.end > size_ - at || (shape.long_at != kNoLongs && (at + shape.long_at) % 8U != 0)) {
    return false;
  }
  for (std::uint32_t left = shape.references; left != 0; left &= left - 1U) {
    const auto field = static_cast<std::uint32_t>(__builtin_ctz(left));
    const std::uint32_t slot = vtable + kVtableHeader + field * std::uint32_t{sizeof(std::uint16_t)};
    if (!reference(at + read<std::uint16_t>(data_ + slot), specs_[which].fields[field])) {
      return false;
    }
  }
  return true;
}

}  // namespace edgejoule
