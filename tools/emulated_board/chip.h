// A chip on an I2C bus, at the level of bytes written and bytes read at an instant.
//
// Units: nanoseconds on one clock, the board's; whoever owns the bus supplies it. Time never runs backwards for a
// chip: an earlier instant than the last one counts as the last one.
#pragma once

#include <cstdint>
#include <span>

namespace edgejoule::emulated_board {

// What a controller would report; to_errno gives Linux's number for it.
enum class BusStatus { kOk, kNak, kTimeout, kArbitrationLost };

[[nodiscard]] int to_errno(BusStatus status);

class Chip {
 public:
  virtual ~Chip() = default;

  virtual BusStatus write(std::span<const std::uint8_t> bytes, std::int64_t now_ns) = 0;
  virtual BusStatus read(std::span<std::uint8_t> bytes, std::int64_t now_ns) = 0;

  // The ALERT pin (INA3221: CRITICAL), open drain with a pull-up: high unless the chip pulls it down.
  [[nodiscard]] virtual bool alert_pin_high(std::int64_t now_ns) = 0;

  // When the pin can change next without anybody touching the bus; Sequencer::kNever if it cannot.
  [[nodiscard]] virtual std::int64_t next_event_ns() const = 0;
};

}  // namespace edgejoule::emulated_board
