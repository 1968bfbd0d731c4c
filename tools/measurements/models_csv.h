// Whole models measured by their owner: one row per model, named by its file.
//
// Errors: MeasurementError naming file and line.
#pragma once

#include <string>
#include <string_view>

#include "measurements/mlperf_csv.h"
#include "measurements/statement.h"

namespace edgejoule::measurements {

// `parts_of` gets the model as the row names it and throws what it likes.
[[nodiscard]] MeasurementSet import_models_csv(std::string_view text, const std::string& file_name,
                                               const Statement& stated, const PartsOfModel& parts_of);
[[nodiscard]] std::string_view models_csv_help();

}  // namespace edgejoule::measurements
