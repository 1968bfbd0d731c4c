// edge-calibrate validate: a table against measurements.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "files/io.h"
#include "files/json.h"
#include "measurements/importers.h"
#include "model_sources.h"
#include "statement_options.h"
#include "text/escape.h"
#include "text/terminal.h"
#include "validation.h"
#include "validation_view.h"

namespace edgejoule::calibrate {
namespace {

struct ValidateArguments {
  std::string table, measurements;
  measurements::Filter filter;
  std::string html, csv;
  ValidationOptions options;
  std::optional<double> fail_above;
};

constexpr const char* kValidateFooter = R"(
Ops, modules (in the structure they were measured in) and whole models (as the sum of their ops)
are priced by the same code as on a device, from their facts alone unless --with-runtime-facts.
Errors are |predicted / measured - 1|; bias is the geometric mean of predicted / measured, less 1.
A table that was fitted on these measurements, or whose joules mean something else, is refused.

Example:
  edge-calibrate validate board.ejt new_ops.ejm --html page.html
  edge-calibrate validate board.ejt new_ops.csv --fail-above 15
Exit codes: 0 compared, 1 refused, above --fail-above, nothing could be priced or an output
cannot be written, 2 usage, 3 the table or the measurements cannot be read or are damaged.)";

int validate_table(const ValidateArguments& arguments) {
  const files::FileBytes table = reading([&] {
    files::FileBytes bytes = files::load(arguments.table, files::FileKind::kTable);
    const auto opened = CoefficientTable::open(bytes.span());
    if (!opened) throw BadFile(fmt::format("{}: {}", text::printable(arguments.table), error_text(opened.error())));
    return bytes;
  });
  const measurements::MeasurementSet set = reading([&] { return read_set(arguments.measurements, arguments.filter); });
  const Validation validation = validate(table, set, arguments.options);
  if (validation.rows.empty()) {
    throw std::runtime_error(fmt::format("{}: none of its {} measurements could be priced, the first because: {}",
                                         text::printable(arguments.measurements), set.measurements.size(),
                                         text::printable(validation.not_priced.front().reason)));
  }
  const CoefficientTable view = *CoefficientTable::open(table.span());
  const ValidatedPair of{view, set, arguments.table, arguments.measurements};
  if (!arguments.html.empty()) files::write_file(arguments.html, to_html(validation, of));
  if (!arguments.csv.empty()) files::write_file(arguments.csv, to_csv(validation));
  if (arguments.html != "-" && arguments.csv != "-") {
    files::write_file("-", to_text(validation, of, text::use_colour(stdout, text::ColourChoice::kAuto)));
  }
  if (arguments.fail_above && 100 * validation.all.mean > *arguments.fail_above) {
    throw std::runtime_error(
        fmt::format("the mean error of {:.1f} % is above {:g} %", 100 * validation.all.mean, *arguments.fail_above));
  }
  return kExitOk;
}

}  // namespace

void add_validate_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<ValidateArguments>();
  CLI::App* command = program.add_subcommand("validate", "Compare a table with measurements it has not seen");
  command->add_option("table", arguments->table, "coefficient table: .ejt, or its JSON text")->required();
  command->add_option("measurements", arguments->measurements, "a set (.ejm), or any form that import reads")
      ->required();
  add_filter_options(*command, arguments->filter);
  command->add_option("--html", arguments->html, "write a page with charts, for any browser, to be mailed as it is");
  command->add_option("--csv", arguments->csv, "write one row per measurement; - for stdout, in place of the text");
  command->add_option("--at", arguments->options.operating_point, "operating point of the table (default: its first)");
  command->add_flag("--with-runtime-facts", arguments->options.use_runtime_facts,
                    "hand measured times, counters and utilisations to the table");
  command->add_option("--fail-above", arguments->fail_above, "exit with 1 where the mean error is above PERCENT")
      ->type_name("PERCENT")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--anyway", arguments->options.anyway, "compare what should not be compared, with a warning");
  command->footer(kValidateFooter);
  command->callback([arguments, &chosen] { chosen = [arguments] { return validate_table(*arguments); }; });
}

}  // namespace edgejoule::calibrate
