#include "edgejoule/core/predictor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "alignment.h"
#include "predictor_data.h"
#include "work.h"

namespace edgejoule {
namespace {

using detail::BatchLimits;
using detail::BoundModel;
using detail::BoundNode;
using detail::Bounds;
using detail::engine_of;
using detail::kNoRow16;
using detail::kOneLoop;
using detail::kUnknownTime;
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
  layout.rows = aligned(layout.nodes + (kOneLoop ? 0 : nodes * sizeof(BoundNode)));
  layout.scratch = aligned(layout.rows + nodes * (plan.runtime_slots + 1U) * sizeof(PricedRow));
  layout.end = layout.scratch + sizeof(Scratch);
  return layout;
}

// Flags of a node that its parent does not inherit.
constexpr std::uint32_t kOwnFlags = Flags()
                                        .set(Flag::kIntervalNotGuaranteed)
                                        .set(Flag::kIntervalUnknown)
                                        .set(Flag::kStaticUnknown)
                                        .set(Flag::kTimeIntervalNotGuaranteed)
                                        .bits();
constexpr std::uint32_t kStaticUnknown = static_cast<std::uint32_t>(Flag::kStaticUnknown);
constexpr std::uint32_t kTimePredicted = static_cast<std::uint32_t>(Flag::kTimePredicted);

// Where bounds stand among those of one confidence.
constexpr std::uint16_t bytes_to(std::uint32_t index) noexcept {
  static_assert((kMaxRows + 2U) * sizeof(Bounds) <= 0xFFFFU);
  return static_cast<std::uint16_t>(index * sizeof(Bounds));
}
const Bounds& bounds_behind(const Bounds* first, std::uint16_t bytes) noexcept {
  return *reinterpret_cast<const Bounds*>(reinterpret_cast<const std::byte*>(first) + bytes);
}

void set_limits(const PlanData& plan, const PlanRow& row, const OpToPrice& op, bool exact,
                BatchLimits& limits) noexcept {
  limits = {0.0F, 0.0F, 0.0F, kUnbounded, exact && row.form == RowForm::kLinear};
  const detail::PlanTerm* term = plan.terms + row.first_term;
  for (std::uint32_t i = 0; i < row.term_count; ++i, ++term) {
    const BatchParts parts = split_by_batch(term->feature, *op.quantities, term->tile, op.cache);
    limits.constant += term->joules_per_unit * parts.constant;
    limits.constant_seconds += term->seconds_per_unit * parts.constant;
    limits.exact &= parts.exact;
    if (parts.proportional > 0.0F) {
      const float max = (term->max - parts.constant) / parts.proportional;
      const float min = (term->min - parts.constant) / parts.proportional;
      limits.max_ratio = max < limits.max_ratio ? max : limits.max_ratio;
      limits.min_ratio = min > limits.min_ratio ? min : limits.min_ratio;
    }
  }
  const float repeats = to_float((*op.quantities->facts)[Fact::kRepeats]);
  limits.constant *= repeats;
  limits.constant_seconds *= repeats;
  if (row.form == RowForm::kLog2) {
    limits.constant = 0.0F;
  }
}

bool has_children(const GraphView& graph, std::uint32_t node) noexcept {
  return node + 1 < graph.size() && graph.parent(node + 1) == node;
}

// What its engine draws besides, for as long as a node's own time.
float static_joules_of(const PlanData& plan, std::uint8_t engine, float seconds) noexcept {
  const float watts = plan.above_idle ? plan.static_watts[engine] : 0.0F;
  return seconds == 0.0F ? 0.0F : watts >= 0.0F ? watts * seconds : kUnknownTime;
}

float or_zero(float joules) noexcept {
  return joules >= 0.0F ? joules : 0.0F;
}

// Seconds and static joules do not change before something is measured: from those of
// each node to those with its children.
void add_up_times(BoundNode* nodes, std::uint32_t size) noexcept {
  for (std::uint32_t i = size; i-- > 0;) {
    BoundNode& node = nodes[i];
    if (i != 0) {
      BoundNode& parent = nodes[node.parent];
      const float addend = node.seconds - parent.seconds_lost;
      const float sum = parent.seconds + addend;
      parent.seconds_lost = (sum - parent.seconds) - addend;
      parent.seconds = sum;
      parent.static_joules += node.static_joules;
    }
    node.flags = node.seconds >= 0.0F ? node.flags | kTimePredicted : node.flags & ~kTimePredicted;
    node.seconds = node.seconds >= 0.0F ? node.seconds : -1.0F;
    if (node.static_joules >= 0.0F) {
      node.flags &= ~kStaticUnknown;
    }
    node.static_joules = or_zero(node.static_joules);
  }
}

// Lists the nodes that have children, the only ones that predict() clears first: those that
// the next node names as its parent.
void link_inner(BoundNode* nodes, std::uint32_t size) noexcept {
  std::uint32_t next = detail::kLastInner;
  std::uint32_t named = kNoParent;
  for (std::uint32_t i = size; i-- > 0;) {
    const bool is_inner = named == i;
    named = nodes[i].parent;
    nodes[i].next_inner = is_inner ? next : detail::kLeaf;
    next = is_inner ? i : next;
  }
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
  const float no_time = has_children(graph, node) ? 0.0F : kUnknownTime;
  PricedRow* next = priced;
  while (true) {
    const PlanRow* row = search.next(kAll);
    if (row == nullptr) {
      *next = {0.0F,
               no_time,
               0.0F,
               {0.0F, 0.0F, 0.0F, kUnbounded, true},
               plan.base_flags,
               kNoRow16,
               bytes_to(plan.module_bounds()),
               Level::kNone,
               0};
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
    const bool timed = price.seconds >= 0.0F;
    next->joules = price.joules;
    next->seconds = timed ? price.seconds : no_time;
    next->gain_less_one = price.factor * (1.0F + row->gain_less_one) - 1.0F;  // the correction is of the whole module
    set_limits(plan, *row, op, !search.depends_on_batch() && price.factor == 1.0F, next->limits);
    next->limits.constant *= price.factor;
    next->flags = detail::flags_of(plan, op.kind, *row, price.outside).bits() | (timed ? kTimePredicted : 0U);
    next->row = static_cast<std::uint16_t>(row - plan.rows);
    next->bounds = bytes_to(row->bounds);
    next->level = row->level;
    next->needs = row->needs;
    if (row->needs == 0) {
      return Error{};
    }
    ++next;
  }
}

}  // namespace

std::uint8_t detail::engine_of(const GraphView& graph, std::uint32_t node) noexcept {
  const std::uint8_t engine = graph.engine(node);
  return engine == kAnyEngine ? std::uint8_t{0} : engine;
}

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
        last->bounds = bytes_to(data.model_bounds());
      }
      if (last->needs == 0) {
        break;
      }
    }
    if constexpr (!kOneLoop) {
      const std::uint8_t engine = engine_of(graph, node);
      nodes[node] = {last->joules,
                     last->gain_less_one,
                     last->seconds,
                     {0.0F},
                     static_joules_of(data, engine, last->seconds),
                     node == 0 ? 0 : graph.parent(node),
                     last->flags,
                     last->bounds,
                     last->level,
                     engine};
    }
  }
  if constexpr (!kOneLoop) {
    if (data.timed) {
      add_up_times(nodes, graph.size());
    }
    link_inner(nodes, graph.size());
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
// complete when its turn comes. Until then its slot of the output collects them, from
// zero (clear_inner): `own` their joules, `interval.lower` the rounding the sum has lost (Kahan), so that
// a hundred thousand ops under one root still add up, `time` and `time_interval.lower`
// their seconds likewise, `static_part` and `flags` theirs.
// kAdjusted: another batch than the graph's, or run-time facts; otherwise bind() has added
// up the seconds and static joules. kTimed: the table knows time, or something was
// measured. False: too large.
template <bool kAdjusted, bool kTimed>
bool Predictor::roll_up(const PredictInputs& inputs, std::uint32_t first, std::uint32_t end,
                        NodeEstimate* out) const noexcept {
  const PlanData& plan = model_->plan.data();
  const GraphView& graph = model_->graph;
  const BoundNode* const nodes = model_->nodes;
  const Bounds* const all_bounds = plan.bounds[static_cast<std::size_t>(inputs.confidence)];
  const Bounds* const all_time_bounds = plan.time_bounds[static_cast<std::size_t>(inputs.confidence)];
  for (std::uint32_t i = end; i-- > first;) {
    NodeEstimate& estimate = out[i];
    bool is_inner = true;
    std::uint8_t engine = 0;
    std::uint32_t parent_at = 0;
    if constexpr (kOneLoop) {
      engine = engine_of(graph, i);
      parent_at = i == 0 ? 0 : graph.parent(i);
    } else {
      is_inner = nodes[i].next_inner != detail::kLeaf;
      engine = nodes[i].engine;
      parent_at = nodes[i].parent;
    }
    float joules = 0.0F;
    float gain_less_one = 0.0F;
    float seconds = 0.0F;  // its own where kAdjusted
    float static_joules = 0.0F;
    [[maybe_unused]] float measured = -1.0F;
    std::uint32_t flags = 0;
    std::uint16_t bounds_at = 0;
    Level level{};

    if constexpr (kAdjusted) {
      const RuntimeFacts runtime = detail::facts_of(inputs, i);
      const PricedRow& row = row_for(i, runtime);
      joules = row.joules;
      seconds = row.seconds;
      gain_less_one = row.gain_less_one;
      flags = row.flags;
      bounds_at = row.bounds;
      level = row.level;
      const float ratio = inputs.batch_ratio;
      if (ratio != 1.0F) {
        joules = row.limits.constant + ratio * (joules - row.limits.constant);
        seconds = row.limits.constant_seconds + ratio * (seconds - row.limits.constant_seconds);
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
      static_joules = static_joules_of(plan, engine, seconds);
      measured = runtime.time.value();
    } else {
      const BoundNode& node = nodes[i];
      joules = node.joules;
      gain_less_one = node.gain_less_one;
      seconds = node.seconds;
      static_joules = node.static_joules;
      flags = node.flags;
      bounds_at = node.bounds;
      level = node.level;
    }

    const Bounds& bounds = bounds_behind(all_bounds, bounds_at);
    flags |= bounds.flags;
    float own = joules;
    float dynamic = joules;
    if (is_inner) {
      const float children = estimate.own.value();
      own += gain_less_one * children;
      dynamic = children + own;
      flags |= estimate.flags.bits() & ~kOwnFlags & ~(kTimed && !kAdjusted ? kTimePredicted : 0U);
    }
    if (!(dynamic <= kMaxJoules)) {
      return false;
    }
    if (own < 0.0F) {
      flags |= static_cast<std::uint32_t>(Flag::kNegativeOwn);
    }
    TimeInterval time_interval;
    if constexpr (kTimed) {
      const Bounds& time_bounds = bounds_behind(all_time_bounds, bounds_at);
      float lower = time_bounds.lower;
      float upper = time_bounds.upper;
      std::uint32_t time_flags = time_bounds.flags;
      if constexpr (kAdjusted) {
        if (is_inner) {
          seconds += estimate.time.value();
          static_joules += estimate.static_part.value();
        }
        if (measured >= 0.0F) {
          seconds = measured;
          lower = upper = 1.0F;
          time_flags = 0;
          flags &= ~kTimePredicted;
          const float over_all = static_joules_of(plan, engine, measured);
          static_joules = over_all >= 0.0F ? over_all : static_joules;
        }
        if (static_joules >= 0.0F) {
          flags &= ~kStaticUnknown;
        }
      }
      if (__builtin_expect(seconds >= 0.0F, 1)) {
        flags |= time_flags;
        time_interval = {Seconds(seconds * lower), Seconds(seconds * upper)};
      } else if constexpr (kAdjusted) {
        flags &= ~kTimePredicted;
      }
    }

    // The root is its own parent: what it adds there is overwritten at once.
    NodeEstimate& parent = out[parent_at];
    const float addend = dynamic - parent.interval.lower.value();
    const float sum = parent.own.value() + addend;
    parent.interval.lower = Joules((sum - parent.own.value()) - addend);
    parent.own = Joules(sum);
    parent.flags |= Flags(flags);
    if constexpr (kTimed && kAdjusted) {
      const float second_addend = seconds - parent.time_interval.lower.value();
      const float second_sum = parent.time.value() + second_addend;
      parent.time_interval.lower = Seconds((second_sum - parent.time.value()) - second_addend);
      parent.time = Seconds(second_sum);
      parent.static_part += Joules(static_joules);
    }

    estimate.dynamic = Joules(dynamic);
    estimate.own = Joules(own);
    estimate.interval = {Joules(dynamic * bounds.lower), Joules(dynamic * bounds.upper)};
    estimate.level = level;
    estimate.flags = Flags(flags);
    if constexpr (kAdjusted) {
      estimate.static_part = Joules(or_zero(static_joules));
      estimate.time = Seconds(seconds >= 0.0F ? seconds : -1.0F);
    } else {
      estimate.static_part = Joules(kTimed ? static_joules : 0.0F);
      estimate.time = Seconds(kTimed ? seconds : -1.0F);
    }
    estimate.time_interval = time_interval;
  }
  return true;
}

namespace {

void clear_inner(const BoundNode* nodes, [[maybe_unused]] std::uint32_t size, NodeEstimate* out) noexcept {
  if constexpr (kOneLoop) {
    std::memset(static_cast<void*>(out), 0, size * sizeof(NodeEstimate));
  } else if (nodes[0].next_inner != detail::kLeaf) {
    for (std::uint32_t i = 0; i != detail::kLastInner; i = nodes[i].next_inner) {
      std::memset(static_cast<void*>(out + i), 0, sizeof(NodeEstimate));
    }
  }
}

}  // namespace

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
  clear_inner(model_->nodes, size, out.data());
#ifdef __OPTIMIZE_SIZE__
  const bool fits = roll_up<true, true>(inputs, 0, size, out.data());
#else
  // Only the root can have facts of its own when none came per node.
  const bool adjusted = inputs.batch_ratio != 1.0F || !inputs.per_node.empty();
  const std::uint32_t first = !adjusted && inputs.time.value() >= 0.0F ? 1 : 0;
  bool fits = adjusted              ? roll_up<true, true>(inputs, 0, size, out.data())
              : plan().data().timed ? roll_up<false, true>(inputs, first, size, out.data())
                                    : roll_up<false, false>(inputs, first, size, out.data());
  if (first == 1) {
    const BoundNode& root = model_->nodes[0];
    const bool known = plan().data().timed && (root.flags & kStaticUnknown) == 0;
    out[0].static_part = Joules(known ? root.static_joules : kUnknownTime);  // of what stands below
    fits &= roll_up<true, true>(inputs, 0, 1, out.data());
  }
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
