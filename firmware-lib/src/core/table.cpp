#include "edgejoule/core/table.h"

#include <cstring>
#include <limits>

#include "edgejoule_wire/table_generated.h"
#include "wire_file.h"

// The accessors; table_check.cpp is what makes them safe.
namespace edgejoule {
namespace {

const wire::CoefficientTable& table_of(const std::uint8_t* root) noexcept {
  return *reinterpret_cast<const wire::CoefficientTable*>(root);
}

const wire::Row& row_of(const std::uint8_t* row) noexcept {
  return *reinterpret_cast<const wire::Row*>(row);
}

template <class Vector>
std::uint32_t size_of(const Vector* vector) noexcept {
  return vector == nullptr ? 0 : vector->size();
}

Residual residual_of(const wire::Residual* file) noexcept {
  Residual residual;
  if (file == nullptr) {
    return residual;
  }
  if (const wire::Quantiles* q = file->quantiles()) {
    static_assert(sizeof(wire::Quantiles) == sizeof residual.quantiles);
    std::memcpy(residual.quantiles, q, sizeof residual.quantiles);
    residual.has_quantiles = true;
  }
  residual.groups = file->groups();
  residual.shared_sigma = file->shared_sigma();
  residual.independent_sigma = file->independent_sigma();
  residual.median_error_percent = file->median_error_percent();
  residual.mean_error_percent = file->mean_error_percent();
  return residual;
}

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

template <class Table>
float lower_bound_of(const Table& table) noexcept {
  const auto bound = table.min();
  return bound.has_value() ? *bound : -kUnbounded;
}

template <class Table>
float upper_bound_of(const Table& table) noexcept {
  const auto bound = table.max();
  return bound.has_value() ? *bound : kUnbounded;
}

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
    case Unit::kRatio: return 1.0F;
  }
  return 0.0F;
}

Level RowView::level() const noexcept {
  return static_cast<Level>(row_of(row_).level());
}
OpKind RowView::kind() const noexcept {
  return static_cast<OpKind>(row_of(row_).kind());
}
OpClass RowView::op_class() const noexcept {
  return static_cast<OpClass>(row_of(row_).op_class());
}
DataType RowView::data_type() const noexcept {
  return static_cast<DataType>(row_of(row_).data_type());
}
std::uint8_t RowView::engine() const noexcept {
  return row_of(row_).engine();
}
std::uint8_t RowView::operating_point() const noexcept {
  return row_of(row_).operating_point();
}
RowForm RowView::form() const noexcept {
  return static_cast<RowForm>(row_of(row_).form());
}
float RowView::intercept() const noexcept {
  return row_of(row_).intercept();
}
float RowView::children_gain() const noexcept {
  return row_of(row_).children_gain();
}
std::uint32_t RowView::term_count() const noexcept {
  return size_of(row_of(row_).terms());
}
std::uint32_t RowView::condition_count() const noexcept {
  return size_of(row_of(row_).conditions());
}
bool RowView::has_residual() const noexcept {
  return row_of(row_).residual() != nullptr;
}
Residual RowView::residual() const noexcept {
  return residual_of(row_of(row_).residual());
}
std::string_view RowView::reason() const noexcept {
  return text_of(row_of(row_).reason());
}

std::uint8_t RowView::member() const noexcept {
  return row_of(row_).member();
}
std::uint32_t RowView::correction_points() const noexcept {
  const auto* correction = row_of(row_).correction();
  return correction == nullptr ? 0 : size_of(correction->heights());
}
std::uint32_t RowView::correction_axes() const noexcept {
  return size_of(row_of(row_).correction()->axes());
}
Feature RowView::correction_axis(std::uint32_t axis) const noexcept {
  return static_cast<Feature>(row_of(row_).correction()->axes()->Get(axis));
}
float RowView::correction_length() const noexcept {
  return row_of(row_).correction()->length_octaves();
}
float RowView::correction_position(std::uint32_t point, std::uint32_t axis) const noexcept {
  return row_of(row_).correction()->positions()->Get(point * correction_axes() + axis);
}
float RowView::correction_height(std::uint32_t point) const noexcept {
  return row_of(row_).correction()->heights()->Get(point);
}

Term RowView::term(std::uint32_t i) const noexcept {
  const wire::Term& file = *row_of(row_).terms()->Get(i);
  Term term;
  term.feature = static_cast<Feature>(file.feature());
  term.coefficient = file.coefficient();
  term.unit = static_cast<Unit>(file.unit());
  term.min = lower_bound_of(file);
  term.max = upper_bound_of(file);
  term.tile = {file.tile_m(), file.tile_n(), file.tile_k()};
  return term;
}

Condition RowView::condition(std::uint32_t i) const noexcept {
  const wire::Condition& file = *row_of(row_).conditions()->Get(i);
  return {static_cast<Feature>(file.feature()), lower_bound_of(file), upper_bound_of(file)};
}

std::string_view CoefficientTable::name() const noexcept {
  return text_of(table_of(root_).name());
}
BoundaryKind CoefficientTable::boundary() const noexcept {
  return static_cast<BoundaryKind>(table_of(root_).boundary()->kind());
}
std::string_view CoefficientTable::boundary_description() const noexcept {
  return text_of(table_of(root_).boundary()->description());
}
std::uint32_t CoefficientTable::boundary_rail_count() const noexcept {
  return size_of(table_of(root_).boundary()->rails());
}
std::string_view CoefficientTable::boundary_rail(std::uint32_t i) const noexcept {
  return text_of(table_of(root_).boundary()->rails()->Get(i));
}
BaselineKind CoefficientTable::baseline() const noexcept {
  return static_cast<BaselineKind>(table_of(root_).baseline()->kind());
}
std::string_view CoefficientTable::idle_state() const noexcept {
  return text_of(table_of(root_).baseline()->idle_state());
}
std::string_view CoefficientTable::board() const noexcept {
  const auto* board = table_of(root_).board();
  return board == nullptr ? std::string_view() : text_of(board->name());
}
std::string_view CoefficientTable::board_compatible() const noexcept {
  const auto* board = table_of(root_).board();
  return board == nullptr ? std::string_view() : text_of(board->compatible());
}
std::string_view CoefficientTable::os_release() const noexcept {
  const auto* board = table_of(root_).board();
  return board == nullptr ? std::string_view() : text_of(board->os_release());
}
std::string_view CoefficientTable::runtime() const noexcept {
  return text_of(table_of(root_).runtime());
}
std::string_view CoefficientTable::backend() const noexcept {
  return text_of(table_of(root_).backend());
}

std::uint32_t CoefficientTable::row_count() const noexcept {
  return size_of(table_of(root_).rows());
}
std::uint32_t CoefficientTable::engine_count() const noexcept {
  return size_of(table_of(root_).engines());
}
std::uint32_t CoefficientTable::operating_point_count() const noexcept {
  return size_of(table_of(root_).operating_points());
}
std::uint32_t CoefficientTable::static_term_count() const noexcept {
  return size_of(table_of(root_).statics());
}
std::uint32_t CoefficientTable::sensor_count() const noexcept {
  return size_of(table_of(root_).sensors());
}
std::uint32_t CoefficientTable::note_count() const noexcept {
  const auto* provenance = table_of(root_).provenance();
  return provenance == nullptr ? 0 : size_of(provenance->notes());
}

ProvenanceView CoefficientTable::provenance() const noexcept {
  const auto* file = table_of(root_).provenance();
  if (file == nullptr) {
    return {};
  }
  return {text_of(file->date()),        text_of(file->tool_version()), text_of(file->measurements_sha256()),
          text_of(file->data_source()), text_of(file->licence()),      text_of(file->protocol())};
}

Residual CoefficientTable::op_residual() const noexcept {
  return residual_of(table_of(root_).op_residual());
}
Residual CoefficientTable::module_residual() const noexcept {
  return residual_of(table_of(root_).module_residual());
}
Residual CoefficientTable::model_residual() const noexcept {
  return residual_of(table_of(root_).model_residual());
}

RowView CoefficientTable::row(std::uint32_t i) const noexcept {
  return RowView(reinterpret_cast<const std::uint8_t*>(table_of(root_).rows()->Get(i)));
}

EngineView CoefficientTable::engine(std::uint32_t i) const noexcept {
  const auto* file = table_of(root_).engines()->Get(i);
  return {text_of(file->name()),    static_cast<EngineKind>(file->kind()),   file->l1_bytes(), file->l2_bytes(),
          file->last_level_bytes(), Joules(file->wake_microjoules() * 1e-6F)};
}

std::string_view CoefficientTable::engine_name(std::uint32_t engine) const noexcept {
  return text_of(table_of(root_).engines()->Get(engine)->name());
}

std::uint64_t CoefficientTable::last_level_bytes(std::uint32_t engine) const noexcept {
  return table_of(root_).engines()->Get(engine)->last_level_bytes();
}

OperatingPointView CoefficientTable::operating_point(std::uint32_t i) const noexcept {
  const auto* file = table_of(root_).operating_points()->Get(i);
  return {text_of(file->name()), file->cpu_mhz(), file->gpu_mhz(), file->memory_mhz(), file->core_millivolts()};
}

std::string_view CoefficientTable::operating_point_name(std::uint32_t point) const noexcept {
  return text_of(table_of(root_).operating_points()->Get(point)->name());
}

StaticTermView CoefficientTable::static_term(std::uint32_t i) const noexcept {
  const auto* file = table_of(root_).statics()->Get(i);
  return {file->engine(), file->operating_point(), static_cast<EngineState>(file->state()),
          Watts(file->milliwatts() * 1e-3F)};
}

SensorView CoefficientTable::sensor(std::uint32_t i) const noexcept {
  const auto* file = table_of(root_).sensors()->Get(i);
  return {text_of(file->rail()), text_of(file->chip()), file->shunt_uohm(), file->update_period_us()};
}

std::string_view CoefficientTable::note(std::uint32_t i) const noexcept {
  return text_of(table_of(root_).provenance()->notes()->Get(i));
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
