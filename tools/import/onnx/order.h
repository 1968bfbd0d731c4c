// The nodes of an ONNX graph in an order in which each finds its operands.
//
// Lifetime: points at the nodes.
#pragma once

#include <vector>

#include "import/onnx/file.h"

namespace edgejoule::import {

struct OnnxOrder {
  std::vector<const OnnxNode*> nodes;  // in the file's order where that works, else sorted (first come, first served)
  bool sorted = false;                 // they were in no order of execution
  const OnnxNode* stuck = nullptr;     // of a cycle: a node that waits for its own result
};
// `nodes` are those of one graph or function of `model`.
[[nodiscard]] OnnxOrder order_of(const std::vector<OnnxNode>& nodes, const OnnxFile& model);

}  // namespace edgejoule::import
