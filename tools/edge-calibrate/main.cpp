// edge-calibrate: from measurements on a board to a coefficient table.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "calibration_options.h"
#include "command.h"

namespace {

constexpr const char* kFooter = R"(
Each command has its own --help with an example. stdout is data, stderr is talk.
Exit codes: 0 done, 1 the job failed, 2 usage, 3 a file cannot be read or is damaged.)";

}  // namespace

int main(int argc, char** argv) {
  using namespace edgejoule::calibrate;
  CLI::App program("Learns what ops cost on a board, in joules", "edge-calibrate");
  program.set_version_flag("--version", std::string("edge-calibrate " EDGEJOULE_VERSION));
  program.require_subcommand(1);
  program.footer(kFooter);
  remember_command(argc, argv);
  Run chosen;
  add_run_command(program, chosen);
  add_runtime_command(program, chosen);
  add_probe_command(program, chosen);
  add_record_command(program, chosen);
  add_export_command(program, chosen);
  add_account_command(program, chosen);
  add_compare_command(program, chosen);
  add_import_command(program, chosen);
  add_fit_command(program, chosen);
  add_adapt_command(program, chosen);
  add_validate_command(program, chosen);
  add_table_command(program, chosen);
  add_timeline_command(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  try {
    return chosen();
  } catch (const BadFile& error) {
    std::fprintf(stderr, "edge-calibrate: %s\n", error.what());
    return kExitBadFile;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "edge-calibrate: %s\n", error.what());
    return kExitFailed;
  }
}
