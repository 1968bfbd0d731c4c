// Small reads and writes of sysfs, configfs and tracefs, with errno kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace edgejoule::kernel_tier {

struct FileRead {
  int error = 0;  // errno, 0 if it was read
  std::string text;
  [[nodiscard]] long value() const;  // throws std::runtime_error where the text is no integer
};

[[nodiscard]] FileRead read_file(const std::string& path);

// As the shell's echo; returns errno.
int write_file(const std::string& path, const std::string& text);

// The path of the hwmon folder of a device ("0-0040"), by the device and never by its number.
[[nodiscard]] std::optional<std::string> hwmon_of(const std::string& device);

[[nodiscard]] std::int64_t monotonic_ns();
void sleep_ms(int milliseconds);

// Waits until `done` or the time is up; says which.
template <class Done>
[[nodiscard]] bool wait_until(Done&& done, int milliseconds) {
  const std::int64_t end_ns = monotonic_ns() + std::int64_t{milliseconds} * 1'000'000;
  while (!done()) {
    if (monotonic_ns() > end_ns) {
      return false;
    }
    sleep_ms(1);
  }
  return true;
}

}  // namespace edgejoule::kernel_tier
