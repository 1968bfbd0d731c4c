#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "files/io.h"
#include "files/json.h"
#include "fit/fit_models.h"
#include "fit/fit_table.h"
#include "fit/table_writer.h"
#include "measurements/csv.h"
#include "measurements/importers.h"
#include "model_sources.h"
#include "table_date.h"

namespace edgejoule::calibrate {
namespace {

struct FitArguments {
  std::string measurements;
  std::string output;
  std::string name;
  std::string date;
  std::string device;
  fit::TableOptions options;
};

constexpr const char* kFitFooter = R"(
Each op kind and data type gets the form that cross-validation chooses: one row, a row
corrected around measured sizes, or the median of several trees of rows where the library
switches algorithms. Modules that were measured get rows for what they cost beside their
children; whole models alone teach the rows of their ops. Every held-out figure is of
measurements that neither the coefficients nor the choice of the form has seen. The table
is replaced at once or not at all.

Example:
  edge-calibrate fit conv2d.txt -o jetson-nano.json
  edge-calibrate fit my_ops.csv -o my_board.ejt --date 2026-01-31
  edge-calibrate fit runs.csv --device 'v2.0|rpi4-tflite-v2.7.1-ruy|uint8' -o rpi4-tflite-uint8.ejt
)";

std::string table_name(const FitArguments& arguments, const measurements::MeasurementSet& set) {
  if (!arguments.name.empty()) return arguments.name;
  std::string name = set.board;
  for (const std::string& part : {set.runtime, set.backend}) {
    if (!part.empty()) name += (name.empty() ? "" : ", ") + part;
  }
  return name.empty() ? "unnamed board" : name;
}

void say(const measurements::MeasurementSet& set, const fit::FittedTable& table) {
  for (const measurements::Exclusion& left_out : set.excluded) {
    fmt::print(stderr, "left out {}: {}\n", left_out.origin, left_out.reason);
  }
  for (const fit::KeyReport& key : table.keys) {
    fmt::print(stderr, "{}: {} measurements in {} groups, {} {}: {}\n", key.key, key.measurements, key.groups, key.rows,
               key.rows == 1 ? "row" : "rows", key.form);
    fmt::print(stderr, "  held out   median {:5.1f} %   mean {:5.1f} %   90th percentile {:5.1f} %\n",
               key.held_out.median, key.held_out.mean, key.held_out.p90);
    fmt::print(stderr, "  (one row   median {:5.1f} %   mean {:5.1f} %   90th percentile {:5.1f} %)\n",
               key.one_row.median, key.one_row.mean, key.one_row.p90);
  }
  const auto say_level = [](const fit::LevelReport& level, const char* name) {
    if (level.measurements == 0) return;
    fmt::print(stderr, "all {:<8} median {:5.1f} %   mean {:5.1f} %   90th percentile {:5.1f} %   ({} in {} groups)\n",
               name, level.held_out.median, level.held_out.mean, level.held_out.p90, level.measurements, level.groups);
  };
  say_level(table.ops, "ops");
  say_level(table.modules, "modules");
  say_level(table.models, "models");
  say_level(table.op_times, "times");
  say_level(table.model_times, "models' times");
}

// Whole models of many devices share in one fit; of single ops only the device's count.
fit::FittedTable fitted(const FitArguments& arguments, measurements::MeasurementSet& set) {
  if (fit::is_of_whole_models(set)) {
    fit::FittedTable table = fit::fit_models(set, arguments.device);
    const std::string device = fit::find_device(set, arguments.device);
    if (!device.empty()) {
      set.board = device;
      set.sha256 = files::sha256(set.sha256 + '\n' + device);
    }
    return table;
  }
  if (!arguments.device.empty()) set = measurements::filtered(set, {.device = arguments.device});
  return fit::fit_table(set, arguments.options);
}

int fit_sets(const FitArguments& arguments) {
  measurements::MeasurementSet set = reading([&] {
    return measurements::import_measurements(arguments.measurements, source_options({}, arguments.measurements));
  });
  const fit::FittedTable table = reading([&] { return fitted(arguments, set); });
  say(set, table);
  const files::FileBytes bytes = fit::write_table(
      table, set, {table_name(arguments, set), table_date(arguments.date), "edge-calibrate " EDGEJOULE_VERSION});
  files::save(arguments.output, bytes.span(), files::FileKind::kTable);
  if (arguments.output != "-") {
    fmt::print(stderr, "wrote {} with {} rows\n", arguments.output, table.rows.size());
  }
  return kExitOk;
}

}  // namespace

void add_fit_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<FitArguments>();
  CLI::App* command = program.add_subcommand("fit", "Fit a coefficient table to measured ops");
  command
      ->add_option("measurements", arguments->measurements,
                   "a set (.ejm), conv2d.txt of NeurstrucEnergy, IrEne's folder, runs.csv of MLPerf, or the form below")
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "the table: JSON text where it ends in .json or is -, else binary (.ejt)")
      ->required();
  command->add_option("--device", arguments->device,
                      "of measurements of several: the one whose name contains this (board, runtime, data type)");
  command->add_option("--name", arguments->name, "name of the table (default: board, runtime, backend)");
  command->add_option("--date", arguments->date, kDateHelp);
  command->add_option("--folds", arguments->options.folds, "of the cross-validation")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  command->add_option("--most-rows", arguments->options.fit.ops.most_leaves, "that one kind of op may have")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->footer(std::string(kFitFooter) + "\n" + std::string(measurements::csv_form_help()));
  command->callback([arguments, &chosen] { chosen = [arguments] { return fit_sets(*arguments); }; });
}

}  // namespace edgejoule::calibrate
