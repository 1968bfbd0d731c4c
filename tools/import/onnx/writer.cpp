#include "import/onnx/writer.h"

#include <bit>

namespace edgejoule::import {
namespace {

OnnxMessage value_info(std::string_view name, const OnnxShape& shape, OnnxType type) {
  OnnxMessage dims;
  for (const OnnxDimension& dimension : shape) {
    OnnxMessage dim;
    if (const auto* size = std::get_if<std::int64_t>(&dimension)) {
      if (*size >= 0) dim.integer(1, *size);
    } else if (!std::get<std::string>(dimension).empty()) {
      dim.text(2, std::get<std::string>(dimension));
    }
    dims.message(1, dim);
  }
  OnnxMessage tensor;
  tensor.integer(1, static_cast<std::int64_t>(type)).message(2, dims);
  return OnnxMessage().text(1, name).message(2, OnnxMessage().message(1, tensor));
}

}  // namespace

void OnnxMessage::varint(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    value >>= 7U;
  }
  bytes_ += static_cast<char>(value);
}

OnnxMessage& OnnxMessage::integer(std::uint32_t field, std::int64_t value) {
  varint(field << 3U);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

OnnxMessage& OnnxMessage::number(std::uint32_t field, float value) {
  varint((field << 3U) | 5U);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned i = 0; i < 4; ++i) bytes_ += static_cast<char>((bits >> (8 * i)) & 0xFFU);
  return *this;
}

OnnxMessage& OnnxMessage::text(std::uint32_t field, std::string_view value) {
  varint((field << 3U) | 2U);
  varint(value.size());
  bytes_ += value;
  return *this;
}

OnnxMessage& OnnxMessage::packed(std::uint32_t field, const std::vector<std::int64_t>& values) {
  OnnxMessage list;
  for (const std::int64_t value : values) list.varint(static_cast<std::uint64_t>(value));
  return message(field, list);
}

OnnxMessage onnx_int(std::string_view name, std::int64_t value) {
  return OnnxMessage().text(1, name).integer(3, value).integer(20, 2);
}

OnnxMessage onnx_ints(std::string_view name, const OnnxDims& values) {
  OnnxMessage out = OnnxMessage().text(1, name);
  for (const std::int64_t value : values) out.integer(8, value);
  return out.integer(20, 7);
}

OnnxMessage onnx_text(std::string_view name, std::string_view value) {
  return OnnxMessage().text(1, name).text(4, value).integer(20, 3);
}

OnnxMessage onnx_graph(std::string_view name, const OnnxGraphWriter& graph) {
  return OnnxMessage().text(1, name).message(6, graph.message()).integer(20, 5);
}

OnnxMessage onnx_reference(std::string_view name, std::string_view of_call) {
  return OnnxMessage().text(1, name).text(21, of_call).integer(20, 2);
}

OnnxMessage onnx_weights(std::string_view name, OnnxType type, const OnnxDims& dims) {
  OnnxMessage out;
  out.packed(1, dims).integer(2, static_cast<std::int64_t>(type)).text(8, name);
  return out.integer(14, 1);
}

OnnxMessage onnx_data(std::string_view name, OnnxType type, const OnnxDims& dims,
                      const std::vector<std::uint8_t>& bytes) {
  OnnxMessage out;
  out.packed(1, dims).integer(2, static_cast<std::int64_t>(type)).text(8, name);
  return out.text(9, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

OnnxMessage onnx_integers(std::string_view name, const OnnxDims& values, bool scalar) {
  OnnxMessage out;
  if (!scalar) out.packed(1, {static_cast<std::int64_t>(values.size())});
  return out.integer(2, static_cast<std::int64_t>(OnnxType::kInt64)).packed(7, values).text(8, name);
}

OnnxMessage onnx_node(const OnnxNodeSpec& node) {
  OnnxMessage out;
  for (const std::string& input : node.inputs) out.text(1, input);
  for (const std::string& output : node.outputs) out.text(2, output);
  if (!node.name.empty()) out.text(3, node.name);
  out.text(4, node.op);
  for (const OnnxMessage& attribute : node.attributes) out.message(5, attribute);
  if (!node.domain.empty()) out.text(7, node.domain);
  return out;
}

OnnxGraphWriter::OnnxGraphWriter(std::string name) {
  graph_.text(2, name);
}

OnnxGraphWriter& OnnxGraphWriter::input(std::string_view name, const OnnxShape& shape, OnnxType type) {
  return raw(11, value_info(name, shape, type));
}

OnnxGraphWriter& OnnxGraphWriter::output(std::string_view name) {
  return raw(12, OnnxMessage().text(1, name));
}

OnnxGraphWriter& OnnxGraphWriter::output(std::string_view name, const OnnxShape& shape, OnnxType type) {
  return raw(12, value_info(name, shape, type));
}

OnnxGraphWriter& OnnxGraphWriter::value(std::string_view name, const OnnxShape& shape, OnnxType type) {
  return raw(13, value_info(name, shape, type));
}

OnnxGraphWriter& OnnxGraphWriter::weights(std::string_view name, const OnnxDims& dims, OnnxType type) {
  return raw(5, onnx_weights(name, type, dims));
}

OnnxGraphWriter& OnnxGraphWriter::integers(std::string_view name, const OnnxDims& values) {
  return raw(5, onnx_integers(name, values));
}

OnnxGraphWriter& OnnxGraphWriter::scalar(std::string_view name, std::int64_t value) {
  return raw(5, onnx_integers(name, {value}, true));
}

OnnxGraphWriter& OnnxGraphWriter::node(const OnnxNodeSpec& node) {
  return raw(1, onnx_node(node));
}

OnnxGraphWriter& OnnxGraphWriter::raw(std::uint32_t field, const OnnxMessage& message) {
  graph_.message(field, message);
  return *this;
}

OnnxModelWriter::OnnxModelWriter(const OnnxGraphWriter& graph, std::int64_t opset) {
  model_.integer(1, 8).text(2, "edgejoule").message(7, graph.message());
  domain("", opset);
}

OnnxModelWriter& OnnxModelWriter::domain(std::string_view name, std::int64_t version) {
  model_.message(8, OnnxMessage().text(1, name).integer(2, version));
  return *this;
}

OnnxModelWriter& OnnxModelWriter::function(const OnnxFunctionSpec& function) {
  OnnxMessage out;
  out.text(1, function.name);
  for (const std::string& input : function.inputs) out.text(4, input);
  for (const std::string& output : function.outputs) out.text(5, output);
  for (const std::string& attribute : function.attributes) out.text(6, attribute);
  for (const OnnxNodeSpec& node : function.nodes) out.message(7, onnx_node(node));
  out.message(9, OnnxMessage().text(1, "").integer(2, 17)).text(10, function.domain);
  model_.message(25, out);
  return *this;
}

std::vector<std::uint8_t> OnnxModelWriter::finish() const {
  return {model_.bytes().begin(), model_.bytes().end()};
}

}  // namespace edgejoule::import
