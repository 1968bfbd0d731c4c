#include "import/tflite/writer.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "import/tflite/types.h"

namespace edgejoule::import {
namespace {

constexpr std::uint32_t kSchemaVersion = 3;
// Codes above this do not fit the old one-byte field, which then holds this number.
constexpr std::int32_t kPlaceholderCode = 127;

std::size_t bytes_of(const TfliteTensorSpec& spec) {
  std::uint64_t bits = bits_of(spec.type);
  for (const std::int32_t dim : spec.shape) bits *= static_cast<std::uint64_t>(std::max(dim, 0));
  return static_cast<std::size_t>((bits + 7) / 8);
}

}  // namespace

TfliteWriter::TfliteWriter(std::string description) {
  model_.version = kSchemaVersion;
  model_.description = std::move(description);
  model_.buffers.push_back(std::make_unique<tflite_wire::BufferT>());  // the empty one that means "no data"
  subgraph("main");
}

std::int32_t TfliteWriter::subgraph(std::string name) {
  auto graph = std::make_unique<tflite_wire::SubGraphT>();
  graph->name = std::move(name);
  model_.subgraphs.push_back(std::move(graph));
  return static_cast<std::int32_t>(model_.subgraphs.size()) - 1;
}

std::int32_t TfliteWriter::tensor(TfliteTensorSpec spec, std::int32_t subgraph) {
  auto tensor = std::make_unique<tflite_wire::TensorT>();
  tensor->name = std::move(spec.name);
  tensor->type = spec.type;
  tensor->shape = std::move(spec.shape);
  tensor->has_rank = true;
  tensor->is_variable = spec.variable;
  if (!spec.scales.empty()) {
    tensor->quantization = std::make_unique<tflite_wire::QuantizationT>();
    tensor->quantization->zero_point.assign(spec.scales.size(), 0);
    tensor->quantization->scale = std::move(spec.scales);
    tensor->quantization->quantized_dimension = spec.quantized_dimension;
  }
  auto& tensors = model_.subgraphs[static_cast<std::size_t>(subgraph)]->tensors;
  tensors.push_back(std::move(tensor));
  return static_cast<std::int32_t>(tensors.size()) - 1;
}

std::int32_t TfliteWriter::constant(TfliteTensorSpec spec, std::vector<std::uint8_t> data, std::int32_t subgraph) {
  if (data.empty()) data.resize(bytes_of(spec));
  auto buffer = std::make_unique<tflite_wire::BufferT>();
  buffer->data = std::move(data);
  model_.buffers.push_back(std::move(buffer));
  const std::int32_t index = tensor(std::move(spec), subgraph);
  model_.subgraphs[static_cast<std::size_t>(subgraph)]->tensors.back()->buffer =
      static_cast<std::uint32_t>(model_.buffers.size() - 1);
  return index;
}

std::int32_t TfliteWriter::constant_ints(std::string name, const std::vector<std::int32_t>& values,
                                         std::int32_t subgraph) {
  std::vector<std::uint8_t> data(values.size() * sizeof(std::int32_t));
  if (!data.empty()) std::memcpy(data.data(), values.data(), data.size());
  return constant(
      {std::move(name), tflite_wire::TensorType::int32, {static_cast<std::int32_t>(values.size())}, {}, 0, false},
      std::move(data), subgraph);
}

void TfliteWriter::inputs(TfliteIndices tensors, std::int32_t subgraph) {
  model_.subgraphs[static_cast<std::size_t>(subgraph)]->inputs = std::move(tensors);
}

void TfliteWriter::outputs(TfliteIndices tensors, std::int32_t subgraph) {
  model_.subgraphs[static_cast<std::size_t>(subgraph)]->outputs = std::move(tensors);
}

tflite_wire::OperatorT& TfliteWriter::add(std::int32_t builtin_code, std::string custom, TfliteIndices inputs,
                                          TfliteIndices outputs, std::int32_t subgraph) {
  auto& codes = model_.operator_codes;
  const auto found = std::find_if(codes.begin(), codes.end(), [&](const auto& code) {
    return code->builtin_code == builtin_code && code->custom_code == custom;
  });
  const auto index = static_cast<std::uint32_t>(found - codes.begin());
  if (found == codes.end()) {
    auto code = std::make_unique<tflite_wire::OperatorCodeT>();
    code->builtin_code = builtin_code;
    code->deprecated_builtin_code = static_cast<std::int8_t>(std::min(builtin_code, kPlaceholderCode));
    code->custom_code = std::move(custom);
    codes.push_back(std::move(code));
  }
  auto op = std::make_unique<tflite_wire::OperatorT>();
  op->opcode_index = index;
  op->inputs = std::move(inputs);
  op->outputs = std::move(outputs);
  auto& operators = model_.subgraphs[static_cast<std::size_t>(subgraph)]->operators;
  operators.push_back(std::move(op));
  return *operators.back();
}

std::vector<std::uint8_t> TfliteWriter::finish() const {
  flatbuffers::FlatBufferBuilder builder;
  tflite_wire::FinishModelBuffer(builder, tflite_wire::Model::Pack(builder, &model_));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace edgejoule::import
