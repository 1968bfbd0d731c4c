// A source of power readings: one sensor device, one or several rails, one table of
// operations, whatever is behind it (raw I2C, hwmon, IIO, powercap).
//
// Shape: all rails of a source are converted together; poll() gives one sample per
// rail for each new conversion and nothing otherwise.
// Errors: those of the bus and the operating system; kGone asks for reopen().
// Lifetime: the object behind `self` must outlive the source. No call allocates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/sensors/conversion_clock.h"

namespace edgejoule {

inline constexpr std::size_t kMaxRailsPerSource = 8;
inline constexpr std::size_t kLabelSize = 48;
inline constexpr std::size_t kPathSize = 256;

enum class SourceKind : std::uint8_t { kI2c = 0, kHwmon = 1, kIio = 2, kPowercap = 3 };

struct RailInfo {
  char label[kLabelSize] = {};
  char chip[kLabelSize] = {};
  char path[kPathSize] = {};  // the device: its place in sysfs, or /dev/i2c-N
  SourceKind kind = SourceKind::kHwmon;
  std::uint8_t i2c_address = 0;
  std::uint8_t channel = 0;  // as on the chip, from 1; 0: unknown
  std::int16_t i2c_bus = -1;
  std::uint16_t averages = 1;
  std::uint32_t shunt_uohm = 0;       // 0: unknown
  std::uint32_t cycle_ns = 0;         // nominal; 0: unknown
  std::uint32_t current_step_ua = 0;  // 0: unknown
  std::int64_t power_step_uw = 0;     // of sources without a current
  std::int64_t full_scale_ua = 0;     // 0: unknown
};

struct SourceCounters {
  std::uint64_t conversions = 0;
  std::uint64_t lost = 0;
  std::uint64_t polls = 0;
  std::uint32_t cycle_ns = 0;  // as measured
  std::uint64_t repeats = 0;   // conversions in a row with the same values on every rail
};

struct RailSourceOps {
  // Shape: at most one sample per rail, PowerSample::rail counted from 0 within the source.
  Result<std::size_t> (*poll)(void* self, std::int64_t now_ns, Span<PowerSample> out);
  std::int64_t (*next_poll_ns)(const void* self);
  SourceCounters (*counters)(const void* self);
  // Finds the device again after it vanished; also after any error, to start afresh.
  Status (*reopen)(void* self, std::int64_t now_ns);
  void (*close)(void* self);
};

struct RailSource {
  void* self = nullptr;
  const RailSourceOps* ops = nullptr;
  Span<const RailInfo> rails;
  int wake_fd = -1;  // readable when a conversion has ended (ALERT line); -1: only time tells
};

}  // namespace edgejoule
