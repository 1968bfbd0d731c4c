// edge-calibrate import: measurements of any known form as one set.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "files/json.h"
#include "measurements/importers.h"
#include "measurements/measurement_file.h"
#include "measurements/models_csv.h"
#include "model_sources.h"
#include "set_summary.h"
#include "statement_options.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

struct ImportArguments {
  std::vector<std::string> sources;
  std::string output;
  measurements::Filter filter;
  measurements::Statement stated;
};

constexpr const char* kImportFooter = R"(
Sources are told apart by their content:
  conv2d.txt of NeurstrucEnergy  convolutions; blanks between data mean_power (W) time (s)
             forward_num energy silence_energy all_energy (J per forward)
  the folder of IrEne's device_1  ops, modules and models: *_level_features.csv with flops
             (MFLOP, 1 MAC = 2), mem_bytes (MiB), times_mean (s), energy_mean (J), shares
             in %, level_name, model_name
  runs.csv of MLPerf edge        whole models at the wall: round, system, model,
             J_per_sample, mean_lat_ms
  results.csv of MLPerf Tiny     whole models on microcontrollers: round, submitter, board,
             model (ad ic kws vww), uJ_per_inference, inferences_per_s
  a set (.ejm, or its JSON text)
  your own ops or whole models:

)";

constexpr const char* kExamples = R"(
Several sources become one set where they agree on what a joule is and on the board.
A source of many devices is cut to one with --device; --without-group and --group part a set
for fitting from one for validate.

Example:
  edge-calibrate import my_ops.csv -o my_board.ejm
  edge-calibrate import runs.csv --device 'v2.1|rpi4' -o rpi4.ejm
  edge-calibrate import sums.csv --boundary wall --baseline total -o -
Exit codes: 0 done, 1 the set cannot be written, 2 usage, 3 a source cannot be read, is damaged,
contradicts what was said about it, or holds nothing that can be used.)";

measurements::MeasurementSet read(const ImportArguments& arguments) {
  std::vector<measurements::MeasurementSet> sets;
  for (const std::string& source : arguments.sources) {
    sets.push_back(measurements::import_measurements(source, source_options(arguments.stated, source)));
  }
  measurements::MeasurementSet set = measurements::merged(std::move(sets), arguments.sources);
  require_measurements(set, arguments.sources.front());
  if (!arguments.filter.is_empty()) {
    set = measurements::filtered(set, arguments.filter);
    measurements::apply(arguments.stated, set, arguments.sources.front());  // --board over the device's name
  }
  return set;
}

int import_results(const ImportArguments& arguments) {
  const measurements::MeasurementSet set = reading([&] { return read(arguments); });
  fmt::print(stderr, "{}", set_summary(set));
  files::save(arguments.output, measurements::write_measurements(set).span(), files::FileKind::kMeasurements);
  if (arguments.output != "-") fmt::print(stderr, "wrote     {}\n", text::printable(arguments.output));
  return kExitOk;
}

}  // namespace

void add_import_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = program.add_subcommand("import", "Make a set of measurements (.ejm) of what you have");
  command->add_option("sources", arguments->sources, "files or folders of the forms below")->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "the set: JSON text where it ends in .json or is -, else binary (.ejm)")
      ->required();
  add_filter_options(*command, arguments->filter);
  add_statement_options(*command, arguments->stated);
  command->footer(kImportFooter + measurements::csv_form_help() + "\n" + std::string(measurements::models_csv_help()) +
                  kExamples);
  command->callback([arguments, &chosen] { chosen = [arguments] { return import_results(*arguments); }; });
}

}  // namespace edgejoule::calibrate
