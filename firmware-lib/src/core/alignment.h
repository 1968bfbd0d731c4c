// Where things may stand in bytes that a caller handed in: on 8-byte boundaries.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgejoule {

[[nodiscard]] inline bool is_aligned(const void* data) noexcept {
  return reinterpret_cast<std::uintptr_t>(data) % alignof(std::uint64_t) == 0;
}

// The next boundary at or behind an offset.
[[nodiscard]] constexpr std::size_t aligned(std::size_t offset) noexcept {
  return (offset + 7U) & ~std::size_t{7U};
}

}  // namespace edgejoule
