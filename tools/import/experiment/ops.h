// What both writers of experiments share: sizes of an op as its file states them,
// weights, and what to say where a format has no words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/experiment/files.h"

namespace edgejoule::import {

using ExperimentDims = std::vector<std::int64_t>;

[[nodiscard]] inline std::int64_t dim(const ExperimentOp& op, Fact fact) {
  return static_cast<std::int64_t>(op.op.facts[fact]);
}

// Rows and columns of an op over the rows of a matrix.
[[nodiscard]] inline ExperimentDims matrix_dims(const ExperimentOp& op) {
  const auto rows = static_cast<std::int64_t>(op.rows);
  return {rows, rows == 0 ? 0 : dim(op, Fact::kInputElements) / rows};
}

// What a window needs beyond the input, in all, along one dimension.
[[nodiscard]] std::int64_t padding_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                                      std::int64_t dilation);

// Bytes of that many weights, no two rows alike: float32, float16, int8 or int32.
[[nodiscard]] std::vector<std::uint8_t> weight_bytes(std::int64_t count, DataType type);

[[nodiscard]] std::int64_t elements_of(const ExperimentDims& dims);

[[noreturn]] void cannot_say(ModelFormat format, const ExperimentOp& op, std::string_view why);
// The output of the op before does not fit.
[[noreturn]] void no_input(const ExperimentOp& op);

// Without data: to see whether it can be said.
[[nodiscard]] std::vector<std::uint8_t> write_tflite_experiment(std::span<const ExperimentOp> ops, bool with_data);
[[nodiscard]] std::vector<std::uint8_t> write_onnx_experiment(std::span<const ExperimentOp> ops, bool with_data);

}  // namespace edgejoule::import
