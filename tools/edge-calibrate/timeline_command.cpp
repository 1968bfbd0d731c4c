// edge-calibrate timeline: what a runtime says it ran, as a timeline (.ejl), and a look at one.
#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "files/io.h"
#include "files/json.h"
#include "schemas/timeline_generated.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "timeline/profiles.h"
#include "timeline/summary.h"
#include "timeline/timeline_builder.h"
#include "timeline/timeline_file.h"

namespace edgejoule::calibrate {
namespace {

constexpr const char* kTimelineFooter = R"(
Profiles are told apart by their content:
  ONNX Runtime  the file that enable_profiling (Python, C++) or enableProfiling (JavaScript)
                writes: each Node event an op, each model_run an inference
  Chrome trace  X, B and E events; --inference says which are runs of the model, events
                outermost in them (or of --category) are ops
  Arm NN        what IProfiler::Print writes, with nothing around it
  ExecuTorch    the ETDump of an ETDumpGen: each instruction an op, each Method::execute an
                inference; --tick-ns where the platform's clock does not count nanoseconds
edgejoule's own markers write timelines themselves (firmware-lib/include/edgejoule/linux/timeline_writer.h).

Example:
  edge-calibrate timeline onnxruntime_profile.json --model net.onnx -o run.ejl
  edge-calibrate timeline trace.json --inference 'Run*' --category op -o run.ejl
  edge-calibrate timeline show run.ejl
Exit codes: 0 done, 1 the timeline cannot be written, 2 usage, 3 the profile cannot be read or is damaged.)";

constexpr const char* kTimelineShowFooter = R"(
"own" is an op's time without the ops within it. Shares are of the ops' own time.

Example: edge-calibrate timeline show run.ejl
Exit codes: 0 done, 2 usage, 3 the file cannot be read or is damaged.)";

constexpr double kSecondsPerNs = 1e-9;

struct TimelineArguments {
  std::string profile;
  std::string output;
  std::string model;
  std::string runtime;
  std::string shown;
  std::string clock;  // "": as the profile says
  std::optional<std::int64_t> offset_ns;
  timeline::ProfileOptions options;
};

std::string seconds(double ns) {
  return text::si(ns * kSecondsPerNs, "s");
}

std::string seconds(std::int64_t ns) {
  return seconds(static_cast<double>(ns));
}

std::string one_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string clock_text(const wire::TimelineT& timeline) {
  std::string out = wire::EnumNameTimelineClock(timeline.clock);
  if (timeline.clock == wire::TimelineClock::unknown) out = "its own";
  if (timeline.resolution_ns != 0) out += ", in steps of " + seconds(static_cast<std::int64_t>(timeline.resolution_ns));
  if (timeline.offset_ns) out += fmt::format(", CLOCK_MONOTONIC less {} ns", *timeline.offset_ns);
  return out;
}

std::string header_text(const wire::TimelineT& timeline) {
  std::string out = fmt::format("source    {}{}\n", wire::EnumNameTimelineSource(timeline.source),
                                timeline.runtime.empty() ? "" : " (" + text::printable(timeline.runtime) + ")");
  if (!timeline.model.empty()) out += fmt::format("model     {}\n", text::printable(timeline.model));
  return out;
}

std::string notes_text(const wire::TimelineT& timeline) {
  std::string out;
  for (const std::string& note : timeline.notes) out += fmt::format("note      {}\n", text::printable(note));
  return out;
}

std::string counts_text(const wire::TimelineT& timeline, const timeline::TimelineSummary& summary) {
  std::string out = header_text(timeline);
  out += fmt::format("clock     {}\n", clock_text(timeline));
  out += fmt::format("span      {}, {}\n", seconds(summary.last_ns - summary.first_ns),
                     one_of(timeline.threads.size(), "thread", "threads"));
  out += fmt::format("ops       {}, {}, {} in all", one_of(summary.ops.size(), "op", "ops"),
                     one_of(summary.op_spans, "execution", "executions"), seconds(summary.ops_ns));
  if (summary.inner_spans != 0) out += fmt::format("; {}", one_of(summary.inner_spans, "inner step", "inner steps"));
  out += "\n";
  if (summary.inferences == 0) {
    out += "inferences none are told\n";
  } else {
    out += fmt::format("inferences {}, {} to {}, mean {}; no op running {} ({})\n", summary.inferences,
                       seconds(summary.shortest_inference_ns), seconds(summary.longest_inference_ns),
                       seconds(static_cast<double>(summary.inferences_ns) / static_cast<double>(summary.inferences)),
                       seconds(summary.between_ops_ns),
                       text::percent(static_cast<double>(summary.between_ops_ns) /
                                     static_cast<double>(std::max<std::int64_t>(1, summary.inferences_ns))));
  }
  out += fmt::format("gaps      {}, {} lost\n", summary.gaps, one_of(summary.lost_events, "event", "events"));
  if (summary.ops_outside != 0) {
    out += fmt::format("outside   {} of no whole inference\n",
                       one_of(summary.ops_outside, "execution is", "executions are"));
  }
  if (summary.incomplete != 0) {
    out += fmt::format("missing   {} a beginning or an end\n", one_of(summary.incomplete, "span lacks", "spans lack"));
  }
  return out + notes_text(timeline);
}

std::string ops_text(const timeline::TimelineSummary& summary) {
  using text::Align;
  text::Columns columns(
      {"own", "share", "calls", "mean", "node", "type", "name"},
      {Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  std::vector<std::size_t> order(summary.ops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&summary](std::size_t a, std::size_t b) { return summary.ops[a].own_ns > summary.ops[b].own_ns; });
  for (const std::size_t i : order) {
    const timeline::OpSummary& op = summary.ops[i];
    const auto own = static_cast<double>(op.own_ns);
    columns.add({{seconds(op.own_ns)},
                 {text::percent(own / static_cast<double>(std::max<std::int64_t>(1, summary.ops_ns)))},
                 {fmt::format("{}", op.calls)},
                 {op.calls == 0 ? "" : seconds(static_cast<double>(op.total_ns) / static_cast<double>(op.calls))},
                 {op.node == timeline::kNoNode ? "" : fmt::format("{}", op.node)},
                 {text::printable(op.type)},
                 {text::printable(op.name)}});
  }
  return columns.render(false);
}

std::string durations_text(const wire::TimelineT& timeline) {
  std::string out = header_text(timeline) + "clock     none: how long ops took, not when\n";
  using text::Align;
  text::Columns columns({"total", "calls", "mean", "type", "name"},
                        {Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  for (const auto& op : timeline.durations) {
    columns.add({{op->total_ns ? seconds(*op->total_ns) : ""},
                 {op->calls ? fmt::format("{}", *op->calls) : ""},
                 {op->mean_ns ? seconds(*op->mean_ns) : ""},
                 {text::printable(op->type_name)},
                 {text::printable(op->name)}});
  }
  return out + notes_text(timeline) + "\n" + columns.render(false);
}

int show_timeline(const TimelineArguments& arguments) {
  const wire::TimelineT timeline = reading([&] {
    return timeline::open_timeline(files::load(arguments.shown, files::FileKind::kTimeline), arguments.shown);
  });
  if (timeline.kind == wire::TimelineKind::durations) {
    fmt::print("{}", durations_text(timeline));
    return kExitOk;
  }
  const timeline::TimelineSummary summary = timeline::summarise(timeline);
  fmt::print("{}", counts_text(timeline, summary));
  if (!summary.ops.empty()) fmt::print("\n{}", ops_text(summary));
  return kExitOk;
}

wire::TimelineClock clock_of(const std::string& name) {
  if (name == "monotonic") return wire::TimelineClock::monotonic;
  return name == "realtime" ? wire::TimelineClock::realtime : wire::TimelineClock::boottime;
}

int import_profile(const TimelineArguments& arguments) {
  wire::TimelineT timeline = reading([&] {
    const files::FileBytes bytes = files::read_file(arguments.profile);
    return timeline::read_timeline(bytes.text(), arguments.profile, arguments.options);
  });
  timeline.tool_version = EDGEJOULE_VERSION;
  if (!arguments.clock.empty()) timeline.clock = clock_of(arguments.clock);
  if (arguments.offset_ns) timeline.offset_ns = arguments.offset_ns;
  if (!arguments.runtime.empty()) timeline.runtime = text::valid_utf8(arguments.runtime);
  if (!arguments.model.empty()) {
    const files::FileBytes model = reading([&] { return files::read_file(arguments.model); });
    timeline.model = text::valid_utf8(std::filesystem::path(arguments.model).filename().string());
    timeline.model_sha256 = files::sha256(model.text());
  }
  fmt::print(stderr, "{}", counts_text(timeline, timeline::summarise(timeline)));
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(wire::Timeline::Pack(builder, &timeline), wire::TimelineIdentifier());
  const files::FileBytes bytes(builder.GetBufferPointer(), builder.GetSize());
  files::save(arguments.output, bytes.span(), files::FileKind::kTimeline);
  if (arguments.output != "-") fmt::print(stderr, "wrote     {}\n", text::printable(arguments.output));
  return kExitOk;
}

}  // namespace

void add_timeline_command(CLI::App& program, Run& chosen) {
  auto arguments = std::make_shared<TimelineArguments>();
  CLI::App* const command = program.add_subcommand("timeline", "Import a run's profile; show a timeline");
  command->footer(kTimelineFooter);
  command->add_option("profile", arguments->profile, "what the runtime wrote; - is standard input");
  command->add_option("-o,--output", arguments->output,
                      "the timeline: JSON text where it ends in .json or is -, else binary (.ejl)");
  command->add_option("--model", arguments->model, "the model that ran: its name and SHA-256 go into the timeline")
      ->type_name("FILE");
  command->add_option("--runtime", arguments->runtime, "the runtime with its version, as it is to be called")
      ->type_name("TEXT");
  command
      ->add_option("--inference", arguments->options.inference,
                   "Chrome traces: name of the events that are runs of the model; may end in *")
      ->type_name("NAME");
  command->add_option("--category", arguments->options.category, "Chrome traces: only events of this category are ops")
      ->type_name("CAT");
  command->add_option("--tick-ns", arguments->options.ns_per_tick, "ETDumps: nanoseconds of the platform's tick")
      ->check(CLI::Range(1e-3, 1e9))
      ->capture_default_str();
  auto* const clock =
      command->add_option("--clock", arguments->clock, "which clock the profile's instants are of, where you know it")
          ->check(CLI::IsMember({"monotonic", "realtime", "boottime"}));
  command
      ->add_option("--offset-ns", arguments->offset_ns,
                   "CLOCK_MONOTONIC less the profile's clock: account lays power beside it")
      ->check(CLI::Range(-timeline::kLatestNs + 1, timeline::kLatestNs - 1))
      ->excludes(clock);
  CLI::App* const show_command = command->add_subcommand("show", "Ops, inferences, span and gaps of a timeline");
  show_command->footer(kTimelineShowFooter);
  show_command->add_option("timeline", arguments->shown, "the timeline (.ejl)")->required();
  command->callback([arguments, show_command, &chosen] {
    if (show_command->parsed()) {
      chosen = [arguments] { return show_timeline(*arguments); };
      return;
    }
    if (arguments->profile.empty()) throw CLI::RequiredError("profile");
    if (arguments->output.empty()) throw CLI::RequiredError("--output");
    chosen = [arguments] { return import_profile(*arguments); };
  });
}

}  // namespace edgejoule::calibrate
