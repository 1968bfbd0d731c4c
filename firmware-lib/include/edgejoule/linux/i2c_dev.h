// A RegisterBus over /dev/i2c-N, one combined transfer per call.
//
// A chip that a kernel driver is bound to is refused: i2c-dev's I2C_RDWR does not
// check, and reading flags or writing configuration behind the driver's back breaks it.
// Errors: kPermission, kNotFound, kUnsupported (an adapter without plain I2C),
// kDriverBound, those of the bus.
// Lifetime: the object must outlive what bus() returned. It closes its file.
#pragma once

#include <cstdint>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/sensors/register_bus.h"

namespace edgejoule {

class I2cDev {
 public:
  // Registers that one combined transfer can read: the kernel takes 42 messages.
  static constexpr std::size_t kMaxBatch = 21;

  I2cDev() noexcept = default;
  ~I2cDev();
  I2cDev(const I2cDev&) = delete;
  I2cDev& operator=(const I2cDev&) = delete;

  // `root` stands before /dev and is "" on a real system.
  Status open(const char* root, int bus_number) noexcept;
  void close() noexcept;
  [[nodiscard]] RegisterBus bus() noexcept;

 private:
  int fd_ = -1;
};

// Writes the name of the driver bound to the address; kNotFound where there is none.
Status bound_driver(const char* root, int bus_number, std::uint8_t address, Span<char> name) noexcept;

}  // namespace edgejoule
