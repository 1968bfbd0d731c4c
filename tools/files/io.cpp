#include "files/io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "text/escape.h"

namespace edgejoule::files {
namespace {

// FlatBuffers offsets are 32 bits wide and signed in part.
constexpr std::size_t kLargestFile = 0x7FFFFFFF;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > 2) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  // Closing may be where a network file system reports a full disk.
  [[nodiscard]] bool close() {
    const int fd = fd_;
    fd_ = -1;
    return fd <= 2 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

std::string advice(int error) {
  switch (error) {
    case ENOENT: return "check the path";
    case EACCES:
    case EPERM: return "you may not: check the permissions of the file and its folder, or choose another place";
    case ENOSPC: return "the disk is full: free some space, or write to another disk";
    case EDQUOT: return "your disk quota is used up: free some space, or write to another disk";
    case EROFS: return "the file system is read-only: write to another one, or remount it";
    case EISDIR: return "it is a folder: give the path of a file";
    case ENOTDIR: return "a part of the path is a file, not a folder";
    case EFBIG: return "the file system or a limit (ulimit -f) does not allow a file of this size";
    case EIO: return "the storage failed: see dmesg";
    default: return "";
  }
}

[[noreturn]] void fail(std::string_view what, const std::string& path, int error) {
  const std::string next = advice(error);
  throw FileError(fmt::format("cannot {} {}: {}{}{}", what, text::printable(path), std::strerror(error),
                              next.empty() ? "" : "; ", next));
}

[[noreturn]] void fail_too_large(const std::string& path) {
  throw FileError(fmt::format("cannot read {}: it is larger than 2 GiB, the limit of every format read here",
                              text::printable(path)));
}

void read_exactly(int fd, std::byte* into, std::size_t size, const std::string& path) {
  while (size > 0) {
    const ssize_t got = ::read(fd, into, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) {
      throw FileError(
          fmt::format("{} became shorter while it was read: try again once its writer is done", text::printable(path)));
    }
    into += got;
    size -= static_cast<std::size_t>(got);
  }
}

FileBytes read_to_end(int fd, const std::string& path) {
  std::vector<char> all;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) return {all.data(), all.size()};
    all.insert(all.end(), chunk.data(), chunk.data() + got);
    if (all.size() > kLargestFile) fail_too_large(path);
  }
}

// Returns 0 or the error.
int write_all(int fd, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t put = ::write(fd, contents.data(), contents.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    contents.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

// What a chain of symbolic links ends in; the path itself where there is none.
std::string followed(const std::string& path) {
  std::string target = path;
  struct stat info {};
  for (int links = 0; links < 40 && ::lstat(target.c_str(), &info) == 0 && S_ISLNK(info.st_mode); ++links) {
    std::array<char, PATH_MAX> link;
    const ssize_t length = ::readlink(target.c_str(), link.data(), link.size());
    if (length < 0) fail("follow the link", target, errno);
    const std::string next(link.data(), static_cast<std::size_t>(length));
    const std::size_t slash = target.rfind('/');
    target = next.front() == '/' || slash == std::string::npos ? next : target.substr(0, slash + 1) + next;
  }
  return target;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The permissions a new file gets, without the race of changing the umask to read it.
mode_t new_file_mode(const std::string& target) {
  struct stat info {};
  if (::stat(target.c_str(), &info) == 0) return info.st_mode & 07777U;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

void replace_file(const std::string& target, std::string_view contents) {
  const std::string folder = folder_of(target);
  const std::string pattern = target + ".XXXXXX";
  std::vector<char> temporary(pattern.c_str(), pattern.c_str() + pattern.size() + 1);
  Descriptor file(::mkstemp(temporary.data()));
  if (file.get() < 0) fail("write into the folder", folder, errno);
  const auto give_up = [&](int error) {
    ::unlink(temporary.data());
    fail("write", target, error);
  };
  if (const int error = write_all(file.get(), contents); error != 0) give_up(error);
  if (::fchmod(file.get(), new_file_mode(target)) != 0) give_up(errno);
  if (::fsync(file.get()) != 0) give_up(errno);
  if (!file.close()) give_up(errno);
  if (::rename(temporary.data(), target.c_str()) != 0) give_up(errno);
  // The new name itself must survive a power cut. Some file systems cannot sync a
  // folder (EINVAL); the file is in place there all the same.
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && ::fsync(directory.get()) != 0 && errno != EINVAL) fail("sync the folder", folder, errno);
}

}  // namespace

FileBytes read_file(const std::string& path) {
  if (path == "-") return read_to_end(STDIN_FILENO, "standard input");
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("read", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail("read", path, errno);
  if (S_ISDIR(info.st_mode)) fail("read", path, EISDIR);
  // Files of /proc and /sys say they are empty.
  if (!S_ISREG(info.st_mode) || info.st_size == 0) return read_to_end(file.get(), path);
  if (static_cast<std::uint64_t>(info.st_size) > kLargestFile) fail_too_large(path);
  FileBytes bytes(static_cast<std::size_t>(info.st_size));
  read_exactly(file.get(), bytes.data(), bytes.size(), path);
  return bytes;
}

void write_file(const std::string& path, std::string_view contents) {
  if (path == "-") {
    if (const int error = write_all(STDOUT_FILENO, contents); error != 0) fail("write", "standard output", error);
    return;
  }
  const std::string target = followed(path);
  struct stat info {};
  if (::stat(target.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    Descriptor device(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    if (device.get() < 0) fail("write", path, errno);
    if (const int error = write_all(device.get(), contents); error != 0) fail("write", path, error);
    return;
  }
  replace_file(target, contents);
}

void expect_writable(const std::string& path) {
  if (path == "-") return;
  const std::string target = followed(path);
  struct stat info {};
  if (::stat(target.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    if (S_ISDIR(info.st_mode)) fail("write", path, EISDIR);
    if (::access(target.c_str(), W_OK) != 0) fail("write", path, errno);
    return;
  }
  const std::string folder = folder_of(target);
  if (::stat(folder.c_str(), &info) != 0) fail("write into the folder", folder, errno);
  if (!S_ISDIR(info.st_mode)) fail("write into the folder", folder, ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail("write into the folder", folder, errno);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw FileError(
        "the system's OpenSSL cannot compute SHA-256: check its configuration (openssl list -digest-algorithms)");
  }
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace edgejoule::files
