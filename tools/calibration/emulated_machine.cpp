#include "calibration/emulated_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace edgejoule::calibration {
namespace {

// Chips may only be read where the rails are known already: a read takes less than this.
constexpr std::int64_t kReadTakesNs = 2'000'000;
constexpr std::int64_t kAskAgainNs = 10'000'000;
constexpr std::int64_t kEmulatedSilenceNs = 500'000'000;

ChipId chip_id(const std::string& name) {
  constexpr std::pair<const char*, ChipId> kChips[] = {
      {"ina219", ChipId::kIna219}, {"ina226", ChipId::kIna226}, {"ina230", ChipId::kIna230},
      {"ina231", ChipId::kIna231}, {"ina260", ChipId::kIna260}, {"ina228", ChipId::kIna228},
      {"ina237", ChipId::kIna237}, {"ina238", ChipId::kIna238}, {"ina3221", ChipId::kIna3221}};
  for (const auto& [known, id] : kChips) {
    if (name == known) return id;
  }
  throw MachineError(fmt::format("no reader for the chip '{}'", name));
}

}  // namespace

EmulatedMachine::EmulatedMachine(emulated_board::BoardLaw law, const EmulationOptions& options)
    : board_(std::move(law), options.seed), bus_(board_.bus()), work_(board_.law(), options) {
  open_readers();
  facts_.board = board_.law().board;
  facts_.compatible = board_.law().compatible;
  facts_.os_release = "emulated";
  facts_.boundary = BoundaryKind::kRails;
  facts_.boundary_description = board_.law().total_description;
  work_.describe(facts_);
  board_.on_time = [this] { read_chips(); };
}

void EmulatedMachine::open_readers() {
  for (const emulated_board::LiveChip& chip : board_.law().chips) {
    InaSourceConfig config;
    config.address = chip.address;
    config.chip = chip_id(chip.model);
    config.configure = true;
    config.settings.channel_mask = 0;
    config.settings.averages = board_.law().sampling.averages;
    config.settings.shunt_time_us = config.settings.bus_time_us = board_.law().sampling.conversion_us;
    Reader& reader = readers_.emplace_back();
    for (std::size_t channel = 0; channel < chip.rails.size(); ++channel) {
      if (chip.rails[channel].empty()) continue;
      config.settings.channel_mask = static_cast<std::uint8_t>(config.settings.channel_mask | (1U << channel));
      config.settings.shunt_uohm[channel] = chip.shunts_uohm[channel];
      config.labels[channel] = chip.rails[channel].c_str();
      reader.rails.push_back(facts_.rails.size());
      RailFacts& rail = facts_.rails.emplace_back();
      rail.label = chip.rails[channel];
      rail.chip = chip.model;
      rail.shunt_uohm = chip.shunts_uohm[channel];
    }
    const Status opened = reader.source.open(bus_.registers(), config, bus_.now_ns());
    if (!opened.ok()) {
      throw MachineError(fmt::format("{}: the chip {} at 0x{:02x} cannot be read: {}; check its lines",
                                     board_.law().name, chip.model, chip.address, error_text(opened.error())));
    }
    const RailSource source = reader.source.source();
    for (std::size_t i = 0; i < reader.rails.size(); ++i) {
      RailFacts& rail = facts_.rails[reader.rails[i]];
      rail.cycle_ns = source.rails[i].cycle_ns;
      rail.averages = source.rails[i].averages;
      for (const emulated_board::LiveRail& live : board_.law().rails) {
        if (live.label != rail.label) continue;
        rail.in_total = live.in_total;
        rail.quantum_uw = std::llround(static_cast<double>(source.rails[i].current_step_ua) * live.volts);
      }
    }
    reader.next_ns = source.ops->next_poll_ns(source.self);
  }
}

RunSpan EmulatedMachine::run(std::uint64_t executions) {
  RunSpan span;
  span.begin_ns = board_.now_ns();
  work_.run(board_, executions);
  span.end_ns = board_.now_ns();
  span.executions = executions;
  return span;
}

void EmulatedMachine::read_chips() {
  for (;;) {
    Reader* due = nullptr;
    for (Reader& reader : readers_) {
      if (due == nullptr || reader.next_ns < due->next_ns) due = &reader;
    }
    if (std::max(due->next_ns, bus_.now_ns()) + kReadTakesNs > board_.now_ns()) return;
    bus_.wait_until(due->next_ns);
    poll(*due);
  }
}

void EmulatedMachine::poll(Reader& reader) {
  const RailSource source = reader.source.source();
  std::array<PowerSample, kMaxRailsPerSource> out{};
  if (reader.silent_since_ns >= 0 && !source.ops->reopen(source.self, bus_.now_ns()).ok()) {
    reader.next_ns = bus_.now_ns() + kAskAgainNs;
    return;
  }
  const auto count = source.ops->poll(source.self, bus_.now_ns(), Span<PowerSample>(out.data(), out.size()));
  if (!count.ok()) {
    if (reader.silent_since_ns < 0) reader.silent_since_ns = bus_.now_ns();
    reader.error = count.error();
    reader.next_ns = bus_.now_ns() + kAskAgainNs;
    return;
  }
  reader.silent_since_ns = -1;
  for (std::size_t i = 0; i < *count; ++i) {
    PowerSample sample = out[i];
    sample.rail = static_cast<std::uint16_t>(reader.rails[sample.rail]);
    samples_.push_back(sample);
  }
  reader.next_ns = source.ops->next_poll_ns(source.self);
}

std::vector<PowerSample> EmulatedMachine::take_samples() {
  return std::exchange(samples_, {});
}

MachineState EmulatedMachine::state() {
  const emulated_board::LiveBoard::State now = board_.take_state();
  const emulated_board::LawPoint& point = work_.point();
  MachineState state;
  state.power_mode = point.name;
  const auto clock = [&](double mhz) { return mhz > 0 ? mhz * now.clock : -1; };
  state.cpu_mhz = clock(point.cpu_mhz);
  state.gpu_mhz = clock(point.gpu_mhz);
  state.memory_mhz = point.memory_mhz > 0 ? point.memory_mhz : -1;
  state.millivolts = point.millivolts > 0 ? point.millivolts : -1;
  state.governor = "performance";
  const emulated_board::LawEngine& engine = work_.engine();
  state.rail_gating = engine.gated_w < engine.idle_w ? fmt::format("on after {:g} ms", engine.gate_after_ms) : "off";
  state.temperatures = {{"soc", now.temperature_c}};
  const double seconds = static_cast<double>(board_.now_ns() - last_state_ns_) * 1e-9;
  state.other_load = seconds > 0 ? now.other_load_s / seconds : 0;
  state.throttled = now.throttled;
  last_state_ns_ = board_.now_ns();
  return state;
}

std::optional<std::string> EmulatedMachine::rail_problem() {
  for (const Reader& reader : readers_) {
    if (reader.silent_since_ns < 0 || board_.now_ns() - reader.silent_since_ns < kEmulatedSilenceNs) continue;
    return fmt::format("the rail {} has not answered for {:.1f} s ({}); check the wiring of its sensor",
                       facts_.rails[reader.rails.front()].label,
                       static_cast<double>(board_.now_ns() - reader.silent_since_ns) * 1e-9, error_text(reader.error));
  }
  return std::nullopt;
}

}  // namespace edgejoule::calibration
