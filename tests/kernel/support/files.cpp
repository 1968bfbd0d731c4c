#include "support/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "support/file_descriptor.h"

namespace edgejoule::kernel_tier {

long FileRead::value() const {
  std::size_t used = 0;
  try {
    return std::stol(text, &used);
  } catch (const std::exception&) {
    throw std::runtime_error("'" + text + "' (errno " + std::to_string(error) + ") is no integer");
  }
}

FileRead read_file(const std::string& path) {
  FileRead result;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    result.error = errno;
    return result;
  }
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0) {
      result.error = errno;
    }
    if (size <= 0) {
      break;
    }
    result.text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  while (!result.text.empty() && result.text.back() == '\n') {
    result.text.pop_back();
  }
  return result;
}

int write_file(const std::string& path, const std::string& text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (file.get() < 0) {
    return errno;
  }
  return ::write(file.get(), text.data(), text.size()) < 0 ? errno : 0;
}

std::optional<std::string> hwmon_of(const std::string& device) {
  const std::filesystem::path folder = "/sys/bus/i2c/devices/" + device + "/hwmon";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    return entry.path().string() + "/";
  }
  return std::nullopt;
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void sleep_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace edgejoule::kernel_tier
