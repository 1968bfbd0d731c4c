// A table made ready for one board and operating point: dense rows in joules and an
// index by key. Both entrances (a whole graph, one op from a hook) price from it.
//
// Lifetime: views the table's bytes and the caller's workspace; both must outlive it.
// Const and thread-safe once prepared.
// Order of search: rows of the op's kind (exact, then kind and type, then kind), of
// its class, the roofline; at one level rows that use more of what is measured, then
// rows for a type, an engine, an operating point and under conditions before those for
// any, then the order of the file. Rows that need run-time facts nobody has are
// skipped. An op of engine 255 runs on engine 0. Modules are never priced by the
// roofline: without a row they cost what their children cost.
// Errors (prepare): kWorkspaceTooSmall, kMisaligned (workspace), kOtherBoard,
// kUnknownOperatingPoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/features.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/core/table.h"

namespace edgejoule {

struct PlanOptions {
  std::string_view board_compatible;  // of this device; "" when not known (then nothing is flagged)
  std::string_view runtime;           // likewise
  std::string_view operating_point;   // name in the table; "" takes the first
  bool require_same_board = false;    // a table of another board: an error instead of a flag
};

// One op as a hook knows it.
struct OpDescriptor {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;  // kUnknown: the class of the kind
  DataType data_type = DataType::kUnknown;
  std::uint8_t engine = kAnyEngine;
  Facts facts;
};

// What is known only while running. A negative number is "not known".
struct RuntimeFacts {
  Seconds time{-1.0F};
  Joules counter_energy{-1.0F};  // of a board's own energy counter over the op
  float utilisation = -1.0F;     // 0..1
};

namespace detail {
struct PlanData;
}

class TablePlan {
 public:
  [[nodiscard]] static std::size_t required_bytes(const CoefficientTable& table) noexcept;
  [[nodiscard]] static Result<TablePlan> prepare(const CoefficientTable& table, const PlanOptions& options,
                                                 Span<std::byte> workspace) noexcept;

  // The hook path: one op, priced at once; of a module its own terms.
  // Errors: kOverflow, kBadRange (facts), kInvalidArgument (runtime), kUnknownEngine,
  // kStalePlan (the workspace has been prepared for something else).
  [[nodiscard]] Result<Estimate> estimate(const OpDescriptor& op, const RuntimeFacts& runtime,
                                          Confidence confidence) const noexcept;

  [[nodiscard]] const CoefficientTable& table() const noexcept;
  // The index of the operating point in the table; kAnyOperatingPoint where it has none.
  [[nodiscard]] std::uint8_t operating_point() const noexcept;
  // Static power while `engine` is busy and the others idle; negative: not known.
  [[nodiscard]] Watts static_power(std::uint8_t engine) const noexcept;

  // For core's own sources.
  [[nodiscard]] const detail::PlanData& data() const noexcept { return *data_; }
  [[nodiscard]] bool is_stale() const noexcept;

 private:
  TablePlan(const detail::PlanData* data, std::uint32_t stamp) noexcept : data_(data), stamp_(stamp) {}
  const detail::PlanData* data_;
  std::uint32_t stamp_;
};

}  // namespace edgejoule
