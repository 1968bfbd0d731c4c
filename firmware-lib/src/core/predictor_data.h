// What bind() settles for each node, laid out in the caller's workspace:
//
//   BoundNode[n] | BatchLimits[n] | RuntimeRow[n * runtime_slots]
#pragma once

#include <cstdint>

#include "edgejoule/core/predictor.h"
#include "plan_data.h"

namespace edgejoule::detail {

struct BoundNode {
  float joules;          // of its own row at the graph's batch
  float gain_less_one;   // of its children's joules
  std::uint32_t parent;  // the root's is the root itself
  std::uint32_t flags;
  std::uint16_t bounds;
  std::uint16_t row;  // of the plan; kNoRow16: none
  Level level;
  std::uint8_t engine;
  std::uint8_t reserved[2];
};

// How a node's joules follow the batch: constant + ratio * (joules - constant).
struct BatchLimits {
  float constant;
  float min_ratio;  // its features stay inside the row's range between these
  float max_ratio;
  bool exact;
};

// A row that prices the node instead, once the facts it needs are known. In the order
// of search; kNoRow16 ends the list.
struct RuntimeRow {
  float joules;
  BatchLimits limits;
  std::uint32_t flags;
  std::uint16_t row;
  std::uint8_t needs;
  std::uint8_t reserved;
};

}  // namespace edgejoule::detail
