// What all INA chips share: a register pointer that is kept between transfers, values most significant byte first,
// no auto-increment.
//
// Source: the "Programming" or "Serial interface" section of each datasheet.
#pragma once

#include <cstdint>
#include <span>

#include "emulated_board/chip.h"

namespace edgejoule::emulated_board {

class RegisterChip : public Chip {
 public:
  BusStatus write(std::span<const std::uint8_t> bytes, std::int64_t now_ns) final;
  BusStatus read(std::span<std::uint8_t> bytes, std::int64_t now_ns) final;
  [[nodiscard]] bool alert_pin_high(std::int64_t now_ns) final;

 protected:
  struct RegisterValue {
    std::uint64_t value = 0;
    int bytes = 2;
  };

  // Called with everything up to now already converted. Reading may clear flags.
  virtual RegisterValue read_register(std::uint8_t address) = 0;
  virtual void write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) = 0;
  virtual void advance(std::int64_t now_ns) = 0;
  [[nodiscard]] virtual bool alert_pin_high() const = 0;

  void reset_pointer() { pointer_ = 0; }

 private:
  std::int64_t advance_to(std::int64_t now_ns);

  std::uint8_t pointer_ = 0;
  std::int64_t last_ns_ = 0;
};

// Rounds to the nearest count and saturates at the ends of a signed field, as converters do.
[[nodiscard]] std::int64_t to_counts(double value, double lsb, int bits);

// Two's complement of a value that fits, in the low `bits`.
[[nodiscard]] std::uint64_t field(std::int64_t value, int bits);

// Nominal nanoseconds stretched by the error of the chip's oscillator.
[[nodiscard]] std::int64_t stretched_ns(double nominal_us, double clock_error);

}  // namespace edgejoule::emulated_board
