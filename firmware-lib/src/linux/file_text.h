// Small text files of /proc and /sys, read without allocating.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

// A path built piece by piece; what does not fit makes it not ok().
class Path {
 public:
  explicit Path(Span<char> storage) noexcept;
  Path& add(const char* text) noexcept;
  Path& add(const char* text, std::size_t length) noexcept;
  Path& add_number(std::uint64_t value, unsigned base = 10, unsigned digits = 1) noexcept;
  [[nodiscard]] const char* c_str() const noexcept { return storage_.data(); }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  Span<char> storage_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

// Copies as much as fits, always terminated.
void copy_text(const char* from, Span<char> to) noexcept;

// The first line, terminated, without its end.
Status read_line(const char* path, Span<char> out) noexcept;

// Decimal digits, perhaps signed, perhaps ending in white space; nothing else.
Result<std::int64_t> parse_integer(const char* text, std::size_t length) noexcept;
// A decimal fraction in billionths: "0.002500000" is 2 500 000.
Result<std::int64_t> parse_billionths(const char* text) noexcept;

// The absolute path behind symbolic links.
Status real_path(const char* path, Span<char> out) noexcept;
[[nodiscard]] bool exists(const char* path) noexcept;

// Calls visit(context, name) for every name in the folder that begins with `prefix`,
// sorted by length and then text ("hwmon2" before "hwmon10"). Names longer than 63
// characters are passed over: the kernel's are shorter.
Status for_each_name(const char* folder, const char* prefix, void* context,
                     void (*visit)(void* context, const char* name)) noexcept;

}  // namespace edgejoule
