// Exact work: arithmetic on uint64 that remembers whether anything overflowed, and
// the counts that facts.cpp and features.cpp share.
#pragma once

#include <cstdint>
#include <cstring>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/features.h"

namespace edgejoule {

// One instruction or two on 64-bit machines; on small ones a page of code, which is
// better called than repeated at every use.
#if UINTPTR_MAX > 0xFFFFFFFFU
#define EDGEJOULE_INLINE_ON_64_BIT inline
#else
#define EDGEJOULE_INLINE_ON_64_BIT inline __attribute__((noinline))
#endif

class Checked {
 public:
  EDGEJOULE_INLINE_ON_64_BIT std::uint64_t mul(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t product = 0;
    overflowed_ |= __builtin_mul_overflow(a, b, &product);
    return product;
  }
  EDGEJOULE_INLINE_ON_64_BIT std::uint64_t add(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    overflowed_ |= __builtin_add_overflow(a, b, &sum);
    return sum;
  }
  std::uint64_t mul(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept { return mul(mul(a, b), c); }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  bool overflowed_ = false;
};

// On small machines a 64-bit division and the conversion of 64 bits to float are library
// code of 700 bytes each; these do the same in 60. `portable` in the name: the code for
// small machines, which the tests compare with the processor's own on large ones.
[[nodiscard]] inline std::uint64_t portable_quotient(std::uint64_t dividend, std::uint64_t divisor) noexcept {
  std::uint64_t quotient = 0;
  std::uint64_t remainder = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const bool carry = (remainder >> 63U) != 0;
    remainder = (remainder << 1U) | ((dividend >> static_cast<unsigned>(bit)) & 1U);
    quotient <<= 1U;
    if (carry || remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1U;
    }
  }
  return quotient;
}

// Rounds to nearest, ties to even, as a conversion does.
[[nodiscard]] inline float portable_float(std::uint64_t value) noexcept {
  const auto high = static_cast<std::uint32_t>(value >> 32U);
  if (high == 0) {
    return static_cast<float>(static_cast<std::uint32_t>(value));
  }
  const auto shift = static_cast<unsigned>(__builtin_clz(high));
  value <<= shift;
  // 32 significant bits; what is lost below them decides only ties.
  const auto top = static_cast<std::uint32_t>(value >> 32U) | (static_cast<std::uint32_t>(value) != 0 ? 1U : 0U);
  const std::uint32_t scale_bits = (127U + 32U - shift) << 23U;
  float scale = 0.0F;
  std::memcpy(&scale, &scale_bits, sizeof scale);
  return static_cast<float>(top) * scale;
}

// Precondition: divisor != 0.
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT std::uint64_t quotient(std::uint64_t dividend,
                                                                std::uint64_t divisor) noexcept {
#if UINTPTR_MAX > 0xFFFFFFFFU
  return dividend / divisor;
#else
  return portable_quotient(dividend, divisor);
#endif
}

[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT float to_float(std::uint64_t value) noexcept {
#if UINTPTR_MAX > 0xFFFFFFFFU
  return static_cast<float>(value);
#else
  return portable_float(value);
#endif
}

// Convolutions by group need whole groups; view_of relies on it.
[[nodiscard]] bool groups_divide_channels(OpClass op_class, const Facts& facts) noexcept;
[[nodiscard]] MatrixView view_of(OpClass op_class, const Facts& facts, Checked& exact) noexcept;
[[nodiscard]] WorkCounts counts_of(OpClass op_class, const Facts& facts, const MatrixView& view,
                                   Checked& exact) noexcept;
void repeat(WorkCounts& work, std::uint64_t repeats, Checked& exact) noexcept;

// measure_op into a place the caller has; Error{}: fine.
[[nodiscard]] Error measure(OpClass op_class, const Facts& facts, OpQuantities& op) noexcept;

}  // namespace edgejoule
