// A kernel driver bound to a chip of the emulated board, as a device tree would do it.
//
// Lifetime: the device goes away with the object.
// Errors: std::runtime_error if the driver did not take the chip.
#pragma once

#include <cstdint>
#include <string>

namespace edgejoule::kernel_tier {

class BoundDriver {
 public:
  // `name` is the device's name in the driver's table: "ina3221", "ina226", ...
  BoundDriver(int adapter, const std::string& name, std::uint16_t address);
  ~BoundDriver();
  BoundDriver(const BoundDriver&) = delete;
  BoundDriver& operator=(const BoundDriver&) = delete;

  [[nodiscard]] const std::string& device() const { return device_; }  // "0-0040"

  // "/sys/.../hwmonN/" as it is now; throws where there is none.
  [[nodiscard]] std::string hwmon() const;

  void unbind() const;
  void bind() const;

 private:
  std::string adapter_folder_;
  std::string device_;
  std::string address_;
  std::string driver_folder_;
};

}  // namespace edgejoule::kernel_tier
