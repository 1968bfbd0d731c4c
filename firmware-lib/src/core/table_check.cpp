#include <cmath>
#include <cstring>
#include <limits>

#include "edgejoule/core/table.h"
#include "edgejoule_wire/table_generated.h"
#include "wire_file.h"
#include "wire_specs.h"

// CoefficientTable::open: structure, then meaning. What passes is read unchecked.
namespace edgejoule {
namespace {

constexpr float kMinGain = 1.0F / 64.0F;
constexpr float kMaxGain = 64.0F;
constexpr float kMaxExponent = 16.0F;  // of a feature in a log2 row
constexpr float kMaxIntercept = 126.0F;
constexpr float kMaxLogResidual = 32.0F;  // e^32: no residual of a useful row is larger
constexpr float kAnyNumber = std::numeric_limits<float>::max();
constexpr std::uint32_t kTablesPerRow = kMaxTermsPerRow + kMaxConditionsPerRow + 3;
constexpr float kMaxOctaves = 64.0F;  // of a size, a height or a length
constexpr float kMinLength = 1.0F / 64.0F;
constexpr std::uint32_t kMaxTables = kMaxRows * kTablesPerRow + 1024;

// Status in one register: the checks run for every number of a table.
constexpr Error kFine{};

__attribute__((noinline)) Error fault_of(float value, float min) noexcept {
  if (!std::isfinite(value)) {
    return Error::kNotFinite;
  }
  return value < 0.0F && min >= 0.0F ? Error::kNegative : Error::kBadRange;
}

Error check_within(float value, float min, float max) noexcept {
  return value >= min && value <= max ? kFine : fault_of(value, min);
}

Error check_non_negative(float value) noexcept {
  return check_within(value, 0.0F, kAnyNumber);
}

// Terms and conditions: open bounds are infinite there and absent in the file.
template <class Wire>
Error check_bounds(const Wire& file, bool must_differ) noexcept {
  const auto file_min = file.min();
  const auto file_max = file.max();
  const float min = file_min.has_value() ? *file_min : -kAnyNumber;
  const float max = file_max.has_value() ? *file_max : kAnyNumber;
  if (!std::isfinite(min) || !std::isfinite(max)) {
    return Error::kNotFinite;
  }
  return min > max || (must_differ && min == max) ? Error::kBadRange : kFine;
}

Error check_residual(const wire::Residual* file) noexcept {
  if (file == nullptr) {
    return kFine;
  }
  Error error = check_within(file->shared_sigma(), 0.0F, kMaxLogResidual);
  if (error == kFine) {
    error = check_within(file->independent_sigma(), 0.0F, kMaxLogResidual);
  }
  if (error == kFine) {
    error = check_non_negative(file->median_error_percent());
  }
  if (error == kFine) {
    error = check_non_negative(file->mean_error_percent());
  }
  if (error != kFine || file->quantiles() == nullptr) {
    return error;
  }
  float quantiles[Residual::kQuantiles];
  std::memcpy(quantiles, file->quantiles(), sizeof quantiles);
  float previous = -kMaxLogResidual;
  for (const float quantile : quantiles) {
    if (!(quantile >= previous && quantile <= kMaxLogResidual)) {
      return std::isfinite(quantile) ? Error::kBadRange : Error::kNotFinite;
    }
    previous = quantile;
  }
  return kFine;
}

bool unit_fits(Feature feature, Unit unit, RowForm form) noexcept {
  if (form == RowForm::kLog2 || feature == Feature::kCounterEnergy) {
    return unit == Unit::kRatio && (form == RowForm::kLinear || !is_runtime(feature));
  }
  return is_runtime(feature) ? unit == Unit::kMilliwatt || unit == Unit::kWatt : unit <= Unit::kJoule;
}

Error check_term(const wire::Term& file, RowForm form) noexcept {
  const auto feature = static_cast<Feature>(file.feature());
  const auto unit = static_cast<Unit>(file.unit());
  if (!is_known(feature) || unit > Unit::kRatio) {
    return Error::kUnknownValue;
  }
  if (!unit_fits(feature, unit, form)) {
    return Error::kBadUnit;
  }
  const bool linear = form == RowForm::kLinear;
  const Error error =
      check_within(file.coefficient(), linear ? 0.0F : -kMaxExponent, linear ? kAnyNumber : kMaxExponent);
  return error != kFine ? error : check_bounds(file, false);
}

Error check_condition(const wire::Condition& file) noexcept {
  const auto feature = static_cast<Feature>(file.feature());
  return is_known(feature) && !is_runtime(feature) ? check_bounds(file, true) : Error::kUnknownValue;
}

Error check_octaves(const flatbuffers::Vector<float>& values) noexcept {
  for (const float value : values) {
    if (const Error error = check_within(value, -kMaxOctaves, kMaxOctaves); error != kFine) {
      return error;
    }
  }
  return kFine;
}

Error check_correction(const wire::Correction* file) noexcept {
  if (file == nullptr) {
    return kFine;
  }
  const auto* axes = file->axes();
  const auto* positions = file->positions();
  const auto* heights = file->heights();
  if (axes == nullptr || positions == nullptr || heights == nullptr || axes->size() == 0) {
    return Error::kMissingField;
  }
  if (axes->size() > kMaxCorrectionAxes || heights->size() > kMaxCorrectionPoints) {
    return Error::kTooLarge;
  }
  if (positions->size() != axes->size() * heights->size()) {
    return Error::kBadIndex;
  }
  for (const auto axis : *axes) {
    const auto feature = static_cast<Feature>(axis);
    if (!is_known(feature) || is_runtime(feature)) {
      return Error::kUnknownValue;
    }
  }
  if (const Error error = check_within(file->length_octaves(), kMinLength, kMaxOctaves); error != kFine) {
    return error;
  }
  const Error error = check_octaves(*positions);
  return error != kFine ? error : check_octaves(*heights);
}

// What a row answers, as numbers: two rows with equal keys and the same set of
// conditions would both answer the same ops.
struct RowKey {
  std::uint32_t subject;      // level and kind or class
  std::uint32_t restriction;  // data type, engine, operating point, member, run-time facts needed
  std::uint32_t conditions;   // a sum over the conditions, so that their order plays no part

  bool operator==(const RowKey& other) const noexcept {
    return subject == other.subject && restriction == other.restriction && conditions == other.conditions;
  }
};

std::uint32_t mixed(std::uint32_t value) noexcept {
  value ^= value >> 16U;
  value *= 0x7FEB352DU;
  value ^= value >> 15U;
  value *= 0x846CA68BU;
  return value ^ (value >> 16U);
}

template <class Optional>
std::uint32_t bits_of_bound(const Optional& bound) noexcept {
  std::uint32_t bits = 1;  // no number anybody writes
  if (bound.has_value()) {
    const float value = *bound;
    std::memcpy(&bits, &value, sizeof bits);
  }
  return bits;
}

std::uint32_t hash_of(const wire::Condition& condition) noexcept {
  const std::uint32_t hash = mixed(static_cast<std::uint32_t>(condition.feature()) + 1U);
  return mixed(mixed(hash ^ bits_of_bound(condition.min())) + bits_of_bound(condition.max()));
}

// The fields a level needs, and the ones that would contradict it.
Error check_key(const wire::Row& row, std::uint32_t& subject) noexcept {
  const auto level = static_cast<Level>(row.level());
  const bool has_type = row.data_type() != wire::DataType::unknown;
  bool for_modules = false;
  subject = 0;
  switch (level) {
    case Level::kExact:
    case Level::kOpAndType:
    case Level::kOp:
      subject = static_cast<std::uint32_t>(row.kind());
      for_modules = is_module(static_cast<OpKind>(subject));
      // Modules have no data type of their own; an exact module row names the kind alone.
      if (subject == 0 || (level != Level::kOp && !has_type && !for_modules)) {
        return Error::kMissingField;
      }
      if (level == Level::kOp && has_type) {
        return Error::kBadRange;
      }
      break;
    case Level::kClass:
      subject = static_cast<std::uint32_t>(row.op_class());
      for_modules = row.op_class() == wire::OpClass::module_node;
      if (subject == 0) {
        return Error::kMissingField;
      }
      break;
    case Level::kRoofline: break;
    default: return Error::kUnknownValue;
  }
  subject |= static_cast<std::uint32_t>(level) << 16U;
  return check_within(row.children_gain(), for_modules ? kMinGain : 0.0F, for_modules ? kMaxGain : 0.0F);
}

struct Limits {
  std::uint32_t engines;
  std::uint32_t points;
};

bool is_within(std::uint8_t index, std::uint32_t count) noexcept {
  return index == kAnyEngine || index < count;
}
static_assert(kAnyEngine == kAnyOperatingPoint);

Error check_row(const wire::Row& row, const Limits& limits, RowKey& key) noexcept {
  if (const Error error = check_key(row, key.subject); error != kFine) {
    return error;
  }
  const auto form = static_cast<RowForm>(row.form());
  if (form > RowForm::kLog2) {
    return Error::kUnknownValue;
  }
  if (!is_within(row.engine(), limits.engines) || !is_within(row.operating_point(), limits.points)) {
    return Error::kBadIndex;
  }
  const float largest_intercept = form == RowForm::kLog2 ? kMaxIntercept : 0.0F;
  if (const Error error = check_within(row.intercept(), -largest_intercept, largest_intercept); error != kFine) {
    return error == Error::kNegative ? Error::kBadRange : error;
  }
  key.restriction =
      (static_cast<std::uint32_t>(row.data_type()) << 24U) | (static_cast<std::uint32_t>(row.engine()) << 16U) |
      (static_cast<std::uint32_t>(row.operating_point()) << 8U) | (static_cast<std::uint32_t>(row.member()) << 4U);
  key.conditions = 0;
  if (const auto* terms = row.terms()) {
    if (terms->size() > kMaxTermsPerRow) {
      return Error::kTooLarge;
    }
    for (const auto* term : *terms) {
      if (const Error error = check_term(*term, form); error != kFine) {
        return error;
      }
      if (const auto feature = static_cast<Feature>(term->feature()); is_runtime(feature)) {
        key.restriction |= 1U << (static_cast<std::uint32_t>(feature) - static_cast<std::uint32_t>(Feature::kTime));
      }
    }
  }
  if (const auto* conditions = row.conditions()) {
    if (conditions->size() > kMaxConditionsPerRow) {
      return Error::kTooLarge;
    }
    for (const auto* condition : *conditions) {
      if (const Error error = check_condition(*condition); error != kFine) {
        return error;
      }
      key.conditions += hash_of(*condition);
    }
  }
  // A committee is asked before anything is measured.
  constexpr std::uint32_t kRuntimeNeeds = 7;
  if (row.member() > kMaxMembers || (row.member() != 0 && (key.restriction & kRuntimeNeeds) != 0)) {
    return Error::kBadRange;
  }
  const Error error = check_correction(row.correction());
  return error != kFine ? error : check_residual(row.residual());
}

// A roofline for any type, engine and operating point, without conditions or run-time
// terms.
bool answers_any_op(const wire::Row& row, const RowKey& key) noexcept {
  constexpr std::uint32_t kAnything = (std::uint32_t{kAnyEngine} << 16U) | (std::uint32_t{kAnyOperatingPoint} << 8U);
  return key.subject == static_cast<std::uint32_t>(Level::kRoofline) << 16U && key.restriction == kAnything &&
         (row.conditions() == nullptr || row.conditions()->size() == 0);
}

bool same_condition(const wire::Condition& a, const wire::Condition& b) noexcept {
  return a.feature() == b.feature() && bits_of_bound(a.min()) == bits_of_bound(b.min()) &&
         bits_of_bound(a.max()) == bits_of_bound(b.max());
}

bool same_conditions(const wire::Row& a, const wire::Row& b) noexcept {
  const std::uint32_t count = a.conditions() == nullptr ? 0 : a.conditions()->size();
  if (count != (b.conditions() == nullptr ? 0 : b.conditions()->size())) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    bool found = false;
    for (std::uint32_t j = 0; j < count && !found; ++j) {
      found = same_condition(*a.conditions()->Get(i), *b.conditions()->Get(j));
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

// Remembers keys in three bits each of a small filter: never forgets one, and of a
// thousand it has not seen it claims to know one (at 200 rows; each claim costs a search).
class KeyFilter {
 public:
  [[nodiscard]] bool add(const RowKey& key) noexcept {
    std::uint32_t hash = mixed(mixed(mixed(key.subject) ^ key.restriction) ^ key.conditions);
    bool known = true;
    for (int bits = 0; bits < 3; ++bits, hash = mixed(hash)) {
      std::uint32_t& word = words_[hash / 32U % kWords];
      const std::uint32_t mask = 1U << (hash % 32U);
      known &= (word & mask) != 0;
      word |= mask;
    }
    return known;
  }

 private:
  static constexpr std::uint32_t kWords = 128;
  std::uint32_t words_[kWords] = {};
};

Error check_rows(const wire::CoefficientTable& table, const Limits& limits) noexcept {
  const auto* rows = table.rows();
  if (rows == nullptr) {
    return Error::kMissingField;
  }
  if (rows->size() > kMaxRows) {
    return Error::kTooLarge;
  }
  bool roofline = false;
  KeyFilter filter;
  for (std::uint32_t i = 0; i < rows->size(); ++i) {
    const wire::Row& row = *rows->Get(i);
    RowKey key{};
    if (const Error error = check_row(row, limits, key); error != kFine) {
      return error;
    }
    roofline |= answers_any_op(row, key);
    if (!filter.add(key)) {
      continue;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      RowKey other{};
      static_cast<void>(check_row(*rows->Get(j), limits, other));  // passed before; for its key
      if (other == key && same_conditions(row, *rows->Get(j))) {
        return Error::kDuplicateRow;
      }
    }
  }
  return roofline ? kFine : Error::kMissingRoofline;
}

Error check_engines(const wire::CoefficientTable& table) noexcept {
  if (table.engines() == nullptr) {
    return kFine;
  }
  if (table.engines()->size() > kMaxEngines) {
    return Error::kTooLarge;
  }
  for (const auto* engine : *table.engines()) {
    if (const Error error = check_non_negative(engine->wake_microjoules()); error != kFine) {
      return error;
    }
  }
  return kFine;
}

Error check_operating_points(const wire::CoefficientTable& table) noexcept {
  const auto* points = table.operating_points();
  if (points == nullptr) {
    return kFine;
  }
  if (points->size() > kMaxOperatingPoints) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < points->size(); ++i) {
    const wire::OperatingPoint& point = *points->Get(i);
    if (point.name() == nullptr) {
      return Error::kMissingField;
    }
    for (const float value : {point.cpu_mhz(), point.gpu_mhz(), point.memory_mhz(), point.core_millivolts()}) {
      if (const Error error = check_non_negative(value); error != kFine) {
        return error;
      }
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      if (text_of(points->Get(j)->name()) == text_of(point.name())) {
        return Error::kDuplicateRow;
      }
    }
  }
  return kFine;
}

Error check_statics(const wire::CoefficientTable& table, const Limits& limits) noexcept {
  const auto* statics = table.statics();
  if (statics == nullptr) {
    return kFine;
  }
  constexpr std::uint32_t kStates = 3;
  if (statics->size() > kStates * kMaxEngines * (kMaxOperatingPoints + 1)) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < statics->size(); ++i) {
    const wire::StaticTerm* term = statics->Get(i);
    if (term->engine() >= limits.engines || !is_within(term->operating_point(), limits.points)) {
      return Error::kBadIndex;
    }
    if (static_cast<EngineState>(term->state()) > EngineState::kBusy) {
      return Error::kUnknownValue;
    }
    if (const Error error = check_non_negative(term->milliwatts()); error != kFine) {
      return error;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      const wire::StaticTerm* other = statics->Get(j);
      if (other->engine() == term->engine() && other->state() == term->state() &&
          other->operating_point() == term->operating_point()) {
        return Error::kDuplicateRow;
      }
    }
  }
  return kFine;
}

// A table that does not say what its joules are of cannot be compared with anything.
Error check_meaning_of_joules(const wire::CoefficientTable& table) noexcept {
  const auto* boundary = table.boundary();
  const auto* baseline = table.baseline();
  if (boundary == nullptr || boundary->kind() == wire::BoundaryKind::unknown || baseline == nullptr ||
      baseline->kind() == wire::BaselineKind::unknown) {
    return Error::kMissingField;
  }
  if (static_cast<BoundaryKind>(boundary->kind()) > BoundaryKind::kWholeMachine ||
      static_cast<BaselineKind>(baseline->kind()) > BaselineKind::kAboveIdle) {
    return Error::kUnknownValue;
  }
  const auto* rails = boundary->rails();
  return boundary->kind() == wire::BoundaryKind::rails && (rails == nullptr || rails->size() == 0)
             ? Error::kMissingField
             : kFine;
}

Error check_table(const wire::CoefficientTable& table) noexcept {
  if (table.format_version() != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  const Limits limits{table.engines() == nullptr ? 0 : table.engines()->size(),
                      table.operating_points() == nullptr ? 0 : table.operating_points()->size()};
  Error error = check_meaning_of_joules(table);
  if (error == kFine) {
    error = check_engines(table);
  }
  if (error == kFine) {
    error = check_operating_points(table);
  }
  if (error == kFine) {
    error = check_statics(table, limits);
  }
  for (const wire::Residual* residual : {table.op_residual(), table.module_residual(), table.model_residual()}) {
    if (error == kFine) {
      error = check_residual(residual);
    }
  }
  return error == kFine ? check_rows(table, limits) : error;
}

}  // namespace

Result<CoefficientTable> CoefficientTable::open(Span<const std::byte> bytes) noexcept {
  const auto root =
      verify_file(bytes, wire::CoefficientTableIdentifier(), wire_specs::coefficients::kTables, kMaxTables);
  if (!root) {
    return root.error();
  }
  if (const Error error = check_table(*reinterpret_cast<const wire::CoefficientTable*>(*root)); error != kFine) {
    return error;
  }
  CoefficientTable table;
  table.root_ = *root;
  return table;
}

}  // namespace edgejoule
