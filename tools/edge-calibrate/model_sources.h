// The ops behind the names of models in files of measurements.
#pragma once

#include <string>

#include "measurements/importers.h"

namespace edgejoule::calibrate {

// For import_measurements: models of the zoo, of MLPerf, and files, whose relative paths
// count from the folder that `source` lies in.
[[nodiscard]] measurements::SourceOptions source_options(const measurements::Statement& stated,
                                                         const std::string& source);

// One source, filtered. Errors: MeasurementError, also where nothing in it can be used.
[[nodiscard]] measurements::MeasurementSet read_set(const std::string& source, const measurements::Filter& filter);

// Throws MeasurementError where the set is empty, saying why.
void require_measurements(const measurements::MeasurementSet& set, const std::string& source);

}  // namespace edgejoule::calibrate
