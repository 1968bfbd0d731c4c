// edge-calibrate run: from a bare board to a table, in one command.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>

#include "calibration/emulated_machine.h"
#include "calibration/network_spread.h"
#include "calibration/session.h"
#include "calibration/table_facts.h"
#include "calibration_options.h"
#include "command.h"
#include "files/io.h"
#include "files/json.h"
#include "fit/fit_table.h"
#include "fit/table_writer.h"
#include "measurements/measurement_file.h"
#include "run_report.h"
#include "run_view.h"
#include "table_date.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"
#include "validation.h"
#include "zoo/zoo.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Session;
using text::printable;

constexpr const char* kRunFooter = R"(
Without --emulate it runs on this board: finds its rails, checks its state, and runs kernels of its own on the
processor. With it, time is virtual: minutes of measuring take seconds.
Each workload is measured between two pauses, as often as its standard error needs; what went wrong is measured again.
Networks and every fourth shape are kept for validation; the fit never sees them.

Examples:
  edge-calibrate run --emulate orin-nano -o orin.ejt --report orin.html
  edge-calibrate run --budget 20m -o my_board.ejt --log run.log
  edge-calibrate run --resume -o my_board.ejt            # after ctrl-C, a crash or a reboot
Exit codes: 0 the table is written; 1 nothing could be measured or written; 2 usage; 3 an input file is bad, or the
journal is of another board or power mode; 4 ended early (ctrl-C or a fault): what was measured is kept in the
journal, and a table of it is written where it is enough for one.)";

struct RunArguments : CalibrationArguments {
  std::string emulate, point, engine;
  std::uint64_t seed = 1;
  double spread = 0;
  std::string log, report;
  int threads = 0;
  double target_percent = 1;
};

// Networks that nobody calibrates on: those that validate, and those by which intervals get their width. What this
// machine cannot run of them is left out, and said.
constexpr std::array kValidated = {"mobilenet_v2-1.0-224",
                                   "resnet8",
                                   "mobilenet_v1-0.5-160",
                                   "kws",
                                   "efficientnet_lite0",
                                   "bert-mini",
                                   "resnet18",
                                   "vit-tiny-16",
                                   "mobilenet_v3-small",
                                   "bert-tiny",
                                   "mobilenet_v1-0.25-128",
                                   "distilbert",
                                   "mobilenet_v2-0.35-96",
                                   "resnet8:dtype=int8",
                                   "mobilenet_v1-0.5-160:dtype=int8",
                                   "mobilenet_v2-1.0-224:dtype=int8"};
constexpr std::array kForSpread = {"mobilenet_v1-0.5-128",
                                   "mobilenet_v2-0.5-160",
                                   "efficientnet_lite1",
                                   "vww",
                                   "mobilenet_v3-large",
                                   "resnet34",
                                   "bert-small",
                                   "mobilenet_v2-0.75-128:dtype=int8",
                                   "ad01",
                                   "kws:dtype=int8",
                                   "mobilenet_v1-0.75-192",
                                   "mobilenet_v1-0.25-160:dtype=int8"};

std::vector<calibration::Network> networks(int threads) {
  std::vector<calibration::Network> result;
  const auto add = [&](const char* name, bool for_spread) {
    result.push_back(calibration::network_of(zoo::build(name), name, threads));
    result.back().for_spread = for_spread;
  };
  for (std::size_t i = 0; i < kValidated.size(); ++i) {
    add(kValidated[i], false);
    if (i < kForSpread.size()) add(kForSpread[i], true);
  }
  return result;
}

std::unique_ptr<calibration::Machine> machine_of(const RunArguments& arguments) {
  if (arguments.emulate.empty()) {
    return this_machine(arguments.sensors, "or try the calibration on an emulated board with --emulate orin-nano");
  }
  emulated_board::BoardLaw law = reading([&] { return emulated_board::load_law(arguments.emulate); });
  if (arguments.spread > 0) law.law.randomise(arguments.seed, arguments.spread);
  return std::make_unique<calibration::EmulatedMachine>(
      std::move(law), calibration::EmulationOptions{arguments.seed, arguments.engine, arguments.point});
}

// Fit, held-out validation, table, report of what a session measured.
int finish(const RunArguments& arguments, const Session& session, const calibration::Machine& machine) {
  const measurements::MeasurementSet set = session.fit_set();
  const measurements::MeasurementSet held_out = session.held_out_set();
  if (!arguments.measurements.empty()) {
    files::save(arguments.measurements, measurements::write_measurements(set).span(), files::FileKind::kMeasurements);
  }
  if (!arguments.held_out.empty()) {
    files::save(arguments.held_out, measurements::write_measurements(held_out).span(), files::FileKind::kMeasurements);
  }
  fit::FittedTable fitted = fit::fit_table(set);
  const calibration::NetworkSpread spread = calibration::widen_by_networks(set, session.spread_set(), fitted);
  const std::string name = arguments.name.empty() ? fmt::format("{}, {}", set.board, set.backend) : arguments.name;
  files::FileBytes table =
      fit::write_table(fitted, set, {name, table_date(arguments.date), "edge-calibrate " EDGEJOULE_VERSION});
  table = calibration::with_machine(table, machine.facts(), session);
  files::save(arguments.output, table.span(), files::FileKind::kTable);
  std::optional<Validation> validation;
  if (!held_out.measurements.empty()) validation = validate(table, held_out, {});
  const CoefficientTable view = *CoefficientTable::open(table.span());
  const RunResult result{session, machine.facts(), set, fitted, view, validation ? &*validation : nullptr,
                         spread,  arguments.output};
  if (!arguments.report.empty()) files::write_file(arguments.report, to_html(result));
  fmt::print(stderr, "{}", to_text(result));
  if (arguments.output != "-") {
    fmt::print(stderr, "wrote     {}", printable(arguments.output));
    if (!arguments.report.empty()) fmt::print(stderr, ", {}", printable(arguments.report));
    fmt::print(stderr, "\n");
  }
  return kExitOk;
}

int calibrate_board(const RunArguments& arguments) {
  calibration::SessionOptions options;
  options.budget_s = seconds_of(arguments.budget);
  options.protocol.seed = arguments.seed;
  options.protocol.target_error = arguments.target_percent / 100;
  const std::unique_ptr<calibration::Machine> machine = machine_of(arguments);
  const calibration::MachineFacts& facts = machine->facts();
  options.threads = arguments.threads > 0 ? arguments.threads : facts.cores;

  Session session(*machine, calibration::candidates_of(facts, options.threads, options.budget_s),
                  networks(options.threads), options);
  RunView view(arguments.log);
  view.begin(facts, session, options);
  if (arguments.dry_run) {
    fmt::print("{}", plan_text(session));
    return kExitOk;
  }
  catch_stop();
  const calibration::MachineState& state = session.settle();
  view.state(state);
  const std::string path = journal_of(arguments);
  const calibration::JournalHeader header =
      calibration::header_of(facts, state, options.threads, "edge-calibrate " EDGEJOULE_VERSION);
  if (arguments.resume || arguments.emulate.empty()) {  // virtual minutes are cheap: begun afresh
    if (const auto earlier = earlier_run(path, header, arguments.resume)) {
      const std::size_t unknown = session.take_over(*earlier);
      view.say(fmt::format("resumed   {} blocks of {}", earlier->blocks.size(), printable(path)));
      if (unknown > 0) {
        view.say(fmt::format("{} of them are of workloads that this version does not have", unknown));
      }
    }
  }
  {
    calibration::Journal journal(path, header, arguments.resume);
    session.run(
        journal, [&](const calibration::Progress& progress) { view.show(progress); }, stop_asked);
  }
  view.end(session);
  const Session::Outcome& outcome = session.outcome();
  int code = kExitOk;
  try {
    code = finish(arguments, session, *machine);
  } catch (const measurements::MeasurementError& error) {
    if (outcome.complete) throw;
    view.say(fmt::format("no table: {}", error.what()));
  }
  if (outcome.complete) return code;
  view.say(fmt::format("what was measured is kept in {}; go on with: edge-calibrate run --resume -o {}",
                       printable(path), printable(arguments.output)));
  return kExitEndedEarly;
}

}  // namespace

void add_run_command(CLI::App& program, Run& chosen) {
  auto a = std::make_shared<RunArguments>();
  CLI::App* const command = program.add_subcommand("run", "Calibrate a board: measure, fit, validate, write a table");
  add_calibration_options(*command, "5m", *a);
  command->add_option("--emulate", a->emulate, "an emulated board in virtual time: orin-nano, or a file");
  command->add_option("--engine", a->engine, "engine of the emulated board (default: its first)");
  command->add_option("--at", a->point, "operating point of the emulated board (default: its first)");
  command->add_option("--seed", a->seed, "of the emulated board's noise, and of the jitter of starts")
      ->capture_default_str();
  command
      ->add_option("--spread", a->spread, "vary the emulated board's hidden costs by this share, drawn from the seed")
      ->check(CLI::Range(0.0, 0.9));
  command->add_option("--target", a->target_percent, "standard error asked of each measurement, in per cent")
      ->check(CLI::Range(0.05, 50.0))
      ->capture_default_str();
  command->add_option("--threads", a->threads, "of the kernels (default: all processors)")->check(CLI::PositiveNumber);
  command->add_option("--report", a->report, "write one self-contained HTML page");
  command->add_flag("--dry-run", a->dry_run, "say what would be measured, for how long and what to expect of it");
  command->add_option("--log", a->log, "append a line per event, for unattended runs");
  command->footer(kRunFooter);
  command->callback([a, &chosen] {
    (void)seconds_of(a->budget);
    chosen = [a] { return calibrate_board(*a); };
  });
}

}  // namespace edgejoule::calibrate
