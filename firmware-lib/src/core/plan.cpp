#include "edgejoule/core/plan.h"

#include <cmath>

#include "log2_exp2.h"
#include "plan_data.h"
#include "work.h"

namespace edgejoule {
namespace detail {

bool RowSearch::enter_next_run() noexcept {
  constexpr std::uint8_t kRuns = 3;  // kind, class, roofline
  const OpClass op_class = op_.quantities->op_class;
  while (runs_entered_ < kRuns) {
    const std::uint8_t run = runs_entered_++;
    if (run == 2) {
      if (op_class == OpClass::kModule) {
        return false;
      }
      row_ = plan_.rows + plan_.roofline_first;
      end_ = plan_.rows + plan_.row_count;
      return true;
    }
    const std::uint32_t key = run == 0 ? static_cast<std::uint32_t>(op_.kind) : class_key(op_class);
    std::uint32_t at = slot_of(key) & plan_.slot_mask;
    while (plan_.slots[at].count != 0) {
      if (plan_.slots[at].key == key) {
        row_ = plan_.rows + plan_.slots[at].first;
        end_ = row_ + plan_.slots[at].count;
        return true;
      }
      at = (at + 1) & plan_.slot_mask;
    }
  }
  return false;
}

bool RowSearch::conditions_hold(const PlanRow& row) noexcept {
  const Condition* condition = plan_.conditions + row.first_condition;
  for (std::uint32_t i = 0; i < row.condition_count; ++i, ++condition) {
    const float value = feature_value(condition->feature, *op_.quantities, Tile{}, op_.cache);
    depends_on_batch_ |= changes_with_batch(condition->feature);
    if (value < condition->min || value >= condition->max) {
      return false;
    }
  }
  return true;
}

const PlanRow* RowSearch::next(std::uint8_t known) noexcept {
  while (true) {
    for (; row_ != end_; ++row_) {
      const PlanRow& row = *row_;
      if ((row.needs & ~known) != 0 || (row.data_type != DataType::kUnknown && row.data_type != op_.data_type) ||
          (row.engine != kAnyEngine && row.engine != op_.engine)) {
        continue;
      }
      if (row.condition_count == 0 || conditions_hold(row)) {
        ++row_;
        return &row;
      }
    }
    if (!enter_next_run()) {
      return nullptr;
    }
  }
}

const PlanRow* RowSearch::middle_of(const PlanRow* first) noexcept {
  const auto member_of = [](const PlanRow& row) { return static_cast<std::uint8_t>(row.member & kMemberMask); };
  if (member_of(*first) == 0) {
    return first;
  }
  const PlanRow* members[kMaxMembers] = {first};  // by price
  float joules[kMaxMembers] = {price(plan_, *first, op_).joules};
  std::uint32_t count = 1;
  std::uint32_t seen = 1U << member_of(*first);
  for (const PlanRow* row = first + 1; row < end_; ++row) {
    const std::uint32_t bit = 1U << member_of(*row);
    if (member_of(*row) == 0 || (seen & bit) != 0 || row->level != first->level || row->data_type != first->data_type ||
        row->engine != first->engine || !conditions_hold(*row)) {
      continue;
    }
    seen |= bit;
    const float its_joules = price(plan_, *row, op_).joules;
    std::uint32_t at = count++;
    for (; at > 0 && joules[at - 1] > its_joules; --at) {
      joules[at] = joules[at - 1];
      members[at] = members[at - 1];
    }
    joules[at] = its_joules;
    members[at] = row;
  }
  return members[(count - 1) / 2];
}

namespace {

// The correction of a row around measured sizes.
float correction_factor(const CorrectionView& correction, const OpToPrice& op) noexcept {
  constexpr float kReachSquared = 36.0F;  // in lengths: beyond, a bump is below 2e-8
  constexpr float kMostOctaves = 4.0F;    // whatever the file says
  constexpr float kHalfLog2E = 0.72134752044448170F;
  float place[kMaxCorrectionAxes];
  const std::size_t axes = correction.axes.size();
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const float value = feature_value(correction.axes[axis], *op.quantities, Tile{}, op.cache);
    place[axis] = value > 1.0F ? log2_of(value) : 0.0F;
  }
  const float per_length = 1.0F / correction.length_octaves;
  float octaves = 0.0F;
  const float* position = correction.positions.data();
  for (const float height : correction.heights) {
    float distance = 0.0F;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const float step = (place[axis] - *position++) * per_length;
      distance += step * step;
    }
    if (distance < kReachSquared) {
      octaves += height * exp2_of(-kHalfLog2E * distance);
    }
  }
  octaves = octaves < kMostOctaves ? octaves : kMostOctaves;
  return exp2_of(octaves > -kMostOctaves ? octaves : -kMostOctaves);
}

}  // namespace

Price price(const PlanData& plan, const PlanRow& row, const OpToPrice& op) noexcept {
  Price result{row.intercept, 0.0F, 1.0F, false};
  const PlanTerm* term = plan.terms + row.first_term;
  for (std::uint32_t i = 0; i < row.term_count; ++i, ++term) {
    const float value = feature_value(term->feature, *op.quantities, term->tile, op.cache);
    result.outside |= value < term->min || value > term->max;
    result.seconds += term->seconds_per_unit * value;
    if (row.form == RowForm::kLinear) {
      result.joules += term->joules_per_unit * value;
    } else if (value > 0.0F) {
      result.joules += term->joules_per_unit * log2_of(value);
    } else {
      result.outside = true;  // no logarithm: the row was not fitted on this
    }
  }
  if (row.form == RowForm::kLog2) {
    constexpr float kLog2OfMaxJoules = 66.5F;  // beyond it the sum is too large anyway
    result.joules = exp2_of(result.joules < kLog2OfMaxJoules ? result.joules : kLog2OfMaxJoules);
  }
  const float repeats = to_float((*op.quantities->facts)[Fact::kRepeats]);
  result.joules *= repeats;
  result.seconds = (row.member & kHasTime) != 0 ? result.seconds * repeats : kUnknownTime;
  if ((row.member & kHasCorrection) != 0) {
    result.factor = correction_factor(plan.table.row(row.table_row).correction(), op);
    result.joules *= result.factor;
  }
  return result;
}

float runtime_joules(const PlanRow& row, const RuntimeFacts& runtime) noexcept {
  float joules = 0.0F;
  if ((row.needs & kNeedsTime) != 0) {
    joules += row.time_watts * runtime.time.value();
  }
  if ((row.needs & kNeedsUtilisation) != 0) {
    joules += row.utilisation_watts * runtime.utilisation * runtime.time.value();
  }
  if ((row.needs & kNeedsCounter) != 0) {
    joules += row.counter_ratio * runtime.counter_energy.value();
  }
  return joules;
}

std::uint8_t known_facts(const RuntimeFacts& runtime) noexcept {
  return static_cast<std::uint8_t>((runtime.time.value() >= 0.0F ? kNeedsTime : 0) |
                                   (runtime.counter_energy.value() >= 0.0F ? kNeedsCounter : 0) |
                                   (runtime.utilisation >= 0.0F ? kNeedsUtilisation : 0));
}

bool is_sound(const RuntimeFacts& runtime) noexcept {
  return std::isfinite(runtime.time.value()) && std::isfinite(runtime.counter_energy.value()) &&
         runtime.utilisation <= 1.0F;
}

Flags flags_of(const PlanData& plan, OpKind kind, const PlanRow& row, bool outside) noexcept {
  Flags flags(plan.base_flags);
  if (row.level >= Level::kClass && !is_module(kind)) {  // any row of a module's is one of its class
    flags.set(Flag::kFallback);
  }
  if (outside) {
    flags.set(Flag::kOutsideRange);
  }
  if (kind == OpKind::kUnknown) {
    flags.set(Flag::kUnknownOp);
  }
  if (kind == OpKind::kIfElse || kind == OpKind::kWhileLoop) {
    flags.set(Flag::kBound);
  }
  return flags;
}

}  // namespace detail

bool TablePlan::is_stale() const noexcept {
  return data_->stamp != stamp_;
}
const CoefficientTable& TablePlan::table() const noexcept {
  return data_->table;
}
std::uint8_t TablePlan::operating_point() const noexcept {
  return data_->operating_point;
}
Watts TablePlan::static_power(std::uint8_t engine) const noexcept {
  return Watts(engine < data_->engine_count ? data_->static_watts[engine] : -1.0F);
}

Result<Estimate> TablePlan::estimate(const OpDescriptor& op, const RuntimeFacts& runtime,
                                     Confidence confidence) const noexcept {
  const detail::PlanData& plan = *data_;
  if (is_stale()) {
    return Error::kStalePlan;
  }
  if (!detail::is_sound(runtime) || !detail::is_sound_confidence(confidence)) {
    return Error::kInvalidArgument;
  }
  const std::uint8_t engine = op.engine == kAnyEngine ? std::uint8_t{0} : op.engine;
  if (op.engine != kAnyEngine && op.engine >= plan.engine_count) {
    return Error::kUnknownEngine;
  }
  const OpClass op_class = op.op_class == OpClass::kUnknown ? class_of(op.kind) : op.op_class;
  OpQuantities quantities;
  if (const Error error = measure(op_class, op.facts, quantities); error != Error{}) {
    return error;
  }
  const std::uint64_t unique_weights = op.facts[Fact::kUniqueWeightBytes];
  const std::uint64_t weights = op.facts[Fact::kWeightBytes];
  const detail::OpToPrice to_price{
      op.kind,
      op.data_type,
      engine,
      &quantities,
      {plan.last_level_bytes[engine], unique_weights > weights ? unique_weights : weights}};
  Estimate estimate;
  estimate.flags = Flags(plan.base_flags);
  std::uint16_t bounds_index = plan.module_bounds();
  float seconds = detail::kUnknownTime;
  detail::RowSearch search(plan, to_price);
  if (const detail::PlanRow* row = search.next(detail::known_facts(runtime))) {
    row = search.middle_of(row);
    const detail::Price priced = detail::price(plan, *row, to_price);
    estimate.dynamic = Joules(priced.joules + detail::runtime_joules(*row, runtime));
    seconds = priced.seconds;
    estimate.level = row->level;
    estimate.flags = detail::flags_of(plan, op.kind, *row, priced.outside);
    if (row->needs != 0) {
      estimate.flags.set(Flag::kRuntimeFacts);
    }
    bounds_index = row->bounds;
  }
  if (!(estimate.dynamic.value() <= kMaxJoules)) {
    return Error::kOverflow;
  }
  const auto at = static_cast<std::size_t>(confidence);
  const detail::Bounds& bounds = plan.bounds[at][bounds_index];
  estimate.interval = {estimate.dynamic * bounds.lower, estimate.dynamic * bounds.upper};
  estimate.flags |= Flags(bounds.flags);
  if (runtime.time.value() >= 0.0F) {
    estimate.time = runtime.time;
    estimate.time_interval = {runtime.time, runtime.time};
  } else if (seconds >= 0.0F) {
    const detail::Bounds& time_bounds = plan.time_bounds[at][bounds_index];
    estimate.time = Seconds(seconds);
    estimate.time_interval = {Seconds(seconds * time_bounds.lower), Seconds(seconds * time_bounds.upper)};
    estimate.flags.set(Flag::kTimePredicted) |= Flags(time_bounds.flags);
  }
  if (plan.above_idle) {
    if (estimate.time.value() >= 0.0F && plan.static_watts[engine] >= 0.0F) {
      estimate.static_part = Watts(plan.static_watts[engine]) * estimate.time;
    } else {
      estimate.flags.set(Flag::kStaticUnknown);
    }
  }
  return estimate;
}

}  // namespace edgejoule
