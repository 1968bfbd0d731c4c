// What the options of a TFLite operator say: shared by the files that count operators.
//
// Errors: graph::GraphError naming the op where an attribute cannot be.
#pragma once

#include <cstdint>

#include "edgejoule/core/op_kinds.h"
#include "graph/ops.h"
#include "import/dims.h"
#include "import/tflite/file.h"

namespace edgejoule::import {

// kUnknown: none.
[[nodiscard]] OpKind fused_activation(const tflite_wire::Operator& op);

// Refuses what is not positive.
[[nodiscard]] std::uint64_t attribute(const graph::OpContext& context, const char* what, std::int32_t value);

}  // namespace edgejoule::import
