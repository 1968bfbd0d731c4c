// Fields of FlatBuffers tables that StructureCheck has passed, by their places in the
// vtable (VT_* of the generated code), which is all that core takes from that code.
//
// Lifetime: what is returned views the file.
// A field that a writer left out reads as `absent`, the default of its schema.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "edgejoule/core/span.h"
#include "word_size.h"

namespace edgejoule {

using WireTable = const std::uint8_t*;  // where a table starts

// Where the field stands; nullptr: the file has none.
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT const std::uint8_t* wire_field(WireTable table, std::uint16_t place) noexcept {
  std::int32_t to_vtable = 0;
  std::memcpy(&to_vtable, table, sizeof to_vtable);
  const std::uint8_t* vtable = table - to_vtable;
  std::uint16_t offset = 0;
  std::memcpy(&offset, vtable, sizeof offset);  // the vtable's own bytes
  if (place >= offset) {
    return nullptr;
  }
  std::memcpy(&offset, vtable + place, sizeof offset);
  return offset == 0 ? nullptr : table + offset;
}

template <class T>
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT T wire_number(WireTable table, std::uint16_t place, T absent) noexcept {
  if (const std::uint8_t* field = wire_field(table, place)) {
    std::memcpy(&absent, field, sizeof absent);
  }
  return absent;
}

// Most read as zero.
template <class T>
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT T wire_number(WireTable table, std::uint16_t place) noexcept {
  return wire_number(table, place, T{});
}

template <class Enum>
[[nodiscard]] Enum wire_enum(WireTable table, std::uint16_t place) noexcept {
  return static_cast<Enum>(wire_number<std::underlying_type_t<Enum>>(table, place));
}

// What an offset leads to.
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT const std::uint8_t* wire_follow(const std::uint8_t* offset) noexcept {
  std::uint32_t distance = 0;
  std::memcpy(&distance, offset, sizeof distance);
  return offset + distance;
}

// The table, string or vector that a field refers to; nullptr: the file has none.
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT const std::uint8_t* wire_reference(WireTable table,
                                                                            std::uint16_t place) noexcept {
  const std::uint8_t* field = wire_field(table, place);
  return field == nullptr ? nullptr : wire_follow(field);
}

// Elements of a vector or bytes of a string; none in nullptr.
[[nodiscard]] inline std::uint32_t wire_size(const std::uint8_t* vector) noexcept {
  std::uint32_t size = 0;
  if (vector != nullptr) {
    std::memcpy(&size, vector, sizeof size);
  }
  return size;
}

// A vector of numbers or structs in place; empty where the file has none.
template <class T>
[[nodiscard]] Span<const T> wire_span(WireTable table, std::uint16_t place) noexcept {
  const std::uint8_t* vector = wire_reference(table, place);
  return vector == nullptr
             ? Span<const T>()
             : Span<const T>(reinterpret_cast<const T*>(vector + sizeof(std::uint32_t)), wire_size(vector));
}

// One of a vector of tables or strings.
[[nodiscard]] inline const std::uint8_t* wire_item(const std::uint8_t* vector, std::uint32_t i) noexcept {
  return wire_follow(vector + sizeof(std::uint32_t) * (std::size_t{i} + 1));
}

[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT std::uint32_t wire_count(WireTable table, std::uint16_t place) noexcept {
  return wire_size(wire_reference(table, place));
}

[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT const std::uint8_t* wire_item(WireTable table, std::uint16_t place,
                                                                       std::uint32_t i) noexcept {
  return wire_item(wire_reference(table, place), i);
}

// Empty for nullptr.
[[nodiscard]] inline std::string_view wire_text(const std::uint8_t* string) noexcept {
  return string == nullptr
             ? std::string_view()
             : std::string_view(reinterpret_cast<const char*>(string) + sizeof(std::uint32_t), wire_size(string));
}

[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT std::string_view wire_text(WireTable table, std::uint16_t place) noexcept {
  return wire_text(wire_reference(table, place));
}

// A text of a table that may be absent itself.
[[nodiscard]] inline std::string_view wire_text_in(WireTable root, std::uint16_t place, std::uint16_t text) noexcept {
  const WireTable table = wire_reference(root, place);
  return table == nullptr ? std::string_view() : wire_text(table, text);
}

}  // namespace edgejoule
