// One op of a graph in another data type: bytes, weights, scales and element work as
// graph/ops.h would state them.
#pragma once

#include <cstdint>

#include "graph/graph_builder.h"

namespace edgejoule::predict {

[[nodiscard]] bool has_multiply_accumulates(OpClass op_class);

// Of weights stored narrower than the arithmetic: done once per execution.
struct UnpackingWork {
  std::uint64_t alu = 0;
  std::uint64_t transistor_ops = 0;
};
[[nodiscard]] UnpackingWork unpacking_work(const graph::OpNode& op);

// Leaves alone what does not compute in floating point. False where the transistor
// operations of the op cannot be taken apart and were scaled instead.
bool retype(graph::OpNode& op, DataType type);

}  // namespace edgejoule::predict
