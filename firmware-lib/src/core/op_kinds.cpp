#include "edgejoule/core/op_kinds.h"

#include "edgejoule/core/facts.h"
#include "edgejoule_wire/kinds_generated.h"

namespace edgejoule {
namespace {

// The public enums and the file format's must be the same list.
#define EDGEJOULE_SAME(name, wire_name, number)                                \
  static_assert(static_cast<int>(wire::EDGEJOULE_ENUM::wire_name) == (number), \
                "schemas/kinds.fbs and this header differ at " #name);
#define EDGEJOULE_SAME_KIND(name, wire_name, number, op_class) EDGEJOULE_SAME(name, wire_name, number)
#define EDGEJOULE_ENUM DataType
EDGEJOULE_DATA_TYPES(EDGEJOULE_SAME)
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM OpClass
EDGEJOULE_OP_CLASSES(EDGEJOULE_SAME)
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM OpKind
EDGEJOULE_OP_KINDS(EDGEJOULE_SAME_KIND)
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM Fact
EDGEJOULE_FACTS(EDGEJOULE_SAME)
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM Feature
EDGEJOULE_FEATURES(EDGEJOULE_SAME)
#undef EDGEJOULE_ENUM
#undef EDGEJOULE_SAME
#undef EDGEJOULE_SAME_KIND

#define EDGEJOULE_BELOW(name, wire_name, number) static_assert((number) < kFactCount, "kFactCount must cover " #name);
EDGEJOULE_FACTS(EDGEJOULE_BELOW)
#undef EDGEJOULE_BELOW

}  // namespace

OpClass class_of(OpKind kind) noexcept {
  switch (kind) {
#define EDGEJOULE_CLASS(name, wire_name, number, op_class) \
  case OpKind::name: return OpClass::op_class;
    EDGEJOULE_OP_KINDS(EDGEJOULE_CLASS)
#undef EDGEJOULE_CLASS
  }
  return OpClass::kUnknown;
}

#define EDGEJOULE_NAME(name, wire_name, number) \
  case EDGEJOULE_ENUM::name:                    \
    return #wire_name;
#define EDGEJOULE_KIND_NAME(name, wire_name, number, op_class) EDGEJOULE_NAME(name, wire_name, number)

#define EDGEJOULE_ENUM OpKind
std::string_view name_of(OpKind kind) noexcept {
  switch (kind) { EDGEJOULE_OP_KINDS(EDGEJOULE_KIND_NAME) }
  return "?";
}
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM OpClass
std::string_view name_of(OpClass op_class) noexcept {
  switch (op_class) { EDGEJOULE_OP_CLASSES(EDGEJOULE_NAME) }
  return "?";
}
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM DataType
std::string_view name_of(DataType type) noexcept {
  switch (type) { EDGEJOULE_DATA_TYPES(EDGEJOULE_NAME) }
  return "?";
}
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM Fact
std::string_view name_of(Fact fact) noexcept {
  switch (fact) { EDGEJOULE_FACTS(EDGEJOULE_NAME) }
  return "?";
}
#undef EDGEJOULE_ENUM
#define EDGEJOULE_ENUM Feature
std::string_view name_of(Feature feature) noexcept {
  switch (feature) { EDGEJOULE_FEATURES(EDGEJOULE_NAME) }
  return "?";
}
#undef EDGEJOULE_ENUM
#undef EDGEJOULE_KIND_NAME
#undef EDGEJOULE_NAME

std::uint32_t bits_of(DataType type) noexcept {
  switch (type) {
    case DataType::kUnknown:
    case DataType::kString: return 0;
    case DataType::kInt4:
    case DataType::kUint4: return 4;
    case DataType::kInt8:
    case DataType::kUint8:
    case DataType::kBoolean:
    case DataType::kFloat8: return 8;
    case DataType::kFloat16:
    case DataType::kBfloat16:
    case DataType::kInt16:
    case DataType::kUint16: return 16;
    case DataType::kFloat32:
    case DataType::kInt32:
    case DataType::kUint32: return 32;
    case DataType::kFloat64:
    case DataType::kInt64:
    case DataType::kUint64:
    case DataType::kComplex64: return 64;
  }
  return 0;
}

}  // namespace edgejoule
