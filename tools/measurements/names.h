// From the names of schemas/kinds.fbs to enumerators.
#pragma once

#include <optional>
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

}  // namespace edgejoule::measurements
