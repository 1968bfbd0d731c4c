// One reading of one rail: what was measured, when, and how the sensor remembered it.
//
// Units: end in the names. Power and current are signed: reverse current is real.
// Time: CLOCK_MONOTONIC (or the firmware's monotonic clock) in nanoseconds.
// It lives in core because the meter, the alignment and the accounting read it;
// sensors and linux fill it.
#pragma once

#include <cstdint>

namespace edgejoule {

// How the reading depends on the power before it.
enum class ResponseKind : std::uint8_t {
  kBox = 0,          // the plain mean over [window_begin_ns, window_end_ns)
  kExponential = 1,  // a running filter: new = old + (x - old) / taps, once per cycle
  kUnknown = 2       // somebody else averaged, nobody knows over what
};

// Bits of PowerSample::flags.
enum class SampleFlag : std::uint16_t {
  kBusVoltageAbsent = 1U << 0,  // power came from a counter or a driver's power file
  kCurrentAbsent = 1U << 1,
  kClipped = 1U << 2,          // a register stood at its full scale: the truth is larger
  kMathOverflow = 1U << 3,     // the chip says that its own arithmetic overflowed
  kWindowEstimated = 1U << 4,  // the end of the window is the time of reading, not of the conversion
  kUnchanged = 1U << 5,        // counted as a conversion because its time had come, with the same values
  kAfterGap = 1U << 6,         // conversions before this one were lost
  kSkewed = 1U << 7,           // voltage and current may belong to neighbouring conversions
  kCounterWrapped = 1U << 8,   // an energy counter wrapped since the last reading
  kCounterReset = 1U << 9      // an energy counter was cleared: this reading has no power
};

struct PowerSample {
  std::int64_t t_mono_ns = 0;        // when the values were read (kernel time of the ALERT edge where there is one)
  std::int64_t window_begin_ns = 0;  // kBox: the integration window. kExponential: the newest cycle's window
  std::int64_t window_end_ns = 0;
  std::int64_t power_uw = 0;
  std::int32_t bus_uv = 0;
  std::int32_t current_ua = 0;
  std::uint32_t cycle_ns = 0;  // from one conversion of this rail to the next
  std::uint32_t sequence = 0;  // conversion number; lost conversions leave a hole
  std::uint16_t taps = 1;      // kExponential: N of the filter
  std::uint16_t rail = 0;      // index into the list of rails of the recording
  std::uint16_t flags = 0;
  ResponseKind response = ResponseKind::kBox;

  [[nodiscard]] constexpr bool has(SampleFlag flag) const noexcept {
    return (flags & static_cast<std::uint16_t>(flag)) != 0;
  }
  constexpr void set(SampleFlag flag) noexcept {
    flags = static_cast<std::uint16_t>(flags | static_cast<std::uint16_t>(flag));
  }
};

}  // namespace edgejoule
