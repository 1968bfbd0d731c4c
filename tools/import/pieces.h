// The tree to be of an imported model: ops in execution order, gathered into modules,
// then handed to the builder. Shared by the importers of all formats.
//
// Errors: graph::GraphError where the graph format holds no more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "files/io.h"
#include "graph/graph_builder.h"
#include "import/module_tree.h"

namespace edgejoule::import {

// The graph that `build` writes, checked as its readers will check it, where the cause is
// still at hand. Errors: ImportError, with the advice.
[[nodiscard]] files::FileBytes checked_graph(std::string_view file, std::string_view advice,
                                             const std::function<files::FileBytes()>& build);

// An op, or a module with children.
struct Piece {
  graph::OpNode op;
  std::string name;                  // of a module
  OpKind module = OpKind::kUnknown;  // kUnknown: an op
  std::vector<Piece> children;
};

// What branches are compared by: MACs first, bytes among equals. Saturates.
struct PieceWeight {
  std::uint64_t macs = 0;
  std::uint64_t bytes = 0;
  [[nodiscard]] bool operator<(const PieceWeight& other) const {
    return macs != other.macs ? macs < other.macs : bytes < other.bytes;
  }
};
[[nodiscard]] PieceWeight weight_of(const std::vector<Piece>& pieces);

// Alike are ops of one kind; a pointwise convolution is another thing than a wide one.
[[nodiscard]] std::uint64_t signature_of(const graph::OpNode& node);

// Executed so often by the loops it stands in; an op that is never executed stays so.
void repeat(graph::OpNode& op, std::uint64_t times);

// Moves the pieces into the modules that find_modules() found for them.
[[nodiscard]] std::vector<Piece> arrange(std::vector<Piece>& pieces, const std::vector<TreeNode>& nodes);

// Modules below the deepest level that a graph holds hand their children up.
void emit(graph::GraphBuilder& builder, graph::NodeId parent, const std::vector<Piece>& pieces);

// For the sentences of notes.
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] const char* plural(std::uint64_t count);

}  // namespace edgejoule::import
