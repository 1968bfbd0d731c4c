// Writes TFLite files: the experiments that calibration hands to a runtime, and the
// models that tests need.
//
// Shape: tensors and operators are added in order; an index returned by tensor() and
// constant() counts within its subgraph. Subgraph 0 exists from the start.
// Errors: none checked here. model() gives the raw object, so that a test can break it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "schemas/tflite_wire_generated.h"

namespace edgejoule::import {

using TfliteIndices = std::vector<std::int32_t>;

struct TfliteTensorSpec {
  std::string name;
  tflite_wire::TensorType type = tflite_wire::TensorType::float32;
  std::vector<std::int32_t> shape;
  std::vector<float> scales;  // quantised tensors: one, or one per channel
  std::int32_t quantized_dimension = 0;
  bool variable = false;
};

class TfliteWriter {
 public:
  explicit TfliteWriter(std::string description = "edgejoule");

  std::int32_t subgraph(std::string name);
  std::int32_t tensor(TfliteTensorSpec spec, std::int32_t subgraph = 0);
  // A tensor with data: zeros of its size where `data` is empty.
  std::int32_t constant(TfliteTensorSpec spec, std::vector<std::uint8_t> data = {}, std::int32_t subgraph = 0);
  std::int32_t constant_ints(std::string name, const std::vector<std::int32_t>& values, std::int32_t subgraph = 0);

  template <class Options>
  void op(std::int32_t builtin_code, TfliteIndices inputs, TfliteIndices outputs, Options options,
          std::int32_t subgraph = 0) {
    add(builtin_code, "", std::move(inputs), std::move(outputs), subgraph).builtin_options.Set(std::move(options));
  }
  void op(std::int32_t builtin_code, TfliteIndices inputs, TfliteIndices outputs) {
    add(builtin_code, "", std::move(inputs), std::move(outputs), 0);
  }
  void op_in(std::int32_t subgraph, std::int32_t builtin_code, TfliteIndices inputs, TfliteIndices outputs) {
    add(builtin_code, "", std::move(inputs), std::move(outputs), subgraph);
  }
  void custom_op(std::string code, TfliteIndices inputs, TfliteIndices outputs, std::int32_t subgraph = 0) {
    add(kCustomCode, std::move(code), std::move(inputs), std::move(outputs), subgraph);
  }
  void inputs(TfliteIndices tensors, std::int32_t subgraph = 0);
  void outputs(TfliteIndices tensors, std::int32_t subgraph = 0);

  [[nodiscard]] tflite_wire::ModelT& model() { return model_; }
  [[nodiscard]] std::vector<std::uint8_t> finish() const;

 private:
  static constexpr std::int32_t kCustomCode = 32;
  tflite_wire::OperatorT& add(std::int32_t builtin_code, std::string custom, TfliteIndices inputs,
                              TfliteIndices outputs, std::int32_t subgraph);
  tflite_wire::ModelT model_;
};

}  // namespace edgejoule::import
