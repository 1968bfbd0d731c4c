// edge-calibrate adapt: a table for a new board from a donor and few measurements.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "command.h"
#include "edgejoule/core/table.h"
#include "files/json.h"
#include "fit/adapt_table.h"
#include "measurements/statement.h"
#include "model_sources.h"
#include "statement_options.h"
#include "table_date.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

struct AdaptArguments {
  std::string donor, measurements, output;
  std::string name, date, operating_point;
  measurements::Filter filter;
  bool force = false;
};

constexpr const char* kAdaptFooter = R"(
The donor is scaled to the new board by one factor, and each coefficient then moves as far
from that as the measurements ask for; ops that were not measured move by the factor. Ops,
modules and whole models serve, from one measurement up: a CSV of four models is enough to
begin with (edge-calibrate import --help). The errors printed are of groups left out.
Boundary and baseline of donor and measurements must be of the same kind.

Example:
  edge-calibrate adapt orin.ejt nano_models.csv -o nano.ejt
Exit codes: 0 adapted, 1 it would make things worse (nothing is written, but with --force),
refused, or the table cannot be written, 2 usage, 3 a file cannot be read or is damaged.)";

void require_same_meaning(const CoefficientTable& donor, const measurements::MeasurementSet& set) {
  if (donor.boundary() == set.boundary && donor.baseline() == set.baseline) return;
  throw std::runtime_error(fmt::format(
      "the donor's joules are those of {}, {}, the measurements' those of {}, {}: no factor turns one into the other. "
      "Measure at the donor's boundary, or take a donor of this one",
      name_of(donor.boundary()), name_of(donor.baseline()), measurements::boundary_text(set),
      measurements::baseline_text(set)));
}

void say(const fit::AdaptedTable& result) {
  for (const std::string& problem : result.not_priced) {
    fmt::print(stderr, "left out  {}\n", text::printable(problem));
  }
  fmt::print(stderr, "adapted   with {} measurements in {} {}; the donor times {:.4g}, {}\n", result.measurements,
             result.groups, result.groups == 1 ? "group" : "groups", result.factor,
             std::isinf(result.ridge)
                 ? "all of it alike"
                 : fmt::format("{} {} (pull {:.3g})", result.coefficients,
                               result.coefficients == 1 ? "coefficient on its own" : "coefficients each on its own",
                               result.ridge));
  if (!result.is_tested) {
    fmt::print(stderr,
               "not tested: with one group nothing is left to test on; intervals are the donor's, and say so\n");
    return;
  }
  const auto line = [](std::string_view what, const fit::ErrorPercent& error) {
    fmt::print(stderr, "{:<10}median {:5.1f} %   mean {:5.1f} %   90th percentile {:5.1f} %\n", what, error.median,
               error.mean, error.p90);
  };
  fmt::print(stderr, "errors of groups left out:\n");
  line("  donor", result.donor);
  line("  scaled", result.scaled);
  line("  adapted", result.adapted);
  constexpr std::size_t kGroupsForNinety = 9;
  if (result.groups < kGroupsForNinety) {
    fmt::print(stderr, "intervals  {} groups are too few to promise 90 %: estimates are marked with '?'\n",
               result.groups);
  }
}

int adapt(const AdaptArguments& arguments) {
  const files::FileBytes donor = reading([&] {
    files::FileBytes bytes = files::load(arguments.donor, files::FileKind::kTable);
    const auto opened = CoefficientTable::open(bytes.span());
    if (!opened) throw BadFile(fmt::format("{}: {}", text::printable(arguments.donor), error_text(opened.error())));
    return bytes;
  });
  const measurements::MeasurementSet set = reading([&] { return read_set(arguments.measurements, arguments.filter); });
  require_same_meaning(*CoefficientTable::open(donor.span()), set);
  const fit::TableInfo info{
      arguments.name.empty() ? set.board + (set.runtime.empty() ? "" : ", " + set.runtime) : arguments.name,
      table_date(arguments.date), "edge-calibrate " EDGEJOULE_VERSION};
  const fit::AdaptedTable result =
      reading([&] { return fit::adapt_table(donor, set, arguments.operating_point, info); });
  say(result);
  if (result.is_worse && !arguments.force) {
    throw std::runtime_error(
        "on groups left out the adapted table errs more than the donor does as it is: keep the donor, measure more, or "
        "write it anyway with --force. Nothing was written");
  }
  files::save(arguments.output, result.bytes.span(), files::FileKind::kTable);
  if (arguments.output != "-") fmt::print(stderr, "wrote     {}\n", text::printable(arguments.output));
  return kExitOk;
}

}  // namespace

void add_adapt_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<AdaptArguments>();
  CLI::App* command = program.add_subcommand("adapt", "Fit a donor's table to a new board with few measurements");
  command->add_option("donor", arguments->donor, "coefficient table: .ejt, or its JSON text")->required();
  command->add_option("measurements", arguments->measurements, "a set (.ejm), or any form that import reads")
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "the table: JSON text where it ends in .json or is -, else binary (.ejt)")
      ->required();
  add_filter_options(*command, arguments->filter);
  command->add_option("--at", arguments->operating_point, "operating point of the donor (default: its first)");
  command->add_option("--name", arguments->name, "name of the table (default: board, runtime)");
  command->add_option("--date", arguments->date, kDateHelp);
  command->add_flag("--force", arguments->force, "write the table even where it errs more than the donor");
  command->footer(kAdaptFooter);
  command->callback([arguments, &chosen] { chosen = [arguments] { return adapt(*arguments); }; });
}

}  // namespace edgejoule::calibrate
