// Exact work: arithmetic on uint64 that saturates, and the counts that facts.cpp and
// features.cpp share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/features.h"
#include "word_size.h"

namespace edgejoule {

// A count that does not fit. Counts saturate: what follows from one is one too, unless it
// is multiplied with zero.
inline constexpr std::uint64_t kTooMany = ~std::uint64_t{0};

[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT std::uint64_t times(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kTooMany : product;
}
[[nodiscard]] EDGEJOULE_INLINE_ON_64_BIT std::uint64_t plus(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kTooMany : sum;
}

// The product of up to four facts.
#if UINTPTR_MAX > 0xFFFFFFFFU
template <Fact... kFacts>
[[nodiscard]] std::uint64_t product(const Facts& facts) noexcept {
  std::uint64_t result = 1;
  ((result = times(result, facts[kFacts])), ...);
  return result;
}
#else
[[nodiscard]] std::uint64_t product_of_bytes(const Facts& facts, std::uint32_t numbers_plus_one) noexcept;
template <Fact... kFacts>
[[nodiscard]] std::uint64_t product(const Facts& facts) noexcept {
  std::uint32_t numbers = 0;
  ((numbers = (numbers << 8U) | (static_cast<std::uint32_t>(kFacts) + 1U)), ...);
  return product_of_bytes(facts, numbers);
}
#endif

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

// The counts of OpQuantities by the 64-bit word they stand at.
static_assert(std::is_standard_layout_v<OpQuantities>);
inline constexpr std::size_t kFirstCount = offsetof(OpQuantities, work) / sizeof(std::uint64_t);
inline constexpr std::size_t kLastCount = offsetof(OpQuantities, constant_bytes) / sizeof(std::uint64_t);
[[nodiscard]] inline std::uint64_t count_at(const OpQuantities& op, std::size_t word) noexcept {
  std::uint64_t count = 0;
  std::memcpy(&count, reinterpret_cast<const std::byte*>(&op) + word * sizeof count, sizeof count);
  return count;
}

// Every repeat of them.
void repeat(WorkCounts& work, std::uint64_t repeats) noexcept;
[[nodiscard]] bool fits(const WorkCounts& work) noexcept;

// measure_op into a place the caller has; Error{}: fine.
[[nodiscard]] Error measure(OpClass op_class, const Facts& facts, OpQuantities& op) noexcept;

}  // namespace edgejoule
