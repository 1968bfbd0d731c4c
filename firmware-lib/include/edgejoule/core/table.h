// A verified view of an EJT1 coefficient table.
//
// Lifetime: views the caller's bytes, which must outlive it and start on an 8-byte
// boundary.
// Errors (open): kMisaligned, kTruncated, kWrongIdentifier, kUnsupportedVersion,
// kCorrupt, kMissingField, kBadIndex, kNotFinite, kNegative, kBadUnit, kBadRange,
// kDuplicateRow, kMissingRoofline, kTooLarge, kUnknownValue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/features.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/core/units.h"

namespace edgejoule {

enum class BoundaryKind : std::uint8_t {
  kUnknown = 0,
  kRails = 1,
  kModuleInput = 2,
  kWall = 3,
  kChipSupply = 4,
  kWholeMachine = 5
};
enum class BaselineKind : std::uint8_t { kUnknown = 0, kTotal = 1, kAboveIdle = 2 };
enum class EngineKind : std::uint8_t { kUnknown = 0, kCpu = 1, kGpu = 2, kDla = 3, kNpu = 4, kDsp = 5 };
enum class EngineState : std::uint8_t { kGated = 0, kIdle = 1, kBusy = 2 };
enum class RowForm : std::uint8_t { kLinear = 0, kLog2 = 1 };
enum class Unit : std::uint8_t {
  kFemtojoule = 0,
  kPicojoule = 1,
  kNanojoule = 2,
  kMicrojoule = 3,
  kMillijoule = 4,
  kJoule = 5,
  kMilliwatt = 6,
  kWatt = 7,   // of time features
  kRatio = 8,  // of counter energy; exponents of log2 rows
  kPicosecond = 9,
  kNanosecond = 10,
  kMicrosecond = 11,
  kMillisecond = 12,
  kSecond = 13
};

inline constexpr std::uint32_t kMaxRows = 4096;
inline constexpr std::uint32_t kMaxTermsPerRow = 16;
inline constexpr std::uint32_t kMaxConditionsPerRow = 8;
inline constexpr std::uint32_t kMaxMembers = 7;  // of a committee of rows
inline constexpr std::uint32_t kMaxCorrectionAxes = 4;
inline constexpr std::uint32_t kMaxCorrectionPoints = 128;
inline constexpr std::uint32_t kMaxEngines = 16;
inline constexpr std::uint32_t kMaxOperatingPoints = 64;
inline constexpr std::uint8_t kAnyEngine = 255;
inline constexpr std::uint8_t kAnyOperatingPoint = 255;

// Joules (watts, seconds) of one of the unit; 1 for kRatio.
[[nodiscard]] float scale_of(Unit unit) noexcept;
// For people: "pJ", "mW"; "" for kRatio. Names of the other enumerations follow.
[[nodiscard]] std::string_view symbol_of(Unit unit) noexcept;
[[nodiscard]] std::string_view name_of(Level level) noexcept;
[[nodiscard]] std::string_view name_of(RowForm form) noexcept;
[[nodiscard]] std::string_view name_of(BoundaryKind boundary) noexcept;
[[nodiscard]] std::string_view name_of(BaselineKind baseline) noexcept;
[[nodiscard]] std::string_view name_of(EngineKind kind) noexcept;
[[nodiscard]] std::string_view name_of(EngineState state) noexcept;

// coefficient * feature, fitted on [min, max]; an open bound is infinite.
// time_coefficient * feature are its seconds, in rows of either form.
struct Term {
  Feature feature = Feature::kOne;
  float coefficient = 0.0F;  // in `unit`
  Unit unit = Unit::kJoule;
  float min = 0.0F;
  float max = 0.0F;
  Tile tile;
  float time_coefficient = 0.0F;  // in `time_unit`
  Unit time_unit = Unit::kSecond;
};

// The row applies only where min <= feature < max; an open bound is infinite.
struct Condition {
  Feature feature = Feature::kOne;
  float min = 0.0F;
  float max = 0.0F;
};

// Quantiles of ln(measured / predicted) on held-out groups, and the spread behind.
struct Residual {
  static constexpr std::size_t kQuantiles = 9;
  // 2.5, 5, 10, 25, 50, 75, 90, 95 and 97.5 per cent
  float quantiles[kQuantiles] = {};
  bool has_quantiles = false;
  std::uint32_t groups = 0;        // independent groups behind the quantiles
  float shared_sigma = 0.0F;       // common to all uses of a row
  float independent_sigma = 0.0F;  // of one use
  float median_error_percent = 0.0F;
  float mean_error_percent = 0.0F;
};

// What a row's joules are multiplied with near measured sizes; see schemas/table.fbs.
struct CorrectionView {
  Span<const Feature> axes;
  Span<const float> positions;  // heights x axes, in octaves
  Span<const float> heights;    // in octaves of joules; empty: no correction
  float length_octaves = 0.0F;
};

// One row as the file has it.
class RowView {
 public:
  explicit RowView(const std::uint8_t* row) noexcept : row_(row) {}
  [[nodiscard]] Level level() const noexcept;
  [[nodiscard]] OpKind kind() const noexcept;         // means nothing at kClass and kRoofline
  [[nodiscard]] OpClass op_class() const noexcept;    // means nothing at kRoofline
  [[nodiscard]] DataType data_type() const noexcept;  // kUnknown: any
  [[nodiscard]] std::uint8_t engine() const noexcept;
  [[nodiscard]] std::uint8_t operating_point() const noexcept;
  [[nodiscard]] RowForm form() const noexcept;
  [[nodiscard]] float intercept() const noexcept;      // log2 rows: log2 of joules at features 1
  [[nodiscard]] float children_gain() const noexcept;  // module rows: above 0; else 0
  [[nodiscard]] std::uint32_t term_count() const noexcept;
  [[nodiscard]] Term term(std::uint32_t i) const noexcept;
  [[nodiscard]] std::uint32_t condition_count() const noexcept;
  [[nodiscard]] Condition condition(std::uint32_t i) const noexcept;
  [[nodiscard]] bool has_residual() const noexcept;
  [[nodiscard]] Residual residual() const noexcept;  // zeros where the row has none
  [[nodiscard]] bool has_time() const noexcept;      // some term has a time coefficient
  [[nodiscard]] bool has_time_residual() const noexcept;
  [[nodiscard]] Residual time_residual() const noexcept;  // zeros where the row has none
  [[nodiscard]] std::string_view reason() const noexcept;
  // 0: on its own. Rows of one key with members 1 to kMaxMembers form a committee; of
  // the members whose conditions hold, the one with the median price answers.
  [[nodiscard]] std::uint8_t member() const noexcept;
  [[nodiscard]] CorrectionView correction() const noexcept;

 private:
  const std::uint8_t* row_;
};

struct EngineView {
  std::string_view name;
  EngineKind kind = EngineKind::kUnknown;
  std::uint64_t l1_bytes = 0;  // 0: not known, as for the others
  std::uint64_t l2_bytes = 0;
  std::uint64_t last_level_bytes = 0;
  Joules wake;
};

struct OperatingPointView {
  std::string_view name;
  float cpu_mhz = 0.0F;  // 0: not stated, as for the others
  float gpu_mhz = 0.0F;
  float memory_mhz = 0.0F;
  float core_millivolts = 0.0F;
  bool interpolated = false;  // between calibrated ones: estimates say so
};

struct StaticTermView {
  std::uint8_t engine = 0;
  std::uint8_t operating_point = 0;  // kAnyOperatingPoint: any
  EngineState state = EngineState::kIdle;
  Watts power;
};

struct SensorView {
  std::string_view rail;
  std::string_view chip;
  std::uint32_t shunt_uohm = 0;
  std::uint32_t update_period_us = 0;
};

// "" where the file does not say.
struct ProvenanceView {
  std::string_view date;
  std::string_view tool_version;
  std::string_view measurements_sha256;
  std::string_view data_source;
  std::string_view licence;
  std::string_view protocol;
};

// What `open` demands beyond sound structure: a boundary and a baseline; keys that
// fit their level (exact and op_and_type name kind and type, op names a kind and no
// type, op_class a class); children_gain on module rows (1/64 to 64) and on no
// other; finite, non-negative coefficients (exponents of log2 rows may be negative)
// in units that fit their features, those of time too; ascending quantiles; and one roofline row that
// answers any op: any type, engine and operating point, no condition, no run-time term.
class CoefficientTable {
 public:
  [[nodiscard]] static Result<CoefficientTable> open(Span<const std::byte> bytes) noexcept;

  [[nodiscard]] std::string_view name() const noexcept;
  [[nodiscard]] BoundaryKind boundary() const noexcept;
  [[nodiscard]] std::string_view boundary_description() const noexcept;
  [[nodiscard]] std::uint32_t boundary_rail_count() const noexcept;
  [[nodiscard]] BaselineKind baseline() const noexcept;
  [[nodiscard]] std::string_view idle_state() const noexcept;  // which idle, where above idle
  [[nodiscard]] std::string_view board() const noexcept;
  [[nodiscard]] std::string_view board_compatible() const noexcept;
  [[nodiscard]] std::string_view os_release() const noexcept;
  [[nodiscard]] std::string_view runtime() const noexcept;
  [[nodiscard]] std::string_view backend() const noexcept;
  [[nodiscard]] std::uint32_t row_count() const noexcept;
  [[nodiscard]] std::uint32_t engine_count() const noexcept;
  [[nodiscard]] std::uint32_t operating_point_count() const noexcept;
  [[nodiscard]] std::uint32_t static_term_count() const noexcept;
  [[nodiscard]] std::uint32_t sensor_count() const noexcept;
  [[nodiscard]] std::uint32_t note_count() const noexcept;
  [[nodiscard]] ProvenanceView provenance() const noexcept;
  // Held-out figures of any op, module and whole model; zeros where absent.
  [[nodiscard]] Residual op_residual() const noexcept;
  [[nodiscard]] Residual module_residual() const noexcept;
  [[nodiscard]] Residual model_residual() const noexcept;
  // The same of seconds.
  [[nodiscard]] Residual op_time_residual() const noexcept;
  [[nodiscard]] Residual module_time_residual() const noexcept;
  [[nodiscard]] Residual model_time_residual() const noexcept;

  // Precondition of these: the index is below its count.
  [[nodiscard]] std::string_view boundary_rail(std::uint32_t i) const noexcept;
  [[nodiscard]] RowView row(std::uint32_t i) const noexcept;
  [[nodiscard]] EngineView engine(std::uint32_t i) const noexcept;
  [[nodiscard]] std::string_view engine_name(std::uint32_t engine) const noexcept;
  [[nodiscard]] std::uint64_t last_level_bytes(std::uint32_t engine) const noexcept;
  [[nodiscard]] OperatingPointView operating_point(std::uint32_t i) const noexcept;
  [[nodiscard]] std::string_view operating_point_name(std::uint32_t point) const noexcept;
  [[nodiscard]] StaticTermView static_term(std::uint32_t i) const noexcept;
  [[nodiscard]] SensorView sensor(std::uint32_t i) const noexcept;
  [[nodiscard]] std::string_view note(std::uint32_t i) const noexcept;  // of the provenance

  // The index of an operating point's name, or kUnknownOperatingPoint.
  [[nodiscard]] Result<std::uint32_t> find_operating_point(std::string_view name) const noexcept;

  // The FlatBuffers root, for core's own sources.
  [[nodiscard]] const std::uint8_t* root() const noexcept { return root_; }

 private:
  CoefficientTable() = default;
  friend class Result<CoefficientTable>;
  const std::uint8_t* root_ = nullptr;
};

}  // namespace edgejoule
