// Exact work: arithmetic on uint64 that remembers whether anything overflowed, and
// the counts that facts.cpp and features.cpp share.
#pragma once

#include <cstdint>

#include "edgejoule/core/facts.h"

namespace edgejoule {

// One multiply instruction and a flag on 64-bit machines; on small ones a page of code,
// which is then better called than repeated at every use.
#if UINTPTR_MAX > 0xFFFFFFFFU
#define EDGEJOULE_INLINE_WHERE_SMALL inline
#else
#define EDGEJOULE_INLINE_WHERE_SMALL __attribute__((noinline))
#endif

class Checked {
 public:
  EDGEJOULE_INLINE_WHERE_SMALL std::uint64_t mul(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t product = 0;
    overflowed_ |= __builtin_mul_overflow(a, b, &product);
    return product;
  }
  EDGEJOULE_INLINE_WHERE_SMALL std::uint64_t add(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    overflowed_ |= __builtin_add_overflow(a, b, &sum);
    return sum;
  }
  std::uint64_t mul(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept { return mul(mul(a, b), c); }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  bool overflowed_ = false;
};

// Convolutions by group need whole groups; view_of and counts_of rely on it.
[[nodiscard]] bool groups_divide_channels(OpClass op_class, const Facts& facts) noexcept;
[[nodiscard]] MatrixView view_of(OpClass op_class, const Facts& facts, Checked& exact) noexcept;
[[nodiscard]] WorkCounts counts_of(OpClass op_class, const Facts& facts, const MatrixView& view,
                                   Checked& exact) noexcept;

}  // namespace edgejoule
