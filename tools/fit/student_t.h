// Student's t distribution: how far the next value may lie from the mean of a few.
//
// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (the distribution for whole
// degrees of freedom is a finite sum).
#pragma once

namespace edgejoule::fit {

// The same of a normal distribution, which is Student's of endless freedom: 95 % lie below it.
inline constexpr double kNormalP95 = 1.6449;

// The t below which a share `level` (0 .. 1, exclusive) lies; `freedom` at least 1.
[[nodiscard]] double student_t_quantile(double level, int freedom);

}  // namespace edgejoule::fit
