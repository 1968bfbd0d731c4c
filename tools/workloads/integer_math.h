// The arithmetic of quantised networks: exact 32-bit sums, rescaled to 8 bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace edgejoule::workloads {

// Exact while count is below 2^17.
inline std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i]) * static_cast<std::int32_t>(b[i]);
  return sum;
}

inline std::int8_t rescale(std::int32_t sum, float scale) {
  const float value = std::nearbyint(static_cast<float>(sum) * scale);
  return static_cast<std::int8_t>(std::clamp(value, -128.0F, 127.0F));
}

// Spreads sums of `terms` random products over the range of an int8.
inline float typical_scale(std::size_t terms) {
  constexpr float kDeviation = 5400;  // of one product of values even in -127 .. 127
  return 50 / (kDeviation * std::sqrt(static_cast<float>(std::max<std::size_t>(terms, 1))));
}

}  // namespace edgejoule::workloads
