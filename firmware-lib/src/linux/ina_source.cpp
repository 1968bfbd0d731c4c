#include "edgejoule/linux/ina_source.h"

#include <limits>

#include "file_text.h"

namespace edgejoule {

Status InaSource::open(const RegisterBus& bus, const InaSourceConfig& config, std::int64_t now_ns) noexcept {
  bus_ = bus;
  config_ = config;
  if (const Status s = reopen(this, now_ns); !s) return s;
  const Chip& chip = reader_.chip();
  std::size_t slot = 0;
  for (std::uint8_t channel = 0; channel < chip.channels; ++channel) {
    if ((config.settings.channel_mask >> channel & 1U) == 0) continue;
    RailInfo& info = rails_[slot++];
    info = RailInfo{};
    char name[kLabelSize];
    Path chip_name{Span<char>(name)};
    chip_name.add(chip.name.data(), chip.name.size());
    copy_text(name, Span<char>(info.chip));
    if (config.labels[channel] != nullptr) {
      copy_text(config.labels[channel], Span<char>(info.label));
    } else {
      Path(Span<char>(info.label))
          .add(name)
          .add("-")
          .add_number(config.address, 16, 2)
          .add(".")
          .add_number(channel + 1U);
    }
    if (config.i2c_bus >= 0) {
      Path(Span<char>(info.path)).add("/dev/i2c-").add_number(static_cast<std::uint64_t>(config.i2c_bus));
    }
    info.kind = SourceKind::kI2c;
    info.i2c_bus = static_cast<std::int16_t>(config.i2c_bus);
    info.i2c_address = config.address;
    info.channel = static_cast<std::uint8_t>(channel + 1);
    info.averages = reader_.averages();
    info.shunt_uohm = config.settings.shunt_uohm[channel];
    info.cycle_ns = reader_.cycle_ns();
    info.current_step_ua = reader_.current_step_ua(channel);
    info.full_scale_ua = reader_.full_scale_ua(channel);
  }
  return {};
}

Status InaSource::reopen(void* self, std::int64_t now_ns) noexcept {
  auto& me = *static_cast<InaSource*>(self);
  const InaSourceConfig& config = me.config_;
  // A chip that lost its supply has lost its configuration too, so it is written again.
  const Status status = config.configure ? me.reader_.configure(me.bus_, config.address, config.chip, config.settings)
                                         : me.reader_.attach(me.bus_, config.address, config.chip, config.settings);
  if (!status) return status;
  if (me.clock_.conversions() == 0) {
    me.clock_.start(me.reader_.cycle_ns(), now_ns);
  } else {
    me.clock_.on_outage(now_ns);
  }
  return {};
}

RailSource InaSource::source() noexcept {
  static constexpr RailSourceOps kOps = {
      poll,
      [](const void* self) {
        const auto& me = *static_cast<const InaSource*>(self);
        // With an ALERT line the time is only for edges that never came.
        if (me.config_.alert == nullptr) return me.clock_.next_poll_ns();
        return me.clock_.next_poll_ns() + 2 * std::int64_t{me.clock_.cycle_ns()};
      },
      [](const void* self) {
        const auto& me = *static_cast<const InaSource*>(self);
        SourceCounters counters;
        counters.conversions = me.conversions_;
        counters.lost = me.clock_.lost();
        counters.polls = me.clock_.polls();
        counters.cycle_ns = me.clock_.cycle_ns();
        counters.repeats = me.repeats_;
        return counters;
      },
      reopen,
      [](void*) {},
  };
  RailSource source;
  source.self = this;
  source.ops = &kOps;
  source.rails = Span<const RailInfo>(rails_, reader_.channel_count());
  source.wake_fd = config_.alert != nullptr ? config_.alert->fd() : -1;
  return source;
}

Result<std::size_t> InaSource::poll(void* self, std::int64_t now_ns, Span<PowerSample> out) noexcept {
  auto& me = *static_cast<InaSource*>(self);
  std::int64_t signalled_ns = 0;
  if (me.config_.alert != nullptr) {
    GpioEdge edges[16];
    const Result<GpioRead> read = me.config_.alert->read(Span<GpioEdge>(edges));
    if (!read) return read.error();
    // Only the last conversion is still in the registers; the clock counts those before it as lost.
    if (read->edges > 0) signalled_ns = edges[read->edges - 1].t_mono_ns;
  }
  const Result<bool> ready = me.reader_.ready();
  if (!ready) {
    me.clock_.on_outage(now_ns);
    return ready.error();
  }
  if (!*ready && signalled_ns == 0) {
    me.clock_.on_stale(now_ns);
    return std::size_t{0};
  }
  return me.read(signalled_ns != 0 ? me.clock_.on_signalled(signalled_ns, now_ns) : me.clock_.on_fresh(now_ns), out);
}

Result<std::size_t> InaSource::read(const Conversion& when, Span<PowerSample> out) noexcept {
  const Result<std::size_t> count = reader_.read(when, out);
  if (!count) {
    clock_.on_outage(when.t_read_ns);
    return count;
  }
  ++conversions_;
  bool same = true;
  for (std::size_t i = 0; i < *count; ++i) {
    same = same && out[i].power_uw == last_power_uw_[i];
    last_power_uw_[i] = out[i].power_uw;
    out[i].rail = static_cast<std::uint16_t>(i);
  }
  repeats_ = same ? repeats_ + 1 : 0;
  return count;
}

}  // namespace edgejoule
