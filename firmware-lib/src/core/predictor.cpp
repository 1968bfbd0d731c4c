#include "edgejoule/core/predictor.h"

#include <cmath>
#include <limits>

#include "alignment.h"
#include "predictor_data.h"
#include "work.h"

namespace edgejoule {
namespace {

using detail::BatchLimits;
using detail::BoundModel;
using detail::BoundNode;
using detail::kNoRow16;
using detail::OpToPrice;
using detail::PlanData;
using detail::PlanRow;
using detail::PricedRow;

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

// What bind() asks of one node; in the workspace because it is larger than a stack of a
// small machine should hold.
struct Scratch {
  Facts facts;
  OpQuantities quantities;
};

struct Layout {
  std::size_t nodes;
  std::size_t rows;
  std::size_t scratch;
  std::size_t end;
};

Layout layout_of(const PlanData& plan, std::size_t nodes) noexcept {
  Layout layout{};
  layout.nodes = aligned(sizeof(BoundModel));
  layout.rows = aligned(layout.nodes + nodes * sizeof(BoundNode));
  layout.scratch = aligned(layout.rows + nodes * (plan.runtime_slots + 1U) * sizeof(PricedRow));
  layout.end = layout.scratch + sizeof(Scratch);
  return layout;
}

// Flags of a node that its parent does not inherit.
constexpr std::uint32_t kOwnFlags =
    Flags().set(Flag::kIntervalNotGuaranteed).set(Flag::kIntervalUnknown).set(Flag::kStaticUnknown).bits();
constexpr std::uint32_t kStaticUnknown = static_cast<std::uint32_t>(Flag::kStaticUnknown);

BatchLimits limits_of(const PlanData& plan, const PlanRow& row, const OpToPrice& op, bool exact) noexcept {
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

std::uint8_t engine_of(const GraphView& graph, std::uint32_t node) noexcept {
  const std::uint8_t engine = graph.engine(node);
  return engine == kAnyEngine ? std::uint8_t{0} : engine;
}

// Prices a node by every row that may be asked for, most specific first; the last needs
// no run-time facts.
Error bind_node(const PlanData& plan, const GraphView& graph, std::uint32_t node, Scratch& scratch,
                PricedRow* priced) noexcept {
  if (graph.engine(node) != kAnyEngine && graph.engine(node) >= plan.engine_count) {
    return Error::kUnknownEngine;
  }
  const std::uint8_t engine = engine_of(graph, node);
  graph.read_facts(node, scratch.facts);
  if (const Error error = measure(graph.op_class(node), scratch.facts, scratch.quantities); error != Error{}) {
    return error;
  }
  const OpToPrice op{graph.kind(node),
                     graph.data_type(node),
                     engine,
                     &scratch.quantities,
                     {plan.last_level_bytes[engine], graph.unique_weight_bytes()}};
  detail::RowSearch search(plan, op);
  constexpr std::uint8_t kAll = detail::kNeedsTime | detail::kNeedsCounter | detail::kNeedsUtilisation;
  PricedRow* next = priced;
  while (true) {
    const PlanRow* row = search.next(kAll);
    if (row == nullptr) {
      *next = {0.0F,         0.0F, {0.0F, 0.0F, kUnbounded, true}, plan.base_flags, kNoRow16, plan.module_bounds(),
               Level::kNone, 0};
      return Error{};
    }
    bool reachable = true;  // unless an earlier row is content with the same facts
    for (const PricedRow* earlier = priced; earlier != next; ++earlier) {
      reachable &= (earlier->needs & ~row->needs) != 0;
    }
    if (!reachable) {
      continue;
    }
    row = search.middle_of(row);
    const detail::Price price = detail::price(plan, *row, op);
    if (!(price.joules <= kMaxJoules)) {
      return Error::kOverflow;
    }
    BatchLimits limits = limits_of(plan, *row, op, !search.depends_on_batch() && price.factor == 1.0F);
    limits.constant *= price.factor;
    *next = {price.joules,
             price.factor * (1.0F + row->gain_less_one) - 1.0F,  // the correction is of the whole module
             limits,
             detail::flags_of(plan, op.kind, *row, price.outside).bits(),
             static_cast<std::uint16_t>(row - plan.rows),
             row->bounds,
             row->level,
             row->needs};
    if (row->needs == 0) {
      return Error{};
    }
    ++next;
  }
}

}  // namespace

RuntimeFacts detail::facts_of(const PredictInputs& inputs, std::uint32_t node) noexcept {
  RuntimeFacts runtime;
  if (!inputs.per_node.empty()) {
    runtime = inputs.per_node[node];
  }
  if (node == 0 && inputs.time.value() >= 0.0F) {
    runtime.time = inputs.time;
  }
  return runtime;
}

const GraphView& Predictor::graph() const noexcept {
  return model_->graph;
}
const TablePlan& Predictor::plan() const noexcept {
  return model_->plan;
}

std::size_t Predictor::required_bytes(const TablePlan& plan, const GraphView& graph) noexcept {
  return layout_of(plan.data(), graph.size()).end;
}

Result<Predictor> Predictor::bind(const TablePlan& plan, const GraphView& graph, Span<std::byte> workspace) noexcept {
  if (plan.is_stale()) {
    return Error::kStalePlan;
  }
  if (!is_aligned(workspace.data())) {
    return Error::kMisaligned;
  }
  const PlanData& data = plan.data();
  const Layout layout = layout_of(data, graph.size());
  if (workspace.size() < layout.end) {
    return Error::kWorkspaceTooSmall;
  }
  auto* const model = reinterpret_cast<BoundModel*>(workspace.data());
  auto* const nodes = reinterpret_cast<BoundNode*>(workspace.data() + layout.nodes);
  auto* rows = reinterpret_cast<PricedRow*>(workspace.data() + layout.rows);
  auto& scratch = *reinterpret_cast<Scratch*>(workspace.data() + layout.scratch);
  model->plan = plan;
  model->graph = graph;
  model->nodes = nodes;
  model->rows = rows;
  model->rows_per_node = data.runtime_slots + 1U;
  const std::uint32_t static_flag = data.above_idle ? kStaticUnknown : 0U;
  for (std::uint32_t node = 0; node < graph.size(); ++node, rows += model->rows_per_node) {
    if (const Error error = bind_node(data, graph, node, scratch, rows); error != Error{}) {
      return error;
    }
    PricedRow* last = rows;
    for (;; ++last) {
      last->flags |= static_flag | (last->needs != 0 ? static_cast<std::uint32_t>(Flag::kRuntimeFacts) : 0U);
      // The whole model has its own residuals, unless the root is an op.
      if (node == 0 && graph.is_module_node(node)) {
        last->bounds = data.model_bounds();
      }
      if (last->needs == 0) {
        break;
      }
    }
    nodes[node] = {last->joules, last->gain_less_one,   node == 0 ? 0 : graph.parent(node), last->flags, last->bounds,
                   last->level,  engine_of(graph, node)};
  }
  return Predictor(model);
}

const PricedRow& Predictor::row_for(std::uint32_t node, const RuntimeFacts& runtime) const noexcept {
  const std::uint8_t known = detail::known_facts(runtime);
  const PricedRow* row = model_->rows + std::size_t{node} * model_->rows_per_node;
  while ((row->needs & ~known) != 0) {
    ++row;
  }
  return *row;
}

// Children stand behind their parents: walking backwards, a node's children are
// complete when its turn comes. Until then its slot of the output collects them:
// `own` their joules, `interval.lower` the rounding the sum has lost (Kahan), so that
// a hundred thousand ops under one root still add up, `static_part` and `flags`
// theirs.
// kAdjusted: another batch than the graph's, or run-time facts. False: too large.
template <bool kAdjusted>
bool Predictor::roll_up(const PredictInputs& inputs, std::uint32_t first, std::uint32_t end,
                        NodeEstimate* out) const noexcept {
  const PlanData& plan = model_->plan.data();
  const BoundNode* const nodes = model_->nodes;
  const detail::Bounds* const all_bounds = plan.bounds_at(inputs.confidence);
  bool fits = true;
  for (std::uint32_t i = end; i-- > first;) {
    const BoundNode& node = nodes[i];
    NodeEstimate& estimate = out[i];
    const float children = estimate.own.value();
    const std::uint32_t inherited = estimate.flags.bits();
    float joules = node.joules;
    float gain_less_one = node.gain_less_one;
    std::uint32_t flags = node.flags;
    std::uint16_t bounds_index = node.bounds;
    Level level = node.level;

    if constexpr (kAdjusted) {
      const RuntimeFacts runtime = detail::facts_of(inputs, i);
      const PricedRow& row = row_for(i, runtime);
      joules = row.joules;
      gain_less_one = row.gain_less_one;
      flags = row.flags;
      bounds_index = row.bounds;
      level = row.level;
      const float ratio = inputs.batch_ratio;
      if (ratio != 1.0F) {
        joules = row.limits.constant + ratio * (joules - row.limits.constant);
        if (!row.limits.exact) {
          flags |= static_cast<std::uint32_t>(Flag::kBatchScaled);
        }
        if (ratio < row.limits.min_ratio || ratio > row.limits.max_ratio) {
          flags |= static_cast<std::uint32_t>(Flag::kOutsideRange);
        }
      }
      if (row.needs != 0) {
        joules += detail::runtime_joules(plan.rows[row.row], runtime);
      }

      const bool has_children = i + 1 < model_->graph.size() && nodes[i + 1].parent == i;
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
  if (plan().is_stale()) {
    return Error::kStalePlan;
  }
  if (out.size() < model_->graph.size()) {
    return Error::kOutputTooSmall;
  }
  if (!inputs.per_node.empty() && inputs.per_node.size() != model_->graph.size()) {
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
  const std::uint32_t size = model_->graph.size();
  for (std::uint32_t node = 0; node < size; ++node) {
    out[node] = NodeEstimate{};
  }
#ifdef __OPTIMIZE_SIZE__
  const bool fits = roll_up<true>(inputs, 0, size, out.data());  // one loop that does both
#else
  // Only the root can have facts of its own when none came per node.
  const bool adjusted = inputs.batch_ratio != 1.0F || !inputs.per_node.empty();
  bool fits = adjusted ? roll_up<true>(inputs, 1, size, out.data()) : roll_up<false>(inputs, 1, size, out.data());
  fits &= roll_up<true>(inputs, 0, 1, out.data());
#endif
  if (!fits) {
    return Error::kOverflow;
  }
  return {};
}

std::uint32_t Predictor::row_of(std::uint32_t node, const RuntimeFacts& runtime) const noexcept {
  const std::uint16_t row = row_for(node, runtime).row;
  return row == kNoRow16 ? kNoRow : plan().data().rows[row].table_row;
}

}  // namespace edgejoule
