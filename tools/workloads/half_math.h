// Float16 arithmetic in the CPU's vector unit, on plain 16-bit patterns: compiled with
// its instructions and therefore apart from everything else, used after a check only.
//
// Shape: depths and counts are multiples of kHalfLanes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgejoule::workloads {

inline constexpr std::size_t kHalfLanes = 8;

// Whether this CPU has the instructions.
[[nodiscard]] bool half_math_runs();

// Precondition of all below: half_math_runs().
// Sum of a[i] * b[i], added in float16 lanes.
[[nodiscard]] std::uint16_t half_dot(const std::uint16_t* a, const std::uint16_t* b, std::size_t count,
                                     std::uint16_t start);
void half_add(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* out, std::size_t count);

}  // namespace edgejoule::workloads
