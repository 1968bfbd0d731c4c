// A graph bound to a plan: joules for every node of a model, in one backward loop.
//
// Lifetime: views the plan, the graph's bytes and the caller's workspace.
// Const and thread-safe once bound; deterministic; linear in the number of nodes.
// Shape: outputs have one entry per node, in the graph's order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/graph.h"
#include "edgejoule/core/plan.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

struct NodeEstimate {
  Joules dynamic;  // with its children
  Joules own;      // dynamic less the children's; negative where they overlap
  Joules static_part;
  Interval interval;  // of `dynamic`
  Level level = Level::kNone;
  Flags flags;  // its own and its children's
};

struct PredictInputs {
  float batch_ratio = 1.0F;  // batch now / batch of the graph
  Confidence confidence = Confidence::k90;
  Seconds time{-1.0F};                // of one inference; negative: not known
  Span<const RuntimeFacts> per_node;  // empty, or one per node
};

class Predictor {
 public:
  [[nodiscard]] static std::size_t required_bytes(const TablePlan& plan, const GraphView& graph) noexcept;
  // Errors: kWorkspaceTooSmall, kMisaligned, kOverflow, kBadRange (facts of a node).
  [[nodiscard]] static Result<Predictor> bind(const TablePlan& plan, const GraphView& graph,
                                              Span<std::byte> workspace) noexcept;
  // Errors: kOutputTooSmall, kShapeMismatch (per_node), kInvalidArgument.
  [[nodiscard]] Status predict(const PredictInputs& inputs, Span<NodeEstimate> out) const noexcept;
};

}  // namespace edgejoule
