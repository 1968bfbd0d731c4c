// The kernel's own record of what was on the bus: /sys/kernel/tracing/events/i2c.
//
// Lifetime: records while the object lives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgejoule::kernel_tier {

struct I2cEvent {
  std::string kind;  // "write", "read", "reply", "result"
  int adapter = 0;
  int message = 0;            // index in the transfer; of a result: messages asked for
  std::uint16_t address = 0;  // not of a result
  int length = 0;             // bytes; of a result: messages completed, or -errno
  std::string bytes;          // "0f-ff" of a write or a reply
};

class I2cEvents {
 public:
  explicit I2cEvents(int adapter);
  ~I2cEvents();
  I2cEvents(const I2cEvents&) = delete;
  I2cEvents& operator=(const I2cEvents&) = delete;

  // Everything on the adapter since the object was made or take() was called.
  [[nodiscard]] std::vector<I2cEvent> take();

 private:
  int adapter_;
};

}  // namespace edgejoule::kernel_tier
