// What a prediction says, and how far it can be trusted.
//
// Units: joules, seconds. `lower` and `upper` bound the dynamic joules, or the time, at
// the confidence asked for.
#pragma once

#include <cstdint>

#include "edgejoule/core/units.h"

namespace edgejoule {

// The rung of the ladder that priced an op, most specific first (the order is fixed).
enum class Level : std::uint8_t { kExact = 0, kOpAndType = 1, kOp = 2, kClass = 3, kRoofline = 4, kNone = 255 };

enum class Confidence : std::uint8_t { k50 = 0, k80 = 1, k90 = 2, k95 = 3 };

// No joules of an op, a module or a model are larger than this; a prediction that
// would be is an error (kOverflow).
inline constexpr float kMaxJoules = 1e20F;

// Everything a reader must know about an estimate; bits, combined up the tree but for
// those about intervals and static joules, which are a node's own.
enum class Flag : std::uint32_t {
  kFallback = 1U << 0,                   // not priced by its own op row (level above kOp)
  kOutsideRange = 1U << 1,               // a feature lies outside the range the row was fitted on
  kInterpolated = 1U << 2,               // between calibrated operating points
  kOtherBoard = 1U << 3,                 // the table was measured on another board
  kOtherRuntime = 1U << 4,               // or with another runtime
  kIntervalNotGuaranteed = 1U << 5,      // too few groups behind the interval
  kStaticUnknown = 1U << 6,              // no time, so no static joules
  kUnknownOp = 1U << 7,                  // the importer did not know the op
  kRuntimeFacts = 1U << 8,               // measured time or a counter was used
  kBatchScaled = 1U << 9,                // scaled from the graph's batch where that is not exact
  kNegativeOwn = 1U << 10,               // children cost more than their module: overlap
  kBound = 1U << 11,                     // an upper bound (control flow)
  kStaticInDynamic = 1U << 12,           // the table's baseline is total: static is inside dynamic
  kIntervalUnknown = 1U << 13,           // no residuals at all: both bounds are the estimate itself
  kTimePredicted = 1U << 14,             // the time, and static joules with it, come from the table
  kTimeIntervalNotGuaranteed = 1U << 15  // too few groups behind the interval of the time, or none
};

class Flags {
 public:
  constexpr Flags() noexcept = default;
  constexpr explicit Flags(std::uint32_t bits) noexcept : bits_(bits) {}
  constexpr Flags& set(Flag flag) noexcept {
    bits_ |= static_cast<std::uint32_t>(flag);
    return *this;
  }
  [[nodiscard]] constexpr bool has(Flag flag) const noexcept { return (bits_ & static_cast<std::uint32_t>(flag)) != 0; }
  [[nodiscard]] constexpr bool any() const noexcept { return bits_ != 0; }
  [[nodiscard]] constexpr std::uint32_t bits() const noexcept { return bits_; }
  constexpr Flags& operator|=(Flags other) noexcept {
    bits_ |= other.bits_;
    return *this;
  }

 private:
  std::uint32_t bits_ = 0;
};

struct Interval {
  Joules lower;
  Joules upper;
};

struct TimeInterval {
  Seconds lower;
  Seconds upper;
};

// Dynamic and static joules stay apart: two models at once add their dynamic
// joules, and pay static power once.
struct Estimate {
  Joules dynamic;
  Joules static_part;  // 0 with Flag::kStaticUnknown where no time is known
  Interval interval;   // of the dynamic joules
  Level level = Level::kNone;
  Flags flags;
  Seconds time{-1.0F};         // measured, else predicted; negative: not known
  TimeInterval time_interval;  // of a known time; of a measured one the time itself

  [[nodiscard]] constexpr Joules total() const noexcept { return dynamic + static_part; }
};

}  // namespace edgejoule
