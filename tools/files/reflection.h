// Walks any EJ* file by the type tables that flatc emits (--reflect-names).
//
// Shape: the bytes are verified before; unions and fixed-size arrays are not used by
// our schemas (tests/evolution says so).
#pragma once

#include <flatbuffers/flatbuffers.h>
#include <flatbuffers/minireflect.h>

#include <cstddef>
#include <cstdint>

namespace edgejoule::files {

// One present field: a single value (count 1) or the elements of a vector.
struct ReflectedField {
  const char* name;
  flatbuffers::ElementaryType type;
  const flatbuffers::TypeTable* type_table;  // of an enum, struct or table; else null
  bool is_vector;
  const std::uint8_t* first;
  std::size_t count;

  [[nodiscard]] bool is_object() const { return type == flatbuffers::ET_SEQUENCE; }
  [[nodiscard]] const std::uint8_t* element(std::size_t i) const {
    return first + i * flatbuffers::InlineSize(type, type_table);
  }
  // Precondition: is_object().
  [[nodiscard]] const std::uint8_t* object(std::size_t i) const {
    const std::uint8_t* at = element(i);
    return type_table->st == flatbuffers::ST_TABLE ? at + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(at) : at;
  }
};

// Calls visit(field) for every present field of a table or struct, by field id.
template <class Visit>
void for_each_field(const std::uint8_t* object, const flatbuffers::TypeTable& type, Visit visit) {
  for (std::size_t i = 0; i < type.num_elems; ++i) {
    const flatbuffers::TypeCode code = type.type_codes[i];
    const bool in_table = type.st == flatbuffers::ST_TABLE;
    const std::uint8_t* value = in_table ? reinterpret_cast<const flatbuffers::Table*>(object)->GetAddressOf(
                                               flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(i)))
                                         : object + type.values[i];
    if (value == nullptr) continue;
    ReflectedField field{.name = type.names[i],
                         .type = static_cast<flatbuffers::ElementaryType>(code.base_type),
                         .type_table = code.sequence_ref >= 0 ? type.type_refs[code.sequence_ref]() : nullptr,
                         .is_vector = code.is_repeating != 0,
                         .first = value,
                         .count = 1};
    if (field.is_vector) {
      const std::uint8_t* vector = value + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(value);
      field.count = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(vector);
      field.first = vector + sizeof(flatbuffers::uoffset_t);
    }
    visit(field);
  }
}

}  // namespace edgejoule::files
