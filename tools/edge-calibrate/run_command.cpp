// edge-calibrate run: from a bare board to a table, in one command.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
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
#include "run_networks.h"
#include "run_report.h"
#include "run_view.h"
#include "table_date.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"
#include "validation.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Session;
using text::printable;

constexpr const char* kRunFooter = R"(
Without --emulate it runs on this board: finds its rails, checks its state, and runs kernels of its own on the
processor. With it, time is virtual: minutes of measuring take seconds.
Each workload is measured between two pauses, as often as its standard error needs; what went wrong is measured again.
Networks and every fourth shape are kept for validation; the fit never sees them.
Ctrl-C ends with the workload that runs (a second one at once); what was measured is kept. Under nohup it outlives
the terminal.

Examples:
  edge-calibrate run --emulate orin-nano -o orin.ejt --report orin.html
  edge-calibrate run --budget 20m -o my_board.ejt --log run.log
  edge-calibrate run --budget 20m -o my_board.ejt --log run.log --resume    # after ctrl-C, a crash or a reboot
Exit codes: 0 the table is written; 1 nothing could be measured or written; 2 usage; 3 an input file is bad, or the
journal is of another board or power mode; 4 ended early (ctrl-C or a fault): what was measured is kept in the
journal, and a table of it is written where it is enough for one.)";

constexpr int kMostThreads = 1024;

struct RunArguments : CalibrationArguments {
  std::string emulate, point, engine;
  std::uint64_t seed = 1;
  double spread = 0;
  std::string log, report;
  int threads = 0;
  double target_percent = 1;
};

std::unique_ptr<calibration::Machine> machine_of(const RunArguments& arguments) {
  if (arguments.emulate.empty()) {
    return this_machine(arguments.sensors, "or try the calibration on an emulated board with --emulate orin-nano");
  }
  emulated_board::BoardLaw law = reading([&] { return emulated_board::load_law(arguments.emulate); });
  if (arguments.spread > 0) law.law.randomise(arguments.seed, arguments.spread);
  return std::make_unique<calibration::EmulatedMachine>(
      std::move(law), calibration::EmulationOptions{arguments.seed, arguments.engine, arguments.point});
}

// What is known of a run beside its session.
struct Course {
  bool is_all_there_is = false;
  std::size_t earlier_blocks = 0;  // of the session's, measured by an earlier run
};

// Fit, held-out validation, table, report of what a session measured.
void finish(const RunArguments& arguments, const Session& session, const calibration::Machine& machine,
            const Course& course, RunView& view) {
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
  const std::string name = arguments.name.empty() ? fmt::format("{}, {}", set.board, set.engine) : arguments.name;
  files::FileBytes table =
      fit::write_table(fitted, set, {name, table_date(arguments.date), "edge-calibrate " EDGEJOULE_VERSION});
  table = calibration::with_machine(table, machine.facts(), session);
  files::save(arguments.output, table.span(), files::FileKind::kTable);
  std::optional<Validation> validation;
  if (!held_out.measurements.empty()) validation = validate(table, held_out, {});
  const CoefficientTable view_of_table = *CoefficientTable::open(table.span());
  const RunResult result{session,
                         machine.facts(),
                         set,
                         fitted,
                         view_of_table,
                         validation ? &*validation : nullptr,
                         spread,
                         arguments.output,
                         course.is_all_there_is,
                         course.earlier_blocks};
  view.say(to_text(result));
  if (arguments.output != "-") view.say("wrote     " + printable(arguments.output));
  if (!arguments.report.empty()) {
    files::write_file(arguments.report, to_html(result));
    if (arguments.report != "-") view.say("wrote     " + printable(arguments.report));
  }
}

// A plan that cannot end in a table is not begun.
void expect_enough(const Session& session, double budget_s) {
  const auto& plan = session.plan();
  const auto fitted = static_cast<std::size_t>(std::count_if(plan.begin(), plan.end(), [](const Session::Step& step) {
    return step.role == calibration::Measured::Role::kFit;
  }));
  if (fitted >= fit::kFewestOps) return;
  // Three for each that is fitted: others validate, or are measured again.
  const double enough_s = 3 * fit::kFewestOps * session.planned_seconds() / static_cast<double>(plan.size());
  throw std::runtime_error(
      fmt::format("--budget {} is too short for a table: it needs {} workloads beside those that validate it, and "
                  "there is time for {}; give {} or more",
                  budget_text(budget_s), fit::kFewestOps, fitted, budget_text(10 * std::ceil(enough_s / 10))));
}

// Where the disk had no room for the journal it has none for the table: what was measured goes elsewhere.
std::string rescued(const Session& session, const calibration::JournalHeader& header) {
  std::error_code none;
  const std::string temporary = std::filesystem::temp_directory_path(none).string();
  for (const std::string& folder : {temporary, std::string("/dev/shm")}) {
    const std::string path = fmt::format("{}/edge-calibrate-{}.journal", folder, ::getpid());
    try {
      calibration::Journal journal(path, header, false);
      if (session.wake()) (void)journal.append(*session.wake());
      for (const calibration::Measured& measured : session.measured()) (void)journal.append(measured.block);
      if (!journal.is_whole()) continue;
      return fmt::format("kept      {} has what was measured, since the journal had no room; go on with: {}", path,
                         command_to_resume({{"--journal", path}}));
    } catch (const calibration::JournalError&) {
      continue;
    }
  }
  return "lost      what the journal had no room for: neither the temporary folder nor /dev/shm takes it";
}

int calibrate(const RunArguments& arguments, RunView& view) {
  calibration::SessionOptions options;
  options.budget_s = seconds_of(arguments.budget);
  options.protocol.seed = arguments.seed;
  options.protocol.target_error = arguments.target_percent / 100;
  const std::unique_ptr<calibration::Machine> machine = machine_of(arguments);
  const calibration::MachineFacts& facts = machine->facts();
  options.threads = arguments.threads > 0 ? arguments.threads : facts.cores;

  Session session(*machine, calibration::candidates_of(facts, options.threads, options.budget_s),
                  networks(options.threads), options);
  view.begin(facts, session, options);
  Course course{.is_all_there_is = is_all_there_is(session)};
  if (arguments.dry_run) {
    fmt::print("{}", plan_text(session));
    return kExitOk;
  }
  expect_enough(session, options.budget_s);
  expect_outputs(arguments, arguments.report);
  catch_stop();
  const calibration::MachineState& state = session.settle();
  view.state(state);
  const std::string path = journal_of(arguments);
  const calibration::JournalHeader header =
      calibration::header_of(facts, state, options.threads, "edge-calibrate " EDGEJOULE_VERSION);
  const auto earlier = earlier_run(path, header, arguments.resume, facts.emulated);
  if (earlier) {
    const std::size_t unknown = session.take_over(*earlier);
    course.earlier_blocks = session.measured().size();
    view.say(fmt::format("resumed   {} blocks of {}", earlier->blocks.size(), printable(path)));
    if (unknown > 0) {
      view.say(
          fmt::format("          {} of them are of workloads that are not in this plan: they are not used", unknown));
    }
  } else if (arguments.resume) {
    view.say(fmt::format("resumed   nothing: {} holds nothing that was measured, it begins afresh", printable(path)));
  }
  calibration::Journal journal(path, header, earlier.has_value());
  const auto show = [&](const calibration::Progress& progress) {
    view.warn(session.outcome());
    view.show(progress);
  };
  session.run(journal, show, stop_asked);
  view.end(session);
  const Session::Outcome& outcome = session.outcome();
  const auto say_kept = [&](const std::string& command) {
    const auto& all = session.measured();
    if (std::none_of(all.begin(), all.end(), [](const auto& measured) { return measured.block.problem.empty(); }))
      return;
    view.say(fmt::format("kept      {} has what was measured; go on with: {}", printable(path), command));
  };
  try {
    finish(arguments, session, *machine, course, view);
  } catch (const measurements::MeasurementError& error) {
    view.say(fmt::format("no table: {}", error.what()));
    say_kept(outcome.complete ? command_to_resume({{"--budget", budget_text(2 * options.budget_s)}})
                              : command_to_resume());
    return outcome.complete ? kExitFailed : kExitEndedEarly;
  } catch (const files::FileError&) {
    if (journal.is_whole()) {
      say_kept(command_to_resume());
    } else {
      view.say(rescued(session, header));
    }
    throw;
  }
  if (outcome.complete) return kExitOk;
  say_kept(command_to_resume());
  return kExitEndedEarly;
}

int calibrate_board(const RunArguments& arguments) {
  RunView view(arguments.log);
  try {
    return calibrate(arguments, view);
  } catch (const std::exception& error) {
    view.log(fmt::format("error     {}", error.what()));
    throw;
  }
}

}  // namespace

void add_run_command(CLI::App& program, Run& chosen) {
  auto a = std::make_shared<RunArguments>();
  CLI::App* const command = program.add_subcommand("run", "Calibrate a board: measure, fit, validate, write a table");
  add_calibration_options(*command, "5m", *a);
  command->add_option("--target", a->target_percent, "standard error asked of each measurement, in per cent")
      ->check(CLI::Range(0.05, 50.0))
      ->capture_default_str();
  command->add_option("--threads", a->threads, "of the kernels (default: all processors)")
      ->check(CLI::Range(1, kMostThreads));
  command->add_option("--report", a->report, "write one self-contained HTML page");
  command->add_flag("--dry-run", a->dry_run, "say what would be measured, for how long and what to expect of it");
  command->add_option("--log", a->log, "append a line per event, for unattended runs");
  command->add_option("--seed", a->seed, "of the jitter of starts, and of an emulated board's noise")
      ->capture_default_str();
  constexpr const char* kEmulation = "Instead of this board";
  auto* const emulate =
      command->add_option("--emulate", a->emulate, "an emulated board in virtual time: orin-nano, or a file");
  auto* const engine = command->add_option("--engine", a->engine, "engine of the emulated board (default: its first)");
  auto* const point =
      command->add_option("--at", a->point, "operating point of the emulated board (default: its first)");
  auto* const spread = command
                           ->add_option("--spread", a->spread,
                                        "vary the emulated board's hidden costs by this share, drawn from the seed")
                           ->check(CLI::Range(0.0, 0.9));
  emulate->group(kEmulation);
  for (const char* const real : {"--board", "--i2c", "--total", "--root"}) emulate->excludes(real);
  // A real board's mode is set by nvpmodel, not here.
  for (auto* const option : {engine, point, spread}) option->needs(emulate)->group(kEmulation);
  command->footer(kRunFooter);
  command->callback([a, &chosen] {
    (void)seconds_of(a->budget);
    chosen = [a] { return calibrate_board(*a); };
  });
}

}  // namespace edgejoule::calibrate
