// The clock of everything recorded: CLOCK_MONOTONIC, which steps of the wall clock do not move.
#pragma once

#include <cstdint>

namespace edgejoule {

[[nodiscard]] std::int64_t monotonic_ns() noexcept;

// Wall clock minus monotonic clock: changes when somebody sets the time.
[[nodiscard]] std::int64_t wall_clock_offset_ns() noexcept;

}  // namespace edgejoule
