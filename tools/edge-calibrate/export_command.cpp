// edge-calibrate export: a recording as CSV or JSON.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "capture/trace_text.h"
#include "command.h"
#include "text/escape.h"

namespace edgejoule::calibrate {
namespace {

constexpr const char* kExportFooter = R"(
Example:
  edge-calibrate export run.ejp > run.csv
  edge-calibrate export run.ejp --events
  edge-calibrate export run.ejp --json -o run.json
Exit codes: 0 done, 1 the output cannot be written, 2 usage, 3 the trace cannot be read.)";

struct ExportArguments {
  std::string trace;
  std::string output = "-";
  std::size_t recording = 0;  // from 1; 0: the last one
  bool json = false;
  bool events = false;
};

void tell_damage(const capture::Trace& trace, const std::string& path) {
  const std::string name = text::printable(path);
  if (trace.damaged_bytes != 0) {
    fmt::print(stderr, "warning: {}: {} bytes belong to no whole frame and were skipped\n", name, trace.damaged_bytes);
  }
  if (trace.missing_frames != 0) {
    fmt::print(stderr, "warning: {}: {} frames are missing in the middle\n", name, trace.missing_frames);
  }
  if (trace.orphans != 0) {
    fmt::print(stderr, "warning: {}: {} frames stand before any session and were skipped\n", name, trace.orphans);
  }
}

int export_trace(const ExportArguments& arguments) {
  const capture::Trace trace = reading([&] { return capture::read_trace(arguments.trace); });
  tell_damage(trace, arguments.trace);
  if (trace.recordings.empty()) throw BadFile(fmt::format("{}: no session in it", text::printable(arguments.trace)));
  if (arguments.recording > trace.recordings.size()) {
    throw BadFile(fmt::format("{}: holds {} recordings, not {}", text::printable(arguments.trace),
                              trace.recordings.size(), arguments.recording));
  }
  const capture::Recording& recording =
      arguments.recording == 0 ? trace.recordings.back() : trace.recordings[arguments.recording - 1];
  std::FILE* const out = arguments.output == "-" ? stdout : std::fopen(arguments.output.c_str(), "w");
  if (out == nullptr) throw std::runtime_error(fmt::format("{}: cannot be written", text::printable(arguments.output)));
  bool good = arguments.json     ? capture::write_json(recording, out)
              : arguments.events ? capture::write_events_csv(recording, out)
                                 : capture::write_samples_csv(recording, out);
  good = (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && good;
  if (!good)
    throw std::runtime_error(fmt::format("{}: not all of it could be written", text::printable(arguments.output)));
  return kExitOk;
}

}  // namespace

void add_export_command(CLI::App& program, Run& chosen) {
  CLI::App* const command = program.add_subcommand("export", "Write a recording as CSV or JSON");
  command->footer(kExportFooter);
  auto arguments = std::make_shared<ExportArguments>();
  command->add_option("trace", arguments->trace, "Power trace (.ejp)")->required();
  command->add_option("-o,--output", arguments->output, "Where to; - is standard output")->capture_default_str();
  command->add_option("--recording", arguments->recording, "Which recording of the file, from 1; default: the last");
  auto* const json = command->add_flag("--json", arguments->json, "JSON with session, samples and events");
  command->add_flag("--events", arguments->events, "CSV of gaps, losses and markers instead of samples")
      ->excludes(json);
  command->callback([arguments, &chosen] { chosen = [arguments] { return export_trace(*arguments); }; });
}

}  // namespace edgejoule::calibrate
