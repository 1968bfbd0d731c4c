// edge-calibrate record: power of every rail while a command runs, for a time, or between two edges of a line.
#include <fmt/format.h>
#include <time.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "capture/recorder.h"
#include "capture/settings_guard.h"
#include "child_process.h"
#include "command.h"
#include "edgejoule/linux/monotonic.h"
#include "record_report.h"
#include "sensor_options.h"
#include "text/escape.h"
#include "text/terminal.h"

namespace edgejoule::calibrate {
namespace {

using capture::Recorder;

constexpr const char* kRecordFooter = R"(
Examples:
  edge-calibrate record -o run.ejp -- ./benchmark_model --graph=model.tflite
  edge-calibrate record --duration 10
  edge-calibrate record -o run.ejp --start-on marker       # from its rising to its falling edge
The summary goes to standard output, or to standard error where a command has standard output for itself.
Ctrl-C ends the recording and keeps it; a command gets it too, and is waited for.
Exit codes: the command's own where there is one (127 not found, 128+n ended by signal n); else 0 done,
1 the job failed, 2 usage, 3 the board file is bad.)";

struct RecordArguments {
  SensorArguments sensors;
  capture::RecorderOptions recorder;
  std::vector<std::string> command;
  std::string start_on;
  std::string marker_out;
  double duration_s = 0.0;
  int set_samples = 0;
  int set_interval_ms = 0;
  std::uint16_t conversion_us = 0;
  std::uint16_t averages = 0;
};

volatile std::sig_atomic_t interrupts = 0;
volatile std::sig_atomic_t terminated = 0;

void on_signal(int number) {
  if (number == SIGINT) {
    interrupts = interrupts + 1;
  } else {
    terminated = number;
  }
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

[[nodiscard]] bool asked_to_end() {
  return interrupts != 0 || terminated != 0;
}

void sleep_a_little() {
  timespec wait{};
  wait.tv_nsec = 20'000'000;
  (void)::nanosleep(&wait, nullptr);  // a signal may end it early: so much the better
}

// The kernel files behind --set-samples and --set-interval of every hwmon device found.
std::vector<capture::Setting> settings_of(const RecordArguments& arguments, const capture::Discovery& found) {
  std::vector<capture::Setting> settings;
  for (const capture::FoundSource& source : found.sources) {
    if (source.kind != SourceKind::kHwmon) continue;
    const std::string folder = source.device->folder;
    const auto add = [&](const char* file, int value) {
      const std::string path = folder + "/" + file;
      if (value > 0 && std::filesystem::exists(path)) settings.push_back({path, std::to_string(value)});
    };
    // First the average, because writing the interval divides by it.
    add("samples", arguments.set_samples);
    add("update_interval", arguments.set_interval_ms);
  }
  if (settings.empty() && (arguments.set_samples > 0 || arguments.set_interval_ms > 0)) {
    throw std::runtime_error("no sensor driver here has the setting asked for (samples, update_interval)");
  }
  return settings;
}

// Before the window opens every rail should have been read once, or its first conversion would be missing.
void wait_for_first_samples(Recorder& recorder) {
  constexpr std::int64_t kAtMostNs = 2'000'000'000;
  const std::int64_t begin = monotonic_ns();
  while (monotonic_ns() - begin < kAtMostNs && !asked_to_end()) {
    sleep_a_little();
    recorder.pump();
    bool all = true;
    for (std::size_t i = 0; i < recorder.rails().size(); ++i) all = all && recorder.last_sample(i).t_mono_ns != 0;
    if (all) return;
  }
}

// The conversion that covers the end of the window ends after it.
void wait_for_last_samples(Recorder& recorder) {
  std::int64_t longest_ns = 0;
  for (const capture::FoundRail& rail : recorder.rails()) {
    longest_ns = std::max<std::int64_t>(longest_ns, rail.info.cycle_ns);
  }
  constexpr std::int64_t kAtMostNs = 500'000'000;
  const std::int64_t until = monotonic_ns() + std::min(2 * longest_ns, kAtMostNs);
  while (monotonic_ns() < until) {
    sleep_a_little();
    recorder.pump();
  }
}

// What ends the recording, and when it began and ended.
struct Outcome {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::optional<int> exit_code;  // of the command
};

// Waits for an edge of the line that starts and stops; its instant is the kernel's, not ours. Marker 0 is that line.
std::optional<std::int64_t> edge_instant(Recorder& recorder, EventKind kind) {
  std::optional<std::int64_t> instant;
  for (const TraceEvent& edge : recorder.take_marker_edges()) {
    if (!instant && edge.index == 0 && edge.kind == kind) instant = edge.begin_ns;
  }
  return instant;
}

Outcome observe(const RecordArguments& arguments, Recorder& recorder, GpioOutput* marker, LiveView& live) {
  Outcome outcome;
  const bool by_edge = !arguments.start_on.empty();
  outcome.begin_ns = monotonic_ns();
  if (by_edge) {
    if (text::is_terminal(stderr))
      fmt::print(stderr, "waiting for a rising edge of {}\n", text::printable(arguments.start_on));
    std::optional<std::int64_t> instant;
    while (!(instant = edge_instant(recorder, EventKind::kMarkerRising)) && !asked_to_end()) {
      sleep_a_little();
      recorder.pump();
    }
    outcome.begin_ns = instant.value_or(monotonic_ns());
  }
  recorder.begin_window(outcome.begin_ns);
  if (!arguments.command.empty() && asked_to_end()) {  // before the command was started: it is not
    constexpr int kInterrupted = 128 + SIGINT;
    outcome.end_ns = monotonic_ns();
    outcome.exit_code = kInterrupted;
    recorder.end_window(outcome.end_ns);
    return outcome;
  }
  ChildProcess child;
  if (marker != nullptr) (void)marker->set(true);
  if (!arguments.command.empty()) child.start(arguments.command);
  const auto deadline = outcome.begin_ns + static_cast<std::int64_t>(arguments.duration_s * 1e9);
  int passed_on = 0;
  for (;;) {
    const std::int64_t now = monotonic_ns();
    if (!arguments.command.empty()) {
      outcome.exit_code = child.poll();
      if (outcome.exit_code) break;
      // The first ctrl-C reached the command through the terminal; more of them insist.
      if (terminated != 0 && passed_on == 0) {
        child.signal(static_cast<int>(terminated));
        passed_on = 1;
      }
      if (interrupts > 1 && passed_on < interrupts) {
        child.signal(interrupts == 2 ? SIGTERM : SIGKILL);
        passed_on = interrupts;
      }
    } else {
      if (asked_to_end() || (arguments.duration_s > 0 && now >= deadline)) break;
      if (by_edge) {
        if (const auto instant = edge_instant(recorder, EventKind::kMarkerFalling)) {
          outcome.end_ns = *instant;
          break;
        }
      }
    }
    sleep_a_little();
    recorder.pump();
    live.show(recorder, now);
  }
  if (outcome.end_ns == 0) outcome.end_ns = monotonic_ns();
  if (marker != nullptr) (void)marker->set(false);
  recorder.end_window(outcome.end_ns);
  return outcome;
}

int record(const RecordArguments& given) {
  RecordArguments arguments = given;
  catch_signals();
  capture::Discovery found = discover(arguments.sensors);
  capture::SettingsGuard guard;
  const std::vector<capture::Setting> settings = settings_of(arguments, found);
  if (!settings.empty()) {
    guard.apply(settings);
    for (const capture::Setting& setting : settings) {
      fmt::print(stderr, "set {} to {}; it is put back when this ends, killed or not (a power cut excepted)\n",
                 setting.path, setting.value);
    }
    found = discover(arguments.sensors);  // with the periods that are true now
  }
  for (capture::FoundSource& source : found.sources) {
    if (!source.raw) continue;
    source.raw->settings.shunt_time_us = source.raw->settings.bus_time_us = arguments.conversion_us;
    source.raw->settings.averages = arguments.averages;
  }
  for (const capture::Finding& finding : found.findings) {
    if (finding.severity != capture::Severity::kProblem) continue;
    fmt::print(stderr, "problem: {}\n", text::printable(finding.text));
    if (!finding.command.empty()) fmt::print(stderr, "    run: {}\n", text::printable(finding.command));
  }
  if (!arguments.start_on.empty()) {
    arguments.recorder.markers.insert(arguments.recorder.markers.begin(), arguments.start_on);
  }
  arguments.recorder.command = arguments.command;
  arguments.recorder.tool_version = EDGEJOULE_VERSION;

  std::optional<GpioOutput> marker;
  if (!arguments.marker_out.empty()) {
    marker.emplace();
    if (const Status s = marker->open(arguments.marker_out.c_str(), false); !s) {
      throw std::runtime_error(fmt::format("--marker-out {}: {}; gpioinfo lists the lines",
                                           text::printable(arguments.marker_out), error_text(s.error())));
    }
  }
  Recorder recorder(found, arguments.recorder);
  if (recorder.repaired_bytes() != 0) {
    fmt::print(stderr, "{}: cut {} bytes of a torn frame, continuing behind the last whole one\n",
               text::printable(arguments.recorder.output), recorder.repaired_bytes());
  }
  recorder.start();
  wait_for_first_samples(recorder);
  LiveView live(stderr);
  const Outcome outcome = observe(arguments, recorder, marker ? &*marker : nullptr, live);
  wait_for_last_samples(recorder);
  recorder.stop();
  live.clear();
  guard.restore();

  std::FILE* const out = arguments.command.empty() ? stdout : stderr;
  const bool colour = text::use_colour(out, text::ColourChoice::kAuto);
  fmt::print(out, "{}", summary_text(recorder, found.total_description, outcome.end_ns, colour));
  if (!arguments.recorder.output.empty()) {
    fmt::print(stderr, "trace: {} ({} bytes)\n", text::printable(arguments.recorder.output), recorder.bytes_written());
  }
  if (recorder.write_error()) {
    fmt::print(stderr, "edge-calibrate: {}; what came before it is whole\n", *recorder.write_error());
    if (!outcome.exit_code) return kExitFailed;
  }
  return outcome.exit_code.value_or(kExitOk);
}

}  // namespace

void add_record_command(CLI::App& program, Run& chosen) {
  CLI::App* const command = program.add_subcommand("record", "Record the power of every rail while a command runs");
  command->footer(kRecordFooter);
  auto a = std::make_shared<RecordArguments>();
  command->add_option("-o,--output", a->recorder.output, "Trace file (.ejp); continued where it exists; default: none");
  auto* const words = command->add_option("command", a->command, "Command to run and measure, behind --");
  auto* const duration = command->add_option("--duration", a->duration_s, "End after so many seconds")
                             ->check(CLI::PositiveNumber)
                             ->excludes(words);
  command->add_option("--start-on", a->start_on, "GPIO line: begin at its rising edge, end at its falling edge")
      ->excludes(words)
      ->excludes(duration);
  command->add_option("--rail", a->recorder.rails, "Only this rail (repeatable)");
  command->add_option("--marker-in", a->recorder.markers, "GPIO line whose edges are recorded (repeatable)");
  command->add_option("--marker-out", a->marker_out, "GPIO line that is high while the command runs");
  command->add_option("--alert", a->recorder.alert, "GPIO line with the ALERT pin of the chip named by --i2c");
  command->add_flag("--hold", a->recorder.hold_storage, "Write nothing to storage until the measurement is over");
  command->add_option("--realtime", a->recorder.sampler.realtime_priority, "Sample with SCHED_FIFO at this priority")
      ->check(CLI::Range(1, 99));
  command->add_option("--cpu", a->recorder.sampler.cpu, "Sample on this processor only")->check(CLI::NonNegativeNumber);
  command->add_option("--set-samples", a->set_samples, "Change the drivers' averaging, and put it back (root)")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--set-interval", a->set_interval_ms,
                   "Change the drivers' update interval in ms, and put it back (root)")
      ->check(CLI::Range(1, 4000));
  command->add_option("--conversion-us", a->conversion_us, "Conversion time of chips named by --i2c");
  command->add_option("--averages", a->averages, "Averages of chips named by --i2c");
  add_sensor_options(*command, a->sensors);
  command->callback([a, &chosen] { chosen = [a] { return record(*a); }; });
}

}  // namespace edgejoule::calibrate
