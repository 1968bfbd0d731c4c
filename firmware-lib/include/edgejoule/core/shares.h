// How much of a model each node is, from the root down.
//
// Units: fractions of the root's dynamic joules.
// Where a module costs less than its children together (overlap, Flag::kNegativeOwn),
// the children share what the module costs in proportion to theirs, and the module
// itself keeps nothing. So the shares of children and `own` always add up to `whole`.
#pragma once

#include "edgejoule/core/graph.h"
#include "edgejoule/core/predictor.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

struct Share {
  float whole = 0.0F;  // with its children
  float own = 0.0F;    // of the node alone
};

// Errors: kShapeMismatch (estimates not one per node), kOutputTooSmall.
[[nodiscard]] Status allocate_shares(const GraphView& graph, Span<const NodeEstimate> estimates,
                                     Span<Share> out) noexcept;

}  // namespace edgejoule
