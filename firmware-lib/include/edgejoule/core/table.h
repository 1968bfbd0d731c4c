// A verified view of an EJT1 coefficient table.
//
// Lifetime: views the caller's bytes, which must outlive it and start on an 8-byte
// boundary.
// Errors (open): kMisaligned, kTruncated, kWrongIdentifier, kUnsupportedVersion,
// kCorrupt, kMissingField, kBadIndex, kNotFinite, kNegative, kBadUnit, kBadRange,
// kDuplicateRow, kMissingRoofline, kTooLarge, kUnknownValue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/features.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

enum class BoundaryKind : std::uint8_t { kUnknown = 0, kRails = 1, kModuleInput = 2, kWall = 3, kChipSupply = 4, kWholeMachine = 5 };
enum class BaselineKind : std::uint8_t { kUnknown = 0, kTotal = 1, kAboveIdle = 2 };
enum class RowForm : std::uint8_t { kLinear = 0, kLog2 = 1 };

inline constexpr std::uint32_t kMaxRows = 4096;
inline constexpr std::uint32_t kMaxTermsPerRow = 16;
inline constexpr std::uint32_t kMaxConditionsPerRow = 8;
inline constexpr std::uint8_t kAnyEngine = 255;
inline constexpr std::uint8_t kAnyOperatingPoint = 255;

class CoefficientTable {
 public:
  [[nodiscard]] static Result<CoefficientTable> open(Span<const std::byte> bytes) noexcept;

  [[nodiscard]] std::string_view name() const noexcept;
  [[nodiscard]] BoundaryKind boundary() const noexcept;
  [[nodiscard]] std::string_view boundary_description() const noexcept;
  [[nodiscard]] std::uint32_t boundary_rail_count() const noexcept;
  [[nodiscard]] std::string_view boundary_rail(std::uint32_t i) const noexcept;
  [[nodiscard]] BaselineKind baseline() const noexcept;
  [[nodiscard]] std::string_view board() const noexcept;
  [[nodiscard]] std::string_view board_compatible() const noexcept;
  [[nodiscard]] std::string_view runtime() const noexcept;
  [[nodiscard]] std::uint32_t row_count() const noexcept;
  [[nodiscard]] std::uint32_t engine_count() const noexcept;
  [[nodiscard]] std::string_view engine_name(std::uint32_t engine) const noexcept;
  [[nodiscard]] std::uint64_t last_level_bytes(std::uint32_t engine) const noexcept;
  [[nodiscard]] std::uint32_t operating_point_count() const noexcept;
  [[nodiscard]] std::string_view operating_point_name(std::uint32_t point) const noexcept;
  // The index of an operating point's name, or kUnknownOperatingPoint.
  [[nodiscard]] Result<std::uint32_t> find_operating_point(std::string_view name) const noexcept;

  // The FlatBuffers root, for core's own sources.
  [[nodiscard]] const std::uint8_t* root() const noexcept { return root_; }

 private:
  CoefficientTable() = default;
  friend class Result<CoefficientTable>;
  const std::uint8_t* root_ = nullptr;
};

}  // namespace edgejoule
