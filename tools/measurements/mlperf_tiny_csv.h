// Results of MLPerf Tiny as measurements: joules per inference of its four networks, on
// microcontrollers.
//
// Shape: one model-level measurement per row; `device` is round, submitter and board;
// groups and families are the networks. Rows whose model is none of the four are left
// out and listed (some submissions have their columns shifted).
// Units: the file has microjoules and inferences per second.
// Errors: MeasurementError naming file and line.
// Source: mlcommons/tiny_results_v0.5 to v1.2, energy/results.txt.
#pragma once

#include <string>
#include <string_view>

#include "measurements/mlperf_csv.h"

namespace edgejoule::measurements {

// round,division,submitter,board,model,uJ_per_inference,inferences_per_s
[[nodiscard]] MeasurementSet import_mlperf_tiny(std::string_view text, const std::string& file_name,
                                                const PartsOfModel& parts_of);

}  // namespace edgejoule::measurements
