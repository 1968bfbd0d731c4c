#include "fit/table_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>

#include "pricing/table_objects.h"
#include "text/escape.h"

namespace edgejoule::fit {

std::unique_ptr<wire::ResidualT> residual_of(const Residual& residual) {
  if (residual.groups == 0) return nullptr;
  auto result = std::make_unique<wire::ResidualT>();
  static_assert(sizeof(wire::Quantiles) == sizeof residual.quantiles);
  result->quantiles = std::make_unique<wire::Quantiles>();
  std::memcpy(result->quantiles.get(), residual.quantiles, sizeof residual.quantiles);
  result->groups = residual.groups;
  result->shared_sigma = residual.shared_sigma;
  result->independent_sigma = residual.independent_sigma;
  result->median_error_percent = residual.median_error_percent;
  result->mean_error_percent = residual.mean_error_percent;
  return result;
}

namespace {

ReadableCoefficient readable_in(double value, std::initializer_list<Unit> largest_first) {
  const Unit* unit = largest_first.begin();
  while (value < 1 && value > 0 && unit + 1 != largest_first.end()) value *= 1000, ++unit;
  return {static_cast<float>(value), *unit};
}

}  // namespace

ReadableCoefficient readable(double joules) {
  return readable_in(joules, {Unit::kJoule, Unit::kMillijoule, Unit::kMicrojoule, Unit::kNanojoule, Unit::kPicojoule,
                              Unit::kFemtojoule});
}

ReadableCoefficient readable_time(double seconds) {
  return readable_in(seconds,
                     {Unit::kSecond, Unit::kMillisecond, Unit::kMicrosecond, Unit::kNanosecond, Unit::kPicosecond});
}

namespace {

using measurements::MeasurementSet;

// Names of files and boards come from outside: a table holds UTF-8.
std::string utf8(const std::string& text) {
  return text::valid_utf8(text);
}

ReadableCoefficient in_the_table(const FittedTerm& term, RowForm form) {
  const auto as_it_is = static_cast<float>(term.coefficient);
  if (form == RowForm::kLog2 || term.spec.feature == Feature::kCounterEnergy) return {as_it_is, Unit::kRatio};
  return is_runtime(term.spec.feature) ? ReadableCoefficient{as_it_is, Unit::kWatt} : readable(term.coefficient);
}

std::unique_ptr<wire::RowT> row_of(const FittedRow& row) {
  auto result = std::make_unique<wire::RowT>();
  result->level = static_cast<wire::Level>(row.level);
  result->kind = static_cast<wire::OpKind>(row.kind);
  result->op_class = static_cast<wire::OpClass>(row.op_class);
  result->data_type = static_cast<wire::DataType>(row.data_type);
  for (const Condition& condition : row.conditions) {
    auto& added = result->conditions.emplace_back(std::make_unique<wire::ConditionT>());
    added->feature = static_cast<wire::Feature>(condition.feature);
    if (std::isfinite(condition.min)) added->min = condition.min;
    if (std::isfinite(condition.max)) added->max = condition.max;
  }
  result->form = static_cast<wire::RowForm>(row.form);
  result->intercept = static_cast<float>(row.intercept);
  result->children_gain = static_cast<float>(row.children_gain);
  for (const FittedTerm& term : row.terms) {
    auto& added = result->terms.emplace_back(std::make_unique<wire::TermT>());
    const ReadableCoefficient coefficient = in_the_table(term, row.form);
    added->feature = static_cast<wire::Feature>(term.spec.feature);
    added->coefficient = coefficient.value;
    added->unit = static_cast<wire::Unit>(coefficient.unit);
    if (std::isfinite(term.min)) added->min = static_cast<float>(term.min);
    if (std::isfinite(term.max)) added->max = static_cast<float>(term.max);
    added->tile_m = term.spec.tile.m;
    added->tile_n = term.spec.tile.n;
    added->tile_k = term.spec.tile.k;
    const ReadableCoefficient time = readable_time(term.seconds);
    added->time_coefficient = time.value;
    added->time_unit = static_cast<wire::Unit>(time.unit);
  }
  if (!row.correction.heights.empty()) {
    result->correction = std::make_unique<wire::CorrectionT>();
    for (const Feature axis : row.correction.axes) {
      result->correction->axes.push_back(static_cast<wire::Feature>(axis));
    }
    result->correction->length_octaves = static_cast<float>(row.correction.length_octaves);
    result->correction->positions.assign(row.correction.positions.begin(), row.correction.positions.end());
    result->correction->heights.assign(row.correction.heights.begin(), row.correction.heights.end());
  }
  result->member = row.member;
  result->residual = residual_of(row.residual);
  result->time_residual = residual_of(row.time_residual);
  result->reason = row.reason;
  return result;
}

std::unique_ptr<wire::ProvenanceT> provenance_of(const FittedTable& table, const MeasurementSet& set,
                                                 const TableInfo& info) {
  auto result = std::make_unique<wire::ProvenanceT>();
  result->date = info.date;
  result->tool_version = info.tool_version;
  result->measurements_sha256 = set.sha256;
  result->data_source = utf8(set.source);
  result->licence = utf8(set.licence);
  result->protocol = utf8(set.protocol);
  const auto note_level = [&](const LevelReport& level, std::string_view name) {
    if (level.measurements == 0) return;
    result->notes.push_back(fmt::format(
        "{}, held out: median error {:.1f} %, mean {:.1f} %, 90th percentile {:.1f} % over {} measurements of {} "
        "groups",
        name, level.held_out.median, level.held_out.mean, level.held_out.p90, level.measurements, level.groups));
  };
  note_level(table.ops, "ops");
  note_level(table.modules, "modules");
  note_level(table.models, "models");
  note_level(table.op_times, "times of ops");
  note_level(table.module_times, "times of modules, summed");
  note_level(table.model_times, "times of models, summed");
  for (const KeyReport& key : table.keys) {
    result->notes.push_back(fmt::format(
        "{}: {} measurements, {} rows, {}; held out median {:.1f} %, mean {:.1f} %, 90th percentile {:.1f} %; one "
        "row would give {:.1f}, {:.1f} and {:.1f} %",
        key.key, key.measurements, key.rows, key.form, key.held_out.median, key.held_out.mean, key.held_out.p90,
        key.one_row.median, key.one_row.mean, key.one_row.p90));
  }
  if (!set.excluded.empty()) {
    const measurements::Exclusion& first = set.excluded.front();
    result->notes.push_back(fmt::format("{} of {} measurements left out, the first at {}: {}", set.excluded.size(),
                                        set.excluded.size() + set.measurements.size(),
                                        utf8(first.origin.substr(first.origin.rfind('/') + 1)), first.reason));
  }
  return result;
}

void describe_device(const MeasurementSet& set, wire::CoefficientTableT& table) {
  table.boundary = std::make_unique<wire::BoundaryT>();
  table.boundary->kind = static_cast<wire::BoundaryKind>(set.boundary);
  for (const std::string& rail : set.rails) table.boundary->rails.push_back(utf8(rail));
  table.boundary->description = utf8(set.boundary_description);
  table.baseline = std::make_unique<wire::BaselineT>();
  table.baseline->kind = static_cast<wire::BaselineKind>(set.baseline);
  table.baseline->idle_state = utf8(set.idle_state);
  table.board = std::make_unique<wire::BoardT>();
  table.board->name = utf8(set.board);
  table.board->compatible = utf8(set.board_compatible);
  table.board->os_release = utf8(set.os_release);
  table.runtime = utf8(set.runtime);
  table.backend = utf8(set.backend);
  if (set.engine.empty()) return;
  auto& engine = table.engines.emplace_back(std::make_unique<wire::EngineT>());
  engine->name = utf8(set.engine);
  engine->kind = static_cast<wire::EngineKind>(set.engine_kind);
  engine->last_level_bytes = set.last_level_bytes;
  // Above idle the idle power is what an op pays besides, for as long as it takes.
  if (set.baseline == BaselineKind::kAboveIdle && set.idle_watts >= 0) {
    constexpr double kMicrowattsPerWatt = 1e6;
    const auto milliwatts = static_cast<float>(std::round(set.idle_watts * kMicrowattsPerWatt) / 1e3);
    table.statics.emplace_back(0, kAnyOperatingPoint, wire::EngineState::idle, milliwatts);
  }
}

}  // namespace

files::FileBytes write_table(const FittedTable& table, const MeasurementSet& set, const TableInfo& info) {
  wire::CoefficientTableT file;
  file.format_version = 1;
  file.name = utf8(info.name);
  describe_device(set, file);
  file.provenance = provenance_of(table, set, info);
  for (const FittedRow& row : table.rows) file.rows.push_back(row_of(row));
  file.op_residual = residual_of(table.op_residual);
  file.module_residual = residual_of(table.module_residual);
  file.model_residual = residual_of(table.model_residual);
  file.op_time_residual = residual_of(table.op_time_residual);
  file.module_time_residual = residual_of(table.module_time_residual);
  file.model_time_residual = residual_of(table.model_time_residual);
  return pricing::pack_table<std::logic_error>(file, "the fitted table is not valid");
}

}  // namespace edgejoule::fit
