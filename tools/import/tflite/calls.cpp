#include "import/tflite/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "import/import.h"

namespace edgejoule::import {
namespace {

constexpr std::size_t kMaxOperators = 1U << 18U;
// Keeps the tree within the depth of the graph format: each level adds its scopes.
constexpr std::size_t kMaxSubgraphDepth = 5;

bool is_unrolled(SubgraphUse use) {
  return use != SubgraphUse::kOnce && use != SubgraphUse::kElement;
}

enum class State : std::uint8_t { kNew, kOpen, kKnown };

// What running a subgraph amounts to.
struct Extent {
  State state = State::kNew;
  std::size_t operators = 0;
  std::size_t height = 0;  // levels of calls below
};

class Calls {
 public:
  Calls(const TfliteFile& model, std::string_view file)
      : model_(model), file_(file), extents_(model.subgraphs.size()) {}

  // Every subgraph is visited once, however often it is called.
  const Extent& visit(std::uint32_t index, std::size_t depth) {
    Extent& extent = extents_[index];
    if (extent.state == State::kOpen) {
      fail(index, "it runs itself, directly or through others",
           "the file is damaged or was not written by a TFLite converter: export it again");
    }
    if (depth + extent.height > kMaxSubgraphDepth) {
      fail(index, fmt::format("subgraphs call each other more than {} deep", kMaxSubgraphDepth),
           "inline the inner ones when exporting the model");
    }
    if (extent.state == State::kKnown) return extent;
    extent.state = State::kOpen;
    for (const TfliteOperator& op : model_.subgraphs[index].operators) {
      ++extent.operators;
      for (const SubgraphReference& reference : subgraphs_of(op)) {
        if (!is_unrolled(reference.use)) continue;
        const Extent& callee = visit(reference.subgraph, depth + 1);
        extent.operators += callee.operators;
        extent.height = std::max(extent.height, callee.height + 1);
      }
      if (extent.operators > kMaxOperators) {
        fail(index,
             fmt::format("the model runs more than {} operators (each call of a subgraph counted)", kMaxOperators),
             "split the model, or export its loops as WHILE");
      }
    }
    extent.state = State::kKnown;
    return extent;
  }

 private:
  [[noreturn]] void fail(std::uint32_t index, const std::string& what, const char* next) const {
    throw ImportError(fmt::format("{}: subgraph {}", file_, index), what, next);
  }

  const TfliteFile& model_;
  std::string_view file_;
  std::vector<Extent> extents_;
};

}  // namespace

void check_calls(const TfliteFile& model, std::string_view file) {
  static_cast<void>(Calls(model, file).visit(0, 0));
}

}  // namespace edgejoule::import
