#include <cmath>
#include <cstring>
#include <limits>

#include "edgejoule/core/table.h"
#include "edgejoule_wire/table_generated.h"
#include "wire_file.h"
#include "wire_reader.h"
#include "wire_specs.h"

// CoefficientTable::open: structure, then meaning. What passes is read unchecked.
namespace edgejoule {
namespace {

using Root = wire::CoefficientTable;

constexpr float kMinGain = 1.0F / 64.0F;
constexpr float kMaxGain = 64.0F;
constexpr float kMaxExponent = 16.0F;  // of a feature in a log2 row
constexpr float kMaxIntercept = 126.0F;
constexpr float kMaxLogResidual = 32.0F;  // e^32: no residual of a useful row is larger
constexpr float kAnyNumber = std::numeric_limits<float>::max();
constexpr std::uint32_t kTablesPerRow = kMaxTermsPerRow + kMaxConditionsPerRow + 4;
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

// Fields that stand side by side, places 2 apart; none negative.
Error check_non_negative(WireTable file, std::uint16_t first_place, std::uint16_t last_place, float max) noexcept {
  Error error = kFine;
  for (std::uint16_t place = first_place; place <= last_place && error == kFine; place += 2U) {
    error = check_within(wire_number<float>(file, place), 0.0F, max);
  }
  return error;
}

// Terms and conditions: open bounds are infinite there and absent in the file.
Error check_bounds(WireTable file, std::uint16_t min_place, std::uint16_t max_place, bool must_differ) noexcept {
  const float min = wire_number(file, min_place, -kAnyNumber);
  const float max = wire_number(file, max_place, kAnyNumber);
  if (!std::isfinite(min) || !std::isfinite(max)) {
    return Error::kNotFinite;
  }
  return min > max || (must_differ && min == max) ? Error::kBadRange : kFine;
}

Error check_residual(WireTable file) noexcept {
  using File = wire::Residual;
  if (file == nullptr) {
    return kFine;
  }
  Error error = check_non_negative(file, File::VT_SHARED_SIGMA, File::VT_INDEPENDENT_SIGMA, kMaxLogResidual);
  if (error == kFine) {
    error = check_non_negative(file, File::VT_MEDIAN_ERROR_PERCENT, File::VT_MEAN_ERROR_PERCENT, kAnyNumber);
  }
  const std::uint8_t* in_file = wire_field(file, File::VT_QUANTILES);
  if (error != kFine || in_file == nullptr) {
    return error;
  }
  float quantiles[Residual::kQuantiles];
  std::memcpy(quantiles, in_file, sizeof quantiles);
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

Error check_term(WireTable file, RowForm form) noexcept {
  using File = wire::Term;
  const auto feature = wire_enum<Feature>(file, File::VT_FEATURE);
  const auto unit = wire_enum<Unit>(file, File::VT_UNIT);
  const auto time_unit = wire_number(file, File::VT_TIME_UNIT, Unit::kSecond);
  if (!is_known(feature) || unit > Unit::kSecond || time_unit > Unit::kSecond) {
    return Error::kUnknownValue;
  }
  const auto time = wire_number<float>(file, File::VT_TIME_COEFFICIENT);
  if (!unit_fits(feature, unit, form) || time_unit < Unit::kPicosecond || (is_runtime(feature) && time != 0.0F)) {
    return Error::kBadUnit;
  }
  const bool linear = form == RowForm::kLinear;
  Error error = check_within(wire_number<float>(file, File::VT_COEFFICIENT), linear ? 0.0F : -kMaxExponent,
                             linear ? kAnyNumber : kMaxExponent);
  if (error == kFine) {
    error = check_within(time, 0.0F, kAnyNumber);
  }
  return error != kFine ? error : check_bounds(file, File::VT_MIN, File::VT_MAX, false);
}

bool is_condition_feature(Feature feature) noexcept {
  return is_known(feature) && !is_runtime(feature);
}

Error check_condition(WireTable file) noexcept {
  using File = wire::Condition;
  return is_condition_feature(wire_enum<Feature>(file, File::VT_FEATURE))
             ? check_bounds(file, File::VT_MIN, File::VT_MAX, true)
             : Error::kUnknownValue;
}

Error check_octaves(Span<const float> values) noexcept {
  for (const float value : values) {
    if (const Error error = check_within(value, -kMaxOctaves, kMaxOctaves); error != kFine) {
      return error;
    }
  }
  return kFine;
}

Error check_correction(WireTable row) noexcept {
  if (wire_field(row, wire::Row::VT_CORRECTION) == nullptr) {
    return kFine;
  }
  const CorrectionView correction = RowView(row).correction();
  if (correction.axes.empty() || correction.heights.empty()) {
    return Error::kMissingField;
  }
  if (correction.axes.size() > kMaxCorrectionAxes || correction.heights.size() > kMaxCorrectionPoints) {
    return Error::kTooLarge;
  }
  if (correction.positions.size() != correction.axes.size() * correction.heights.size()) {
    return Error::kBadIndex;
  }
  for (const Feature axis : correction.axes) {
    if (!is_condition_feature(axis)) {
      return Error::kUnknownValue;
    }
  }
  Error error = check_within(correction.length_octaves, kMinLength, kMaxOctaves);
  if (error == kFine) {
    error = check_octaves(correction.positions);
  }
  return error != kFine ? error : check_octaves(correction.heights);
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

// The bits of a bound; an absent one reads as a number nobody writes.
std::uint32_t bits_of_bound(WireTable condition, std::uint16_t place) noexcept {
  return wire_number(condition, place, std::uint32_t{1});
}

std::uint32_t hash_of(WireTable condition) noexcept {
  using File = wire::Condition;
  const std::uint32_t hash = mixed(wire_number<std::uint16_t>(condition, File::VT_FEATURE) + 1U);
  return mixed(mixed(hash ^ bits_of_bound(condition, File::VT_MIN)) + bits_of_bound(condition, File::VT_MAX));
}

// The fields a level needs, and the ones that would contradict it.
Error check_key(const RowView& row, std::uint32_t& subject) noexcept {
  const Level level = row.level();
  const bool has_type = row.data_type() != DataType::kUnknown;
  bool for_modules = false;
  subject = 0;
  if (level <= Level::kOp) {
    const OpKind kind = row.kind();
    subject = static_cast<std::uint32_t>(kind);
    for_modules = is_module(kind);
    // Modules have no data type of their own; an exact module row names the kind alone.
    if (subject == 0 || (level != Level::kOp && !has_type && !for_modules)) {
      return Error::kMissingField;
    }
    if (level == Level::kOp && has_type) {
      return Error::kBadRange;
    }
  } else if (level == Level::kClass) {
    const OpClass op_class = row.op_class();
    subject = static_cast<std::uint32_t>(op_class);
    for_modules = op_class == OpClass::kModule;
    if (subject == 0) {
      return Error::kMissingField;
    }
  } else if (level != Level::kRoofline) {
    return Error::kUnknownValue;
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

Error check_row(WireTable file, const Limits& limits, RowKey& key) noexcept {
  const RowView row(file);
  if (const Error error = check_key(row, key.subject); error != kFine) {
    return error;
  }
  const RowForm form = row.form();
  if (form > RowForm::kLog2) {
    return Error::kUnknownValue;
  }
  const std::uint8_t engine = row.engine();
  const std::uint8_t point = row.operating_point();
  if (!is_within(engine, limits.engines) || !is_within(point, limits.points)) {
    return Error::kBadIndex;
  }
  const float largest_intercept = form == RowForm::kLog2 ? kMaxIntercept : 0.0F;
  if (const Error error = check_within(row.intercept(), -largest_intercept, largest_intercept); error != kFine) {
    return error == Error::kNegative ? Error::kBadRange : error;
  }
  const std::uint8_t member = row.member();
  key.restriction = (static_cast<std::uint32_t>(row.data_type()) << 24U) | (static_cast<std::uint32_t>(engine) << 16U) |
                    (static_cast<std::uint32_t>(point) << 8U) | (static_cast<std::uint32_t>(member) << 4U);
  key.conditions = 0;
  const std::uint32_t terms = row.term_count();
  const std::uint32_t conditions = row.condition_count();
  if (terms > kMaxTermsPerRow || conditions > kMaxConditionsPerRow) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < terms; ++i) {
    const WireTable term = wire_item(file, wire::Row::VT_TERMS, i);
    if (const Error error = check_term(term, form); error != kFine) {
      return error;
    }
    if (const auto feature = wire_enum<Feature>(term, wire::Term::VT_FEATURE); is_runtime(feature)) {
      key.restriction |= 1U << (static_cast<std::uint32_t>(feature) - static_cast<std::uint32_t>(Feature::kTime));
    }
  }
  for (std::uint32_t i = 0; i < conditions; ++i) {
    const WireTable condition = wire_item(file, wire::Row::VT_CONDITIONS, i);
    if (const Error error = check_condition(condition); error != kFine) {
      return error;
    }
    key.conditions += hash_of(condition);
  }
  // A committee is asked before anything is measured.
  constexpr std::uint32_t kRuntimeNeeds = 7;
  if (member > kMaxMembers || (member != 0 && (key.restriction & kRuntimeNeeds) != 0)) {
    return Error::kBadRange;
  }
  Error error = check_correction(file);
  for (const std::uint16_t place : {wire::Row::VT_RESIDUAL, wire::Row::VT_TIME_RESIDUAL}) {
    if (error == kFine) {
      error = check_residual(wire_reference(file, place));
    }
  }
  return error;
}

// A roofline for any type, engine and operating point, without conditions or run-time
// terms.
bool answers_any_op(WireTable row, const RowKey& key) noexcept {
  constexpr std::uint32_t kAnything = (std::uint32_t{kAnyEngine} << 16U) | (std::uint32_t{kAnyOperatingPoint} << 8U);
  return key.subject == static_cast<std::uint32_t>(Level::kRoofline) << 16U && key.restriction == kAnything &&
         wire_count(row, wire::Row::VT_CONDITIONS) == 0;
}

bool same_condition(WireTable a, WireTable b) noexcept {
  using File = wire::Condition;
  return wire_number<std::uint16_t>(a, File::VT_FEATURE) == wire_number<std::uint16_t>(b, File::VT_FEATURE) &&
         bits_of_bound(a, File::VT_MIN) == bits_of_bound(b, File::VT_MIN) &&
         bits_of_bound(a, File::VT_MAX) == bits_of_bound(b, File::VT_MAX);
}

bool same_conditions(WireTable a, WireTable b) noexcept {
  constexpr std::uint16_t kPlace = wire::Row::VT_CONDITIONS;
  const std::uint32_t count = wire_count(a, kPlace);
  if (count != wire_count(b, kPlace)) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    bool found = false;
    for (std::uint32_t j = 0; j < count && !found; ++j) {
      found = same_condition(wire_item(a, kPlace, i), wire_item(b, kPlace, j));
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
  static constexpr std::uint32_t kWords = sizeof(void*) > 4 ? 128 : 32;  // small machines: small tables, small stacks
  std::uint32_t words_[kWords] = {};
};

Error check_rows(WireTable root, const Limits& limits) noexcept {
  const std::uint8_t* rows = wire_reference(root, Root::VT_ROWS);
  if (rows == nullptr) {
    return Error::kMissingField;
  }
  const std::uint32_t count = wire_size(rows);
  if (count > kMaxRows) {
    return Error::kTooLarge;
  }
  bool roofline = false;
  KeyFilter filter;
  for (std::uint32_t i = 0; i < count; ++i) {
    const WireTable row = wire_item(rows, i);
    RowKey key{};
    if (const Error error = check_row(row, limits, key); error != kFine) {
      return error;
    }
    roofline |= answers_any_op(row, key);
    if (!filter.add(key)) {
      continue;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      const WireTable earlier = wire_item(rows, j);
      RowKey other{};
      static_cast<void>(check_row(earlier, limits, other));  // passed before; for its key
      if (other == key && same_conditions(row, earlier)) {
        return Error::kDuplicateRow;
      }
    }
  }
  return roofline ? kFine : Error::kMissingRoofline;
}

Error check_engines(WireTable root, std::uint32_t count) noexcept {
  if (count > kMaxEngines) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const WireTable engine = wire_item(root, Root::VT_ENGINES, i);
    if (const Error error = check_non_negative(engine, wire::Engine::VT_WAKE_MICROJOULES,
                                               wire::Engine::VT_WAKE_MICROJOULES, kAnyNumber);
        error != kFine) {
      return error;
    }
  }
  return kFine;
}

Error check_operating_points(WireTable root, std::uint32_t count) noexcept {
  using File = wire::OperatingPoint;
  if (count > kMaxOperatingPoints) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const WireTable point = wire_item(root, Root::VT_OPERATING_POINTS, i);
    const std::string_view name = wire_text(point, File::VT_NAME);
    if (name.data() == nullptr) {
      return Error::kMissingField;
    }
    static_assert(File::VT_CORE_MILLIVOLTS == File::VT_CPU_MHZ + 6, "four fields side by side");
    if (const Error error = check_non_negative(point, File::VT_CPU_MHZ, File::VT_CORE_MILLIVOLTS, kAnyNumber);
        error != kFine) {
      return error;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      if (wire_text(wire_item(root, Root::VT_OPERATING_POINTS, j), File::VT_NAME) == name) {
        return Error::kDuplicateRow;
      }
    }
  }
  return kFine;
}

Error check_statics(WireTable root, const Limits& limits) noexcept {
  const auto statics = wire_span<wire::StaticTerm>(root, Root::VT_STATICS);
  constexpr std::uint32_t kStates = 3;
  if (statics.size() > kStates * kMaxEngines * (kMaxOperatingPoints + 1)) {
    return Error::kTooLarge;
  }
  for (const wire::StaticTerm& term : statics) {
    if (term.engine() >= limits.engines || !is_within(term.operating_point(), limits.points)) {
      return Error::kBadIndex;
    }
    if (static_cast<EngineState>(term.state()) > EngineState::kBusy) {
      return Error::kUnknownValue;
    }
    if (const Error error = check_within(term.milliwatts(), 0.0F, kAnyNumber); error != kFine) {
      return error;
    }
    for (const wire::StaticTerm* other = statics.begin(); other != &term; ++other) {
      if (other->engine() == term.engine() && other->state() == term.state() &&
          other->operating_point() == term.operating_point()) {
        return Error::kDuplicateRow;
      }
    }
  }
  return kFine;
}

// A table that does not say what its joules are of cannot be compared with anything.
Error check_meaning_of_joules(WireTable root) noexcept {
  const WireTable boundary = wire_reference(root, Root::VT_BOUNDARY);
  const WireTable baseline = wire_reference(root, Root::VT_BASELINE);
  if (boundary == nullptr || baseline == nullptr) {
    return Error::kMissingField;
  }
  const auto measured = wire_enum<BoundaryKind>(boundary, wire::Boundary::VT_KIND);
  const auto above = wire_enum<BaselineKind>(baseline, wire::Baseline::VT_KIND);
  if (measured > BoundaryKind::kWholeMachine || above > BaselineKind::kAboveIdle) {
    return Error::kUnknownValue;
  }
  const bool rails_unnamed = measured == BoundaryKind::kRails && wire_count(boundary, wire::Boundary::VT_RAILS) == 0;
  return measured == BoundaryKind::kUnknown || above == BaselineKind::kUnknown || rails_unnamed ? Error::kMissingField
                                                                                                : kFine;
}

Error check_table(WireTable root) noexcept {
  if (wire_number<std::uint16_t>(root, Root::VT_FORMAT_VERSION) != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  const Limits limits{wire_count(root, Root::VT_ENGINES), wire_count(root, Root::VT_OPERATING_POINTS)};
  Error error = check_meaning_of_joules(root);
  if (error == kFine) {
    error = check_engines(root, limits.engines);
  }
  if (error == kFine) {
    error = check_operating_points(root, limits.points);
  }
  if (error == kFine) {
    error = check_statics(root, limits);
  }
  constexpr std::uint16_t kResiduals[] = {Root::VT_OP_RESIDUAL,          Root::VT_MODULE_RESIDUAL,
                                          Root::VT_MODEL_RESIDUAL,       Root::VT_OP_TIME_RESIDUAL,
                                          Root::VT_MODULE_TIME_RESIDUAL, Root::VT_MODEL_TIME_RESIDUAL};
  for (const std::uint16_t place : kResiduals) {
    if (error == kFine) {
      error = check_residual(wire_reference(root, place));
    }
  }
  return error == kFine ? check_rows(root, limits) : error;
}

}  // namespace

Result<CoefficientTable> CoefficientTable::open(Span<const std::byte> bytes) noexcept {
  const auto root =
      verify_file(bytes, wire::CoefficientTableIdentifier(), wire_specs::coefficients::kTables, kMaxTables);
  if (!root) {
    return root.error();
  }
  if (const Error error = check_table(*root); error != kFine) {
    return error;
  }
  CoefficientTable table;
  table.root_ = *root;
  return table;
}

}  // namespace edgejoule
