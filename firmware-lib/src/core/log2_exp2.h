// Base-2 logarithm and power in float32, without libm.
//
// Errors: of log2 at most 2e-7 * max(1, |log2 x|), relative of exp2 at most 5e-7
// (tests/unit/core/log2_exp2_test.cpp sweeps both).
#pragma once

namespace edgejoule {

// Precondition: x is finite, normal and positive.
[[nodiscard]] float log2_of(float x) noexcept;

// Zero below 2^-126; precondition: x < 128 and not NaN.
[[nodiscard]] float exp2_of(float x) noexcept;

}  // namespace edgejoule
