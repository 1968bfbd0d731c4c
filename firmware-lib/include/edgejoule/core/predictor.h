// A graph bound to a plan: joules and seconds for every node of a model, in one backward
// loop.
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
  // Measured, else what the table says of it and its children; negative: not known, as
  // where any part of it is not.
  Seconds time{-1.0F};
  TimeInterval time_interval;
};

struct PredictInputs {
  float batch_ratio = 1.0F;  // batch now / batch of the graph
  Confidence confidence = Confidence::k90;
  Seconds time{-1.0F};                // of one inference; negative: not known
  Span<const RuntimeFacts> per_node;  // empty, or one per node
};

inline constexpr std::uint32_t kNoRow = 0xFFFFFFFFU;

// One term of the row that priced a node, under the same inputs as the prediction.
struct TermShare {
  Term term;           // as the table states it
  float value = 0.0F;  // of the feature, for one execution
  bool inside = true;  // of the range the row was fitted on
  // Linear rows: joules of all repeats; they add up to the node's own joules, for a
  // module to its own less (gain - 1) times its children's, the row's correction included
  // in the gain. Log2 rows: the factor
  // value^exponent, which multiplies 2^intercept and the repeats.
  float contribution = 0.0F;
  float seconds = 0.0F;  // likewise, of all repeats, in rows of either form
};

namespace detail {
struct BoundModel;
struct PricedRow;
}  // namespace detail

class Predictor {
 public:
  [[nodiscard]] static std::size_t required_bytes(const TablePlan& plan, const GraphView& graph) noexcept;
  // Errors: kWorkspaceTooSmall, kMisaligned, kStalePlan, kUnknownEngine (of a node),
  // kOverflow (a node costs more than kMaxJoules), kBadRange (facts of a node).
  [[nodiscard]] static Result<Predictor> bind(const TablePlan& plan, const GraphView& graph,
                                              Span<std::byte> workspace) noexcept;
  // Errors: kOutputTooSmall, kShapeMismatch (per_node), kInvalidArgument (ratio, time or
  // run-time facts that are not sound), kOverflow (more than kMaxJoules), kStalePlan.
  // The run-time facts of the root may also come as inputs.time, which then counts.
  [[nodiscard]] Status predict(const PredictInputs& inputs, Span<NodeEstimate> out) const noexcept;

  [[nodiscard]] const GraphView& graph() const noexcept;
  [[nodiscard]] const TablePlan& plan() const noexcept;

  // The table's row (CoefficientTable::row) that prices a node, given what is known of
  // it while running; kNoRow for a module that costs what its children cost.
  [[nodiscard]] std::uint32_t row_of(std::uint32_t node, const RuntimeFacts& runtime = {}) const noexcept;

  // The terms of that row, in the table's order; returns how many. For people: derives
  // everything again. Errors: kOutputTooSmall (kMaxTermsPerRow are always enough),
  // kInvalidArgument (node, ratio, run-time facts), kStalePlan.
  [[nodiscard]] Result<std::uint32_t> explain(std::uint32_t node, const PredictInputs& inputs,
                                              Span<TermShare> out) const noexcept;

 private:
  explicit Predictor(const detail::BoundModel* model) noexcept : model_(model) {}
  template <bool kAdjusted, bool kTimed>
  [[nodiscard]] bool roll_up(const PredictInputs& inputs, std::uint32_t first, std::uint32_t end,
                             NodeEstimate* out) const noexcept;
  [[nodiscard]] const detail::PricedRow& row_for(std::uint32_t node, const RuntimeFacts& runtime) const noexcept;

  const detail::BoundModel* model_;
};

}  // namespace edgejoule
