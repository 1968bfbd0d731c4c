// Finds the modules of a flat list of ops: from scope names where the file has them,
// from repeated blocks otherwise.
//
// Shape: every op stands in the tree exactly once and in execution order; the ops of
// a module are contiguous. A scope whose ops are not contiguous becomes several
// modules, and `split_scopes` counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/op_kinds.h"

namespace edgejoule::import {

struct TreeOp {
  std::vector<std::string> scope;  // of the layer the op belongs to, outermost first; may be empty
  std::uint64_t signature = 0;     // equal for ops that do the same kind of work
  bool joins = false;              // takes several computed inputs: where a block tends to end
};

struct TreeNode {
  std::string name;                // of a module; of an op: its scope within its module, may be empty
  OpKind kind = OpKind::kUnknown;  // of a module
  std::size_t op = 0;              // of an op: its place in the list
  std::vector<TreeNode> children;  // none: an op

  [[nodiscard]] bool is_op() const { return children.empty(); }
};

struct ModuleTree {
  std::vector<TreeNode> roots;
  std::size_t split_scopes = 0;
  bool from_repeats = false;
};

[[nodiscard]] ModuleTree find_modules(std::span<const TreeOp> ops);

// "a/b/c" as its parts, without what converters add around a scope
// ("StatefulPartitionedCall", "PartitionedCall_1:0").
[[nodiscard]] std::vector<std::string> split_scope(std::string_view name);

// A module's kind as its scope name suggests it; kModule where it suggests none.
[[nodiscard]] OpKind module_kind_of(std::string_view name) noexcept;

}  // namespace edgejoule::import
