#include "calibration_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "command.h"
#include "table_date.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

using text::printable;

volatile std::sig_atomic_t stop = 0;

void on_stop(int) {
  stop = 1;
}

}  // namespace

void add_calibration_options(CLI::App& command, const char* budget, CalibrationArguments& arguments) {
  arguments.budget = budget;
  command
      .add_option("-o,--output", arguments.output, "the table: JSON text where it ends in .json, else binary (.ejt)")
      ->required();
  command.add_option("--budget", arguments.budget, "time to measure: 90s, 5m, 20m, 2h")->capture_default_str();
  command.add_option("--journal", arguments.journal,
                     "what has been measured so far (default: the table's name + .journal)");
  command.add_flag("--resume", arguments.resume, "go on with the journal of an earlier run");
  command.add_option("--measurements", arguments.measurements, "also write what the table was fitted to (.ejm)");
  command.add_option("--held-out", arguments.held_out, "also write what it was validated on (.ejm)");
  command.add_option("--name", arguments.name, "of the table (default: board and engine)");
  command.add_option("--date", arguments.date, kDateHelp);
  add_sensor_options(command, arguments.sensors);
}

std::string journal_of(const CalibrationArguments& arguments) {
  return arguments.journal.empty() ? arguments.output + ".journal" : arguments.journal;
}

double seconds_of(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const double factor = unit == "h" ? 3600 : unit == "m" ? 60 : unit.empty() || unit == "s" ? 1 : 0;
  if (used == 0 || factor == 0 || !(value > 0)) {
    throw CLI::ValidationError("--budget", "'" + text + "' is not a time; write 90s, 5m or 2h");
  }
  return value * factor;
}

void catch_stop() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

bool stop_asked() {
  return stop != 0;
}

std::unique_ptr<calibration::RealMachine> this_machine(const SensorArguments& sensors, const std::string& otherwise) {
  const capture::Discovery found = discover(sensors);
  for (const capture::Finding& finding : found.findings) {
    if (finding.severity != capture::Severity::kProblem) continue;
    fmt::print(stderr, "problem: {}\n", printable(finding.text));
    if (!finding.command.empty()) fmt::print(stderr, "    run: {}\n", printable(finding.command));
  }
  const bool readable = std::any_of(found.rails.begin(), found.rails.end(), [&](const capture::FoundRail& rail) {
    return rail.in_total && found.sources[rail.source].readable;
  });
  if (!readable) {
    throw std::runtime_error(
        "no rail of the total can be read on this machine: name a chip with --i2c or the rails with --total, " +
        otherwise);
  }
  capture::RecorderOptions options;
  options.keep_samples = true;
  options.tool_version = EDGEJOULE_VERSION;
  return std::make_unique<calibration::RealMachine>(found, options, sensors.root);
}

std::optional<calibration::JournalContent> earlier_run(const std::string& path, const calibration::JournalHeader& now,
                                                       bool resume) {
  if (!resume) {
    if (!std::filesystem::is_regular_file(path)) return std::nullopt;
    throw std::runtime_error(fmt::format(
        "{} holds an earlier calibration: go on with --resume, or move it away to begin afresh", printable(path)));
  }
  calibration::JournalContent earlier = reading([&] { return calibration::read_journal(path); });
  const std::string other = calibration::difference(earlier.header, now);
  if (!other.empty()) {
    throw BadFile(fmt::format("{} cannot be resumed: {}; begin afresh without --resume, or with another -o",
                              printable(path), other));
  }
  return earlier;
}

}  // namespace edgejoule::calibrate
