// Options that several commands have: what the joules are, and which measurements count.
#pragma once

#include <CLI/CLI.hpp>

#include "measurements/importers.h"

namespace edgejoule::calibrate {

void add_statement_options(CLI::App& command, measurements::Statement& stated);

void add_filter_options(CLI::App& command, measurements::Filter& filter);

}  // namespace edgejoule::calibrate
