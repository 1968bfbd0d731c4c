// FlatBuffers structure checked against a description of the schema: every offset,
// length, terminator and alignment that reading relies on.
//
// It does what flatbuffers::Verifier does with generated code, in a tenth of its code,
// and also aligns the elements of vectors, which the Verifier of
// some releases does not. Two tests hold it to that: the descriptions have every field
// of the schema, and it never accepts what the Verifier rejects.
#pragma once

#include <cstdint>

namespace edgejoule {

struct FieldSpec {
  enum Kind : std::uint8_t { kScalar, kString, kScalars, kStrings, kTable, kTables };
  Kind kind;
  std::uint8_t alignment;  // of a scalar, or of the elements of kScalars
  std::uint8_t size;       // likewise; of kTable and kTables: which table
};

// Fields in the order of their ids; at most 32.
struct TableSpec {
  const FieldSpec* fields;
  std::uint8_t count;
};

template <std::uint8_t kCount>
constexpr TableSpec table_spec(const FieldSpec (&fields)[kCount]) noexcept {
  return {fields, kCount};
}

namespace spec {
inline constexpr FieldSpec kByte{FieldSpec::kScalar, 1, 1};
inline constexpr FieldSpec kShort{FieldSpec::kScalar, 2, 2};
inline constexpr FieldSpec kWord{FieldSpec::kScalar, 4, 4};
inline constexpr FieldSpec kLong{FieldSpec::kScalar, 8, 8};
inline constexpr FieldSpec kString{FieldSpec::kString, 1, 1};
inline constexpr FieldSpec kStrings{FieldSpec::kStrings, 4, 4};
constexpr FieldSpec structure(std::uint8_t size, std::uint8_t alignment) noexcept {
  return {FieldSpec::kScalar, alignment, size};
}
constexpr FieldSpec vector_of(std::uint8_t size, std::uint8_t alignment) noexcept {
  return {FieldSpec::kScalars, alignment, size};
}
constexpr FieldSpec table(std::uint8_t index) noexcept {
  return {FieldSpec::kTable, 4, index};
}
constexpr FieldSpec tables(std::uint8_t index) noexcept {
  return {FieldSpec::kTables, 4, index};
}
}  // namespace spec

class StructureCheck {
 public:
  // `data` starts on an 8-byte boundary and is shorter than 2 GiB. `specs[0]` is the
  // root; a table refers only to later ones, which bounds the depth. `max_tables`
  // bounds the time where many offsets lead to one table.
  StructureCheck(const std::uint8_t* data, std::uint32_t size, const TableSpec* specs,
                 std::uint32_t max_tables) noexcept
      : data_(data), size_(size), specs_(specs), tables_left_(max_tables) {}

  [[nodiscard]] bool root() noexcept;

 private:
  // Tables of a kind share few vtables, so what follows from one is kept: where its last
  // field ends, where fields of 8 bytes stand, which fields are references.
  struct Shape {
    std::uint32_t vtable;  // 0: none, because that is where the file's header stands
    std::uint32_t references;
    std::uint16_t end;
    std::uint8_t long_at;  // modulo 8; kNoLongs: there are none
    std::uint8_t which;
  };
  static constexpr std::uint8_t kNoLongs = 255;
  static constexpr std::uint32_t kShapes = sizeof(void*) > 4 ? 32 : 8;  // small stacks

  [[nodiscard]] bool holds(std::uint32_t at, std::uint32_t bytes, std::uint32_t alignment) const noexcept {
    return (at & (alignment - 1U)) == 0 && at <= size_ && bytes <= size_ - at;
  }
  [[nodiscard]] bool follow(std::uint32_t at, std::uint32_t& target) const noexcept;
  [[nodiscard]] bool vector(std::uint32_t at, std::uint32_t element, std::uint32_t alignment,
                            std::uint32_t& count) const noexcept;
  [[nodiscard]] bool string(std::uint32_t at) const noexcept;
  [[nodiscard]] bool learn(std::uint32_t vtable, std::uint8_t which, Shape& out) const noexcept;
  [[nodiscard]] bool table(std::uint32_t at, std::uint8_t which) noexcept;
  [[nodiscard]] bool reference(std::uint32_t at, const FieldSpec& spec) noexcept;

  const std::uint8_t* data_;
  std::uint32_t size_;
  const TableSpec* specs_;
  std::uint32_t tables_left_;
  Shape shapes_[kShapes] = {};
};

}  // namespace edgejoule
