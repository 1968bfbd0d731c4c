// A chip that is read by its registers, as a person names it on a command line.
#pragma once

#include <stdexcept>
#include <string>

#include "edgejoule/sensors/ina_reader.h"

namespace edgejoule::capture {

struct RawChip {
  int i2c_bus = 0;
  std::uint8_t address = 0x40;
  ChipId chip = ChipId::kIna226;
  bool chip_named = false;  // false: by its identity registers
  InaSettings settings;
  std::string labels[kMaxChannels];  // empty: chip and channel
};

struct RawChipError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// BUS:ADDRESS[:CHIP[:SHUNT]], for example "1:0x40:ina226:10m"; SHUNT in ohms with m or u ("5m", "500u", "0.1"), one for
// every channel, or several with commas. Errors: RawChipError.
[[nodiscard]] RawChip parse_raw_chip(const std::string& text);

// The names of all chips there are, for those who name another.
[[nodiscard]] std::string known_chips();

}  // namespace edgejoule::capture
