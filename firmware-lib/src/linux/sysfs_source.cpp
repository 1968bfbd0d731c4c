#include "edgejoule/linux/sysfs_source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "edgejoule/linux/monotonic.h"
#include "edgejoule/linux/os_error.h"
#include "file_text.h"

namespace edgejoule {
namespace {

// Kernel drivers round the period to milliseconds and do not know the oscillator.
constexpr std::uint32_t kDriverTolerancePercent = 40;
constexpr std::uint32_t kWaitingReads = 4;
constexpr std::uint32_t kStillConversions = 8;  // of a rail by which conversions are told apart, before another is

Result<std::int64_t> read_value(int fd, const SysfsValue& value) noexcept {
  char text[32];
  const ssize_t got = ::pread(fd, text, sizeof(text), 0);
  if (got < 0) return error_from_errno(errno);
  const Result<std::int64_t> raw = parse_integer(text, static_cast<std::size_t>(got));
  if (!raw) return raw;
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(*raw, value.multiply, &scaled)) return Error::kParse;
  return scaled / value.divide;
}

std::int32_t clamp_to_int32(std::int64_t value) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int32_t>(value > kMax ? kMax : value < kMin ? kMin : value);
}

void close_file(int& fd) noexcept {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

SysfsSource::~SysfsSource() {
  close();
}

void SysfsSource::close() noexcept {
  for (Files& files : files_) {
    close_file(files.bus);
    close_file(files.current);
    close_file(files.power);
    close_file(files.energy);
  }
}

bool SysfsSource::counts_energy() const noexcept {
  return files_[0].energy >= 0;
}

Status SysfsSource::open(const SysfsDevice& device, std::int64_t now_ns) noexcept {
  close();
  device_ = device;
  if (device.rail_count == 0) return Error::kNotFound;
  for (std::size_t i = 0; i < device.rail_count; ++i) infos_[i] = device.rails[i].info;
  if (const Status s = open_files(); !s) return s;
  clock_.start(device.cycle_ns != 0 ? device.cycle_ns : kDefaultPollNs, now_ns, kDriverTolerancePercent);
  next_energy_ns_ = now_ns;
  have_last_ = false;
  // Of the last one's conversion on, all rails show the same cycle.
  pace_ = 0;
  pace_still_ = 0;
  for (std::size_t i = 1; i < device.rail_count; ++i) {
    if (device.rails[i].slot > device.rails[pace_].slot) pace_ = i;
  }
  return {};
}

Status SysfsSource::open_files() noexcept {
  for (std::size_t i = 0; i < device_.rail_count; ++i) {
    const SysfsRail& rail = device_.rails[i];
    const auto open_one = [&](const SysfsValue& value, int& fd) -> Status {
      char storage[kPathSize];
      Path path{Span<char>(storage)};
      path.add(device_.folder).add("/").add(value.file);
      if (!path.ok()) return Error::kTooLarge;
      fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      return fd >= 0 ? Status() : Status(error_from_errno(errno));
    };
    Status status;
    if (rail.bus.exists() && rail.current.exists()) {
      status = open_one(rail.bus, files_[i].bus);
      if (status) status = open_one(rail.current, files_[i].current);
    } else if (rail.power.exists()) {
      status = open_one(rail.power, files_[i].power);
    } else if (rail.energy.exists()) {
      status = open_one(rail.energy, files_[i].energy);
    } else {
      status = Error::kNotFound;
    }
    if (!status) {
      close();
      return status;
    }
  }
  return {};
}

// The number of a hwmon or IIO device changes when its driver is bound again; the device it belongs to does not.
Status SysfsSource::find_again() noexcept {
  char probe[kPathSize];
  Path path{Span<char>(probe)};
  path.add(device_.folder)
      .add("/")
      .add(device_.rails[0].bus.exists()     ? device_.rails[0].bus.file
           : device_.rails[0].power.exists() ? device_.rails[0].power.file
                                             : device_.rails[0].energy.file);
  if (exists(path.c_str())) return {};
  struct Search {
    SysfsDevice* device;
    char parent[kPathSize];
    bool found;
  } search{&device_, {}, false};
  const bool is_hwmon = device_.kind == SourceKind::kHwmon;
  Path parent{Span<char>(search.parent)};
  parent.add(device_.device).add(is_hwmon ? "/hwmon" : "");
  const Status listed =
      for_each_name(search.parent, is_hwmon ? "hwmon" : "iio", &search, [](void* context, const char* name) {
        auto& s = *static_cast<Search*>(context);
        if (s.found) return;
        Path folder{Span<char>(s.device->folder)};
        folder.add(s.parent).add("/").add(name);
        s.found = folder.ok();
      });
  if (!listed) return Error::kGone;
  return search.found ? Status() : Status(Error::kGone);
}

Status SysfsSource::reopen(void* self, std::int64_t now_ns) noexcept {
  auto& me = *static_cast<SysfsSource*>(self);
  me.close();
  if (const Status s = me.find_again(); !s) return s;
  if (const Status s = me.open_files(); !s) return s;
  me.clock_.on_outage(now_ns);
  me.have_last_ = false;
  return {};
}

RailSource SysfsSource::source() noexcept {
  static constexpr RailSourceOps kOps = {
      poll,
      [](const void* self) {
        const auto& me = *static_cast<const SysfsSource*>(self);
        return me.counts_energy() ? me.next_energy_ns_ : me.clock_.next_poll_ns();
      },
      [](const void* self) {
        const auto& me = *static_cast<const SysfsSource*>(self);
        SourceCounters counters;
        counters.conversions = me.conversions_;
        counters.lost = me.clock_.lost();
        counters.polls = me.clock_.polls();
        counters.cycle_ns = me.clock_.cycle_ns();
        counters.repeats = me.repeats_;
        return counters;
      },
      reopen,
      [](void* self) { static_cast<SysfsSource*>(self)->close(); },
  };
  RailSource source;
  source.self = this;
  source.ops = &kOps;
  source.rails = Span<const RailInfo>(infos_, device_.rail_count);
  return source;
}

Status SysfsSource::read_all(Span<Reading> out) noexcept {
  for (std::size_t i = 0; i < device_.rail_count; ++i) {
    const SysfsRail& rail = device_.rails[i];
    const Files& files = files_[i];
    Reading& reading = out[i];
    reading = Reading{};
    if (files.current >= 0) {
      const Result<std::int64_t> current = read_value(files.current, rail.current);
      if (!current) return current.error();
      const Result<std::int64_t> bus = read_value(files.bus, rail.bus);
      if (!bus) return bus.error();
      reading.current_ua = clamp_to_int32(*current);
      reading.bus_uv = clamp_to_int32(*bus);
      const std::int64_t picowatts = reading.bus_uv * reading.current_ua;
      reading.power_uw = (picowatts + (picowatts < 0 ? -500'000 : 500'000)) / 1'000'000;
    } else if (files.power >= 0) {
      const Result<std::int64_t> power = read_value(files.power, rail.power);
      if (!power) return power.error();
      reading.power_uw = *power;
    } else if (files.energy >= 0) {
      const Result<std::int64_t> energy = read_value(files.energy, rail.energy);
      if (!energy) return energy.error();
      reading.energy_uj = static_cast<std::uint64_t>(*energy);
    } else {
      return Error::kGone;
    }
  }
  return {};
}

std::size_t SysfsSource::open_files_count() const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < device_.rail_count; ++i) count += files_[i].current >= 0 ? 2U : 1U;
  return count;
}

Result<std::size_t> SysfsSource::poll(void* self, std::int64_t now_ns, Span<PowerSample> out) noexcept {
  auto& me = *static_cast<SysfsSource*>(self);
  const std::size_t rails = me.device_.rail_count;
  if (out.size() < rails) return Error::kOutputTooSmall;
  if (me.counts_energy()) return me.poll_counters(now_ns, out);

  Reading readings[kMaxRailsPerSource];
  const std::int64_t before = monotonic_ns();
  const Status status = me.read_all(Span<Reading>(readings));
  const std::int64_t took = monotonic_ns() - before;
  if (!status) {
    if (status.error() == Error::kNotReady) {  // EAGAIN: the driver is busy, nothing is wrong
      me.clock_.on_stale(now_ns);
      return std::size_t{0};
    }
    me.clock_.on_outage(now_ns);
    return status.error();
  }
  bool same = me.have_last_;
  for (std::size_t i = 0; i < rails && same; ++i) {
    same = readings[i].bus_uv == me.last_[i].bus_uv && readings[i].current_ua == me.last_[i].current_ua &&
           readings[i].power_uw == me.last_[i].power_uw;
  }
  const std::int64_t done_ns = now_ns + took;
  // A driver that waits for the conversion takes about a cycle for each file, but for the first one, whose conversion
  // may be there already. Six files over a slow bus take half a cycle altogether: that is no waiting.
  const auto files = static_cast<std::int64_t>(me.open_files_count());
  const std::int64_t waits = files > 1 ? files - 1 : 1;
  if (took > std::int64_t{me.clock_.cycle_ns()} / 2 * waits) {
    if (me.waiting_reads_ < kWaitingReads) ++me.waiting_reads_;
  } else if (me.waiting_reads_ > 0 && me.waiting_reads_ < kWaitingReads) {
    --me.waiting_reads_;
  }
  const bool waited = me.reads_wait();
  const bool still =
      me.converts_in_turn() && me.have_last_ ? readings[me.pace_].current_ua == me.last_[me.pace_].current_ua : same;
  if (still && !waited && !me.clock_.overdue(now_ns)) {
    me.clock_.on_stale(now_ns);
    return std::size_t{0};
  }
  const Conversion when = waited  ? me.clock_.on_signalled(done_ns, done_ns)
                          : still ? me.clock_.on_assumed(now_ns)
                                  : me.clock_.on_fresh(now_ns);
  if (!still) {
    me.pace_still_ = 0;
  } else if (!same) {
    ++me.pace_still_;
  }
  if (me.converts_in_turn() && me.pace_still_ >= kStillConversions) me.choose_pace(now_ns, readings);
  me.repeats_ = same ? me.repeats_ + 1 : 0;
  ++me.conversions_;
  for (std::size_t i = 0; i < rails; ++i) {
    me.fill(i, when, readings[i], out[i]);
    if (same) out[i].set(SampleFlag::kUnchanged);
    if (waited) out[i].set(SampleFlag::kSkewed);
    me.last_[i] = readings[i];
  }
  me.have_last_ = true;
  return rails;
}

// Another rail than the one that stands still.
void SysfsSource::choose_pace(std::int64_t now_ns, const Reading* readings) noexcept {
  for (std::size_t i = 0; i < device_.rail_count; ++i) {
    if (readings[i].current_ua == last_[i].current_ua) continue;
    pace_ = i;
    pace_still_ = 0;
    clock_.on_outage(now_ns);  // when that one's conversions end is not known yet
    return;
  }
}

void SysfsSource::fill(std::size_t rail, const Conversion& when, const Reading& reading, PowerSample& out) noexcept {
  out = PowerSample{};
  out.t_mono_ns = when.t_read_ns;
  out.rail = static_cast<std::uint16_t>(rail);
  out.sequence = when.sequence;
  out.cycle_ns = when.cycle_ns;
  out.bus_uv = static_cast<std::int32_t>(reading.bus_uv);
  out.current_ua = static_cast<std::int32_t>(reading.current_ua);
  out.power_uw = reading.power_uw;
  if (files_[rail].current < 0) {
    out.set(SampleFlag::kBusVoltageAbsent);
    out.set(SampleFlag::kCurrentAbsent);
  }
  if (!when.bracketed) out.set(SampleFlag::kWindowEstimated);
  if (when.lost_before != 0) out.set(SampleFlag::kAfterGap);
  const std::int64_t cycle = when.cycle_ns;
  out.window_end_ns = when.end_ns;
  out.window_begin_ns = when.end_ns - cycle;
  if (device_.cycle_ns == 0) out.response = ResponseKind::kUnknown;
  if (device_.converted != 0) {
    // INA3221: each channel's shunt in its own slot, then its bus voltage, of equal length after power-on.
    const std::int64_t slot = cycle / device_.converted;
    const std::int64_t mine = device_.rails[rail].slot;
    if (converts_in_turn()) {
      // What ended is the pace's shunt; those behind it in the cycle still show the one before.
      const std::int64_t pace = device_.rails[pace_].slot;
      out.window_begin_ns = when.end_ns - slot / 2 + slot * (mine - pace) - (mine > pace ? cycle : 0);
    } else {
      out.window_begin_ns += slot * mine;
    }
    out.window_end_ns = out.window_begin_ns + slot / 2;
    if (device_.averages > 1) {
      out.response = ResponseKind::kExponential;
      out.taps = device_.averages;
    }
  }
}

Result<std::size_t> SysfsSource::poll_counters(std::int64_t now_ns, Span<PowerSample> out) noexcept {
  const std::int64_t period = device_.cycle_ns != 0 ? device_.cycle_ns : kDefaultPollNs;
  next_energy_ns_ = now_ns + period;
  Reading readings[kMaxRailsPerSource];
  if (const Status s = read_all(Span<Reading>(readings)); !s) {
    if (s.error() == Error::kNotReady) return std::size_t{0};
    // A counter misses nothing while it cannot be read, unless it was reset: start afresh.
    have_last_ = false;
    return s.error();
  }
  const std::size_t rails = device_.rail_count;
  bool moved = false;
  for (std::size_t i = 0; i < rails; ++i) moved = moved || readings[i].energy_uj != last_[i].energy_uj;
  if (have_last_ && !moved) {
    ++repeats_;
    return std::size_t{0};
  }
  std::size_t count = 0;
  if (have_last_ && now_ns > last_energy_ns_) {
    for (std::size_t i = 0; i < rails; ++i) {
      PowerSample& sample = out[count++];
      sample = PowerSample{};
      sample.t_mono_ns = now_ns;
      sample.window_begin_ns = last_energy_ns_;
      sample.window_end_ns = now_ns;
      sample.cycle_ns = static_cast<std::uint32_t>(period);
      sample.sequence = energy_sequence_;
      sample.rail = static_cast<std::uint16_t>(i);
      sample.set(SampleFlag::kBusVoltageAbsent);
      sample.set(SampleFlag::kCurrentAbsent);
      std::uint64_t used = readings[i].energy_uj - last_[i].energy_uj;
      if (readings[i].energy_uj < last_[i].energy_uj) {
        const std::uint64_t range = device_.rails[i].energy_range_uj;
        if (range >= last_[i].energy_uj) {
          used = range - last_[i].energy_uj + readings[i].energy_uj;
          sample.set(SampleFlag::kCounterWrapped);
        } else {
          used = 0;
          sample.set(SampleFlag::kCounterReset);
        }
      }
      // uJ per ns is kW: a thousand million uW.
      const double microwatts = static_cast<double>(used) * 1e9 / static_cast<double>(now_ns - last_energy_ns_);
      sample.power_uw = static_cast<std::int64_t>(microwatts + 0.5);
    }
    ++energy_sequence_;
    ++conversions_;
  }
  for (std::size_t i = 0; i < rails; ++i) last_[i] = readings[i];
  last_energy_ns_ = now_ns;
  have_last_ = true;
  repeats_ = 0;
  return count;
}

}  // namespace edgejoule
