// Reads any chip of chips.h over any register bus; no heap, no operating system.
//
// Use: detect() or name the chip, then either attach() (leaves the configuration as
// it is and learns it) or configure() (writes it), then for ever: ready(), and
// where it says so read(). A ConversionClock says when to ask.
// Units: end in the names. Currents and powers are signed.
// Errors: those of the bus; kWrongDevice, kBadShunt, kNoData (a channel that is
// switched off), kUnsupported (also a cycle longer than 4.29 s), kInvalidArgument,
// kBadRange (an alert limit), kOutputTooSmall.
// Lifetime: the bus's context must outlive the reader.
#pragma once

#include <cstdint>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/sensors/chips.h"
#include "edgejoule/sensors/conversion_clock.h"
#include "edgejoule/sensors/register_bus.h"

namespace edgejoule {

inline constexpr std::uint8_t kMaxChannels = 3;
// Shunts outside this are typing errors: 10 uOhm would need 4 A to move the finest
// of these chips by one count, 100 Ohm would drop the rail.
inline constexpr std::uint32_t kMinShuntUohm = 10;
inline constexpr std::uint32_t kMaxShuntUohm = 100'000'000;

enum class InaMode : std::uint8_t { kContinuous = 0, kTriggered = 1 };

struct InaSettings {
  std::uint8_t channel_mask = 0x1;              // bit 0 is channel 1
  std::uint32_t shunt_uohm[kMaxChannels] = {};  // ignored by chips with an internal shunt
  std::uint32_t max_current_ua = 0;             // for the calibration register; 0: all the shunt range can show
  std::uint16_t shunt_time_us = 0;              // one of the chip's conversion times; 0: as after reset
  std::uint16_t bus_time_us = 0;
  std::uint16_t averages = 0;  // one of the chip's counts; 0: as after reset
  InaMode mode = InaMode::kContinuous;
  bool fine_range = false;      // INA228/237/238: a quarter of the range and of the LSB
  bool ready_on_alert = false;  // route conversion-ready to the ALERT pin
};

// INA228's accumulators, extended to 64 bits over their overflows.
struct EnergyReading {
  std::uint64_t energy_uj = 0;  // since the first reading; the chip counts magnitude, not direction
  std::int64_t charge_uc = 0;
  bool wrapped = false;    // the energy register overflowed since the last reading
  bool ambiguous = false;  // it overflowed by a whole turn or more: energy may be missing
  bool reset = false;      // it was cleared by somebody: counting continues from its new value
};

class InaReader {
 public:
  // By identity registers. INA219, INA230 and INA231 have none that can be trusted: kWrongDevice, name them instead.
  static Result<ChipId> detect(const RegisterBus& bus, std::uint8_t address) noexcept;

  // Checks identity, reads the timing that somebody else configured, writes nothing.
  Status attach(const RegisterBus& bus, std::uint8_t address, ChipId id, const InaSettings& settings) noexcept;
  // Checks identity, resets nothing but what it writes: mode, times, averages, channels, calibration.
  Status configure(const RegisterBus& bus, std::uint8_t address, ChipId id, const InaSettings& settings) noexcept;
  // Starts one conversion. Precondition: configured with kTriggered.
  Status trigger() noexcept;

  // Is there a result not read yet? Consumes the chip's flag (and its alert flags) where reading does.
  Result<bool> ready() noexcept;
  // The registers of the last conversion, one sample per enabled channel, in channel order. PowerSample::rail is
  // the channel, counted from 0.
  Result<std::size_t> read(const Conversion& when, Span<PowerSample> out) noexcept;

  Status clear_energy() noexcept;
  Result<EnergyReading> read_energy() noexcept;
  Result<std::int32_t> read_temperature_mdegc() noexcept;
  // The chip's own current x voltage, by its calibration. For comparison: read() computes a signed power instead.
  Result<std::int64_t> read_register_power_uw() noexcept;
  Result<std::int64_t> read_register_current_ua() noexcept;

  // Arms a limit on one channel (from 0). Units: microvolts over the shunt, or of the bus.
  Status set_alert(AlertKind kind, std::uint8_t channel, std::int32_t limit_uv) noexcept;

  [[nodiscard]] const Chip& chip() const noexcept { return *chip_; }
  [[nodiscard]] std::uint8_t channel_count() const noexcept { return channel_count_; }
  [[nodiscard]] std::uint32_t cycle_ns() const noexcept { return cycle_ns_; }
  [[nodiscard]] std::uint16_t averages() const noexcept { return averages_; }
  // Smallest step of current, and of power at a bus voltage.
  [[nodiscard]] std::uint32_t current_step_ua(std::uint8_t channel) const noexcept;
  [[nodiscard]] std::int64_t power_step_uw(std::uint8_t channel, std::int32_t bus_uv) const noexcept;
  [[nodiscard]] std::int64_t full_scale_ua(std::uint8_t channel) const noexcept;

 private:
  Status bind(const RegisterBus& bus, std::uint8_t address, ChipId id, const InaSettings& settings) noexcept;
  Status check_identity() noexcept;
  Status learn_timing(std::uint16_t config, std::uint16_t adc) noexcept;
  Result<std::uint16_t> timing_word(const InaSettings& settings) const noexcept;
  Status write_calibration(const InaSettings& settings) noexcept;
  Status write_word(std::uint8_t reg, std::uint16_t value) noexcept;
  Result<std::uint16_t> read_word(std::uint8_t reg) noexcept;
  Result<std::int64_t> read_value(const RegisterField& field) noexcept;
  Status read_registers(Span<const RegisterRead> reads) noexcept;
  [[nodiscard]] std::uint64_t shunt_lsb_pv() const noexcept;
  [[nodiscard]] std::uint64_t current_lsb_pa() const noexcept;
  // A channel, and its place among the enabled ones.
  struct Slot {
    std::uint8_t channel;
    std::uint8_t place;
  };
  void fill(const Conversion& when, Slot slot, std::int64_t amplitude, std::int64_t bus_raw,
            PowerSample& out) const noexcept;

  RegisterBus bus_;
  const Chip* chip_ = nullptr;
  std::uint32_t shunt_uohm_[kMaxChannels] = {};
  std::uint32_t cycle_ns_ = 0;
  std::uint32_t shunt_time_ns_ = 0;
  std::uint32_t bus_time_ns_ = 0;
  std::uint16_t averages_ = 1;
  std::uint16_t adc_word_ = 0;
  std::uint16_t calibration_ = 0;
  std::uint16_t flags_ = 0;    // as last read, with the ready bit
  std::uint16_t enables_ = 0;  // bits of the flags register that were written
  std::uint8_t address_ = 0;
  std::uint8_t channel_mask_ = 0;
  std::uint8_t channel_count_ = 0;
  bool fine_range_ = false;
  bool energy_started_ = false;
  std::uint64_t energy_raw_ = 0;  // last register value
  std::int64_t charge_raw_ = 0;
  std::uint64_t energy_counts_ = 0;
  std::int64_t charge_counts_ = 0;
};

}  // namespace edgejoule
