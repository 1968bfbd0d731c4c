// What a firmware does with the library, once: open a table and a graph in flash, plan,
// bind, predict with intervals and module rows; and price one op through the hook path.
#pragma once

#include "edgejoule/core/estimate.h"
#include "edgejoule/core/predictor.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace firmware {

inline constexpr std::size_t kMaxNodes = 8;

struct Prediction {
  edgejoule::NodeEstimate nodes[kMaxNodes];
  std::uint32_t node_count = 0;
};

[[nodiscard]] edgejoule::Status predict_model(edgejoule::Span<const std::byte> table_bytes,
                                              edgejoule::Span<const std::byte> graph_bytes,
                                              Prediction& prediction) noexcept;

[[nodiscard]] edgejoule::Status price_op(edgejoule::Span<const std::byte> table_bytes,
                                         edgejoule::Estimate& estimate) noexcept;

// The two files of tests/fixtures, linked into the image.
[[nodiscard]] edgejoule::Span<const std::byte> table_in_flash() noexcept;
[[nodiscard]] edgejoule::Span<const std::byte> graph_in_flash() noexcept;

}  // namespace firmware
