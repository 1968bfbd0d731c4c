#include "calibration_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <set>

#include "command.h"
#include "edgejoule/linux/monotonic.h"
#include "files/io.h"
#include "table_date.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

using text::printable;

volatile std::sig_atomic_t stop = 0;
std::vector<std::string> given;  // the command line

// Wrappers such as timeout(1) send each signal twice: only one that comes later ends at once.
void on_stop(int number) {
  constexpr std::int64_t kOnceMoreNs = 1'000'000'000;
  constexpr std::string_view kSaid =
      "\nending with what runs now; what was measured is kept (the same again ends at once)\n";
  static std::atomic<std::int64_t> first_ns = 0;
  const std::int64_t now_ns = monotonic_ns();
  if (stop == 0) {
    stop = 1;
    first_ns = now_ns;
    const int before = errno;
    (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
    errno = before;
  } else if (now_ns - first_ns > kOnceMoreNs) {
    (void)std::signal(number, SIG_DFL);
    (void)::raise(number);
  }
}
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void add_calibration_options(CLI::App& command, const char* budget, CalibrationArguments& arguments) {
  arguments.budget = budget;
  command
      .add_option("-o,--output", arguments.output, "the table: JSON text where it ends in .json, else binary (.ejt)")
      ->required();
  command
      .add_option("--budget", arguments.budget,
                  "time to measure, earlier runs of a resumed one included: 90s, 5m, 2h, 1h30m")
      ->capture_default_str();
  command.add_option("--journal", arguments.journal,
                     "what has been measured so far (default: the table's name + .journal)");
  command.add_flag("--resume", arguments.resume,
                   "go on with the journal of an earlier run: after ctrl-C, a crash or a reboot");
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
  constexpr double kLongestDays = 30;
  const auto refuse = [&](const char* why) {
    throw CLI::ValidationError("--budget", fmt::format("'{}' is {}; write 90s, 5m, 2h or 1h30m", printable(text), why));
  };
  double sum = 0;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  do {
    double value = 0;
    const auto [behind, error] = std::from_chars(at, end, value);
    const char* const next = std::find_if(behind, end, [](char c) { return c < 'a' || c > 'z'; });
    const std::string_view unit(behind, static_cast<std::size_t>(next - behind));
    const bool alone = at == text.data() && next == end;
    const double factor = unit == "h"                              ? 3600
                          : unit == "m" || unit == "min"           ? 60
                          : unit == "s" || (unit.empty() && alone) ? 1
                                                                   : 0;
    if (error != std::errc() || factor == 0 || !(value >= 0) || !std::isfinite(value)) refuse("not a time");
    sum += value * factor;
    at = next;
  } while (at != end);
  if (sum <= 0) refuse("no time");
  if (sum > kLongestDays * 24 * 3600) refuse("more than 30 days");
  return sum;
}

void remember_command(int argc, const char* const* argv) {
  given.assign(argv, argv + argc);
}

std::string command_to_resume(const std::vector<std::pair<std::string, std::string>>& changed) {
  std::string command;
  bool resumes = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto replaced = std::find_if(changed.begin(), changed.end(), [&](const auto& option) {
      return given[i] == option.first || given[i].starts_with(option.first + "=");
    });
    if (replaced != changed.end()) {
      if (given[i] == replaced->first) ++i;  // its value is a word of its own
      continue;
    }
    resumes = resumes || given[i] == "--resume";
    command += (i == 0 ? "" : " ") + text::shell_word(given[i]);
  }
  for (const auto& [option, value] : changed) command += fmt::format(" {} {}", option, text::shell_word(value));
  return resumes ? command : command + " --resume";
}

void expect_outputs(const CalibrationArguments& arguments, const std::string& report) {
  std::set<std::string> paths;
  for (const std::string& path :
       {arguments.output, journal_of(arguments), arguments.measurements, arguments.held_out, report}) {
    if (path.empty() || path == "-") continue;
    if (!paths.insert(path).second) {
      throw std::runtime_error(
          fmt::format("{} is asked for twice: give each output a file of its own", printable(path)));
    }
    files::expect_writable(path);
  }
}

void catch_stop() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  // nohup and its like ignore it: the run outlives the terminal.
  struct sigaction hang_up {};
  ::sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
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
                                                       bool resume, bool emulated) {
  if (!std::filesystem::is_regular_file(path)) {
    if (!resume) return std::nullopt;
    throw BadFile(fmt::format("--resume: there is no journal {}; begin without --resume, or name it with --journal",
                              printable(path)));
  }
  calibration::JournalContent earlier = reading([&] { return calibration::read_journal(path); });
  const auto measured = std::count_if(earlier.blocks.begin(), earlier.blocks.end(),
                                      [](const calibration::Block& block) { return block.problem.empty(); });
  if (measured == 0) return std::nullopt;
  if (!resume) {
    // Virtual minutes are cheap, those of a real board are not.
    if (emulated && earlier.header.os_release == now.os_release) return std::nullopt;
    throw std::runtime_error(fmt::format(
        "{} holds {} block{} of an earlier calibration ({}): go on with --resume, or move it away to begin afresh",
        printable(path), measured, measured == 1 ? "" : "s", printable(earlier.header.board)));
  }
  const std::string other = calibration::difference(earlier.header, now);
  if (!other.empty()) {
    throw BadFile(fmt::format("{} cannot be resumed: {}; move it away to begin afresh, or choose another -o",
                              printable(path), other));
  }
  if (earlier.damaged > 0) {
    fmt::print(stderr, "damaged   {} lines of {}: their blocks are measured again\n", earlier.damaged, printable(path));
  }
  return earlier;
}

}  // namespace edgejoule::calibrate
