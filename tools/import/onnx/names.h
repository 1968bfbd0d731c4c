// What a step of an ONNX model is called and which modules it belongs to.
//
// Sources, best first: the module path that PyTorch's exporter states, the node's name
// where it is a path, the name of its result where that is one, the path of the weights
// it reads ("encoder.layer.0.attention.self.query.weight"); functions it was inlined
// from stand in front.
#pragma once

#include <string>
#include <vector>

#include "import/onnx/graph.h"

namespace edgejoule::import {

struct OnnxName {
  std::vector<std::string> scope;  // outermost first
  std::string leaf;                // never empty
};

// One name per step.
[[nodiscard]] std::vector<OnnxName> onnx_names(const std::vector<OnnxStep>& steps, const OnnxProgram& program);

}  // namespace edgejoule::import
