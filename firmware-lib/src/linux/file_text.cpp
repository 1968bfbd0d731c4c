#include "file_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "edgejoule/linux/os_error.h"

namespace edgejoule {
namespace {

constexpr std::size_t kNameSize = 64;

bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0';
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool before(const char* a, const char* b) noexcept {
  const std::size_t length_a = std::strlen(a);
  const std::size_t length_b = std::strlen(b);
  return length_a != length_b ? length_a < length_b : std::strcmp(a, b) < 0;
}

}  // namespace

Path::Path(Span<char> storage) noexcept : storage_(storage) {
  storage_[0] = '\0';
}

Path& Path::add(const char* text, std::size_t length) noexcept {
  if (size_ + length >= storage_.size()) {
    ok_ = false;
    return *this;
  }
  std::memcpy(storage_.data() + size_, text, length);
  size_ += length;
  storage_[size_] = '\0';
  return *this;
}

Path& Path::add(const char* text) noexcept {
  return add(text, std::strlen(text));
}

Path& Path::add_number(std::uint64_t value, unsigned base, unsigned digits) noexcept {
  char text[20];
  std::size_t at = sizeof(text);
  do {
    text[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0 || sizeof(text) - at < digits);
  return add(text + at, sizeof(text) - at);
}

void copy_text(const char* from, Span<char> to) noexcept {
  const std::size_t length = std::strlen(from);
  const std::size_t fits = length < to.size() ? length : to.size() - 1;
  std::memcpy(to.data(), from, fits);
  to[fits] = '\0';
}

Status read_line(const char* path, Span<char> out) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error_from_errno(errno);
  const ssize_t got = ::read(fd, out.data(), out.size() - 1);
  const int number = errno;
  ::close(fd);
  if (got < 0) return error_from_errno(number);
  out[static_cast<std::size_t>(got)] = '\0';
  out.data()[std::strcspn(out.data(), "\n")] = '\0';
  return {};
}

Result<std::int64_t> parse_integer(const char* text, std::size_t length) noexcept {
  while (length > 0 && is_space(text[length - 1])) --length;
  const bool negative = length > 0 && text[0] == '-';
  std::size_t i = negative ? 1 : 0;
  if (i == length) return Error::kParse;
  std::uint64_t value = 0;
  for (; i < length; ++i) {
    if (!is_digit(text[i])) return Error::kParse;
    const auto digit = static_cast<std::uint64_t>(text[i] - '0');
    if (value > (static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - digit) / 10)
      return Error::kParse;
    value = value * 10 + digit;
  }
  const auto magnitude = static_cast<std::int64_t>(value);
  return negative ? -magnitude : magnitude;
}

Result<std::int64_t> parse_billionths(const char* text) noexcept {
  std::int64_t value = 0;
  int decimals = -1;
  bool any = false;
  for (; *text != '\0' && !is_space(*text); ++text) {
    if (*text == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (!is_digit(*text)) return Error::kParse;
    any = true;
    if (decimals >= 9) continue;
    if (value > std::numeric_limits<std::int64_t>::max() / 20) return Error::kParse;
    value = value * 10 + (*text - '0');
    if (decimals >= 0) ++decimals;
  }
  if (!any) return Error::kParse;
  for (int i = decimals < 0 ? 0 : decimals; i < 9; ++i) {
    if (value > std::numeric_limits<std::int64_t>::max() / 20) return Error::kParse;
    value *= 10;
  }
  return value;
}

Status real_path(const char* path, Span<char> out) noexcept {
  // The kernel knows the answer without a buffer of PATH_MAX on somebody's stack.
  const int fd = ::open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return error_from_errno(errno);
  char link[32];
  Path name{Span<char>(link)};
  name.add("/proc/self/fd/").add_number(static_cast<std::uint64_t>(fd));
  const ssize_t got = ::readlink(name.c_str(), out.data(), out.size());
  const int number = errno;
  ::close(fd);
  if (got < 0) return error_from_errno(number);
  if (static_cast<std::size_t>(got) >= out.size()) return Error::kTooLarge;
  out[static_cast<std::size_t>(got)] = '\0';
  return {};
}

bool exists(const char* path) noexcept {
  return ::access(path, F_OK) == 0;
}

Status for_each_name(const char* folder, const char* prefix, void* context,
                     void (*visit)(void* context, const char* name)) noexcept {
  DIR* const dir = ::opendir(folder);
  if (dir == nullptr) return error_from_errno(errno);
  // One pass per name instead of a list of names: folders here hold tens of entries, and this needs no memory.
  char last[kNameSize] = {};
  char next[kNameSize] = {};
  const std::size_t prefix_length = std::strlen(prefix);
  for (;;) {
    ::rewinddir(dir);
    next[0] = '\0';
    while (const dirent* const entry = ::readdir(dir)) {
      const char* const name = entry->d_name;
      if (name[0] == '.' || std::strncmp(name, prefix, prefix_length) != 0) continue;
      if (std::strlen(name) >= kNameSize) continue;
      if (last[0] != '\0' && !before(last, name)) continue;
      if (next[0] == '\0' || before(name, next)) copy_text(name, Span<char>(next));
    }
    if (next[0] == '\0') break;
    visit(context, next);
    copy_text(next, Span<char>(last));
  }
  ::closedir(dir);
  return {};
}

}  // namespace edgejoule
