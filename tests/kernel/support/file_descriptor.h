// Owns an open file and closes it.
//
// Errors: open() throws std::system_error with the path.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace edgejoule::kernel_tier {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    FileDescriptor(std::move(other)).swap(*this);
    return *this;
  }
  ~FileDescriptor() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  static FileDescriptor open(const std::string& path, int flags) {
    FileDescriptor opened(::open(path.c_str(), flags | O_CLOEXEC));
    if (opened.get() < 0) {
      throw std::system_error(errno, std::generic_category(), path);
    }
    return opened;
  }

  [[nodiscard]] int get() const { return descriptor_; }

  void swap(FileDescriptor& other) noexcept { std::swap(descriptor_, other.descriptor_); }

 private:
  int descriptor_ = -1;
};

}  // namespace edgejoule::kernel_tier
