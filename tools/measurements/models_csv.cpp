#include "measurements/models_csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "measurements/csv.h"
#include "measurements/whole_model.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

constexpr std::string_view kKnown[] = {"model", "energy_j", "time_s", "repetitions", "group", "device"};

void check_columns(const Csv& csv, const std::string& file) {
  for (const std::string& name : csv.header()) {
    if (name.starts_with('#') || std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown)) continue;
    csv.refuse_unit(name);
    throw MeasurementError(fmt::format("{}: whole models have no column '{}' (see edge-calibrate import --help)", file,
                                       text::printable(name)));
  }
}

}  // namespace

MeasurementSet import_models_csv(std::string_view text, const std::string& file_name, const Statement& stated,
                                 const PartsOfModel& parts_of) {
  const Csv csv(text, file_name);
  const std::string file = text::printable(file_name);
  MeasurementSet set;
  set.source = file;
  describe(set, csv.preamble(), stated, file);
  check_columns(csv, file);
  const std::size_t model = csv.required_column("model"), energy = csv.required_column("energy_j");
  const auto time = csv.column("time_s"), repetitions = csv.column("repetitions"), group = csv.column("group"),
             device = csv.column("device");
  const auto has = [](const Csv::Row& row, const std::optional<std::size_t>& column) {
    return column && !row.cells[*column].empty();
  };
  ModelCache models(parts_of);
  for (const Csv::Row& row : csv.rows()) {
    const std::string& name = row.cells[model];
    try {
      (void)models.find(name);
    } catch (const std::runtime_error& error) {
      throw MeasurementError(fmt::format("{}: {}", csv.place(row), error.what()));
    }
    Measurement m = whole_model(models.find(name), name);
    m.origin = csv.place(row);
    m.energy_joules = csv.number(row, energy);
    if (has(row, time)) m.time_seconds = csv.amount(row, *time);
    if (has(row, repetitions)) {
      m.repetitions =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(csv.whole_number(row, *repetitions), 0xFFFFFFFFU));
    }
    if (has(row, group)) m.group = row.cells[*group];
    if (has(row, device)) m.device = row.cells[*device];
    take_if_above_zero(std::move(m), set);
  }
  return set;
}

std::string_view models_csv_help() {
  return R"(Whole models as comma-separated text, one per row, with the same lines above the header:
  model      a .tflite or .ejg file (from the CSV's own folder), or zoo:NAME
  energy_j   joules of one inference
  time_s     seconds of one inference              (may be absent or empty)
  repetitions  inferences behind energy_j          (may be absent or empty)
  group      what must not be split between fitting and testing (default: the model)
  device     board, runtime, mode, where one file has several (see --device)
)";
}

}  // namespace edgejoule::measurements
