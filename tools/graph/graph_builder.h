// Builds EJG1 model graphs: importers and the zoo add modules and ops in any order
// of depth; finish() lays them out in preorder and serialises.
//
// Shape: only fact columns that some node sets to something else than its default
// are stored; every type name is stored once.
// Errors: throws GraphError (what, where, what to do next).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/graph.h"
#include "edgejoule/core/op_kinds.h"
#include "files/file_bytes.h"

namespace edgejoule::graph {

struct GraphError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A node under construction; only meaningful to the builder that returned it.
enum class NodeId : std::uint32_t {};

struct OpNode {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;  // kUnknown: class_of(kind)
  DataType data_type = DataType::kUnknown;
  DataType weight_type = DataType::kUnknown;
  std::uint8_t engine = 255;
  std::string name;       // of the op in the model; any bytes, escaped by whoever prints
  std::string type_name;  // the source format's op type ("CONV_2D", "QLinearConv")
  Facts facts;
};

struct GraphInfo {
  std::string model_name{};
  std::string format{};  // "tflite", "onnx", "zoo"
  std::string file{};
  std::string sha256{};
  std::vector<std::string> notes{};  // what had to be assumed, one sentence each
};

using files::FileBytes;

class GraphBuilder {
 public:
  explicit GraphBuilder(GraphInfo info, OpKind root_kind = OpKind::kModel);

  [[nodiscard]] NodeId root() const;
  // `parent` is a module. Facts of a module describe what its children do not
  // (own_bytes, own_macs) and its position (tokens, sequence), never their sum. What it
  // is made of (module_structure.h) finish() adds, unless child_kinds is set already.
  NodeId add_module(NodeId parent, OpKind kind, std::string name);
  NodeId add_op(NodeId parent, OpNode op);
  void set_module_facts(NodeId module, const Facts& facts);
  void add_note(std::string note);

  // Preorder, children in the order they were added. The builder is left empty:
  // add to it no more.
  [[nodiscard]] FileBytes finish();

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;
  struct Node {
    OpNode op;
    std::uint32_t parent = kNone;
    std::uint32_t first_child = kNone;
    std::uint32_t last_child = kNone;
    std::uint32_t next_sibling = kNone;
    std::uint8_t depth = 0;
  };

  NodeId append(NodeId parent, OpNode op);
  void describe_modules();
  [[nodiscard]] std::vector<std::uint32_t> preorder() const;

  GraphInfo info_;
  std::vector<Node> nodes_;
};

}  // namespace edgejoule::graph
