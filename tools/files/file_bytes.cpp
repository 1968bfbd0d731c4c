#include "files/file_bytes.h"

#include <cstring>

namespace edgejoule::files {

FileBytes::FileBytes(std::size_t size) : words_((size + 7) / 8), size_(size) {}

FileBytes::FileBytes(const void* data, std::size_t size) : FileBytes(size) {
  if (size != 0) {
    std::memcpy(words_.data(), data, size);
  }
}

Span<const std::byte> FileBytes::span() const {
  return {reinterpret_cast<const std::byte*>(words_.data()), size_};
}

std::string_view FileBytes::text() const {
  return {reinterpret_cast<const char*>(words_.data()), size_};
}

std::byte* FileBytes::data() {
  return reinterpret_cast<std::byte*>(words_.data());
}

}  // namespace edgejoule::files
