// From the names of schemas/kinds.fbs to enumerators.
//
// Errors: named(): MeasurementError.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/table.h"

namespace edgejoule::measurements {

template <class Enumeration>
[[nodiscard]] std::optional<Enumeration> find_named(std::string_view name);

template <>
std::optional<OpKind> find_named(std::string_view name);
template <>
std::optional<OpClass> find_named(std::string_view name);
template <>
std::optional<DataType> find_named(std::string_view name);
template <>
std::optional<Fact> find_named(std::string_view name);
template <>
std::optional<BoundaryKind> find_named(std::string_view name);
template <>
std::optional<BaselineKind> find_named(std::string_view name);
template <>
std::optional<EngineKind> find_named(std::string_view name);

[[noreturn]] void throw_unknown_name(std::string_view name, std::string_view what, const std::string& place);

// `what` of that name, which `place` (a file, perhaps a line of it) states.
template <class Enumeration>
[[nodiscard]] Enumeration named(std::string_view name, std::string_view what, const std::string& place) {
  if (const auto found = find_named<Enumeration>(name)) return *found;
  throw_unknown_name(name, what, place);
}

}  // namespace edgejoule::measurements
