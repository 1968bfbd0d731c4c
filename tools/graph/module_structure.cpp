#include "graph/module_structure.h"

#include <map>

namespace edgejoule::graph {
namespace {

constexpr std::uint32_t kAnyModule = 0xFFFFU;

constexpr std::uint64_t bit(OpClass op_class) {
  return std::uint64_t{1} << static_cast<unsigned>(op_class);
}

}  // namespace

void describe_structure(std::span<const ChildKind> children, bool is_root, bool has_own_bytes, Facts& facts) {
  std::map<std::uint32_t, std::uint64_t> counts;
  std::uint64_t classes = 0;
  for (const ChildKind& child : children) {
    const bool is_module = child.op_class == OpClass::kModule;
    counts[is_module ? kAnyModule : static_cast<std::uint32_t>(child.kind)] += child.count;
    classes |= bit(child.op_class);
  }
  if (const auto modules = counts.find(kAnyModule); modules != counts.end()) {
    modules->second = modules->second == 1 ? 1 : modules->second <= 3 ? 2 : 3;
  }
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a over numbers
  const auto absorb = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1099511628211ULL; };
  absorb(is_root ? 1 : 0);
  absorb(has_own_bytes ? 1 : 0);
  for (const auto& [kind, count] : counts) {
    absorb(kind);
    absorb(count);
  }
  ModuleShape shape = ModuleShape::kBlock;
  if ((classes & bit(OpClass::kSoftmax)) != 0) {
    shape = ModuleShape::kAttention;
  } else if ((classes & bit(OpClass::kLookup)) != 0 && (classes & bit(OpClass::kModule)) == 0) {
    shape = ModuleShape::kLookups;
  } else if ((classes & bit(OpClass::kModule)) != 0) {
    shape = ModuleShape::kHolder;
  }
  facts.set(Fact::kChildKinds, (hash ^ (hash >> 24U) ^ (hash >> 48U)) & 0xFFFFFFU)
      .set(Fact::kChildClasses, classes)
      .set(Fact::kModuleShape, static_cast<std::uint64_t>(shape));
}

}  // namespace edgejoule::graph
