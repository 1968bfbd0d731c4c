#include "capture/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "capture/session.h"
#include "edgejoule/linux/monotonic.h"
#include "text/escape.h"

namespace edgejoule::capture {
namespace {

constexpr std::size_t kRingSamples = 32'768;
constexpr std::size_t kRingEvents = 4'096;
constexpr std::size_t kFrameEvents = 1'024;
// A frame per second is what a kill can cost; with storage held, memory for an hour of a fast chip.
constexpr std::int64_t kFlushEveryNs = 1'000'000'000;
constexpr std::size_t kFrameSamples = 16'384;
constexpr std::size_t kHeldSamples = 1'000'000;
constexpr std::int64_t kClockStepNs = 100'000'000;
constexpr std::uint32_t kSkipped = 0xFFFFFFFF;

Span<std::byte> bytes_of(std::vector<std::uint64_t>& memory) {
  return {reinterpret_cast<std::byte*>(memory.data()), memory.size() * sizeof(std::uint64_t)};
}

std::vector<std::uint64_t> words(std::size_t bytes) {
  return std::vector<std::uint64_t>(bytes / sizeof(std::uint64_t) + 1);
}

std::string gpio_advice(const std::string& line, Error error) {
  switch (error) {
    case Error::kUnsupported: return "this build has no libgpiod; install libgpiod-dev and build again";
    case Error::kNotFound: return "no line has that name; gpioinfo lists them, or write gpiochip0:12";
    case Error::kPermission: return "run: sudo usermod -aG gpio $USER   # then log in again; or run as root";
    case Error::kBusy: return "another program or driver holds it; gpioinfo says which";
    default:
      return fmt::format("{}", error_text(error)) + (line.empty() ? "" : "; write a line's name or gpiochip0:12");
  }
}

}  // namespace

Recorder::Recorder(const Discovery& found, const RecorderOptions& options)
    : output_(options.output),
      sampler_options_(options.sampler),
      hold_storage_(options.hold_storage),
      keep_samples_(options.keep_samples) {
  for (const std::string& line : options.markers) {
    GpioInput& marker = markers_.emplace_back();
    if (const Status s = marker.open(line.c_str(), GpioEdges::kBoth); !s) {
      throw RecordError(fmt::format("marker '{}': {}", text::printable(line), gpio_advice(line, s.error())));
    }
  }
  open_sources(found, options);
  for (const FoundRail& rail : rails_) accumulators_.emplace_back(rail.quantum_uw());
  sampler_memory_ = words(Sampler::required_bytes(kRingSamples, kRingEvents));
  sample_batch_.resize(kRingSamples);
  event_batch_.resize(kRingEvents);
  edges_.reserve(kRingEvents);
  std::vector<GpioInput*> lines;
  for (GpioInput& marker : markers_) lines.push_back(&marker);
  const Result<Sampler*> sampler = Sampler::create(bytes_of(sampler_memory_), kRingSamples, kRingEvents,
                                                   Span<const RailSource>(sources_.data(), sources_.size()),
                                                   Span<GpioInput* const>(lines.data(), lines.size()));
  if (!sampler) {
    throw RecordError(fmt::format("{} sensor devices and {} markers: {}", sources_.size(), lines.size(),
                                  error_text(sampler.error())));
  }
  sampler_ = *sampler;
  if (!output_.empty()) open_trace(found, options);
}

Recorder::~Recorder() {
  stop();
}

void Recorder::open_sources(const Discovery& found, const RecorderOptions& options) {
  for (const std::string& label : options.rails) {
    const bool known =
        std::any_of(found.rails.begin(), found.rails.end(), [&](const FoundRail& rail) { return rail.label == label; });
    if (known) continue;
    std::string labels;
    for (const FoundRail& rail : found.rails) labels += (labels.empty() ? "" : ", ") + rail.label;
    throw RecordError(fmt::format("no rail is called '{}'; there are {}", text::printable(label),
                                  labels.empty() ? "none" : text::printable(labels)));
  }
  const auto wanted = [&](const FoundRail& rail) {
    return options.rails.empty() ||
           std::find(options.rails.begin(), options.rails.end(), rail.label) != options.rails.end();
  };
  for (std::size_t source = 0; source < found.sources.size(); ++source) {
    const FoundSource& candidate = found.sources[source];
    std::vector<const FoundRail*> of_source;
    for (const FoundRail& rail : found.rails) {
      if (rail.source == source) of_source.push_back(&rail);
    }
    const bool any =
        std::any_of(of_source.begin(), of_source.end(), [&](const FoundRail* rail) { return wanted(*rail); });
    if (!candidate.readable || !any) continue;
    const std::int64_t now = monotonic_ns();
    if (candidate.raw) {
      open_raw(*candidate.raw, options, found.options.root);
    } else {
      SysfsSource& reader = sysfs_.emplace_back();
      if (const Status s = reader.open(*candidate.device, now); !s) {
        throw RecordError(fmt::format("{}: {}", candidate.device->folder, error_text(s.error())));
      }
      add_source(reader.source());
    }
    for (const FoundRail* rail : of_source) {
      rail_of_sample_.push_back(wanted(*rail) ? static_cast<std::uint32_t>(rails_.size()) : kSkipped);
      if (!wanted(*rail)) continue;
      rails_.push_back(*rail);
      rails_.back().source = sources_.size() - 1;
    }
  }
  if (sources_.empty()) throw RecordError("no readable rail; edge-calibrate probe says why and what mends it");
}

void Recorder::add_source(const RailSource& source) {
  sources_.push_back(watched_.emplace_back(source).source());
}

void Recorder::open_raw(const RawChip& raw, const RecorderOptions& options, const std::string& root) {
  I2cDev& bus = buses_.emplace_back();
  if (const Status s = bus.open(root.c_str(), raw.i2c_bus); !s) {
    throw RecordError(fmt::format("/dev/i2c-{}: {}", raw.i2c_bus, error_text(s.error())));
  }
  InaSourceConfig config;
  config.i2c_bus = raw.i2c_bus;
  config.address = raw.address;
  config.chip = raw.chip;
  config.settings = raw.settings;
  config.configure = options.configure_raw;
  if (!options.alert.empty()) {
    if (alert_ != nullptr) throw RecordError("--alert is the line of one chip, but several raw chips are recorded");
    alert_ = std::make_unique<GpioInput>();
    if (const Status s = alert_->open(options.alert.c_str(), GpioEdges::kFalling); !s) {
      throw RecordError(
          fmt::format("alert '{}': {}", text::printable(options.alert), gpio_advice(options.alert, s.error())));
    }
    config.alert = alert_.get();
    config.settings.ready_on_alert = true;
  }
  InaSource& reader = raw_.emplace_back();
  if (const Status s = reader.open(bus.bus(), config, monotonic_ns()); !s) {
    throw RecordError(
        fmt::format("{} at {}-{:04x}: {}", chip(raw.chip).name, raw.i2c_bus, raw.address, error_text(s.error())));
  }
  add_source(reader.source());
}

void Recorder::open_trace(const Discovery& found, const RecorderOptions& options) {
  writer_memory_ =
      words(TraceWriter::required_bytes(options.hold_storage ? kHeldSamples : kFrameSamples, kFrameEvents));
  const Status opened = writer_.open(output_.c_str(), bytes_of(writer_memory_), kFrameEvents);
  if (!opened) {
    const std::string name = text::printable(output_);
    switch (opened.error()) {
      case Error::kWrongIdentifier:
        throw RecordError(fmt::format("{}: exists and is no power trace; it is left alone. Choose another name", name));
      case Error::kBusy: throw RecordError(fmt::format("{}: another recording is being written to it", name));
      case Error::kUnsupported: throw RecordError(fmt::format("{}: not an ordinary file", name));
      case Error::kNotFound: throw RecordError(fmt::format("{}: its folder does not exist", name));
      default: throw RecordError(fmt::format("{}: {}", name, error_text(opened.error())));
    }
  }
  SessionFacts facts;
  facts.started_mono_ns = monotonic_ns();
  facts.started_unix_ns = facts.started_mono_ns + wall_clock_offset_ns();
  facts.tool_version = options.tool_version;
  facts.command = options.command;
  facts.markers = options.markers;
  const std::vector<std::byte> frame = session_frame(found, rails_, facts);
  if (const Status s = writer_.write_session(Span<const std::byte>(frame.data(), frame.size())); !s) {
    throw RecordError(fmt::format("{}: {}", text::printable(output_), error_text(s.error())));
  }
}

void Recorder::start() {
  wall_offset_ns_ = wall_clock_offset_ns();
  last_flush_ns_ = monotonic_ns();
  for (RailAccumulator& accumulator : accumulators_) accumulator.begin(last_flush_ns_);
  if (const Status s = sampler_->start(sampler_options_); !s) {
    if (s.error() == Error::kPermission) {
      throw RecordError(
          "real-time priority is not permitted; run as root, or: sudo setcap cap_sys_nice+ep $(command -v "
          "edge-calibrate)");
    }
    throw RecordError(fmt::format("the sampling thread does not start: {}", error_text(s.error())));
  }
}

void Recorder::told(Status status) {
  if (status || write_error_) return;
  write_error_ = fmt::format("{}: {}", text::printable(output_), error_text(status.error()));
}

void Recorder::count(const TraceEvent& event) {
  switch (event.kind) {
    case EventKind::kGap:
      ++counts_.gaps;
      counts_.gap_ns += event.end_ns - event.begin_ns;
      counts_.last_error = static_cast<Error>(event.value);
      break;
    case EventKind::kLost: counts_.lost += event.value; break;
    case EventKind::kDropped: counts_.dropped += event.value; break;
    case EventKind::kClockStep: ++counts_.clock_steps; break;
    case EventKind::kMarkerRising:
    case EventKind::kMarkerFalling:
      ++counts_.marker_edges;
      edges_.push_back(event);
      break;
    case EventKind::kMarkerOverflow: ++counts_.marker_overflows; break;
    case EventKind::kStuck:
      if (const std::uint32_t rail = rail_of_sample_[event.index]; rail != kSkipped) {
        counts_.stuck.push_back(rails_[rail].label);
      }
      break;
    case EventKind::kForcedWrite:
    case EventKind::kWindowBegin:
    case EventKind::kWindowEnd: break;
  }
}

void Recorder::watch_wall_clock(std::int64_t now_ns) {
  const std::int64_t offset = wall_clock_offset_ns();
  const std::int64_t step = offset - wall_offset_ns_;
  wall_offset_ns_ = offset;
  if (step < kClockStepNs && step > -kClockStepNs) return;  // slewing, as NTP does
  TraceEvent event;
  event.kind = EventKind::kClockStep;
  event.begin_ns = event.end_ns = now_ns;
  event.value = static_cast<std::uint32_t>(static_cast<std::int32_t>(step / 1'000'000));
  count(event);
  if (!output_.empty()) told(writer_.add(event));
}

void Recorder::pump() {
  const std::int64_t now = monotonic_ns();
  const std::size_t samples = sampler_->take(Span<PowerSample>(sample_batch_.data(), sample_batch_.size()));
  for (std::size_t i = 0; i < samples; ++i) {
    PowerSample& sample = sample_batch_[i];
    const std::uint32_t rail = rail_of_sample_[sample.rail];
    if (rail == kSkipped) continue;
    sample.rail = static_cast<std::uint16_t>(rail);
    accumulators_[rail].add(sample);
    if (keep_samples_) kept_.push_back(sample);
    if (!output_.empty()) told(writer_.add(sample));
  }
  const std::size_t events = sampler_->take(Span<TraceEvent>(event_batch_.data(), event_batch_.size()));
  for (std::size_t i = 0; i < events; ++i) {
    TraceEvent& event = event_batch_[i];
    count(event);
    if (event.kind == EventKind::kStuck) {
      const std::uint32_t rail = rail_of_sample_[event.index];
      if (rail == kSkipped) continue;
      event.index = static_cast<std::uint16_t>(rail);
    }
    if (!output_.empty()) told(writer_.add(event));
  }
  watch_wall_clock(now);
  if (now - last_flush_ns_ < kFlushEveryNs) return;
  last_flush_ns_ = now;
  if (!output_.empty()) told(writer_.flush());
}

std::vector<PowerSample> Recorder::take_samples() {
  return std::exchange(kept_, {});
}

void Recorder::begin_window(std::int64_t now_ns) {
  for (RailAccumulator& accumulator : accumulators_) accumulator.begin(now_ns);
  counts_ = {};  // what happened before is in the trace, and no part of the window
  if (!output_.empty() && hold_storage_) writer_.begin_window(now_ns);
}

void Recorder::end_window(std::int64_t now_ns) {
  for (RailAccumulator& accumulator : accumulators_) accumulator.end(now_ns);
  if (!output_.empty() && hold_storage_) told(writer_.end_window(now_ns));
}

void Recorder::stop() {
  if (stopped_) return;
  stopped_ = true;
  sampler_->stop();
  pump();
  counts_.forced_writes = writer_.forced_writes();
  if (!output_.empty()) told(writer_.close());
}

RailSummary Recorder::summary(std::size_t rail, std::int64_t now_ns) const {
  return accumulators_[rail].summary(now_ns);
}

std::uint64_t Recorder::polls() const {
  std::uint64_t polls = 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) polls += sampler_->counters(i).polls;
  return polls;
}

std::vector<TraceEvent> Recorder::take_marker_edges() {
  std::vector<TraceEvent> taken;
  taken.swap(edges_);
  return taken;
}

}  // namespace edgejoule::capture
