// An ONNX file as it is written: graphs, nodes and tensors as views of the mapped bytes.
//
// Weights are described (dimensions, type, place), never read, so that a model of any
// size costs what its nodes cost; small tensors of numbers are read where a shape
// depends on them. Names are resolved elsewhere (graph.h).
// Lifetime: views the bytes handed to open(), which must outlive it.
// Errors: throws ImportError.
// Source: onnx.proto3 of ONNX 1.12 to 1.19 (IR versions 3 to 12).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/span.h"
#include "import/dims.h"

namespace edgejoule::import {

inline constexpr std::size_t kMaxRank = 64;

// TensorProto.DataType in our vocabulary; kUnknown for types this build does not know.
[[nodiscard]] DataType data_type_of_onnx(std::int64_t type) noexcept;

struct OnnxTensor {
  std::string_view name;
  std::int64_t type = 0;
  Dims dims;  // none negative
  bool external = false;
  Span<const std::byte> message;  // the TensorProto

  // The numbers it holds, in double precision (exact below 2^53; no dimension is larger);
  // nothing for more than `limit`, for strings, for external or damaged data.
  [[nodiscard]] std::optional<std::vector<double>> numbers(std::size_t limit) const;
};

// One dimension of a stated shape.
struct OnnxDim {
  std::int64_t value = -1;  // negative: open
  std::string_view name;    // of an open one, where it has one
};

struct OnnxValueInfo {
  std::string_view name;
  std::int64_t type = 0;
  bool is_tensor = false;  // neither sequence, map nor optional
  std::optional<std::vector<OnnxDim>> dims;
};

struct OnnxAttribute {
  std::string_view name;
  std::string_view reference;  // to an attribute of the function that holds the node
  std::int64_t i = 0;
  float f = 0.0F;
  std::string_view s;
  std::vector<std::int64_t> ints;
  std::vector<float> floats;
  std::optional<OnnxTensor> tensor;
  std::optional<std::uint32_t> graph;  // index into OnnxFile::graphs
  Span<const std::byte> message;       // the AttributeProto
  bool has_i = false;
  bool has_f = false;
  bool long_list = false;  // more numbers than anything that shapes depend on: left out
};

struct OnnxNode {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;  // "" for ai.onnx
  std::string_view overload;
  std::string_view module_path;           // what exporters of PyTorch say of the scope
  std::vector<std::string_view> inputs;   // "": an optional input left out
  std::vector<std::string_view> outputs;  // "": likewise
  std::vector<OnnxAttribute> attributes;
  Span<const std::byte> message;  // the NodeProto

  [[nodiscard]] const OnnxAttribute* attribute(std::string_view attribute_name) const;
  [[nodiscard]] std::int64_t integer(std::string_view attribute_name, std::int64_t otherwise) const;
  [[nodiscard]] std::string_view text(std::string_view attribute_name) const;           // "" where absent
  [[nodiscard]] std::vector<std::int64_t> ints(std::string_view attribute_name) const;  // empty where absent
};

struct OnnxGraph {
  std::string_view name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValueInfo> inputs;
  std::vector<OnnxValueInfo> outputs;
  std::vector<OnnxValueInfo> value_infos;
};

using OnnxOpsets = std::vector<std::pair<std::string_view, std::int64_t>>;

// 0 where the domain is not imported.
[[nodiscard]] std::int64_t opset_of(const OnnxOpsets& opsets, std::string_view domain);

struct OnnxFunction {
  std::string_view domain;
  std::string_view name;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<OnnxAttribute> defaults;
  std::vector<OnnxNode> nodes;
  OnnxOpsets opsets;
};

struct OnnxFile {
  std::string_view producer;
  std::int64_t ir_version = 0;
  OnnxOpsets opsets;
  std::vector<OnnxGraph> graphs;  // the first is the model's; the others are bodies of control flow
  std::vector<OnnxFunction> functions;
  std::uint64_t external_tensors = 0;
  bool has_training = false;

  [[nodiscard]] static bool recognises(Span<const std::byte> bytes) noexcept;
  // `file` is what messages call it.
  [[nodiscard]] static OnnxFile open(Span<const std::byte> bytes, std::string_view file);
};

}  // namespace edgejoule::import
