// Writes ONNX files field by field: the experiments that calibration hands to a runtime,
// and what tests need, also what no library would write.
//
// Source: onnx.proto3; the numbers of the fields stand in writer.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace edgejoule::import {

// A protobuf message under construction.
class OnnxMessage {
 public:
  OnnxMessage& integer(std::uint32_t field, std::int64_t value);
  OnnxMessage& number(std::uint32_t field, float value);
  OnnxMessage& text(std::uint32_t field, std::string_view value);
  OnnxMessage& message(std::uint32_t field, const OnnxMessage& value) { return text(field, value.bytes_); }
  OnnxMessage& packed(std::uint32_t field, const std::vector<std::int64_t>& values);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  std::string bytes_;
};

enum class OnnxType : std::int64_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kHalf = 10,
  kInt4 = 22
};

using OnnxDimension = std::variant<std::int64_t, std::string>;  // a size, or a name; -1 and "": neither
using OnnxShape = std::vector<OnnxDimension>;
using OnnxNames = std::vector<std::string>;
using OnnxDims = std::vector<std::int64_t>;

class OnnxGraphWriter;

// Attributes, each a finished AttributeProto.
[[nodiscard]] OnnxMessage onnx_int(std::string_view name, std::int64_t value);
[[nodiscard]] OnnxMessage onnx_ints(std::string_view name, const OnnxDims& values);
[[nodiscard]] OnnxMessage onnx_text(std::string_view name, std::string_view value);
[[nodiscard]] OnnxMessage onnx_graph(std::string_view name, const OnnxGraphWriter& graph);
// Of a function's node: the attribute `of_call` of the call.
[[nodiscard]] OnnxMessage onnx_reference(std::string_view name, std::string_view of_call);

// A TensorProto of that many elements without data: what external weights look like.
[[nodiscard]] OnnxMessage onnx_weights(std::string_view name, OnnxType type, const OnnxDims& dims);
// The same with its data, in the order and width of its type.
[[nodiscard]] OnnxMessage onnx_data(std::string_view name, OnnxType type, const OnnxDims& dims,
                                    const std::vector<std::uint8_t>& bytes);
[[nodiscard]] OnnxMessage onnx_integers(std::string_view name, const OnnxDims& values, bool scalar = false);

struct OnnxNodeSpec {
  std::string op;
  OnnxNames inputs;
  OnnxNames outputs;
  std::vector<OnnxMessage> attributes{};
  std::string name{};
  std::string domain{};
};

[[nodiscard]] OnnxMessage onnx_node(const OnnxNodeSpec& node);

class OnnxGraphWriter {
 public:
  explicit OnnxGraphWriter(std::string name = "test");

  OnnxGraphWriter& input(std::string_view name, const OnnxShape& shape, OnnxType type = OnnxType::kFloat);
  OnnxGraphWriter& output(std::string_view name);
  OnnxGraphWriter& output(std::string_view name, const OnnxShape& shape, OnnxType type = OnnxType::kFloat);
  OnnxGraphWriter& value(std::string_view name, const OnnxShape& shape, OnnxType type = OnnxType::kFloat);
  OnnxGraphWriter& weights(std::string_view name, const OnnxDims& dims, OnnxType type = OnnxType::kFloat);
  OnnxGraphWriter& integers(std::string_view name, const OnnxDims& values);
  OnnxGraphWriter& scalar(std::string_view name, std::int64_t value);
  OnnxGraphWriter& node(const OnnxNodeSpec& node);
  OnnxGraphWriter& raw(std::uint32_t field, const OnnxMessage& message);

  [[nodiscard]] const OnnxMessage& message() const { return graph_; }

 private:
  OnnxMessage graph_;
};

struct OnnxFunctionSpec {
  std::string name;
  OnnxNames inputs;
  OnnxNames outputs;
  OnnxNames attributes{};
  std::vector<OnnxNodeSpec> nodes{};
  std::string domain = "local";
};

class OnnxModelWriter {
 public:
  explicit OnnxModelWriter(const OnnxGraphWriter& graph, std::int64_t opset = 17);

  OnnxModelWriter& function(const OnnxFunctionSpec& function);
  OnnxModelWriter& domain(std::string_view name, std::int64_t version);
  [[nodiscard]] std::vector<std::uint8_t> finish() const;

 private:
  OnnxMessage model_;
};

}  // namespace edgejoule::import
