// What a module is made of, as facts that rows of a table can test: from "children of
// exactly these kinds" to "attention, lookups, a holder of modules or a block of ops".
//
// Shape: child_kinds is a hash below 2^24 (exact in float32) of the sorted kinds and
// their counts; modules count as one, few (two or three) or many, because the depth of a
// network does not change what its layers cost. A root and a module with bytes of its
// own hash apart.
#pragma once

#include <cstdint>
#include <span>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/op_kinds.h"

namespace edgejoule::graph {

struct ChildKind {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  std::uint64_t count = 1;
};

enum class ModuleShape : std::uint8_t { kAttention = 1, kLookups = 2, kHolder = 3, kBlock = 4 };

// Sets kChildKinds, kChildClasses and kModuleShape of a module from its children.
void describe_structure(std::span<const ChildKind> children, bool is_root, bool has_own_bytes, Facts& facts);

}  // namespace edgejoule::graph
