#include "graph/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "graph/module_structure.h"
#include "schemas/graph_generated.h"

namespace edgejoule::graph {
namespace {

constexpr std::uint16_t kFormatVersion = 1;
constexpr std::size_t kMaxTypeNames = 0xFFFF;

// Ids of the columns that differ from the default in at least one node.
std::vector<Fact> used_facts(const std::vector<const OpNode*>& nodes) {
  const Facts defaults;
  std::vector<Fact> used;
  for (std::size_t i = 0; i < kFactCount; ++i) {
    const Fact fact = static_cast<Fact>(i);
    if (std::any_of(nodes.begin(), nodes.end(),
                    [&](const OpNode* node) { return node->facts[fact] != defaults[fact]; })) {
      used.push_back(fact);
    }
  }
  return used;
}

// Strings that each stand in the file once, in order of first use.
class Dictionary {
 public:
  std::uint16_t index_of(const std::string& text) {
    const auto [entry, is_new] = index_.try_emplace(text, texts_.size());
    if (is_new) {
      if (texts_.size() == kMaxTypeNames) {
        throw GraphError(
            fmt::format("more than {} different op type names: the format holds no more; "
                        "give ops of one type one type name",
                        kMaxTypeNames));
      }
      texts_.push_back(text);
    }
    return static_cast<std::uint16_t>(entry->second);
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::string> texts_;
};

}  // namespace

GraphBuilder::GraphBuilder(GraphInfo info, OpKind root_kind) : info_(std::move(info)) {
  if (!is_module(root_kind)) {
    throw GraphError(
        fmt::format("graph '{}': the root must be a module, not '{}'", info_.model_name, name_of(root_kind)));
  }
  Node root;
  root.op.kind = root_kind;
  root.op.op_class = OpClass::kModule;
  root.op.name = info_.model_name;
  nodes_.push_back(std::move(root));
}

NodeId GraphBuilder::root() const {
  return NodeId{0};
}

NodeId GraphBuilder::append(NodeId parent, OpNode op) {
  const auto parent_index = static_cast<std::uint32_t>(parent);
  if (parent_index >= nodes_.size()) {
    throw GraphError(
        fmt::format("node '{}': its parent is not of this graph, or the graph is finished already", op.name));
  }
  if (nodes_[parent_index].op.op_class != OpClass::kModule) {
    throw GraphError(fmt::format("node '{}': its parent '{}' is an op; only modules have children", op.name,
                                 nodes_[parent_index].op.name));
  }
  if (nodes_[parent_index].depth + 1 > kMaxDepth) {
    throw GraphError(
        fmt::format("node '{}' is deeper than {} levels, the limit of the format; flatten the modules above '{}'",
                    op.name, kMaxDepth, nodes_[parent_index].op.name));
  }
  if (nodes_.size() >= kMaxNodes) {
    throw GraphError(fmt::format("graph '{}' has more than {} nodes, the limit of the format; split the model",
                                 info_.model_name, kMaxNodes));
  }
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  Node node;
  node.op = std::move(op);
  node.parent = parent_index;
  node.depth = static_cast<std::uint8_t>(nodes_[parent_index].depth + 1);
  nodes_.push_back(std::move(node));
  Node& above = nodes_[parent_index];
  if (above.first_child == kNone) {
    above.first_child = index;
  } else {
    nodes_[above.last_child].next_sibling = index;
  }
  above.last_child = index;
  return NodeId{index};
}

NodeId GraphBuilder::add_module(NodeId parent, OpKind kind, std::string name) {
  if (!is_module(kind)) {
    throw GraphError(fmt::format("module '{}': '{}' is the kind of an op; use add_op", name, name_of(kind)));
  }
  OpNode module;
  module.kind = kind;
  module.op_class = OpClass::kModule;
  module.name = std::move(name);
  return append(parent, std::move(module));
}

NodeId GraphBuilder::add_op(NodeId parent, OpNode op) {
  if (op.op_class == OpClass::kUnknown) {
    op.op_class = class_of(op.kind);
  }
  if (is_module(op.kind) || op.op_class == OpClass::kModule) {
    throw GraphError(fmt::format("op '{}': '{}' is the kind of a module; use add_module", op.name, name_of(op.kind)));
  }
  return append(parent, std::move(op));
}

void GraphBuilder::set_module_facts(NodeId module, const Facts& facts) {
  const auto index = static_cast<std::uint32_t>(module);
  if (index >= nodes_.size() || nodes_[index].op.op_class != OpClass::kModule) {
    throw GraphError(fmt::format("graph '{}': facts were set on a node that is no module of it", info_.model_name));
  }
  nodes_[index].op.facts = facts;
}

void GraphBuilder::add_note(std::string note) {
  info_.notes.push_back(std::move(note));
}

void GraphBuilder::describe_modules() {
  for (Node& node : nodes_) {
    if (node.first_child == kNone || node.op.facts[Fact::kChildKinds] != 0) {
      continue;
    }
    std::vector<ChildKind> children;
    for (std::uint32_t child = node.first_child; child != kNone; child = nodes_[child].next_sibling) {
      children.push_back({nodes_[child].op.kind, nodes_[child].op.op_class, 1});
    }
    describe_structure(children, node.parent == kNone, node.op.facts[Fact::kOwnBytes] > 0, node.op.facts);
  }
}

std::vector<std::uint32_t> GraphBuilder::preorder() const {
  std::vector<std::uint32_t> order;
  order.reserve(nodes_.size());
  std::vector<std::uint32_t> open;
  if (!nodes_.empty()) {
    open.push_back(0);
  }
  while (!open.empty()) {
    const std::uint32_t index = open.back();
    open.pop_back();
    order.push_back(index);
    if (nodes_[index].next_sibling != kNone) {
      open.push_back(nodes_[index].next_sibling);
    }
    if (nodes_[index].first_child != kNone) {
      open.push_back(nodes_[index].first_child);
    }
  }
  return order;
}

FileBytes GraphBuilder::finish() {
  if (nodes_.empty()) {
    throw GraphError("finish() was called twice on one graph builder");
  }
  describe_modules();
  const std::vector<std::uint32_t> order = preorder();
  const std::size_t count = order.size();
  std::vector<std::uint32_t> place(count);  // of a node in the file, by its place of insertion
  std::vector<const OpNode*> ops(count);
  for (std::size_t i = 0; i < count; ++i) {
    place[order[i]] = static_cast<std::uint32_t>(i);
    ops[i] = &nodes_[order[i]].op;
  }

  flatbuffers::FlatBufferBuilder builder(1024);
  Dictionary type_names;
  type_names.index_of("");
  std::vector<wire::OpKind> kinds(count);
  std::vector<wire::OpClass> classes(count);
  std::vector<wire::DataType> data_types(count);
  std::vector<wire::DataType> weight_types(count);
  std::vector<std::uint32_t> parents(count);
  std::vector<std::uint8_t> depths(count);
  std::vector<std::uint8_t> engines(count);
  std::vector<std::uint16_t> type_name_index(count);
  std::vector<flatbuffers::Offset<flatbuffers::String>> names(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = nodes_[order[i]];
    kinds[i] = static_cast<wire::OpKind>(node.op.kind);
    classes[i] = static_cast<wire::OpClass>(node.op.op_class);
    data_types[i] = static_cast<wire::DataType>(node.op.data_type);
    weight_types[i] = static_cast<wire::DataType>(node.op.weight_type);
    parents[i] = node.parent == kNone ? kNoParent : place[node.parent];
    depths[i] = node.depth;
    engines[i] = node.op.engine;
    type_name_index[i] = type_names.index_of(node.op.type_name);
    names[i] = builder.CreateString(node.op.name);
  }
  const std::vector<Fact> columns = used_facts(ops);
  std::vector<wire::Fact> fact_ids(columns.size());
  std::transform(columns.begin(), columns.end(), fact_ids.begin(),
                 [](Fact fact) { return static_cast<wire::Fact>(fact); });
  std::vector<std::uint64_t> facts;
  facts.reserve(count * columns.size());
  for (const OpNode* op : ops) {
    for (const Fact fact : columns) {
      facts.push_back(op->facts[fact]);
    }
  }

  const auto source = wire::CreateGraphSource(
      builder, builder.CreateString(info_.format), builder.CreateString(info_.file), builder.CreateString(info_.sha256),
      builder.CreateString(EDGEJOULE_VERSION), builder.CreateVectorOfStrings(info_.notes));
  const auto model = wire::CreateModelGraph(
      builder, kFormatVersion, builder.CreateString(info_.model_name), source, builder.CreateVector(kinds),
      builder.CreateVector(classes), builder.CreateVector(data_types), builder.CreateVector(weight_types),
      builder.CreateVector(parents), builder.CreateVector(depths), builder.CreateVector(engines),
      builder.CreateVector(names), builder.CreateVectorOfStrings(type_names.texts()),
      builder.CreateVector(type_name_index), builder.CreateVector(fact_ids), builder.CreateVector(facts));
  wire::FinishModelGraphBuffer(builder, model);
  nodes_.clear();
  return {builder.GetBufferPointer(), builder.GetSize()};
}

}  // namespace edgejoule::graph
