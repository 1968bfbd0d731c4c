// A bus of devices with numbered registers, as the INA reader needs it.
//
// A table of functions with a context, so that an MCU driver, Linux i2c-dev and
// the emulated board are the same thing to the reader.
// Shape: register bytes travel most significant first, as the chip sends them.
// Errors: kBusNak, kBusTimeout, kBusArbitration, kBusShortTransfer, kBusIo.
// Lifetime: the context must outlive every copy of the table.
#pragma once

#include <cstdint>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

struct RegisterRead {
  std::uint8_t reg = 0;
  Span<std::uint8_t> bytes;
};

struct RegisterBus {
  void* context = nullptr;
  Status (*read)(void* context, std::uint8_t address, std::uint8_t reg, Span<std::uint8_t> bytes) = nullptr;
  Status (*write)(void* context, std::uint8_t address, std::uint8_t reg, Span<const std::uint8_t> bytes) = nullptr;
  // Several registers of one device, back to back, to keep voltage and current of
  // one conversion together. May be null: then they are read one by one.
  Status (*read_batch)(void* context, std::uint8_t address, Span<const RegisterRead> reads) = nullptr;
  void (*delay_us)(void* context, std::uint32_t microseconds) = nullptr;
};

}  // namespace edgejoule
