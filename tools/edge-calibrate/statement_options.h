// --boundary, --baseline and their kin.
#pragma once

#include <CLI/CLI.hpp>

#include "measurements/statement.h"

namespace edgejoule::calibrate {

void add_statement_options(CLI::App& command, measurements::Statement& stated);

}  // namespace edgejoule::calibrate
