#include "support/bound_driver.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "support/files.h"

namespace edgejoule::kernel_tier {

BoundDriver::BoundDriver(int adapter, const std::string& name, std::uint16_t address)
    : adapter_folder_("/sys/bus/i2c/devices/i2c-" + std::to_string(adapter)) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", address);
  address_ = text.data();
  std::snprintf(text.data(), text.size(), "%d-%04x", adapter, address);
  device_ = text.data();
  const int error = write_file(adapter_folder_ + "/new_device", name + " " + address_);
  if (error != 0) {
    throw std::runtime_error("new_device " + name + " " + address_ + ": " + std::strerror(error));
  }
  std::error_code missing;
  driver_folder_ = std::filesystem::canonical("/sys/bus/i2c/devices/" + device_ + "/driver", missing).string();
  if (missing) {
    (void)write_file(adapter_folder_ + "/delete_device", address_);
    throw std::runtime_error("no driver took " + name + " at " + device_ + "; see the kernel's log");
  }
}

BoundDriver::~BoundDriver() {
  (void)write_file(adapter_folder_ + "/delete_device", address_);
}

std::string BoundDriver::hwmon() const {
  const auto folder = hwmon_of(device_);
  if (!folder) {
    throw std::runtime_error(device_ + " has no hwmon folder");
  }
  return *folder;
}

void BoundDriver::unbind() const {
  if (const int error = write_file(driver_folder_ + "/unbind", device_); error != 0) {
    throw std::runtime_error("unbind " + device_ + ": " + std::strerror(error));
  }
}

void BoundDriver::bind() const {
  if (const int error = write_file(driver_folder_ + "/bind", device_); error != 0) {
    throw std::runtime_error("bind " + device_ + ": " + std::strerror(error));
  }
}

}  // namespace edgejoule::kernel_tier
