#include "measurements/names.h"

#include "schemas/kinds_generated.h"
#include "schemas/table_generated.h"

namespace edgejoule::measurements {

// The file format has the same names and numbers (core asserts it).
#define EDGEJOULE_FIND_NAMED(Enumeration)                                                     \
  template <>                                                                                 \
  std::optional<Enumeration> find_named(std::string_view name) {                              \
    for (const wire::Enumeration value : wire::EnumValues##Enumeration()) {                   \
      if (wire::EnumName##Enumeration(value) == name) return static_cast<Enumeration>(value); \
    }                                                                                         \
    return std::nullopt;                                                                      \
  }
EDGEJOULE_FIND_NAMED(OpKind)
EDGEJOULE_FIND_NAMED(OpClass)
EDGEJOULE_FIND_NAMED(DataType)
EDGEJOULE_FIND_NAMED(Fact)
EDGEJOULE_FIND_NAMED(BoundaryKind)
EDGEJOULE_FIND_NAMED(BaselineKind)
EDGEJOULE_FIND_NAMED(EngineKind)
#undef EDGEJOULE_FIND_NAMED

}  // namespace edgejoule::measurements
