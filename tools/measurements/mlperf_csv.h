// Whole-model runs of MLPerf as measurements: joules per inference of a model that is
// known layer by layer.
//
// Shape: one model-level measurement per run; its parts are the model's ops. `device` is
// round, system and data type; `family` the network family; groups are models.
// Errors: MeasurementError naming file and line, and the model where `parts_of` has none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

struct ModelParts {
  std::string family;
  DataType data_type = DataType::kUnknown;
  std::shared_ptr<const std::vector<Part>> parts;
};
using PartsOfModel = std::function<ModelParts(std::string_view model)>;

// runs.csv: round,division,submitter,system,model,avg_W,dur_s,samples,J_per_sample,mean_lat_ms
[[nodiscard]] MeasurementSet import_mlperf_edge(std::string_view text, const std::string& file_name,
                                                const PartsOfModel& parts_of);

}  // namespace edgejoule::measurements
