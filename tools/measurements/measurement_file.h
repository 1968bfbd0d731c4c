// Sets of measurements as EJM1 files.
//
// Errors: MeasurementError: a damaged file, or one whose indices, numbers or levels make
// no sense.
#pragma once

#include <string>

#include "files/file_bytes.h"
#include "measurements/measurement_set.h"

namespace edgejoule::measurements {

// Equal ops are stored once; text that is not UTF-8 is made so.
[[nodiscard]] files::FileBytes write_measurements(const MeasurementSet& set);

// Precondition: the structure of `bytes` is verified (files::load does).
[[nodiscard]] MeasurementSet read_measurements(const files::FileBytes& bytes, const std::string& file_name);

}  // namespace edgejoule::measurements
