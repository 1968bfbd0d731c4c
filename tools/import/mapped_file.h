// A file mapped for reading.
//
// Lifetime: the bytes live as long as the object. Page aligned.
// Errors: throws ImportError where the file cannot be opened, is empty or is not a
// regular file.
#pragma once

#include <cstddef>
#include <filesystem>

#include "edgejoule/core/span.h"

namespace edgejoule::import {

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] Span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace edgejoule::import
