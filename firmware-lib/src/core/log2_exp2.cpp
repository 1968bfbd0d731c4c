#include "log2_exp2.h"

#include <cstdint>
#include <cstring>

namespace edgejoule {

float log2_of(float x) noexcept {
  constexpr std::uint32_t kSqrtHalf = 0x3F3504F3U;  // so that the mantissa lies in [sqrt(1/2), sqrt(2))
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  const std::uint32_t shifted = bits - kSqrtHalf;
  const auto exponent = static_cast<std::int32_t>(shifted) >> 23;
  bits = (shifted & 0x007FFFFFU) + kSqrtHalf;
  float mantissa = 0.0F;
  std::memcpy(&mantissa, &bits, sizeof mantissa);
  // ln(m) = 2 artanh(s), s = (m-1)/(m+1), |s| <= 0.1716: the term in s^11 is below 1e-9.
  const float s = (mantissa - 1.0F) / (mantissa + 1.0F);
  const float z = s * s;
  constexpr float kTwoOverLn2 = 2.8853900817779268F;
  const float series =
      kTwoOverLn2 +
      z * (kTwoOverLn2 / 3.0F + z * (kTwoOverLn2 / 5.0F + z * (kTwoOverLn2 / 7.0F + z * (kTwoOverLn2 / 9.0F))));
  return static_cast<float>(exponent) + s * series;
}

float exp2_of(float x) noexcept {
  if (x < -126.0F) {
    return 0.0F;
  }
  const auto whole = static_cast<std::int32_t>(x + (x < 0.0F ? -0.5F : 0.5F));
  const float t = (x - static_cast<float>(whole)) * 0.69314718055994531F;  // |t| <= 0.3466
  // The series of e^t; the term in t^8 is below 6e-9.
  const float series =
      1.0F +
      t * (1.0F + t * (1.0F / 2.0F +
                       t * (1.0F / 6.0F +
                            t * (1.0F / 24.0F + t * (1.0F / 120.0F + t * (1.0F / 720.0F + t * (1.0F / 5040.0F)))))));
  // Two factors, because 2^128 times a series below 1 is a number though 2^128 is none.
  const std::int32_t half = whole / 2;
  const auto power = [](std::int32_t exponent) {
    const auto bits = static_cast<std::uint32_t>(exponent + 127) << 23U;
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  };
  return series * power(half) * power(whole - half);
}

}  // namespace edgejoule
