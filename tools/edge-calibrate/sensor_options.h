// Options that probe and record share: where to look for sensors and what the board is.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "capture/discovery.h"

namespace edgejoule::calibrate {

struct SensorArguments {
  std::string root;
  std::string board;
  std::vector<std::string> raw;
  std::vector<std::string> total;
};

void add_sensor_options(CLI::App& command, SensorArguments& arguments);

// Errors: BadFile for a board file; std::runtime_error for the rest.
[[nodiscard]] capture::Discovery discover(const SensorArguments& arguments);

}  // namespace edgejoule::calibrate
