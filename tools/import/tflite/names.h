// What a TFLite operator is called and which scope it belongs to, read from the name
// of its result: converters join the names of everything they fused by ';'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::import {

struct OperatorName {
  std::vector<std::string> scope;  // of the layer, outermost first
  std::string leaf;                // the operation within it; "" where the name says nothing
};

[[nodiscard]] OperatorName operator_name(std::string_view tensor_name, OpKind kind, OpClass op_class);

}  // namespace edgejoule::import
