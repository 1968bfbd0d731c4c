// i2c-dev as a test uses it: combined transfers and SMBus calls that return errno.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "support/file_descriptor.h"

namespace edgejoule::kernel_tier {

class I2cDev {
 public:
  explicit I2cDev(int adapter);

  struct WordRead {
    int error = 0;
    int completed = 0;  // messages
    std::uint16_t value = 0;
    [[nodiscard]] std::int16_t signed_value() const { return static_cast<std::int16_t>(value); }
  };

  // Pointer write and read in one I2C_RDWR.
  [[nodiscard]] WordRead read_word(std::uint16_t address, std::uint8_t reg) const;
  int write_word(std::uint16_t address, std::uint8_t reg, std::uint16_t value) const;

  // Pointer write and read of each register, all in one I2C_RDWR; empty if it failed.
  [[nodiscard]] std::vector<std::uint16_t> read_words(std::uint16_t address, std::span<const std::uint8_t> regs) const;

  // Any number of bytes from one register.
  [[nodiscard]] std::vector<std::uint8_t> read_bytes(std::uint16_t address, std::uint8_t reg, std::size_t count) const;

  // I2C_SLAVE or I2C_SLAVE_FORCE; errno.
  int select(std::uint16_t address, bool force) const;

  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  FileDescriptor file_;
};

}  // namespace edgejoule::kernel_tier
