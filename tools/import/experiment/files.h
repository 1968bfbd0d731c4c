// Writes ops of known facts as model files, so that any runtime can be measured on them.
//
// Shape: ops follow one another: each takes the output of the one before as its first
// input; all other inputs are inputs of the model. Batch 1. Nodes are called what their
// ops are called. Weights are numbers of ordinary size, the same every time.
// What comes back when the file is imported has the same facts, besides the rows of an
// ONNX Gemm, which are its batch.
// Errors: ImportError naming the op where the format cannot say it, or where the output
// of one is no input for the next.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph_builder.h"
#include "import/import.h"

namespace edgejoule::import {

enum class ModelFormat : std::uint8_t { kTflite, kOnnx };

[[nodiscard]] constexpr std::string_view extension_of(ModelFormat format) {
  return format == ModelFormat::kTflite ? ".tflite" : ".onnx";
}

struct ExperimentOp {
  graph::OpNode op;
  std::uint64_t rows = 1;  // of a softmax, a normalisation, a mean or a transpose
};

// Of one op by itself.
[[nodiscard]] bool can_write(ModelFormat format, const ExperimentOp& op);

[[nodiscard]] std::vector<std::uint8_t> write_experiment(ModelFormat format, std::span<const ExperimentOp> ops);

}  // namespace edgejoule::import
