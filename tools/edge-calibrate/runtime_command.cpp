// edge-calibrate runtime: a table of what a board's GPU, DLA or CPU draws in a runtime that is a command.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "calibration/runtime_session.h"
#include "calibration/table_facts.h"
#include "calibration_options.h"
#include "command.h"
#include "command_line/choice_option.h"
#include "files/io.h"
#include "files/json.h"
#include "fit/fit_table.h"
#include "fit/table_writer.h"
#include "measurements/measurement_file.h"
#include "measurements/names.h"
#include "run_view.h"
#include "table_date.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "validation.h"
#include "validation_view.h"

namespace edgejoule::calibrate {
namespace {

using calibration::Experiment;
using calibration::RuntimeSession;
using text::printable;

constexpr const char* kRuntimeFooter = R"(
Ops are written as model files into --folder; the command runs each of them twice, few and many inferences, between
pauses, while the rails are read. In the command {model}, {iterations}, {times}, {profile} and {layers} stand for
paths and a number; words with {profile} or {layers} are left out of the runs whose power is measured.
Every fourth shape or so is kept for validation and measured last; no fit ever sees it.

Examples:
  edge-calibrate runtime 'trtexec --onnx={model} --iterations={iterations} --duration=0 --warmUp=0 --useSpinWait
    --exportTimes={times} --exportProfile={profile} --exportLayerInfo={layers} --profilingVerbosity=detailed' \
    --format onnx --engine-name gpu --engine-kind gpu --budget 2h -o gpu.ejt
  edge-calibrate runtime ... --resume -o gpu.ejt         # the same, after ctrl-C, a crash or a reboot
Exit codes: 0 the table is written; 1 nothing could be measured or written; 2 usage; 3 an input file is bad, or the
journal is of another board, power mode, engine or command; 4 ended early (ctrl-C, a rail that went silent, three
engines in a row that could not be measured): what was measured is kept in the journal, and a table of it is written
where it is enough for one.)";

struct RuntimeArguments : CalibrationArguments {
  std::string command;
  import::ModelFormat format = import::ModelFormat::kOnnx;
  std::string engine;
  EngineKind kind = EngineKind::kGpu;
  std::vector<std::string> kinds;
  std::string folder;
};

std::string folder_of(const RuntimeArguments& arguments) {
  return arguments.folder.empty() ? arguments.output + ".experiments" : arguments.folder;
}

OpKind kind_named(const std::string& name) {
  const auto kind = measurements::find_named<OpKind>(name);
  if (!kind) {
    throw CLI::ValidationError("--kinds",
                               "'" + name + "' is no kind of op; they are called as in tables: conv_2d, dense");
  }
  return *kind;
}

void say_plan(const RuntimeSession& session, double budget_s) {
  const calibration::MachineFacts& facts = session.facts();
  fmt::print(stderr, "board     {}\n", printable(facts.board));
  for (const calibration::RailFacts& rail : facts.rails) {
    fmt::print(stderr, "rail      {}: {}, every {:.1f} ms{}\n", printable(rail.label), printable(rail.chip),
               1e-6 * rail.cycle_ns, rail.in_total ? "  (in the total)" : "");
  }
  std::size_t held_out = 0;
  const std::vector<const Experiment*> plan = session.plan();
  for (const Experiment* experiment : plan) held_out += experiment->held_out ? 1 : 0;
  fmt::print(stderr, "plan      {} engines, {} of them held out, at least {:.1f} s each; as many as {} allow\n",
             plan.size(), held_out, session.least_seconds(), time_text(budget_s));
  if (plan.size() - held_out < fit::kFewestOps) {
    fmt::print(stderr, "          too few for a table, which needs {} beside those held out: give more with --budget\n",
               fit::kFewestOps);
  }
}

void show_engine(const calibration::RuntimeProgress& progress) {
  const calibration::Block& block = *progress.block;
  std::string what = "not measured: " + block.problem;
  if (block.problem.empty()) {
    what = fmt::format("{} and {} each, standard error {}{}", text::si(block.joules, "J"), text::si(block.seconds, "s"),
                       percent(block.relative_error()), progress.experiment->held_out ? ", held out" : "");
  }
  fmt::print(stderr, "{:>4}/{}  {} left  {}: {}\n", progress.number, progress.planned, time_text(progress.seconds_left),
             progress.experiment->name, what);
}

// The plainest law that all engines together obey, for a person to judge the engine by: the table's rows know more
// shapes of cost, and are harder to read.
void say_law(const RuntimeSession& session) {
  std::vector<calibration::RegressedRow> rows;
  try {
    rows = calibration::regress(session.fit_engines());
  } catch (const calibration::RuntimeError& error) {
    fmt::print(stderr, "law       not known: {}\n", error.what());
    return;
  }
  for (const calibration::RegressedRow& row : rows) {
    std::string terms;
    for (const calibration::RegressedCoefficient& coefficient : row.coefficients) {
      const char* const per = coefficient.feature == Feature::kOne    ? "to launch"
                              : coefficient.feature == Feature::kMacs ? "per MAC"
                                                                      : "per byte";
      terms += terms.empty() ? "" : ", ";
      terms += coefficient.relative_error < 1
                   ? fmt::format("{} {} (standard error {})", text::si(coefficient.joules, "J"), per,
                                 percent(coefficient.relative_error))
                   : fmt::format("nothing seen {}", per);
    }
    fmt::print(stderr, "law       {} {}: {}\n", name_of(row.kind), name_of(row.data_type), terms);
  }
}

// Fit, held-out validation and table of what was measured.
void finish(const RuntimeArguments& arguments, const RuntimeSession& session, const calibration::MachineState& state) {
  const measurements::MeasurementSet set = session.fit_set();
  const measurements::MeasurementSet held_out = session.held_out_set();
  const auto keep = [](const std::string& path, const measurements::MeasurementSet& of) {
    if (!path.empty()) files::save(path, measurements::write_measurements(of).span(), files::FileKind::kMeasurements);
  };
  keep(arguments.measurements, set);
  keep(arguments.held_out, held_out);
  const fit::FittedTable fitted = fit::fit_table(set);
  const std::string name = arguments.name.empty() ? fmt::format("{}, {}", set.board, set.engine) : arguments.name;
  files::FileBytes table =
      fit::write_table(fitted, set, {name, table_date(arguments.date), "edge-calibrate " EDGEJOULE_VERSION});
  table = calibration::with_machine(table, session.facts(), state, std::nullopt, session.outcome().text());
  files::save(arguments.output, table.span(), files::FileKind::kTable);
  fmt::print(stderr, "fitted    {} engines, {} rows\n", set.measurements.size(), fitted.rows.size());
  say_law(session);
  if (held_out.measurements.empty()) {
    fmt::print(stderr, "validated nothing: no held-out engine was measured\n");
  } else {
    const ErrorSummary error = validate(table, held_out, {}).all;
    fmt::print(stderr, "validated {} engines: median error {}, mean {}, bias {:+.1f} %\n", error.rows,
               percent(error.median), percent(error.mean), 100 * error.bias);
  }
  if (arguments.output != "-") fmt::print(stderr, "wrote     {}\n", printable(arguments.output));
}

int calibrate_runtime(const RuntimeArguments& arguments) {
  const std::unique_ptr<calibration::RealMachine> machine =
      this_machine(arguments.sensors, "and see edge-calibrate probe for what is there");
  calibration::MachineFacts facts = machine->facts();
  facts.runtime = arguments.command;
  facts.backend = facts.engine = arguments.engine;
  facts.engine_kind = arguments.kind;
  calibration::RuntimeOptions options;
  options.budget_s = seconds_of(arguments.budget);
  for (const std::string& kind : arguments.kinds) options.kinds.push_back(kind_named(kind));
  calibration::RuntimeCommand command(arguments.command, arguments.format, folder_of(arguments));
  RuntimeSession session(*machine, facts, command, options);
  say_plan(session, options.budget_s);
  for (const std::string& unknown : command.unknown_places()) {
    fmt::print(stderr,
               "careful   {} in the command is none of the places that are filled in ({{model}}, {{iterations}}, "
               "{{times}}, {{profile}}, {{layers}}): the shell gets it as it stands\n",
               printable(unknown));
  }
  if (!command.tells_layers()) {
    fmt::print(stderr,
               "layers    not told (no {{layers}} in the command): each op is measured by itself, what the runtime "
               "saves by fusing stays unknown\n");
  }
  if (arguments.dry_run) {
    for (const Experiment* experiment : session.plan()) {
      fmt::print("{}{}\n", experiment->name, experiment->held_out ? "  (held out)" : "");
    }
    return kExitOk;
  }
  expect_outputs(arguments, "");
  catch_stop();
  const calibration::MachineState& state = session.settle();
  for (const std::string& unknown : state.unknown) fmt::print(stderr, "not known {}\n", printable(unknown));
  const std::string path = journal_of(arguments);
  calibration::JournalHeader header = calibration::header_of(facts, state, 1, "edge-calibrate " EDGEJOULE_VERSION);
  header.threads = "as the command has them";
  header.format = import::extension_of(arguments.format);
  const auto earlier = earlier_run(path, header, arguments.resume, false);
  if (earlier) {
    const std::size_t engines = session.take_over(*earlier);
    fmt::print(stderr, "resumed   {} engine{} of {}\n", engines, engines == 1 ? "" : "s", printable(path));
  } else if (arguments.resume) {
    fmt::print(stderr, "resumed   nothing: {} holds nothing that was measured, it begins afresh\n", printable(path));
  }
  {
    calibration::Journal journal(path, header, earlier.has_value());
    session.run(journal, show_engine, stop_asked);
  }
  const RuntimeSession::Outcome& outcome = session.outcome();
  for (const std::string& note : outcome.notes) fmt::print(stderr, "{}\n", printable(note));
  if (outcome.failed > 0) {
    fmt::print(stderr, "failed    {} engines; the command's words are in {}\n", outcome.failed,
               printable(folder_of(arguments)));
  }
  bool any = false;
  try {
    finish(arguments, session, state);
    any = true;
  } catch (const measurements::MeasurementError& error) {
    fmt::print(stderr, "no table: {}\n", error.what());
  }
  if (outcome.complete && any) return kExitOk;
  if (outcome.complete) {
    fmt::print(stderr, "kept      {} has what was measured; go on with: {}\n", printable(path),
               command_to_resume({{"--budget", budget_text(2 * options.budget_s)}}));
    return kExitFailed;
  }
  fmt::print(stderr, "{}\n", outcome.text());
  if (session.fit_set().measurements.empty() && session.held_out_set().measurements.empty()) return kExitFailed;
  fmt::print(stderr, "kept      {} has what was measured; go on with: {}\n", printable(path), command_to_resume());
  return kExitEndedEarly;
}

}  // namespace

void add_runtime_command(CLI::App& program, Run& chosen) {
  auto a = std::make_shared<RuntimeArguments>();
  CLI::App* const command =
      program.add_subcommand("runtime", "Calibrate what a runtime draws that is a command, such as trtexec");
  command->add_option("command", a->command, "with {model} and {iterations} in it")->required();
  add_calibration_options(*command, "20m", *a);
  command_line::choose<import::ModelFormat>(
      command->add_option("--format", a->format, "of the models")->required(),
      {{"onnx", import::ModelFormat::kOnnx}, {"tflite", import::ModelFormat::kTflite}});
  command->add_option("--engine-name", a->engine, "what the table calls the engine")->required();
  command_line::choose<EngineKind>(
      command->add_option("--engine-kind", a->kind, "what it is")->required(),
      {{"cpu", EngineKind::kCpu}, {"gpu", EngineKind::kGpu}, {"dla", EngineKind::kDla}, {"npu", EngineKind::kNpu}});
  command->add_option("--kinds", a->kinds, "only these kinds of op, e.g. conv_2d,dense (default: all)")->delimiter(',');
  command->add_option("--folder", a->folder, "models and logs (default: the table's name + .experiments)");
  command->add_flag("--dry-run", a->dry_run, "say what would be measured, in which order");
  command->footer(kRuntimeFooter);
  command->callback([a, &chosen] {
    (void)seconds_of(a->budget);
    for (const std::string& kind : a->kinds) (void)kind_named(kind);
    chosen = [a] { return calibrate_runtime(*a); };
  });
}

}  // namespace edgejoule::calibrate
