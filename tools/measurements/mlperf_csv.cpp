#include "measurements/mlperf_csv.h"

#include <fmt/format.h>

#include "measurements/csv.h"
#include "measurements/whole_model.h"
#include "text/escape.h"

namespace edgejoule::measurements {

MeasurementSet import_mlperf_edge(std::string_view text, const std::string& file_name, const PartsOfModel& parts_of) {
  MeasurementSet set;
  set.boundary = BoundaryKind::kWall;
  set.boundary_description = "wall power, the supply's losses included";
  set.baseline = BaselineKind::kTotal;
  set.board = "several ARM boards, see device";
  set.source = "mlcommons/inference_results_v1.0 to v3.0, power logs";
  set.licence = "Apache-2.0";
  set.protocol = "MLPerf Inference, single stream, wall power over the run; joules per sample";
  const Csv csv(text, file_name);
  const std::size_t round = csv.required_column("round"), system = csv.required_column("system"),
                    model = csv.required_column("model"), energy = csv.required_column("J_per_sample"),
                    latency = csv.required_column("mean_lat_ms");
  ModelCache models(parts_of);
  for (const Csv::Row& row : csv.rows()) {
    const std::string& name = row.cells[model];
    const ModelParts& parts = models.find(name);
    if (parts.parts == nullptr || parts.parts->empty()) {
      throw MeasurementError(
          fmt::format("{}: no layers are known of model '{}'", csv.place(row), text::printable(name)));
    }
    Measurement m = whole_model(parts, name);
    m.energy_joules = csv.number(row, energy);
    m.time_seconds = csv.number(row, latency) * 1e-3;
    m.device = fmt::format("{}|{}|{}", row.cells[round], row.cells[system], edgejoule::name_of(parts.data_type));
    m.origin = csv.place(row);
    take_if_above_zero(std::move(m), set);
  }
  return set;
}

}  // namespace edgejoule::measurements
