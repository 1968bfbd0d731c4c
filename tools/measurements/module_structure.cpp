#include "measurements/module_structure.h"

#include <cstdint>
#include <map>

namespace edgejoule::measurements {
namespace {

enum Shape : std::uint64_t { kAttention = 1, kLookups = 2, kHolder = 3, kBlock = 4 };

constexpr std::uint64_t bit(OpClass op_class) {
  return std::uint64_t{1} << static_cast<unsigned>(op_class);
}

}  // namespace

void describe_structure(Measurement& m, std::span<const Measurement> all, bool has_own_bytes) {
  std::map<std::uint32_t, std::uint64_t> counts;
  std::uint64_t classes = 0;
  for (const Child& child : m.children) {
    const Measurement& node = all[child.index];
    const bool is_module = node.level != NodeLevel::kOp;
    counts[is_module ? 0xFFFFU : static_cast<std::uint32_t>(node.kind)] += static_cast<std::uint64_t>(child.count);
    classes |= bit(is_module ? OpClass::kModule : node.op_class);
  }
  if (const auto modules = counts.find(0xFFFFU); modules != counts.end()) {
    modules->second = modules->second == 1 ? 1 : modules->second <= 3 ? 2 : 3;
  }
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a over numbers
  const auto absorb = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1099511628211ULL; };
  absorb(m.level == NodeLevel::kModel ? 1 : 0);
  absorb(has_own_bytes ? 1 : 0);
  for (const auto& [kind, count] : counts) {
    absorb(kind);
    absorb(count);
  }
  Shape shape = kBlock;
  if ((classes & bit(OpClass::kSoftmax)) != 0) {
    shape = kAttention;
  } else if ((classes & bit(OpClass::kLookup)) != 0 && (classes & bit(OpClass::kModule)) == 0) {
    shape = kLookups;
  } else if ((classes & bit(OpClass::kModule)) != 0) {
    shape = kHolder;
  }
  m.facts.set(Fact::kChildKinds, (hash ^ (hash >> 24U) ^ (hash >> 48U)) & 0xFFFFFFU)
      .set(Fact::kChildClasses, classes)
      .set(Fact::kModuleShape, shape);
}

}  // namespace edgejoule::measurements
