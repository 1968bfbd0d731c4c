#include "import/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

#include "import/import.h"

namespace edgejoule::import {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, const char* next) {
  throw ImportError(path.string(), what, next);
}

std::string system_text(int error) {
  return std::system_category().message(error);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // A fifo would block open() until somebody writes to it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(path, "cannot open: " + system_text(errno), "check the path and its permissions");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(path, "cannot stat: " + system_text(errno), "check the file system");
  if (!S_ISREG(info.st_mode)) fail(path, "not a regular file", "pass a model file (.tflite, .onnx, .ejg)");
  if (info.st_size <= 0) fail(path, "the file is empty", "download or export it again");
  if (static_cast<std::uintmax_t>(info.st_size) > std::numeric_limits<std::size_t>::max()) {
    fail(path, "larger than the address space", "import it on a 64-bit machine and carry the .ejg over");
  }
  size_ = static_cast<std::size_t>(info.st_size);
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data_ == MAP_FAILED) fail(path, "cannot map: " + system_text(errno), "free some address space and try again");
}

MappedFile::~MappedFile() {
  ::munmap(data_, size_);
}

}  // namespace edgejoule::import
