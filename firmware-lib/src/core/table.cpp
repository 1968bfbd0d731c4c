#include "edgejoule/core/table.h"

#include <cstring>
#include <limits>

#include "edgejoule_wire/table_generated.h"
#include "wire_reader.h"

// The accessors; table_check.cpp is what makes them safe.
namespace edgejoule {
namespace {

using Root = wire::CoefficientTable;
using Row = wire::Row;

Residual residual_of(WireTable file) noexcept {
  using File = wire::Residual;
  Residual residual;
  if (file == nullptr) {
    return residual;
  }
  if (const std::uint8_t* quantiles = wire_field(file, File::VT_QUANTILES)) {
    static_assert(sizeof(wire::Quantiles) == sizeof residual.quantiles);
    std::memcpy(residual.quantiles, quantiles, sizeof residual.quantiles);
    residual.has_quantiles = true;
  }
  residual.groups = wire_number<std::uint32_t>(file, File::VT_GROUPS);
  residual.shared_sigma = wire_number<float>(file, File::VT_SHARED_SIGMA);
  residual.independent_sigma = wire_number<float>(file, File::VT_INDEPENDENT_SIGMA);
  residual.median_error_percent = wire_number<float>(file, File::VT_MEDIAN_ERROR_PERCENT);
  residual.mean_error_percent = wire_number<float>(file, File::VT_MEAN_ERROR_PERCENT);
  return residual;
}

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

}  // namespace

float scale_of(Unit unit) noexcept {
  switch (unit) {
    case Unit::kFemtojoule: return 1e-15F;
    case Unit::kPicojoule: return 1e-12F;
    case Unit::kNanojoule: return 1e-9F;
    case Unit::kMicrojoule: return 1e-6F;
    case Unit::kMillijoule:
    case Unit::kMilliwatt: return 1e-3F;
    case Unit::kJoule:
    case Unit::kWatt:
    case Unit::kSecond:
    case Unit::kRatio: return 1.0F;
    case Unit::kMillisecond: return 1e-3F;
    case Unit::kMicrosecond: return 1e-6F;
    case Unit::kNanosecond: return 1e-9F;
    case Unit::kPicosecond: return 1e-12F;
  }
  return 0.0F;
}

Level RowView::level() const noexcept {
  return wire_enum<Level>(row_, Row::VT_LEVEL);
}
OpKind RowView::kind() const noexcept {
  return wire_enum<OpKind>(row_, Row::VT_KIND);
}
OpClass RowView::op_class() const noexcept {
  return wire_enum<OpClass>(row_, Row::VT_OP_CLASS);
}
DataType RowView::data_type() const noexcept {
  return wire_enum<DataType>(row_, Row::VT_DATA_TYPE);
}
std::uint8_t RowView::engine() const noexcept {
  return wire_number(row_, Row::VT_ENGINE, kAnyEngine);
}
std::uint8_t RowView::operating_point() const noexcept {
  return wire_number(row_, Row::VT_OPERATING_POINT, kAnyOperatingPoint);
}
RowForm RowView::form() const noexcept {
  return wire_enum<RowForm>(row_, Row::VT_FORM);
}
float RowView::intercept() const noexcept {
  return wire_number<float>(row_, Row::VT_INTERCEPT);
}
float RowView::children_gain() const noexcept {
  return wire_number<float>(row_, Row::VT_CHILDREN_GAIN);
}
std::uint32_t RowView::term_count() const noexcept {
  return wire_count(row_, Row::VT_TERMS);
}
std::uint32_t RowView::condition_count() const noexcept {
  return wire_count(row_, Row::VT_CONDITIONS);
}
bool RowView::has_residual() const noexcept {
  return wire_field(row_, Row::VT_RESIDUAL) != nullptr;
}
Residual RowView::residual() const noexcept {
  return residual_of(wire_reference(row_, Row::VT_RESIDUAL));
}
bool RowView::has_time() const noexcept {
  for (std::uint32_t i = 0; i < term_count(); ++i) {
    if (wire_number<float>(wire_item(row_, Row::VT_TERMS, i), wire::Term::VT_TIME_COEFFICIENT) > 0.0F) {
      return true;
    }
  }
  return false;
}
bool RowView::has_time_residual() const noexcept {
  return wire_field(row_, Row::VT_TIME_RESIDUAL) != nullptr;
}
Residual RowView::time_residual() const noexcept {
  return residual_of(wire_reference(row_, Row::VT_TIME_RESIDUAL));
}
std::string_view RowView::reason() const noexcept {
  return wire_text(row_, Row::VT_REASON);
}

std::uint8_t RowView::member() const noexcept {
  return wire_number<std::uint8_t>(row_, Row::VT_MEMBER);
}
CorrectionView RowView::correction() const noexcept {
  using File = wire::Correction;
  const WireTable file = wire_reference(row_, Row::VT_CORRECTION);
  if (file == nullptr) {
    return {};
  }
  return {wire_span<Feature>(file, File::VT_AXES), wire_span<float>(file, File::VT_POSITIONS),
          wire_span<float>(file, File::VT_HEIGHTS), wire_number<float>(file, File::VT_LENGTH_OCTAVES)};
}

Term RowView::term(std::uint32_t i) const noexcept {
  using File = wire::Term;
  const WireTable file = wire_item(row_, Row::VT_TERMS, i);
  Term term;
  term.feature = wire_enum<Feature>(file, File::VT_FEATURE);
  term.coefficient = wire_number<float>(file, File::VT_COEFFICIENT);
  term.unit = wire_enum<Unit>(file, File::VT_UNIT);
  term.min = wire_number(file, File::VT_MIN, -kUnbounded);
  term.max = wire_number(file, File::VT_MAX, kUnbounded);
  term.tile = {wire_number<std::uint16_t>(file, File::VT_TILE_M), wire_number<std::uint16_t>(file, File::VT_TILE_N),
               wire_number<std::uint16_t>(file, File::VT_TILE_K)};
  term.time_coefficient = wire_number<float>(file, File::VT_TIME_COEFFICIENT);
  term.time_unit = wire_number(file, File::VT_TIME_UNIT, Unit::kSecond);
  return term;
}

Condition RowView::condition(std::uint32_t i) const noexcept {
  using File = wire::Condition;
  const WireTable file = wire_item(row_, Row::VT_CONDITIONS, i);
  return {wire_enum<Feature>(file, File::VT_FEATURE), wire_number(file, File::VT_MIN, -kUnbounded),
          wire_number(file, File::VT_MAX, kUnbounded)};
}

std::string_view CoefficientTable::name() const noexcept {
  return wire_text(root_, Root::VT_NAME);
}
BoundaryKind CoefficientTable::boundary() const noexcept {
  return wire_enum<BoundaryKind>(wire_reference(root_, Root::VT_BOUNDARY), wire::Boundary::VT_KIND);
}
std::string_view CoefficientTable::boundary_description() const noexcept {
  return wire_text_in(root_, Root::VT_BOUNDARY, wire::Boundary::VT_DESCRIPTION);
}
std::uint32_t CoefficientTable::boundary_rail_count() const noexcept {
  return wire_count(wire_reference(root_, Root::VT_BOUNDARY), wire::Boundary::VT_RAILS);
}
std::string_view CoefficientTable::boundary_rail(std::uint32_t i) const noexcept {
  return wire_text(wire_item(wire_reference(root_, Root::VT_BOUNDARY), wire::Boundary::VT_RAILS, i));
}
BaselineKind CoefficientTable::baseline() const noexcept {
  return wire_enum<BaselineKind>(wire_reference(root_, Root::VT_BASELINE), wire::Baseline::VT_KIND);
}
std::string_view CoefficientTable::idle_state() const noexcept {
  return wire_text_in(root_, Root::VT_BASELINE, wire::Baseline::VT_IDLE_STATE);
}
std::string_view CoefficientTable::board() const noexcept {
  return wire_text_in(root_, Root::VT_BOARD, wire::Board::VT_NAME);
}
std::string_view CoefficientTable::board_compatible() const noexcept {
  return wire_text_in(root_, Root::VT_BOARD, wire::Board::VT_COMPATIBLE);
}
std::string_view CoefficientTable::os_release() const noexcept {
  return wire_text_in(root_, Root::VT_BOARD, wire::Board::VT_OS_RELEASE);
}
std::string_view CoefficientTable::runtime() const noexcept {
  return wire_text(root_, Root::VT_RUNTIME);
}
std::string_view CoefficientTable::backend() const noexcept {
  return wire_text(root_, Root::VT_BACKEND);
}

std::uint32_t CoefficientTable::row_count() const noexcept {
  return wire_count(root_, Root::VT_ROWS);
}
std::uint32_t CoefficientTable::engine_count() const noexcept {
  return wire_count(root_, Root::VT_ENGINES);
}
std::uint32_t CoefficientTable::operating_point_count() const noexcept {
  return wire_count(root_, Root::VT_OPERATING_POINTS);
}
std::uint32_t CoefficientTable::static_term_count() const noexcept {
  return wire_count(root_, Root::VT_STATICS);
}
std::uint32_t CoefficientTable::sensor_count() const noexcept {
  return wire_count(root_, Root::VT_SENSORS);
}
std::uint32_t CoefficientTable::note_count() const noexcept {
  const WireTable file = wire_reference(root_, Root::VT_PROVENANCE);
  return file == nullptr ? 0 : wire_count(file, wire::Provenance::VT_NOTES);
}

ProvenanceView CoefficientTable::provenance() const noexcept {
  using File = wire::Provenance;
  const WireTable file = wire_reference(root_, Root::VT_PROVENANCE);
  if (file == nullptr) {
    return {};
  }
  return {wire_text(file, File::VT_DATE),
          wire_text(file, File::VT_TOOL_VERSION),
          wire_text(file, File::VT_MEASUREMENTS_SHA256),
          wire_text(file, File::VT_DATA_SOURCE),
          wire_text(file, File::VT_LICENCE),
          wire_text(file, File::VT_PROTOCOL)};
}

Residual CoefficientTable::op_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_OP_RESIDUAL));
}
Residual CoefficientTable::module_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_MODULE_RESIDUAL));
}
Residual CoefficientTable::model_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_MODEL_RESIDUAL));
}

Residual CoefficientTable::op_time_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_OP_TIME_RESIDUAL));
}
Residual CoefficientTable::module_time_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_MODULE_TIME_RESIDUAL));
}
Residual CoefficientTable::model_time_residual() const noexcept {
  return residual_of(wire_reference(root_, Root::VT_MODEL_TIME_RESIDUAL));
}

RowView CoefficientTable::row(std::uint32_t i) const noexcept {
  return RowView(wire_item(root_, Root::VT_ROWS, i));
}

EngineView CoefficientTable::engine(std::uint32_t i) const noexcept {
  using File = wire::Engine;
  const WireTable file = wire_item(root_, Root::VT_ENGINES, i);
  return {wire_text(file, File::VT_NAME),
          wire_enum<EngineKind>(file, File::VT_KIND),
          wire_number<std::uint64_t>(file, File::VT_L1_BYTES),
          wire_number<std::uint64_t>(file, File::VT_L2_BYTES),
          wire_number<std::uint64_t>(file, File::VT_LAST_LEVEL_BYTES),
          Joules(wire_number<float>(file, File::VT_WAKE_MICROJOULES) * 1e-6F)};
}

std::string_view CoefficientTable::engine_name(std::uint32_t engine) const noexcept {
  return wire_text(wire_item(root_, Root::VT_ENGINES, engine), wire::Engine::VT_NAME);
}

std::uint64_t CoefficientTable::last_level_bytes(std::uint32_t engine) const noexcept {
  return wire_number<std::uint64_t>(wire_item(root_, Root::VT_ENGINES, engine), wire::Engine::VT_LAST_LEVEL_BYTES);
}

OperatingPointView CoefficientTable::operating_point(std::uint32_t i) const noexcept {
  using File = wire::OperatingPoint;
  const WireTable file = wire_item(root_, Root::VT_OPERATING_POINTS, i);
  return {wire_text(file, File::VT_NAME),
          wire_number<float>(file, File::VT_CPU_MHZ),
          wire_number<float>(file, File::VT_GPU_MHZ),
          wire_number<float>(file, File::VT_MEMORY_MHZ),
          wire_number<float>(file, File::VT_CORE_MILLIVOLTS),
          wire_number<std::uint8_t>(file, File::VT_INTERPOLATED) != 0};
}

std::string_view CoefficientTable::operating_point_name(std::uint32_t point) const noexcept {
  return wire_text(wire_item(root_, Root::VT_OPERATING_POINTS, point), wire::OperatingPoint::VT_NAME);
}

StaticTermView CoefficientTable::static_term(std::uint32_t i) const noexcept {
  const auto& file = wire_span<wire::StaticTerm>(root_, Root::VT_STATICS)[i];
  return {file.engine(), file.operating_point(), static_cast<EngineState>(file.state()),
          Watts(file.milliwatts() * 1e-3F)};
}

SensorView CoefficientTable::sensor(std::uint32_t i) const noexcept {
  using File = wire::Sensor;
  const WireTable file = wire_item(root_, Root::VT_SENSORS, i);
  return {wire_text(file, File::VT_RAIL), wire_text(file, File::VT_CHIP),
          wire_number<std::uint32_t>(file, File::VT_SHUNT_UOHM),
          wire_number<std::uint32_t>(file, File::VT_UPDATE_PERIOD_US)};
}

std::string_view CoefficientTable::note(std::uint32_t i) const noexcept {
  return wire_text(wire_item(wire_reference(root_, Root::VT_PROVENANCE), wire::Provenance::VT_NOTES, i));
}

Result<std::uint32_t> CoefficientTable::find_operating_point(std::string_view name) const noexcept {
  for (std::uint32_t i = 0; i < operating_point_count(); ++i) {
    if (operating_point_name(i) == name) {
      return i;
    }
  }
  return Error::kUnknownOperatingPoint;
}

}  // namespace edgejoule
