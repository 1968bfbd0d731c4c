// Two predictions side by side: node by node, with the interval of each difference and
// ratio.
//
// Shape: the trees are merged from the root; children belong together where they have
// the same name (without one: the same kind) and come in the same place among those.
// What one row prices in both shares its error, which cancels in the difference; what is
// the same in both cancels whole. Two tables share nothing.
// Errors: CompareError where the tables do not mean the same by a joule.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "prediction.h"

namespace edgejoule::predict {

struct CompareError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Joules of both sides, of a node with its children or of all ops of a kind.
struct Compared {
  bool in_a = false;
  bool in_b = false;
  OpKind kind = OpKind::kUnknown;
  float joules_a = 0.0F;  // dynamic; 0 where it is absent
  float joules_b = 0.0F;
  float lower = 0.0F;  // of joules_b - joules_a
  float upper = 0.0F;
  float ratio_lower = 0.0F;  // of joules_b / joules_a; 0 where either is 0
  float ratio_upper = 0.0F;
  Flags flags;  // kIntervalUnknown, kIntervalNotGuaranteed

  [[nodiscard]] float difference() const { return joules_b - joules_a; }
  [[nodiscard]] bool has_ratio() const { return joules_a > 0 && joules_b > 0; }
  [[nodiscard]] float ratio() const { return joules_b / joules_a; }
};

struct ComparedNode : Compared {
  std::optional<std::uint32_t> a, b;  // nodes of the predictions; at least one
  std::uint32_t parent = 0xFFFFFFFFU;
  std::uint32_t end = 0;  // of its subtree
  std::uint8_t depth = 0;
  bool is_module = false;
  std::string name;  // printable
  std::string path;  // without the root; printable
};

struct Comparison {
  Comparison(const Request& a, const Request& b);

  Prediction a;
  Prediction b;
  bool one_table = false;
  std::vector<ComparedNode> nodes;  // preorder, the root first
  std::vector<Compared> kinds;      // the largest difference first

  // Modules or ops, the largest difference first.
  [[nodiscard]] std::vector<std::uint32_t> movers(bool modules) const;
};

}  // namespace edgejoule::predict
