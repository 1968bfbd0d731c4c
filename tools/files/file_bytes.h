// The bytes of a file, aligned to 8 as the views of core need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "edgejoule/core/span.h"

namespace edgejoule::files {

class FileBytes {
 public:
  FileBytes() = default;
  explicit FileBytes(std::size_t size);
  // A copy of the bytes.
  FileBytes(const void* data, std::size_t size);

  [[nodiscard]] Span<const std::byte> span() const;
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] std::byte* data();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace edgejoule::files
