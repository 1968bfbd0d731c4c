#include "unit/account/played_run.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>

#include "edgejoule/linux/ina_source.h"
#include "edgejoule/linux/trace_writer.h"
#include "emulated_board/board_file.h"
#include "emulated_board/virtual_bus.h"
#include "files/io.h"

namespace edgejoule::account {
namespace {

using emulated_board::PowerTrace;

constexpr double kVolts = 5;
constexpr std::int64_t kQuantumUw = 40'000;  // 40 uV over 5 mOhm at 5 V

// The registers of the board's chips, in virtual time.
class Sensor {
 public:
  explicit Sensor(std::shared_ptr<const PowerTrace> rail) : board_(board_with(std::move(rail))) {}

  std::vector<PowerSample> read_until(std::int64_t end_ns, std::uint16_t averages) {
    InaSourceConfig config;
    config.chip = ChipId::kIna3221;
    config.configure = true;
    config.settings.channel_mask = 7;
    config.settings.averages = averages;
    config.settings.shunt_time_us = config.settings.bus_time_us = 1100;
    config.settings.shunt_uohm[0] = config.settings.shunt_uohm[1] = config.settings.shunt_uohm[2] = 5000;
    InaSource source;
    if (!source.open(bus_.registers(), config, bus_.now_ns()).ok())
      throw std::runtime_error("the emulated chip does not answer");
    const RailSource rails = source.source();
    std::vector<PowerSample> samples;
    while (bus_.now_ns() < end_ns) {
      bus_.wait_until(rails.ops->next_poll_ns(rails.self));
      std::array<PowerSample, kMaxRailsPerSource> out{};
      const auto count = rails.ops->poll(rails.self, bus_.now_ns(), Span<PowerSample>(out.data(), out.size()));
      if (!count.ok()) throw std::runtime_error("the emulated chip cannot be read");
      for (std::size_t i = 0; i < *count; ++i) {
        if (out[i].rail == 0) samples.push_back(out[i]);
      }
    }
    return samples;
  }

 private:
  static emulated_board::Board board_with(std::shared_ptr<const PowerTrace> rail) {
    std::istringstream text(
        "chip 0x40 ina3221 shunt_noise_uv=10 seed=3\n"
        "channel 0x40 1 trace=VDD_IN shunt_uohm=5000\n");
    return emulated_board::read_board(text, "board", ".", {{"VDD_IN", std::move(rail)}});
  }

  emulated_board::Board board_;
  emulated_board::VirtualBus bus_{board_.bus};
};

// The rail's power as it is put together.
class Steps {
 public:
  explicit Steps(double idle_watts) : steps_{{0, kVolts, idle_watts / kVolts}} {}

  void add(std::int64_t t_ns, double watts) {
    const PowerTrace::Step next{t_ns, kVolts, watts / kVolts};
    if (steps_.back().t_ns == t_ns) {
      steps_.back() = next;
    } else {
      steps_.push_back(next);
    }
  }
  // What the chip sees of it until `end_ns`.
  void measure(std::int64_t end_ns, std::uint16_t averages, PlayedRun& run) && {
    const auto rail = std::make_shared<const PowerTrace>(PowerTrace::piecewise(std::move(steps_)));
    capture::Recording recording;
    recording.session.board = "emulated";
    recording.session.total_description = "VDD_IN, emulated";
    auto& described = recording.session.rails.emplace_back(std::make_unique<wire::TraceRailT>());
    described->label = "VDD_IN";
    described->chip = "ina3221";
    described->quantum_uw = kQuantumUw;
    described->averages = averages;
    described->in_total = true;
    recording.samples = Sensor(rail).read_until(end_ns, averages);
    run.begin_ns = recording.samples.front().window_begin_ns;
    run.end_ns = recording.samples.back().window_end_ns;
    run.rail_joules = rail->joules(run.begin_ns, run.end_ns);
    run.rail = rail;
    run.recordings.push_back(std::move(recording));
  }

 private:
  std::vector<PowerTrace::Step> steps_;
};

}  // namespace

std::vector<HiddenOp> four_equal_layers() {
  const std::vector<HiddenOp> layer{{"query", 300'000, 3.1},   {"key", 300'000, 3.1},     {"scores", 150'000, 4.6},
                                    {"softmax", 120'000, 1.2}, {"context", 150'000, 4.2}, {"up", 780'000, 5.4},
                                    {"down", 672'000, 3.9}};
  std::vector<HiddenOp> ops;
  for (int i = 0; i < 4; ++i) {
    for (const HiddenOp& op : layer) ops.push_back({"layer_" + std::to_string(i) + "/" + op.name, op.ns, op.watts});
  }
  return ops;
}

PlayedRun play(const PlayOptions& options) {
  PlayedRun run;
  run.op_joules.assign(options.ops.size(), 0);
  run.timeline.clock = wire::TimelineClock::monotonic;
  run.timeline.source = wire::TimelineSource::markers;
  auto& thread = run.timeline.threads.emplace_back(std::make_unique<wire::TimelineThreadT>());
  thread->names.emplace_back();
  for (const HiddenOp& op : options.ops) thread->names.push_back(op.name);

  std::mt19937_64 random(options.seed);
  std::normal_distribution<double> normal(0, 1);
  Steps steps(options.idle_watts);
  std::int64_t t = options.idle_ns;
  for (int i = 0; i < options.inferences; ++i) {
    const std::int64_t begin = t;
    for (std::size_t k = 0; k < options.ops.size(); ++k) {
      const HiddenOp& op = options.ops[k];
      steps.add(t, options.idle_watts + options.between_watts);
      run.between_joules += options.between_watts * static_cast<double>(options.between_ns) * 1e-9;
      t += options.between_ns;
      const auto ns =
          static_cast<std::int64_t>(static_cast<double>(op.ns) * std::max(0.5, 1 + options.jitter * normal(random)));
      steps.add(t, options.idle_watts + op.watts);
      run.timeline.spans.emplace_back(t, t + ns, static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(k + 1), 0, 0,
                                      wire::SpanKind::op, 0, 1);
      run.op_joules[k] += op.watts * static_cast<double>(ns) * 1e-9;
      t += ns;
    }
    run.timeline.spans.emplace_back(begin, t, 0xFFFFFFFFU, 0, 0, 0, wire::SpanKind::inference, 0, 0);
    steps.add(t, options.idle_watts);
    t += 200'000 + static_cast<std::int64_t>(random() % 600'000);  // the program's own pace
  }
  std::move(steps).measure(t + options.idle_ns, options.averages, run);
  return run;
}

PlayedRun follow(const wire::TimelineT& timeline, const std::vector<double>& watts, const PlayOptions& options) {
  PlayedRun run;
  run.op_joules.assign(watts.size(), 0);
  run.timeline.source = timeline.source;
  run.timeline.clock = wire::TimelineClock::monotonic;
  run.timeline.threads.push_back(std::make_unique<wire::TimelineThreadT>(*timeline.threads.at(0)));
  std::vector<wire::Span> spans = timeline.spans;
  std::stable_sort(spans.begin(), spans.end(), [](const wire::Span& a, const wire::Span& b) {
    return a.begin_ns() < b.begin_ns() || (a.begin_ns() == b.begin_ns() && a.end_ns() > b.end_ns());
  });
  const std::int64_t shift = options.idle_ns - spans.at(0).begin_ns();
  Steps steps(options.idle_watts);
  std::int64_t op_end = 0, inference_end = 0;
  const auto leave = [&](std::int64_t next_ns) {
    if (inference_end != 0 && inference_end <= next_ns) steps.add(inference_end, options.idle_watts), inference_end = 0;
  };
  for (const wire::Span& span : spans) {
    const std::int64_t begin = span.begin_ns() + shift, end = span.end_ns() + shift;
    run.timeline.spans.emplace_back(begin, end, span.node(), span.name(), 0, span.part(), span.kind(), span.flags(),
                                    span.depth());
    if (span.thread() != 0 || begin < op_end)
      throw std::runtime_error("the played timeline is not one op after another");
    leave(begin);
    if (span.kind() == wire::SpanKind::inference) {
      steps.add(begin, options.idle_watts + options.between_watts);
      inference_end = end;
    } else {
      steps.add(begin, options.idle_watts + watts.at(span.name()));
      steps.add(end, options.idle_watts + options.between_watts);
      run.op_joules[span.name()] += watts[span.name()] * static_cast<double>(end - begin) * 1e-9;
      op_end = end;
    }
  }
  const std::int64_t last = std::max(op_end, inference_end);
  leave(last);
  std::stable_sort(run.timeline.spans.begin(), run.timeline.spans.end(),
                   [](const wire::Span& a, const wire::Span& b) { return a.end_ns() < b.end_ns(); });
  std::move(steps).measure(last + options.idle_ns, options.averages, run);
  return run;
}

std::vector<double> PlayedRun::held_sample_rule(double idle_watts) const {
  std::vector<double> joules(op_joules.size(), 0);
  const std::vector<PowerSample>& samples = recordings.front().samples;
  for (const wire::Span& span : timeline.spans) {
    if (span.kind() != wire::SpanKind::op) continue;
    auto after = std::upper_bound(samples.begin(), samples.end(), span.begin_ns(),
                                  [](std::int64_t t, const PowerSample& s) { return t < s.t_mono_ns; });
    std::int64_t from = span.begin_ns();
    while (from < span.end_ns() && after != samples.begin()) {
      const std::int64_t to = after == samples.end() ? span.end_ns() : std::min(span.end_ns(), after->t_mono_ns);
      const double watts = static_cast<double>((after - 1)->power_uw) * 1e-6 - idle_watts;
      joules[span.node()] += watts * static_cast<double>(to - from) * 1e-9;
      from = to;
      if (after != samples.end()) ++after;
    }
  }
  return joules;
}

void write_files(const PlayedRun& run, const std::string& trace, const std::string& timeline) {
  const capture::Recording& recording = run.recordings.front();
  wire::TraceFrameT frame;
  frame.session = std::make_unique<wire::TraceSessionT>(recording.session);
  flatbuffers::FlatBufferBuilder session;
  session.Finish(wire::TraceFrame::Pack(session, &frame), wire::TraceFrameIdentifier());
  std::vector<std::uint64_t> memory(TraceWriter::required_bytes(256, 16) / 8 + 1);
  TraceWriter writer;
  const auto sound = [](const Status& status) {
    if (!status.ok()) throw std::runtime_error(error_text(status.error()));
  };
  sound(writer.open(trace.c_str(), {reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8}, 16));
  sound(writer.write_session({reinterpret_cast<const std::byte*>(session.GetBufferPointer()), session.GetSize()}));
  for (const PowerSample& sample : recording.samples) sound(writer.add(sample));
  sound(writer.close());
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(wire::Timeline::Pack(builder, &run.timeline), wire::TimelineIdentifier());
  files::write_file(timeline, {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
}

}  // namespace edgejoule::account
