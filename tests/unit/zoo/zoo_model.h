// A zoo model opened for tests: sums of its facts, over the whole or below one node.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/graph.h"
#include "zoo/zoo.h"

namespace edgejoule::zoo {

class Model {
 public:
  explicit Model(std::string_view name) : bytes_(build(name)), view_(GraphView::open(bytes_.span())) {
    if (!view_) {
      throw std::runtime_error(std::string(name) + ": " + error_text(view_.error()));
    }
  }

  [[nodiscard]] const GraphView& graph() const { return *view_; }

  [[nodiscard]] std::uint64_t macs(std::uint32_t top = 0) const {
    std::uint64_t sum = 0;
    for (const std::uint32_t node : below(top)) {
      const Result<WorkCounts> work = count_work(graph().op_class(node), graph().facts(node));
      EXPECT_TRUE(work);
      sum += work->macs;
    }
    return sum;
  }
  [[nodiscard]] std::uint64_t sum(Fact fact, std::uint32_t top = 0) const {
    std::uint64_t total = 0;
    for (const std::uint32_t node : below(top)) {
      total += graph().facts(node)[fact];
    }
    return total;
  }
  [[nodiscard]] std::uint64_t parameters(std::uint32_t top = 0) const { return sum(Fact::kParameters, top); }

  // The first node of a path of names below the root, "encoder/layer.0/attention".
  [[nodiscard]] std::uint32_t find(std::string_view path) const {
    std::uint32_t node = 0;
    while (!path.empty()) {
      const std::size_t slash = std::min(path.find('/'), path.size());
      const std::string_view name = path.substr(0, slash);
      std::uint32_t child = node + 1;
      while (child < graph().size() && !(graph().parent(child) == node && graph().name(child) == name)) {
        ++child;
      }
      if (child == graph().size()) {
        throw std::runtime_error("no node '" + std::string(name) + "'");
      }
      node = child;
      path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return node;
  }

 private:
  // Ops, not modules: `top` itself and what stands below it in preorder.
  [[nodiscard]] std::vector<std::uint32_t> below(std::uint32_t top) const {
    std::vector<std::uint32_t> ops;
    for (std::uint32_t node = top; node < graph().size(); ++node) {
      if (node > top && graph().depth(node) <= graph().depth(top)) {
        break;
      }
      if (!graph().is_module_node(node)) {
        ops.push_back(node);
      }
    }
    return ops;
  }

  files::FileBytes bytes_;
  Result<GraphView> view_;
};

}  // namespace edgejoule::zoo
