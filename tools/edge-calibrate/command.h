// What the subcommands of edge-calibrate share: each adds itself to the program and
// hands back what runs when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <utility>

namespace edgejoule::calibrate {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitBadFile = 3;

// An input file is bad, as opposed to a job that failed.
struct BadFile : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs a function that reads input; what it throws becomes BadFile.
template <class Read>
auto reading(Read read) {
  try {
    return read();
  } catch (const std::runtime_error& error) {
    throw BadFile(error.what());
  }
}

// Returns the exit code.
using Run = std::function<int()>;

void add_account_command(CLI::App& program, Run& chosen);
void add_adapt_command(CLI::App& program, Run& chosen);
void add_compare_command(CLI::App& program, Run& chosen);
void add_export_command(CLI::App& program, Run& chosen);
void add_fit_command(CLI::App& program, Run& chosen);
void add_import_command(CLI::App& program, Run& chosen);
void add_probe_command(CLI::App& program, Run& chosen);
void add_record_command(CLI::App& program, Run& chosen);
void add_run_command(CLI::App& program, Run& chosen);
void add_runtime_command(CLI::App& program, Run& chosen);
void add_table_command(CLI::App& program, Run& chosen);
void add_timeline_command(CLI::App& program, Run& chosen);
void add_validate_command(CLI::App& program, Run& chosen);

}  // namespace edgejoule::calibrate
