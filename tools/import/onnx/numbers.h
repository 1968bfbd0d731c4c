// Arithmetic on the few numbers that decide shapes: what Add, Floor or Less make of them.
//
// Errors: nothing where there is no result: division by zero, an op that is not arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::import {

// Within what sums and products of dimensions can hold; 0 for no number.
[[nodiscard]] std::int64_t to_integer(double number);
[[nodiscard]] bool is_integer_type(DataType type);

[[nodiscard]] std::optional<double> calculate(OpKind kind, double a, double b, bool integers);
[[nodiscard]] std::optional<double> calculate(std::string_view op, double a);
// 1 or 0.
[[nodiscard]] std::optional<double> compare(std::string_view op, double a, double b);

}  // namespace edgejoule::import
