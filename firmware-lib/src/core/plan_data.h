// The inside of a prepared table, laid out in the caller's workspace:
//
//   PlanData | slots (index) | rows | terms | conditions | bounds (4 confidences) |
//   bounds of time (likewise, where the table knows time) | order (scratch)
//
// Rows stand in the order of search, one run per kind, one per class, one for the
// roofline; a slot finds the run of a kind or class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "edgejoule/core/plan.h"

namespace edgejoule::detail {

inline constexpr std::uint16_t kNoRow16 = 0xFFFFU;
inline constexpr std::uint32_t kConfidences = 4;
// ceil(a / (1 - a)): with fewer groups the interval would have to reach beyond the
// largest residual seen.
inline constexpr std::uint32_t kGroupsNeeded[kConfidences] = {1, 4, 9, 19};

// Which run-time facts a row needs, or an op has.
inline constexpr std::uint8_t kNeedsTime = 1;
inline constexpr std::uint8_t kNeedsCounter = 2;
inline constexpr std::uint8_t kNeedsUtilisation = 4;

// Beside the member of a committee.
inline constexpr std::uint8_t kHasCorrection = 0x80;
inline constexpr std::uint8_t kHasTime = 0x40;
inline constexpr std::uint8_t kMemberMask = 0x0F;
static_assert(kMaxMembers <= kMemberMask);

// Seconds that nobody knows: whatever they are added to is not known either.
inline constexpr float kUnknownTime = std::numeric_limits<float>::quiet_NaN();

struct PlanTerm {
  float joules_per_unit;  // an exponent in log2 rows
  float seconds_per_unit;
  float min;
  float max;
  Feature feature;
  Tile tile;
};

struct PlanRow {
  std::uint32_t first_term;
  std::uint32_t first_condition;
  std::uint16_t table_row;
  std::uint16_t bounds;     // index of its residual bounds
  std::uint8_t term_count;  // without run-time terms
  std::uint8_t condition_count;
  Level level;
  RowForm form;
  DataType data_type;
  std::uint8_t engine;
  std::uint8_t needs;
  std::uint8_t member;  // of a committee; kHasCorrection and kHasTime beside it
  float intercept;
  float gain_less_one;  // of children; 0 for ops
  float time_watts;     // run-time terms, summed
  float utilisation_watts;
  float counter_ratio;
};

// One run of rows; count 0: an empty slot.
struct PlanSlot {
  std::uint32_t key;
  std::uint16_t first;
  std::uint16_t count;
};

// Keys of slots: kinds as they are, classes above them.
[[nodiscard]] constexpr std::uint32_t class_key(OpClass op_class) noexcept {
  return 0x10000U | static_cast<std::uint32_t>(op_class);
}
[[nodiscard]] constexpr std::uint32_t slot_of(std::uint32_t key) noexcept {
  return (key * 0x9E3779B1U) >> 16U;
}

// What an estimate is multiplied with at one confidence.
struct Bounds {
  float lower;
  float upper;
  std::uint32_t flags;
};

struct PlanData {
  std::uint32_t stamp;
  std::uint32_t slot_mask;
  std::uint32_t bounds_count;  // per confidence: one per row, then module, model
  std::uint32_t base_flags;    // of every estimate
  std::uint16_t row_count;
  std::uint16_t roofline_first;
  std::uint8_t runtime_slots;  // different sets of run-time facts that rows need
  std::uint8_t engine_count;
  std::uint8_t operating_point;
  bool above_idle;
  bool timed;  // some row has a time
  const PlanSlot* slots;
  const PlanRow* rows;
  const PlanTerm* terms;
  const Condition* conditions;
  const Bounds* bounds[kConfidences];
  const Bounds* time_bounds[kConfidences];  // where no row has a time: those of joules
  float static_watts[kMaxEngines];          // negative: not known
  std::uint64_t last_level_bytes[kMaxEngines];
  CoefficientTable table;

  [[nodiscard]] std::uint16_t module_bounds() const noexcept { return static_cast<std::uint16_t>(bounds_count - 2U); }
  [[nodiscard]] std::uint16_t model_bounds() const noexcept { return static_cast<std::uint16_t>(bounds_count - 1U); }
};

// An op to be priced: its key and its measured facts.
struct OpToPrice {
  OpKind kind;
  DataType data_type;
  std::uint8_t engine;
  const OpQuantities* quantities;
  CacheState cache;
};

// Walks the rows that answer an op, in the order of search.
class RowSearch {
 public:
  RowSearch(const PlanData& plan, const OpToPrice& op) noexcept : plan_(plan), op_(op) {}

  // The next row that answers with these run-time facts; nullptr: none is left.
  [[nodiscard]] const PlanRow* next(std::uint8_t known) noexcept;
  // `first` itself, or, where it is the member of a committee, the member in the middle.
  [[nodiscard]] const PlanRow* middle_of(const PlanRow* first) noexcept;
  // Whether a condition looked at so far changes with the batch.
  [[nodiscard]] bool depends_on_batch() const noexcept { return depends_on_batch_; }

 private:
  [[nodiscard]] bool enter_next_run() noexcept;
  [[nodiscard]] bool conditions_hold(const PlanRow& row) noexcept;

  const PlanData& plan_;
  const OpToPrice& op_;
  const PlanRow* row_ = nullptr;
  const PlanRow* end_ = nullptr;
  std::uint8_t runs_entered_ = 0;
  bool depends_on_batch_ = false;
};

struct Price {
  float joules;   // all repeats, without run-time terms
  float seconds;  // likewise; kUnknownTime where the row has none
  float factor;   // of the correction, inside joules
  bool outside;   // a feature outside the range of the row
};
[[nodiscard]] Price price(const PlanData& plan, const PlanRow& row, const OpToPrice& op) noexcept;

[[nodiscard]] float runtime_joules(const PlanRow& row, const RuntimeFacts& runtime) noexcept;
[[nodiscard]] std::uint8_t known_facts(const RuntimeFacts& runtime) noexcept;
// False where a number is NaN or infinite, or a utilisation above 1.
[[nodiscard]] bool is_sound(const RuntimeFacts& runtime) noexcept;
// The flags that follow from an op and the row that priced it.
[[nodiscard]] Flags flags_of(const PlanData& plan, OpKind kind, const PlanRow& row, bool outside) noexcept;

[[nodiscard]] constexpr bool is_sound_confidence(Confidence confidence) noexcept {
  return static_cast<std::uint32_t>(confidence) < kConfidences;
}

}  // namespace edgejoule::detail
