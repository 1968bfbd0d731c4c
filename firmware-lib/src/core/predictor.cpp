#include "edgejoule/core/predictor.h"

#include <cmath>
#include <limits>

#include "predictor_data.h"
#include "work.h"

namespace edgejoule {
namespace {

using detail::BatchLimits;
using detail::BoundNode;
using detail::kNoRow16;
using detail::OpToPrice;
using detail::PlanData;
using detail::PlanRow;
using detail::RuntimeRow;

struct Layout {
  std::size_t limits;
  std::size_t runtime_rows;
  std::size_t end;
};

constexpr std::size_t aligned(std::size_t offset) noexcept {
  return (offset + 7U) & ~std::size_t{7U};
}

Layout layout_of(const PlanData& plan, std::size_t nodes) noexcept {
  Layout layout{};
  layout.limits = aligned(nodes * sizeof(BoundNode));
  layout.runtime_rows = aligned(layout.limits + nodes * sizeof(BatchLimits));
  layout.end = layout.runtime_rows + nodes * plan.runtime_slots * sizeof(RuntimeRow);
  return layout;
}

// Flags of a node that its parent does not inherit.
constexpr std::uint32_t kOwnFlags =
    Flags().set(Flag::kIntervalNotGuaranteed).set(Flag::kIntervalUnknown).set(Flag::kStaticUnknown).bits();
constexpr std::uint32_t kStaticUnknown = static_cast<std::uint32_t>(Flag::kStaticUnknown);

BatchLimits limits_of(const PlanData& plan, const PlanRow& row, const OpToPrice& op, bool exact) noexcept {
  constexpr float kUnbounded = std::numeric_limits<float>::infinity();
  BatchLimits limits{0.0F, 0.0F, kUnbounded, exact && row.form == RowForm::kLinear};
  const detail::PlanTerm* term = plan.terms + row.first_term;
  for (std::uint32_t i = 0; i < row.term_count; ++i, ++term) {
    const BatchParts parts = split_by_batch(term->feature, *op.quantities, term->tile, op.cache);
    limits.constant += term->joules_per_unit * parts.constant;
    limits.exact &= parts.exact;
    if (parts.proportional > 0.0F) {
      const float max = (term->max - parts.constant) / parts.proportional;
      const float min = (term->min - parts.constant) / parts.proportional;
      limits.max_ratio = max < limits.max_ratio ? max : limits.max_ratio;
      limits.min_ratio = min > limits.min_ratio ? min : limits.min_ratio;
    }
  }
  limits.constant *= to_float((*op.quantities->facts)[Fact::kRepeats]);
  if (row.form == RowForm::kLog2) {
    limits.constant = 0.0F;
  }
  return limits;
}

// A node ready to be priced; the quantities view the facts, which the caller keeps.
OpToPrice op_of(const PlanData& plan, const GraphView& graph, std::uint32_t node,
                const OpQuantities& quantities) noexcept {
  const std::uint8_t engine = graph.engine(node) == kAnyEngine ? std::uint8_t{0} : graph.engine(node);
  return {graph.kind(node),
          graph.data_type(node),
          engine,
          &quantities,
          {plan.last_level_bytes[engine], graph.unique_weight_bytes()}};
}

bool knows_engine(const PlanData& plan, std::uint8_t engine) noexcept {
  return engine == kAnyEngine || engine < plan.engine_count;
}

}  // namespace

std::size_t Predictor::required_bytes(const TablePlan& plan, const GraphView& graph) noexcept {
  return layout_of(plan.data(), graph.size()).end;
}

Result<Predictor> Predictor::bind(const TablePlan& plan, const GraphView& graph, Span<std::byte> workspace) noexcept {
  if (plan.is_stale()) {
    return Error::kStalePlan;
  }
  if (reinterpret_cast<std::uintptr_t>(workspace.data()) % alignof(std::uint64_t) != 0) {
    return Error::kMisaligned;
  }
  const PlanData& data = plan.data();
  const Layout layout = layout_of(data, graph.size());
  if (workspace.size() < layout.end) {
    return Error::kWorkspaceTooSmall;
  }
  auto* const nodes = reinterpret_cast<BoundNode*>(workspace.data());
  auto* const limits = reinterpret_cast<BatchLimits*>(workspace.data() + layout.limits);
  auto* runtime_row = reinterpret_cast<RuntimeRow*>(workspace.data() + layout.runtime_rows);
  Predictor predictor(plan, graph);
  predictor.nodes_ = nodes;
  predictor.limits_ = limits;
  predictor.runtime_rows_ = runtime_row;
  predictor.runtime_slots_ = data.runtime_slots;

  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    if (!knows_engine(data, graph.engine(node))) {
      return Error::kUnknownEngine;
    }
    const Facts facts = graph.facts(node);
    OpQuantities quantities;
    if (const Error error = measure(graph.op_class(node), facts, quantities); error != Error{}) {
      return error;
    }
    const OpToPrice op = op_of(data, graph, node, quantities);
    BoundNode& bound = nodes[node];
    bound = BoundNode{};
    bound.parent = node == 0 ? 0 : graph.parent(node);
    bound.flags = data.base_flags | (data.above_idle ? kStaticUnknown : 0U);
    bound.row = kNoRow16;
    bound.level = Level::kNone;
    bound.engine = op.engine;
    bound.bounds = data.module_bounds();
    limits[node] = {0.0F, 0.0F, std::numeric_limits<float>::infinity(), true};

    RuntimeRow* const first_runtime_row = runtime_row;
    for (std::uint32_t slot = 0; slot < data.runtime_slots; ++slot) {
      first_runtime_row[slot].row = kNoRow16;
    }
    detail::RowSearch search(data, op);
    constexpr std::uint8_t kAll = detail::kNeedsTime | detail::kNeedsCounter | detail::kNeedsUtilisation;
    while (const PlanRow* row = search.next(kAll)) {
      const detail::Price priced = detail::price(data, *row, op);
      if (!(priced.joules <= kMaxJoules)) {
        return Error::kOverflow;
      }
      const std::uint32_t flags = detail::flags_of(data, op.kind, *row, priced.outside).bits();
      const BatchLimits row_limits = limits_of(data, *row, op, !search.depends_on_batch());
      const auto row_index = static_cast<std::uint16_t>(row - data.rows);
      if (row->needs == 0) {
        bound.joules = priced.joules;
        bound.gain_less_one = row->gain_less_one;
        bound.flags |= flags;
        bound.bounds = row->bounds;
        bound.row = row_index;
        bound.level = row->level;
        limits[node] = row_limits;
        break;
      }
      bool reachable = true;  // unless an earlier row is content with the same facts
      for (const RuntimeRow* earlier = first_runtime_row; earlier != runtime_row; ++earlier) {
        reachable &= (earlier->needs & ~row->needs) != 0;
      }
      if (reachable) {
        *runtime_row++ = {priced.joules, row_limits, flags, row_index, row->needs, 0};
      }
    }
    runtime_row = first_runtime_row + data.runtime_slots;
    // The whole model has its own residuals, unless the root is an op.
    if (node == 0 && is_module(op.kind)) {
      bound.bounds = data.model_bounds();
    }
  }
  return predictor;
}

const RuntimeRow* Predictor::runtime_row(std::uint32_t node, const RuntimeFacts& runtime) const noexcept {
  const std::uint8_t known = detail::known_facts(runtime);
  const RuntimeRow* row = runtime_rows_ + std::size_t{node} * runtime_slots_;
  for (const RuntimeRow* end = row + runtime_slots_; row != end && row->row != kNoRow16; ++row) {
    if ((row->needs & ~known) == 0) {
      return row;
    }
  }
  return nullptr;
}

RuntimeFacts Predictor::facts_of(const PredictInputs& inputs, std::uint32_t node) const noexcept {
  RuntimeFacts runtime;
  if (!inputs.per_node.empty()) {
    runtime = inputs.per_node[node];
  }
  if (node == 0 && inputs.time.value() >= 0.0F) {
    runtime.time = inputs.time;
  }
  return runtime;
}

// Children stand behind their parents: walking backwards, a node's children are
// complete when its turn comes. Until then its slot of the output collects them:
// `own` their joules, `interval.lower` the rounding the sum has lost (Kahan), so that
// a hundred thousand ops under one root still add up, `static_part` and `flags`
// theirs.
// kAdjusted: another batch than the graph's, or run-time facts. False: too large.
template <bool kAdjusted>
bool Predictor::roll_up(const PredictInputs& inputs, NodeEstimate* out) const noexcept {
  const PlanData& plan = plan_.data();
  const detail::Bounds* const all_bounds = plan.bounds_at(inputs.confidence);
  const std::uint32_t size = graph_.size();
  for (std::uint32_t i = 0; i < size; ++i) {
    out[i] = NodeEstimate{};
  }
  bool fits = true;
  for (std::uint32_t i = size; i-- > 0;) {
    const BoundNode& node = nodes_[i];
    NodeEstimate& estimate = out[i];
    const float children = estimate.own.value();
    const std::uint32_t inherited = estimate.flags.bits();
    float joules = node.joules;
    float gain_less_one = node.gain_less_one;
    std::uint32_t flags = node.flags;
    std::uint16_t bounds_index = node.bounds;
    Level level = node.level;

    if constexpr (kAdjusted) {
      const RuntimeFacts runtime = facts_of(inputs, i);
      const BatchLimits* limits = limits_ + i;
      float measured = 0.0F;
      if (const RuntimeRow* row = runtime_row(i, runtime)) {
        const PlanRow& plan_row = plan.rows[row->row];
        limits = &row->limits;
        measured = detail::runtime_joules(plan_row, runtime);
        joules = row->joules;
        gain_less_one = plan_row.gain_less_one;
        flags = row->flags | (node.flags & kStaticUnknown) | static_cast<std::uint32_t>(Flag::kRuntimeFacts);
        level = plan_row.level;
        if (i != 0 || bounds_index != plan.model_bounds()) {
          bounds_index = plan_row.bounds;
        }
      }
      const float ratio = inputs.batch_ratio;
      if (ratio != 1.0F) {
        joules = limits->constant + ratio * (joules - limits->constant);
        if (!limits->exact) {
          flags |= static_cast<std::uint32_t>(Flag::kBatchScaled);
        }
        if (ratio < limits->min_ratio || ratio > limits->max_ratio) {
          flags |= static_cast<std::uint32_t>(Flag::kOutsideRange);
        }
      }
      joules += measured;

      const bool has_children = i + 1 < size && nodes_[i + 1].parent == i;
      const float watts = plan.static_watts[node.engine];
      if (!plan.above_idle) {
        estimate.static_part = Joules(0.0F);
      } else if (runtime.time.value() >= 0.0F && watts >= 0.0F) {
        estimate.static_part = Joules(watts * runtime.time.value());
        flags &= ~kStaticUnknown;
      } else if (has_children && (inherited & kStaticUnknown) == 0) {
        flags &= ~kStaticUnknown;  // the sum of its children's
      } else {
        estimate.static_part = Joules(0.0F);
      }
    }

    const detail::Bounds& bounds = all_bounds[bounds_index];
    const float own = joules + gain_less_one * children;
    const float dynamic = children + own;
    fits &= dynamic <= kMaxJoules;
    flags |= inherited & ~kOwnFlags;
    flags |= bounds.flags;
    if (own < 0.0F) {
      flags |= static_cast<std::uint32_t>(Flag::kNegativeOwn);
    }
    estimate.dynamic = Joules(dynamic);
    estimate.own = Joules(own);
    estimate.interval = {Joules(dynamic * bounds.lower), Joules(dynamic * bounds.upper)};
    estimate.level = level;
    estimate.flags = Flags(flags);
    if (i != 0) {
      NodeEstimate& parent = out[node.parent];
      const float addend = dynamic - parent.interval.lower.value();
      const float sum = parent.own.value() + addend;
      parent.interval.lower = Joules((sum - parent.own.value()) - addend);
      parent.own = Joules(sum);
      parent.flags |= estimate.flags;
      if constexpr (kAdjusted) {
        parent.static_part += estimate.static_part;
      }
    }
  }
  return fits;
}

Status Predictor::predict(const PredictInputs& inputs, Span<NodeEstimate> out) const noexcept {
  if (plan_.is_stale()) {
    return Error::kStalePlan;
  }
  if (out.size() < graph_.size()) {
    return Error::kOutputTooSmall;
  }
  if (!inputs.per_node.empty() && inputs.per_node.size() != graph_.size()) {
    return Error::kShapeMismatch;
  }
  if (!(inputs.batch_ratio > 0.0F) || !std::isfinite(inputs.batch_ratio) || !std::isfinite(inputs.time.value()) ||
      !detail::is_sound_confidence(inputs.confidence)) {
    return Error::kInvalidArgument;
  }
  for (const RuntimeFacts& runtime : inputs.per_node) {
    if (!detail::is_sound(runtime)) {
      return Error::kInvalidArgument;
    }
  }
#ifdef __OPTIMIZE_SIZE__
  const bool adjusted = true;  // one loop that does both
#else
  const bool adjusted = inputs.batch_ratio != 1.0F || !inputs.per_node.empty() || inputs.time.value() >= 0.0F;
#endif
  const bool fits = adjusted ? roll_up<true>(inputs, out.data()) : roll_up<false>(inputs, out.data());
  if (!fits) {
    return Error::kOverflow;
  }
  return {};
}

std::uint32_t Predictor::row_of(std::uint32_t node, const RuntimeFacts& runtime) const noexcept {
  const RuntimeRow* measured = runtime_row(node, runtime);
  const std::uint16_t row = measured != nullptr ? measured->row : nodes_[node].row;
  return row == kNoRow16 ? kNoRow : plan_.data().rows[row].table_row;
}

}  // namespace edgejoule
