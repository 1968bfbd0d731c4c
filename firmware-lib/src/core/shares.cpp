#include "edgejoule/core/shares.h"

namespace edgejoule {

Status allocate_shares(const GraphView& graph, Span<const NodeEstimate> estimates, Span<Share> out) noexcept {
  if (estimates.size() != graph.size()) {
    return Error::kShapeMismatch;
  }
  if (out.size() < graph.size()) {
    return Error::kOutputTooSmall;
  }
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    const NodeEstimate& estimate = estimates[node];
    Share& share = out[node];
    if (node == 0) {
      share.whole = 1.0F;
    } else {
      // `own` of the parent holds its share per joule until its last child has come.
      share.whole = out[graph.parent(node)].own * estimate.dynamic.value();
    }
    const float children = (estimate.dynamic - estimate.own).value();
    const float divided = estimate.own.value() < 0.0F ? children : estimate.dynamic.value();
    share.own = divided > 0.0F ? share.whole / divided : 0.0F;
  }
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    const float own = estimates[node].own.value();
    out[node].own *= own > 0.0F ? own : 0.0F;
  }
  return {};
}

}  // namespace edgejoule
