// Power monitors as data: one row per chip, no code per chip.
//
// Source: TI datasheets SBOS448 (INA219), SBOS547 (INA226), SBOS601 (INA230),
// SBOS644 (INA231), SBOS656 (INA260), SBOSA20 (INA237), SBOSA21 (INA228/238
// family), SBOS576 (INA3221).
// Units: LSBs in picovolts and nanoamperes, so that each is an exact integer.
// A new chip is a new row here and its vectors in tests/unit/sensors.
#pragma once

#include <cstdint>
#include <string_view>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

enum class ChipId : std::uint8_t {
  kIna219 = 0,
  kIna226 = 1,
  kIna230 = 2,
  kIna231 = 3,
  kIna260 = 4,
  kIna228 = 5,
  kIna237 = 6,
  kIna238 = 7,
  kIna3221 = 8
};

// `bits` significant bits above `shift` unused ones, in a register of `bytes`.
struct RegisterField {
  std::uint8_t reg = 0;
  std::uint8_t bytes = 0;  // 0: the chip has no such register
  std::uint8_t bits = 0;
  std::uint8_t shift = 0;
  bool is_signed = false;

  [[nodiscard]] constexpr bool exists() const noexcept { return bytes != 0; }
};

// What consumes the conversion-ready flag.
enum class ReadyClear : std::uint8_t {
  kByReadingFlags = 0,  // reading the register that holds it
  kByReadingPower = 1   // INA219: reading the power register
};

enum class Averaging : std::uint8_t {
  kBlock = 0,   // N conversions make one result
  kRunning = 1  // new = old + (x - old) / N after every conversion
};

enum class AlertKind : std::uint8_t { kShuntOver = 0, kShuntUnder = 1, kBusOver = 2, kBusUnder = 3 };

struct AlertRow {
  AlertKind kind = AlertKind::kShuntOver;
  std::uint8_t reg = 0;  // limit register of channel 1
  std::uint8_t shift = 0;
  std::uint64_t lsb_pv = 0;
  std::uint64_t lsb_fine_pv = 0;  // with the fine range; 0: the same
  std::uint16_t enable_bit = 0;   // in the flags register; 0: always armed
};

// Position of a timing code inside its configuration register.
struct CodeField {
  std::uint8_t shift = 0;
  std::uint8_t bits = 0;
};

struct Chip {
  ChipId id;
  std::string_view name;
  std::uint8_t address_first;
  std::uint8_t address_last;
  std::uint8_t channels;
  std::uint8_t channel_stride;  // registers from one channel to the next
  Averaging averaging;

  RegisterField shunt;
  RegisterField bus;
  RegisterField current;
  RegisterField power;
  RegisterField energy;
  RegisterField charge;
  RegisterField temperature;

  std::int32_t shunt_limit;  // counts at which the converter clips; 0: the ends of the field
  std::uint64_t shunt_lsb_pv;
  std::uint64_t shunt_lsb_fine_pv;  // with the fine range; 0: there is none
  std::uint64_t bus_lsb_pv;
  std::uint32_t current_lsb_na;    // fixed by an internal shunt; 0: set by calibration
  std::uint32_t power_lsb_tenths;  // power LSB = this / 10 * current LSB (volts)
  std::uint32_t temperature_lsb_ndegc;

  // identity: manufacturer 0x5449 at one register, die at another
  std::uint8_t manufacturer_reg;  // 0: none
  std::uint8_t die_reg;           // 0: none that may be trusted
  std::uint16_t die_value;
  std::uint16_t die_mask;

  std::uint8_t config_reg;  // holds reset, mode and averaging (INA2xx) or the range (INA228)
  std::uint16_t config_reset;
  std::uint8_t adc_reg;  // holds mode, times and averages
  std::uint16_t adc_reset;
  CodeField mode;
  CodeField shunt_time;
  CodeField bus_time;
  CodeField temperature_time;     // 0 bits: none
  CodeField averages;             // 0 bits: INA219, whose time codes include averaging
  std::uint16_t mode_continuous;  // shunt and bus, for ever
  std::uint16_t mode_triggered;   // shunt and bus, once
  std::uint16_t times_us[8];
  std::uint16_t average_counts[8];

  std::uint8_t flags_reg;
  std::uint16_t ready_bit;
  std::uint16_t overflow_bit;  // math overflow; 0: none
  ReadyClear ready_clear;
  std::uint16_t ready_to_alert_bit;  // routes conversion-ready to the ALERT pin; 0: cannot
  std::uint16_t latch_bit;           // must be set for the flag to hold until read; 0: it always does

  std::uint8_t calibration_reg;     // 0: none
  std::uint64_t calibration_scale;  // see calibration_value(); 0: none
  bool calibration_divides;         // scale / (I_LSB * R), else scale * I_LSB * R
  std::uint8_t current_bits;        // I_LSB = I_max / 2^(current_bits - 1)

  AlertRow alerts[4];
  std::uint8_t alert_count;
};

[[nodiscard]] Span<const Chip> chips() noexcept;
[[nodiscard]] const Chip& chip(ChipId id) noexcept;
// By the name a person or a kernel driver uses ("ina226", "INA3221"); null where unknown.
[[nodiscard]] const Chip* find_chip(std::string_view name) noexcept;

// Raw register bytes to a number: big-endian, shifted, sign-extended.
// Precondition: bytes.size() == field.bytes.
[[nodiscard]] std::int64_t decode_field(const RegisterField& field, Span<const std::uint8_t> bytes) noexcept;

// True where the value stands at an end of what the field (or the converter: `limit`) can hold.
[[nodiscard]] bool at_full_scale(const RegisterField& field, std::int64_t value, std::int64_t limit = 0) noexcept;

// Current LSB for a largest expected current, rounded up to a whole nanoampere.
[[nodiscard]] std::uint32_t current_lsb_na(const Chip& chip, std::uint32_t max_current_ua) noexcept;

// Value of the calibration register.
// Errors: kBadShunt where the shunt is 0 or the value does not fit the register;
// kUnsupported where the chip has none.
[[nodiscard]] Result<std::uint16_t> calibration_value(const Chip& chip, std::uint32_t lsb_na, std::uint32_t shunt_uohm,
                                                      bool fine_range) noexcept;

}  // namespace edgejoule
