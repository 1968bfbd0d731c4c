#include "measurements/mlperf_tiny_csv.h"

#include <fmt/format.h>

#include "measurements/csv.h"
#include "measurements/whole_model.h"
#include "text/escape.h"

namespace edgejoule::measurements {

MeasurementSet import_mlperf_tiny(std::string_view text, const std::string& file_name, const PartsOfModel& parts_of) {
  constexpr double kJoulesPerMicrojoule = 1e-6;
  MeasurementSet set;
  set.boundary = BoundaryKind::kChipSupply;
  set.boundary_description = "the microcontroller's supply";
  set.baseline = BaselineKind::kTotal;
  set.board = "several microcontrollers, see device";
  set.source = "mlcommons/tiny_results_v0.5 to v1.2, energy/results.txt";
  set.licence = "Apache-2.0";
  set.protocol = "MLPerf Tiny, energy mode: joules per inference";
  const Csv csv(text, file_name);
  const std::size_t round = csv.required_column("round"), submitter = csv.required_column("submitter"),
                    board = csv.required_column("board"), model = csv.required_column("model"),
                    energy = csv.required_column("uJ_per_inference"), rate = csv.required_column("inferences_per_s");
  ModelCache models(parts_of);
  for (const Csv::Row& row : csv.rows()) {
    const std::string& name = row.cells[model];
    const ModelParts& parts = models.find(name);
    if (parts.parts == nullptr) {
      set.excluded.push_back(
          {csv.place(row), fmt::format("model '{}' is none of MLPerf Tiny's four", text::printable(name))});
      continue;
    }
    Measurement m = whole_model(parts, parts.family);
    m.energy_joules = csv.number(row, energy) * kJoulesPerMicrojoule;
    if (const double per_second = csv.number(row, rate); per_second > 0) m.time_seconds = 1 / per_second;
    m.device = fmt::format("{}|{}|{}", row.cells[round], row.cells[submitter], row.cells[board]);
    m.origin = csv.place(row);
    take_if_above_zero(std::move(m), set);
  }
  return set;
}

}  // namespace edgejoule::measurements
