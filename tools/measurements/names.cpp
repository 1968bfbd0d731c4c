#include "measurements/names.h"

#include <fmt/format.h>

#include "measurements/measurement_set.h"
#include "schemas/kinds_generated.h"
#include "schemas/table_generated.h"
#include "text/escape.h"

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

void throw_unknown_name(std::string_view name, std::string_view what, const std::string& place) {
  throw MeasurementError(fmt::format("{}: there is no {} called '{}' (see edge-calibrate import --help)", place, what,
                                     text::printable(name)));
}

}  // namespace edgejoule::measurements
