// libonnx, asked for the shapes that our own rules leave open.
//
// One node at a time, after its attributes were checked, and never for a node with
// subgraphs: the library is made for files its own checker passed.
#pragma once

#include <vector>

#include "import/onnx/graph.h"

namespace edgejoule::import {

// Fills outputs whose type or dimensions are unknown; says nothing where it cannot.
void infer_with_library(const OnnxStep& step, std::vector<OnnxValue>& values);

// The newest opset of the standard domain that the library knows.
[[nodiscard]] int newest_opset_of_library();

}  // namespace edgejoule::import
