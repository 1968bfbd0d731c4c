#include <cmath>

#include "edgejoule/core/predictor.h"
#include "log2_exp2.h"
#include "predictor_data.h"
#include "work.h"

// Predictor::explain, apart from the prediction: a firmware that asks no questions
// links none of it.
namespace edgejoule {
namespace {

float runtime_value(Feature feature, const RuntimeFacts& runtime) noexcept {
  switch (feature) {
    case Feature::kTime: return runtime.time.value();
    case Feature::kCounterEnergy: return runtime.counter_energy.value();
    default: return runtime.utilisation * runtime.time.value();
  }
}

// Of the row's correction; the plan's rows are searched because people can wait.
float factor_of(const detail::PlanData& plan, std::uint32_t table_row, const detail::OpToPrice& op) noexcept {
  for (std::uint32_t i = 0; i < plan.row_count; ++i) {
    if (plan.rows[i].table_row == table_row) {
      return detail::price(plan, plan.rows[i], op).factor;
    }
  }
  return 1.0F;
}

}  // namespace

Result<std::uint32_t> Predictor::explain(std::uint32_t node, const PredictInputs& inputs,
                                         Span<TermShare> out) const noexcept {
  if (plan().is_stale()) {
    return Error::kStalePlan;
  }
  const bool per_node_fits = inputs.per_node.empty() || inputs.per_node.size() == graph().size();
  if (node >= graph().size() || !per_node_fits || !(inputs.batch_ratio > 0.0F) || !std::isfinite(inputs.batch_ratio)) {
    return Error::kInvalidArgument;
  }
  const RuntimeFacts runtime = detail::facts_of(inputs, node);
  if (!detail::is_sound(runtime)) {
    return Error::kInvalidArgument;
  }
  const std::uint32_t row_index = row_of(node, runtime);
  if (row_index == kNoRow) {
    return std::uint32_t{0};
  }
  const RowView row = plan().table().row(row_index);
  if (out.size() < row.term_count()) {
    return Error::kOutputTooSmall;
  }
  const Facts facts = graph().facts(node);
  const Result<OpQuantities> quantities = measure_op(graph().op_class(node), facts);
  if (!quantities) {
    return quantities.error();
  }
  const detail::PlanData& data = plan().data();
  const std::uint8_t engine = detail::engine_of(graph(), node);
  const CacheState cache{data.last_level_bytes[engine], graph().unique_weight_bytes()};
  const auto repeats = to_float(facts[Fact::kRepeats]);
  const detail::OpToPrice op{graph().kind(node), graph().data_type(node), engine, &*quantities, cache};
  const float factor = factor_of(data, row_index, op);
  for (std::uint32_t i = 0; i < row.term_count(); ++i) {
    TermShare& share = out[i];
    share.term = row.term(i);
    const float joules_per_unit = share.term.coefficient * scale_of(share.term.unit);
    share.seconds = 0.0F;
    if (is_runtime(share.term.feature)) {
      share.value = runtime_value(share.term.feature, runtime);
      share.contribution = joules_per_unit * share.value;
    } else {
      const BatchParts parts = split_by_batch(share.term.feature, *quantities, share.term.tile, cache);
      share.value = inputs.batch_ratio == 1.0F ? feature_value(share.term.feature, *quantities, share.term.tile, cache)
                                               : parts.constant + inputs.batch_ratio * parts.proportional;
      share.contribution = row.form() == RowForm::kLinear ? joules_per_unit * share.value * repeats * factor
                           : share.value > 0.0F           ? exp2_of(share.term.coefficient * log2_of(share.value))
                                                          : 1.0F;
      share.seconds = share.term.time_coefficient * scale_of(share.term.time_unit) * share.value * repeats;
    }
    share.inside = share.value >= share.term.min && share.value <= share.term.max;
  }
  return row.term_count();
}

}  // namespace edgejoule
