// The ops behind the names of models in files of measurements.
#pragma once

#include <string>

#include "measurements/importers.h"

namespace edgejoule::calibrate {

// For import_measurements: models of the zoo, of MLPerf, and files, whose relative paths
// count from the folder that `source` lies in.
[[nodiscard]] measurements::SourceOptions source_options(const measurements::Statement& stated,
                                                         const std::string& source);

}  // namespace edgejoule::calibrate
