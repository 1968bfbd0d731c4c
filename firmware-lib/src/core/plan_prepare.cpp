#include <cstring>

#include "alignment.h"
#include "edgejoule_wire/table_generated.h"
#include "log2_exp2.h"
#include "plan_data.h"
#include "wire_reader.h"

// TablePlan::prepare: from a verified table to rows in the order of search.
namespace edgejoule {
namespace {

using detail::Bounds;
using detail::kHasCorrection;
using detail::kHasTime;
using detail::PlanData;
using detail::PlanRow;
using detail::PlanSlot;
using detail::PlanTerm;

struct Layout {
  std::size_t slots;
  std::size_t rows;
  std::size_t terms;
  std::size_t conditions;
  std::size_t bounds;
  std::size_t time_bounds;
  std::size_t order;
  std::size_t end;
  std::uint32_t slot_count;
  bool timed;
};

Layout layout_of(const CoefficientTable& table) noexcept {
  const std::size_t rows = table.row_count();
  std::size_t terms = 0;
  std::size_t conditions = 0;
  Layout layout{};
  for (std::uint32_t i = 0; i < rows; ++i) {
    const RowView row = table.row(i);
    terms += row.term_count();
    conditions += row.condition_count();
    layout.timed = layout.timed || row.has_time();
  }
  layout.slot_count = 4;
  while (layout.slot_count < 2 * rows) {
    layout.slot_count *= 2;
  }
  layout.slots = aligned(sizeof(PlanData));
  layout.rows = aligned(layout.slots + layout.slot_count * sizeof(PlanSlot));
  layout.terms = aligned(layout.rows + rows * sizeof(PlanRow));
  layout.conditions = aligned(layout.terms + terms * sizeof(PlanTerm));
  layout.bounds = aligned(layout.conditions + conditions * sizeof(Condition));
  const std::size_t bounds = detail::kConfidences * (rows + 2) * sizeof(Bounds);
  layout.time_bounds = aligned(layout.bounds + bounds);
  layout.order = layout.timed ? aligned(layout.time_bounds + bounds) : layout.time_bounds;
  layout.end = layout.order + rows * sizeof(std::uint64_t);
  return layout;
}

constexpr std::uint32_t kRooflineGroup = 0x20000U;

std::uint32_t group_of(const RowView& row) noexcept {
  switch (row.level()) {
    case Level::kClass: return detail::class_key(row.op_class());
    case Level::kRoofline: return kRooflineGroup;
    default: return static_cast<std::uint32_t>(row.kind());
  }
}

std::uint8_t needs_of(Feature feature) noexcept {
  switch (feature) {
    case Feature::kTime: return detail::kNeedsTime;
    case Feature::kCounterEnergy: return detail::kNeedsCounter;
    case Feature::kUtilisationTime: return detail::kNeedsTime | detail::kNeedsUtilisation;
    default: return 0;
  }
}

// The order of search as one number; see plan.h. The row's index makes it unique.
std::uint64_t order_of(const RowView& row, std::uint32_t index) noexcept {
  std::uint32_t needs = 0;
  for (std::uint32_t i = 0; i < row.term_count(); ++i) {
    needs |= needs_of(row.term(i).feature);
  }
  const std::uint32_t group = (group_of(row) << 3U) | static_cast<std::uint32_t>(row.level());
  std::uint32_t order = 3U - ((needs & 1U) + ((needs >> 1U) & 1U) + ((needs >> 2U) & 1U));  // what is not measured
  order = (order << 1U) | (row.data_type() == DataType::kUnknown ? 1U : 0U);
  order = (order << 1U) | (row.engine() == kAnyEngine ? 1U : 0U);
  order = (order << 1U) | (row.operating_point() == kAnyOperatingPoint ? 1U : 0U);
  order = (order << 1U) | (row.condition_count() == 0 ? 1U : 0U);
  return (std::uint64_t{group} << 32U) | (order << 12U) | index;
}
constexpr std::uint64_t kIndexMask = 0xFFFU;
static_assert(kMaxRows - 1 <= kIndexMask);

// Shell's sort with Knuth's gaps: no memory, and at most about count^1.5 steps.
void sort(std::uint64_t* values, std::uint32_t count) noexcept {
  std::uint32_t gap = 1;
  while (gap < count) {
    gap = 3 * gap + 1;
  }
  while ((gap /= 3) != 0) {
    for (std::uint32_t i = gap; i < count; ++i) {
      const std::uint64_t value = values[i];
      std::uint32_t at = i;
      for (; at >= gap && values[at - gap] > value; at -= gap) {
        values[at] = values[at - gap];
      }
      values[at] = value;
    }
  }
}

// Where a table keeps what was left over of one quantity, and what its bounds say.
struct ResidualPlaces {
  std::uint16_t of_row;
  std::uint16_t of_op;
  std::uint16_t of_module;
  std::uint16_t of_model;
  std::uint16_t unknown;  // flags: there is none
  std::uint16_t few;      // too few groups behind it
};
using Root = wire::CoefficientTable;
constexpr ResidualPlaces kOfJoules{wire::Row::VT_RESIDUAL,
                                   Root::VT_OP_RESIDUAL,
                                   Root::VT_MODULE_RESIDUAL,
                                   Root::VT_MODEL_RESIDUAL,
                                   static_cast<std::uint16_t>(Flag::kIntervalUnknown),
                                   static_cast<std::uint16_t>(Flag::kIntervalNotGuaranteed)};
constexpr ResidualPlaces kOfTime{wire::Row::VT_TIME_RESIDUAL,
                                 Root::VT_OP_TIME_RESIDUAL,
                                 Root::VT_MODULE_TIME_RESIDUAL,
                                 Root::VT_MODEL_TIME_RESIDUAL,
                                 0,
                                 static_cast<std::uint16_t>(Flag::kTimeIntervalNotGuaranteed)};

constexpr std::uint8_t kLowerQuantile[detail::kConfidences] = {3, 2, 1, 0};

// The factor at a quantile of a logarithm.
float factor_at(const std::uint8_t* quantiles, std::size_t i) noexcept {
  constexpr float kLog2E = 1.4426950408889634F;
  float quantile = 0.0F;
  std::memcpy(&quantile, quantiles + i * sizeof quantile, sizeof quantile);
  return exp2_of(quantile * kLog2E);
}

void set_bounds(const ResidualPlaces& places, WireTable residual, Bounds* bounds, std::size_t stride) noexcept {
  using File = wire::Residual;
  const std::uint8_t* quantiles = residual == nullptr ? nullptr : wire_field(residual, File::VT_QUANTILES);
  const std::uint32_t groups = quantiles == nullptr ? 0 : wire_number<std::uint32_t>(residual, File::VT_GROUPS);
  for (std::uint32_t c = 0; c < detail::kConfidences; ++c, bounds += stride) {
    bounds->lower = bounds->upper = 1.0F;
    bounds->flags = groups < detail::kGroupsNeeded[c] ? places.few : 0U;
    if (quantiles == nullptr) {
      bounds->flags |= places.unknown;
    } else {
      const std::size_t low = kLowerQuantile[c];
      bounds->lower = factor_at(quantiles, low);
      bounds->upper = factor_at(quantiles, Residual::kQuantiles - 1 - low);
    }
  }
}

// Of every row, of modules and of the whole model.
void set_all_bounds(const ResidualPlaces& places, WireTable table, const PlanData& plan, const PlanRow* rows,
                    Bounds* bounds) noexcept {
  for (std::uint32_t i = 0; i < plan.row_count; ++i) {
    const WireTable row = wire_item(table, Root::VT_ROWS, rows[i].table_row);
    WireTable residual = wire_reference(row, places.of_row);
    if (residual == nullptr) {
      const bool of_module = wire_number<float>(row, wire::Row::VT_CHILDREN_GAIN) > 0.0F;
      residual = wire_reference(table, of_module ? places.of_module : places.of_op);
    }
    set_bounds(places, residual, bounds + i, plan.bounds_count);
  }
  set_bounds(places, wire_reference(table, places.of_module), bounds + plan.module_bounds(), plan.bounds_count);
  set_bounds(places, wire_reference(table, places.of_model), bounds + plan.model_bounds(), plan.bounds_count);
}

// Watts of an engine in a state: at the operating point, or else at any; negative: not
// known.
float watts_of(const CoefficientTable& table, std::uint32_t engine, EngineState state, std::uint8_t point) noexcept {
  float watts = -1.0F;
  for (std::uint32_t i = 0; i < table.static_term_count(); ++i) {
    const StaticTermView term = table.static_term(i);
    if (term.engine == engine && term.state == state &&
        (term.operating_point == point || (term.operating_point == kAnyOperatingPoint && watts < 0.0F))) {
      watts = term.power.value();
    }
  }
  return watts;
}

// Power while this engine is busy and the others idle; where busy is not known, idle.
float static_watts_of(const CoefficientTable& table, std::uint32_t engine, std::uint8_t point) noexcept {
  float watts = watts_of(table, engine, EngineState::kBusy, point);
  if (watts < 0.0F) {
    watts = watts_of(table, engine, EngineState::kIdle, point);
  }
  for (std::uint32_t other = 0; other < table.engine_count() && watts >= 0.0F; ++other) {
    const float idle = other == engine ? 0.0F : watts_of(table, other, EngineState::kIdle, point);
    watts += idle > 0.0F ? idle : 0.0F;
  }
  return watts;
}

// Into a row of zeros.
void set_row(const RowView& row, PlanRow& out, PlanTerm*& terms, Condition*& conditions) noexcept {
  out.level = row.level();
  out.form = row.form();
  out.data_type = row.data_type();
  out.engine = row.engine();
  out.member = static_cast<std::uint8_t>(row.member() | (!row.correction().heights.empty() ? kHasCorrection : 0));
  out.intercept = row.intercept();
  const float gain = row.children_gain();
  out.gain_less_one = gain > 0.0F ? gain - 1.0F : 0.0F;
  for (std::uint32_t i = 0; i < row.term_count(); ++i) {
    const Term term = row.term(i);
    const float scaled = term.coefficient * scale_of(term.unit);
    const float seconds = term.time_coefficient > 0.0F ? term.time_coefficient * scale_of(term.time_unit) : 0.0F;
    if (seconds > 0.0F) {
      out.member |= kHasTime;
    }
    out.needs = static_cast<std::uint8_t>(out.needs | needs_of(term.feature));
    switch (term.feature) {
      case Feature::kTime: out.time_watts += scaled; break;
      case Feature::kUtilisationTime: out.utilisation_watts += scaled; break;
      case Feature::kCounterEnergy: out.counter_ratio += scaled; break;
      default: *terms++ = {scaled, seconds, term.min, term.max, term.feature, term.tile}; ++out.term_count;
    }
  }
  for (std::uint32_t i = 0; i < row.condition_count(); ++i) {
    *conditions++ = row.condition(i);
    ++out.condition_count;
  }
}

void add_to_index(PlanSlot* slots, std::uint32_t mask, std::uint32_t key, std::uint16_t row) noexcept {
  std::uint32_t at = detail::slot_of(key) & mask;
  while (slots[at].count != 0 && slots[at].key != key) {
    at = (at + 1) & mask;
  }
  if (slots[at].count++ == 0) {
    slots[at].key = key;
    slots[at].first = row;
  }
}

// Of all that prices; a predictor compares it with the one it was bound to.
std::uint32_t stamp_of(const std::byte* begin, const std::byte* end) noexcept {
  std::uint32_t hash = 2166136261U;
  for (; begin < end; begin += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, begin, sizeof word);
    hash = (hash ^ word) * 16777619U;
  }
  return hash;
}

bool differs(std::string_view here, std::string_view table) noexcept {
  return !here.empty() && !table.empty() && here != table;
}

}  // namespace

std::size_t TablePlan::required_bytes(const CoefficientTable& table) noexcept {
  return layout_of(table).end;
}

Result<TablePlan> TablePlan::prepare(const CoefficientTable& table, const PlanOptions& options,
                                     Span<std::byte> workspace) noexcept {
  if (!is_aligned(workspace.data())) {
    return Error::kMisaligned;
  }
  const Layout layout = layout_of(table);
  if (workspace.size() < layout.end) {
    return Error::kWorkspaceTooSmall;
  }
  const std::string_view board = table.board_compatible();
  if (options.require_same_board && (options.board_compatible.empty() || options.board_compatible != board)) {
    return Error::kOtherBoard;
  }
  std::uint8_t point = table.operating_point_count() == 0 ? kAnyOperatingPoint : std::uint8_t{0};
  if (!options.operating_point.empty()) {
    const Result<std::uint32_t> found = table.find_operating_point(options.operating_point);
    if (!found) {
      return found.error();
    }
    point = static_cast<std::uint8_t>(*found);
  }

  std::byte* const base = workspace.data();
  std::memset(base, 0, layout.end);  // empty slots and rows, and one stamp for one plan
  auto* const plan = reinterpret_cast<PlanData*>(base);
  auto* const slots = reinterpret_cast<PlanSlot*>(base + layout.slots);
  auto* const rows = reinterpret_cast<PlanRow*>(base + layout.rows);
  auto* const terms = reinterpret_cast<PlanTerm*>(base + layout.terms);
  auto* const conditions = reinterpret_cast<Condition*>(base + layout.conditions);
  auto* const bounds = reinterpret_cast<Bounds*>(base + layout.bounds);
  auto* const time_bounds = reinterpret_cast<Bounds*>(base + (layout.timed ? layout.time_bounds : layout.bounds));
  auto* const order = reinterpret_cast<std::uint64_t*>(base + layout.order);

  Flags flags;
  if (differs(options.board_compatible, board)) {
    flags.set(Flag::kOtherBoard);
  }
  if (differs(options.runtime, table.runtime())) {
    flags.set(Flag::kOtherRuntime);
  }
  plan->above_idle = table.baseline() == BaselineKind::kAboveIdle;
  if (!plan->above_idle) {
    flags.set(Flag::kStaticInDynamic);
  }
  const WireTable root = table.root();
  if (point != kAnyOperatingPoint && wire_number<std::uint8_t>(wire_item(root, Root::VT_OPERATING_POINTS, point),
                                                               wire::OperatingPoint::VT_INTERPOLATED) != 0) {
    flags.set(Flag::kInterpolated);
  }
  plan->base_flags = flags.bits();
  plan->slot_mask = layout.slot_count - 1;
  plan->bounds_count = table.row_count() + 2;
  plan->operating_point = point;
  plan->timed = layout.timed;
  plan->engine_count = static_cast<std::uint8_t>(table.engine_count());
  plan->static_watts[0] = -1.0F;  // of the engine that ops run on where the table has none
  for (std::uint32_t engine = 0; engine < table.engine_count(); ++engine) {
    plan->last_level_bytes[engine] = table.last_level_bytes(engine);
    plan->static_watts[engine] = static_watts_of(table, engine, point);
  }

  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < table.row_count(); ++i) {
    const RowView row = table.row(i);
    if (row.operating_point() == kAnyOperatingPoint || row.operating_point() == point) {
      order[count++] = order_of(row, i);
    }
  }
  sort(order, count);
  plan->row_count = static_cast<std::uint16_t>(count);
  plan->roofline_first = static_cast<std::uint16_t>(count);

  PlanTerm* next_term = terms;
  Condition* next_condition = conditions;
  std::uint32_t runtime_sets = 0;  // one bit per set of run-time facts
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto table_row = static_cast<std::uint16_t>(order[i] & kIndexMask);
    const RowView row = table.row(table_row);
    PlanRow& out = rows[i];
    out.first_term = static_cast<std::uint32_t>(next_term - terms);
    out.first_condition = static_cast<std::uint32_t>(next_condition - conditions);
    out.table_row = table_row;
    set_row(row, out, next_term, next_condition);
    runtime_sets |= 1U << out.needs;
    out.bounds = static_cast<std::uint16_t>(i);
    const std::uint32_t group = group_of(row);
    if (group != kRooflineGroup) {
      add_to_index(slots, plan->slot_mask, group, static_cast<std::uint16_t>(i));
    } else if (i < plan->roofline_first) {
      plan->roofline_first = static_cast<std::uint16_t>(i);
    }
  }
  for (std::uint32_t sets = runtime_sets >> 1U; sets != 0; sets &= sets - 1) {
    ++plan->runtime_slots;
  }
  set_all_bounds(kOfJoules, root, *plan, rows, bounds);
  if (layout.timed) {
    set_all_bounds(kOfTime, root, *plan, rows, time_bounds);
  }
  // Before the pointers: they differ where nothing else does.
  plan->stamp = stamp_of(base, base + layout.order);
  plan->slots = slots;
  plan->rows = rows;
  plan->terms = terms;
  plan->conditions = conditions;
  for (std::size_t c = 0; c < detail::kConfidences; ++c) {
    plan->bounds[c] = bounds + c * plan->bounds_count;
    plan->time_bounds[c] = time_bounds + c * plan->bounds_count;
  }
  plan->table = table;
  return TablePlan(plan, plan->stamp);
}

}  // namespace edgejoule
