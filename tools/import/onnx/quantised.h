// Which ops of a model quantised with DequantizeLinear and QuantizeLinear run on narrow
// integers: those whose data all come from the one and whose result goes to the other,
// with an activation in between or not. Runtimes fuse each such group into one kernel.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "import/onnx/graph.h"

namespace edgejoule::import {

struct OnnxFolding {
  std::vector<bool> quantised;  // per step: it runs on narrow integers
  std::vector<bool> absorbed;   // per step: a DequantizeLinear or QuantizeLinear that does no work of its own
  std::map<std::uint32_t, DataType> narrow;  // values of such groups: the type they really have
};

// How often each value is read, in the whole program.
[[nodiscard]] std::vector<std::uint32_t> count_reads(const OnnxProgram& program);

[[nodiscard]] OnnxFolding fold_quantisation(const std::vector<OnnxStep>& steps, const OnnxProgram& program,
                                            const std::vector<std::uint32_t>& reads);

}  // namespace edgejoule::import
