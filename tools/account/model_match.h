// Which nodes of a model stand behind the ops of a run, and what a table expects of them.
//
// Shape: by name first (the whole, then its last part; 'a+b' and 'a|b' cover several nodes), then by the runtime's node
// number where it counts the model's ops in their order and the op type agrees, then by order among ops of one type.
// Errors: AccountError where the table cannot price the graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "account/activities.h"
#include "edgejoule/core/graph.h"
#include "files/file_bytes.h"

namespace edgejoule::account {

struct ModelMatch {
  std::vector<std::vector<std::uint32_t>> nodes;  // by op; empty: the model has nothing like it
  std::vector<std::uint32_t> place;       // by op: its node, or the module that holds all of them; the root where none
  std::vector<std::uint32_t> without_op;  // ops of the model that nothing ran for
};

[[nodiscard]] ModelMatch match_ops(const GraphView& graph, const std::vector<RunOp>& ops);

struct ExpectedNode {
  double joules = 0;  // dynamic, of one inference, with its children
  double lower = 0, upper = 0;
};

[[nodiscard]] std::vector<ExpectedNode> price(const GraphView& graph, const files::FileBytes& table,
                                              const std::string& operating_point);

}  // namespace edgejoule::account
