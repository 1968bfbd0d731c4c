#include <cmath>

#include "edgejoule/core/table.h"
#include "edgejoule_wire/table_generated.h"
#include "wire_file.h"

// CoefficientTable::open: structure, then meaning. What passes is read unchecked.
namespace edgejoule {
namespace {

constexpr float kMinGain = 1.0F / 64.0F;
constexpr float kMaxGain = 64.0F;
constexpr float kMaxExponent = 16.0F;  // of a feature in a log2 row
constexpr float kMaxIntercept = 126.0F;
constexpr float kMaxLogResidual = 32.0F;  // e^32: no residual of a useful row is larger
constexpr std::uint32_t kTableDepth = 4;  // table, row, term
constexpr std::uint32_t kTablesPerRow = kMaxTermsPerRow + kMaxConditionsPerRow + 2;
constexpr std::uint32_t kMaxTables = kMaxRows * kTablesPerRow + 1024;

Status check_non_negative(float value) noexcept {
  if (!std::isfinite(value)) {
    return Error::kNotFinite;
  }
  if (value < 0.0F) {
    return Error::kNegative;
  }
  return {};
}

Status check_bounds(const flatbuffers::Optional<float>& min, const flatbuffers::Optional<float>& max,
                    bool must_differ) noexcept {
  if ((min.has_value() && !std::isfinite(*min)) || (max.has_value() && !std::isfinite(*max))) {
    return Error::kNotFinite;
  }
  if (min.has_value() && max.has_value() && (*min > *max || (must_differ && *min == *max))) {
    return Error::kBadRange;
  }
  return {};
}

Status check_residual(const wire::Residual* file) noexcept {
  if (file == nullptr) {
    return {};
  }
  for (const float value :
       {file->shared_sigma(), file->independent_sigma(), file->median_error_percent(), file->mean_error_percent()}) {
    if (const Status status = check_non_negative(value); !status) {
      return status;
    }
  }
  if (file->shared_sigma() > kMaxLogResidual || file->independent_sigma() > kMaxLogResidual) {
    return Error::kBadRange;
  }
  if (file->quantiles() == nullptr) {
    return {};
  }
  float quantiles[Residual::kQuantiles];
  std::memcpy(quantiles, file->quantiles(), sizeof quantiles);
  float previous = -kMaxLogResidual;
  for (const float quantile : quantiles) {
    if (!std::isfinite(quantile)) {
      return Error::kNotFinite;
    }
    if (quantile < previous || quantile > kMaxLogResidual) {
      return Error::kBadRange;
    }
    previous = quantile;
  }
  return {};
}

bool unit_fits(Feature feature, Unit unit, RowForm form) noexcept {
  if (form == RowForm::kLog2) {
    return unit == Unit::kRatio && !is_runtime(feature);
  }
  switch (feature) {
    case Feature::kTime:
    case Feature::kUtilisationTime: return unit == Unit::kMilliwatt || unit == Unit::kWatt;
    case Feature::kCounterEnergy: return unit == Unit::kRatio;
    default: return unit <= Unit::kJoule;
  }
}

Status check_term(const wire::Term& file, RowForm form) noexcept {
  const auto feature = static_cast<Feature>(file.feature());
  const auto unit = static_cast<Unit>(file.unit());
  if (!is_known(feature) || unit > Unit::kRatio) {
    return Error::kUnknownValue;
  }
  if (!unit_fits(feature, unit, form)) {
    return Error::kBadUnit;
  }
  if (form == RowForm::kLinear) {
    if (const Status status = check_non_negative(file.coefficient()); !status) {
      return status;
    }
  } else if (!std::isfinite(file.coefficient())) {
    return Error::kNotFinite;
  } else if (std::fabs(file.coefficient()) > kMaxExponent) {
    return Error::kBadRange;
  }
  return check_bounds(file.min(), file.max(), false);
}

Status check_condition(const wire::Condition& file) noexcept {
  const auto feature = static_cast<Feature>(file.feature());
  if (!is_known(feature) || is_runtime(feature)) {
    return Error::kUnknownValue;
  }
  return check_bounds(file.min(), file.max(), true);
}

// The fields a level needs, and the ones that would contradict it.
Status check_key(const wire::Row& row) noexcept {
  const auto level = static_cast<Level>(row.level());
  const bool has_kind = row.kind() != wire::OpKind::unknown;
  const bool has_type = row.data_type() != wire::DataType::unknown;
  bool for_modules = false;
  switch (level) {
    case Level::kExact:
    case Level::kOpAndType:
    case Level::kOp:
      for_modules = is_module(static_cast<OpKind>(row.kind()));
      // Modules have no data type of their own; an exact module row names the kind alone.
      if (!has_kind || (level != Level::kOp && !has_type && !for_modules)) {
        return Error::kMissingField;
      }
      if (level == Level::kOp && has_type) {
        return Error::kBadRange;
      }
      break;
    case Level::kClass:
      if (row.op_class() == wire::OpClass::unknown) {
        return Error::kMissingField;
      }
      for_modules = row.op_class() == wire::OpClass::module_node;
      break;
    case Level::kRoofline: break;
    default: return Error::kUnknownValue;
  }
  const float gain = row.children_gain();
  if (const Status status = check_non_negative(gain); !status) {
    return status;
  }
  const bool gain_fits = for_modules ? gain >= kMinGain && gain <= kMaxGain : gain == 0.0F;
  if (!gain_fits) {
    return Error::kBadRange;
  }
  return {};
}

Status check_row(const wire::Row& row, std::uint32_t engines, std::uint32_t points) noexcept {
  if (const Status status = check_key(row); !status) {
    return status;
  }
  const auto form = static_cast<RowForm>(row.form());
  if (form > RowForm::kLog2) {
    return Error::kUnknownValue;
  }
  if ((row.engine() != kAnyEngine && row.engine() >= engines) ||
      (row.operating_point() != kAnyOperatingPoint && row.operating_point() >= points)) {
    return Error::kBadIndex;
  }
  if (!std::isfinite(row.intercept())) {
    return Error::kNotFinite;
  }
  const bool intercept_fits =
      form == RowForm::kLog2 ? std::fabs(row.intercept()) <= kMaxIntercept : row.intercept() == 0.0F;
  if (!intercept_fits) {
    return Error::kBadRange;
  }
  if (const auto* terms = row.terms()) {
    if (terms->size() > kMaxTermsPerRow) {
      return Error::kTooLarge;
    }
    for (const auto* term : *terms) {
      if (const Status status = check_term(*term, form); !status) {
        return status;
      }
    }
  }
  if (const auto* conditions = row.conditions()) {
    if (conditions->size() > kMaxConditionsPerRow) {
      return Error::kTooLarge;
    }
    for (const auto* condition : *conditions) {
      if (const Status status = check_condition(*condition); !status) {
        return status;
      }
    }
  }
  return check_residual(row.residual());
}

std::uint32_t runtime_needs(const wire::Row& row) noexcept {
  std::uint32_t needs = 0;
  if (const auto* terms = row.terms()) {
    for (const auto* term : *terms) {
      if (const auto feature = static_cast<Feature>(term->feature()); is_runtime(feature)) {
        needs |= 1U << (static_cast<std::uint32_t>(feature) - static_cast<std::uint32_t>(Feature::kTime));
      }
    }
  }
  return needs;
}

// What a row answers, as numbers: two rows with equal keys and the same set of
// conditions would both answer the same ops.
struct RowKey {
  std::uint32_t subject;      // level and kind or class
  std::uint32_t restriction;  // data type, engine, operating point, run-time facts needed
  std::uint32_t conditions;   // a sum over the conditions, so that their order plays no part

  bool operator==(const RowKey& other) const noexcept {
    return subject == other.subject && restriction == other.restriction && conditions == other.conditions;
  }
};

std::uint32_t bits_of(float value) noexcept {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

std::uint32_t mixed(std::uint32_t value) noexcept {
  value ^= value >> 16U;
  value *= 0x7FEB352DU;
  value ^= value >> 15U;
  value *= 0x846CA68BU;
  return value ^ (value >> 16U);
}

std::uint32_t hash_of(const wire::Condition& condition) noexcept {
  std::uint32_t hash = mixed(static_cast<std::uint32_t>(condition.feature()) + 1U);
  hash = mixed(hash ^ (condition.min().has_value() ? bits_of(*condition.min()) : 1U));
  return mixed(hash ^ (condition.max().has_value() ? bits_of(*condition.max()) : 2U));
}

RowKey key_of(const wire::Row& row) noexcept {
  RowKey key{};
  const auto level = static_cast<Level>(row.level());
  std::uint32_t subject = 0;
  if (level == Level::kClass) {
    subject = static_cast<std::uint32_t>(row.op_class());
  } else if (level != Level::kRoofline) {
    subject = static_cast<std::uint32_t>(row.kind());
  }
  key.subject = (static_cast<std::uint32_t>(level) << 16U) | subject;
  key.restriction = (static_cast<std::uint32_t>(row.data_type()) << 24U) |
                    (static_cast<std::uint32_t>(row.engine()) << 16U) |
                    (static_cast<std::uint32_t>(row.operating_point()) << 8U) | runtime_needs(row);
  if (const auto* conditions = row.conditions()) {
    for (const auto* condition : *conditions) {
      key.conditions += hash_of(*condition);
    }
  }
  return key;
}

bool same_condition(const wire::Condition& a, const wire::Condition& b) noexcept {
  const auto same = [](const flatbuffers::Optional<float>& x, const flatbuffers::Optional<float>& y) {
    return x.has_value() == y.has_value() && (!x.has_value() || *x == *y);
  };
  return a.feature() == b.feature() && same(a.min(), b.min()) && same(a.max(), b.max());
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

// Linear but for the rows that a small filter on the stack cannot tell apart.
bool has_duplicates(const flatbuffers::Vector<flatbuffers::Offset<wire::Row>>& rows) noexcept {
  constexpr std::uint32_t kFilterBits = 2048;
  std::uint32_t filter[kFilterBits / 32] = {};
  const auto test_and_set = [&filter](std::uint32_t bit) {
    std::uint32_t& word = filter[bit / 32U];
    const std::uint32_t mask = 1U << (bit % 32U);
    const bool was_set = (word & mask) != 0;
    word |= mask;
    return was_set;
  };
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const RowKey key = key_of(*rows.Get(i));
    const std::uint32_t hash = mixed(mixed(mixed(key.subject) ^ key.restriction) ^ key.conditions);
    const bool first = test_and_set(hash % kFilterBits);
    const bool second = test_and_set((hash >> 16U) % kFilterBits);
    if (!first || !second) {
      continue;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      if (key_of(*rows.Get(j)) == key && same_conditions(*rows.Get(i), *rows.Get(j))) {
        return true;
      }
    }
  }
  return false;
}

bool answers_any_op(const wire::Row& row) noexcept {
  return static_cast<Level>(row.level()) == Level::kRoofline && row.data_type() == wire::DataType::unknown &&
         row.engine() == kAnyEngine && row.operating_point() == kAnyOperatingPoint &&
         (row.conditions() == nullptr || row.conditions()->size() == 0) && runtime_needs(row) == 0;
}

Status check_rows(const wire::CoefficientTable& table, std::uint32_t engines, std::uint32_t points) noexcept {
  const auto* rows = table.rows();
  if (rows == nullptr) {
    return Error::kMissingField;
  }
  if (rows->size() > kMaxRows) {
    return Error::kTooLarge;
  }
  bool roofline = false;
  for (const auto* row : *rows) {
    if (const Status status = check_row(*row, engines, points); !status) {
      return status;
    }
    roofline |= answers_any_op(*row);
  }
  if (!roofline) {
    return Error::kMissingRoofline;
  }
  if (has_duplicates(*rows)) {
    return Error::kDuplicateRow;
  }
  return {};
}

Status check_engines(const wire::CoefficientTable& table) noexcept {
  if (table.engines() == nullptr) {
    return {};
  }
  if (table.engines()->size() > kMaxEngines) {
    return Error::kTooLarge;
  }
  for (const auto* engine : *table.engines()) {
    if (const Status status = check_non_negative(engine->wake_microjoules()); !status) {
      return status;
    }
  }
  return {};
}

Status check_operating_points(const wire::CoefficientTable& table) noexcept {
  const auto* points = table.operating_points();
  if (points == nullptr) {
    return {};
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
      if (const Status status = check_non_negative(value); !status) {
        return status;
      }
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      if (text_of(points->Get(j)->name()) == text_of(point.name())) {
        return Error::kDuplicateRow;
      }
    }
  }
  return {};
}

Status check_statics(const wire::CoefficientTable& table, std::uint32_t engines, std::uint32_t points) noexcept {
  const auto* statics = table.statics();
  if (statics == nullptr) {
    return {};
  }
  constexpr std::uint32_t kStates = 3;
  if (statics->size() > kStates * kMaxEngines * (kMaxOperatingPoints + 1)) {
    return Error::kTooLarge;
  }
  for (std::uint32_t i = 0; i < statics->size(); ++i) {
    const wire::StaticTerm* term = statics->Get(i);
    if (term->engine() >= engines ||
        (term->operating_point() != kAnyOperatingPoint && term->operating_point() >= points)) {
      return Error::kBadIndex;
    }
    if (static_cast<EngineState>(term->state()) > EngineState::kBusy) {
      return Error::kUnknownValue;
    }
    if (const Status status = check_non_negative(term->milliwatts()); !status) {
      return status;
    }
    for (std::uint32_t j = 0; j < i; ++j) {
      const wire::StaticTerm* other = statics->Get(j);
      if (other->engine() == term->engine() && other->state() == term->state() &&
          other->operating_point() == term->operating_point()) {
        return Error::kDuplicateRow;
      }
    }
  }
  return {};
}

// A table that does not say what its joules are of cannot be compared with anything.
Status check_meaning_of_joules(const wire::CoefficientTable& table) noexcept {
  if (table.boundary() == nullptr || table.boundary()->kind() == wire::BoundaryKind::unknown ||
      table.baseline() == nullptr || table.baseline()->kind() == wire::BaselineKind::unknown) {
    return Error::kMissingField;
  }
  if (static_cast<BoundaryKind>(table.boundary()->kind()) > BoundaryKind::kWholeMachine ||
      static_cast<BaselineKind>(table.baseline()->kind()) > BaselineKind::kAboveIdle) {
    return Error::kUnknownValue;
  }
  const auto* rails = table.boundary()->rails();
  if (table.boundary()->kind() == wire::BoundaryKind::rails && (rails == nullptr || rails->size() == 0)) {
    return Error::kMissingField;
  }
  return {};
}

}  // namespace

Result<CoefficientTable> CoefficientTable::open(Span<const std::byte> bytes) noexcept {
  const auto verified =
      verify_file<wire::CoefficientTable>(bytes, wire::CoefficientTableIdentifier(), kTableDepth, kMaxTables);
  if (!verified) {
    return verified.error();
  }
  const wire::CoefficientTable& file = **verified;
  if (file.format_version() != kFormatVersion) {
    return Error::kUnsupportedVersion;
  }
  const std::uint32_t engines = file.engines() == nullptr ? 0 : file.engines()->size();
  const std::uint32_t points = file.operating_points() == nullptr ? 0 : file.operating_points()->size();
  for (const Status& status : {check_meaning_of_joules(file), check_engines(file), check_operating_points(file),
                               check_statics(file, engines, points), check_residual(file.op_residual()),
                               check_residual(file.module_residual()), check_residual(file.model_residual()),
                               check_rows(file, engines, points)}) {
    if (!status) {
      return status.error();
    }
  }
  CoefficientTable table;
  table.root_ = reinterpret_cast<const std::uint8_t*>(&file);
  return table;
}

}  // namespace edgejoule
