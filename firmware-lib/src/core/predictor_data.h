// What bind() settles, laid out in the caller's workspace:
//
//   BoundModel | BoundNode[n] | PricedRow[n * rows_per_node] | scratch of bind() itself
//
// Built for size, predict() reads the rows alone and there are no BoundNodes.
#pragma once

#include <cstdint>

#include "edgejoule/core/predictor.h"
#include "plan_data.h"

namespace edgejoule::detail {

inline constexpr std::uint32_t kLeaf = 0;
inline constexpr std::uint32_t kLastInner = kNoParent;

// Of a node whose batch is the graph's and of which nothing is known while running.
struct BoundNode {
  float joules;         // of its own row
  float gain_less_one;  // of its children's joules
  float seconds;        // with its children's; negative where not known
  union {
    float seconds_lost;        // while they are added up: the rounding of the sum (Kahan)
    std::uint32_t next_inner;  // then: the next node that has children, kLastInner; kLeaf: this one has none
  };
  float static_joules;   // for as long; 0 where not known
  std::uint32_t parent;  // the root's is the root itself
  std::uint32_t flags;
  std::uint16_t bounds;  // in bytes, as below
  Level level;
  std::uint8_t engine;
};

// How a row's joules follow the batch: constant + ratio * (joules - constant); so do its
// seconds.
struct BatchLimits {
  float constant;
  float constant_seconds;
  float min_ratio;  // its features stay inside the row's range between these
  float max_ratio;
  bool exact;
};

// A row that prices a node once the run-time facts it needs are known. A node's stand
// in the order of search; the last needs none, and holds what BoundNode holds.
struct PricedRow {
  float joules;
  float seconds;  // kUnknownTime where the row has none and the node no children
  float gain_less_one;
  BatchLimits limits;
  std::uint32_t flags;
  std::uint16_t row;     // of the plan; kNoRow16: a module that costs what its children cost
  std::uint16_t bounds;  // bytes from the first at a confidence: no multiplication per node
  Level level;
  std::uint8_t needs;
};

struct BoundModel {
  TablePlan plan;
  GraphView graph;
  const BoundNode* nodes;
  const PricedRow* rows;
  std::uint32_t rows_per_node;
};

#ifdef __OPTIMIZE_SIZE__
inline constexpr bool kOneLoop = true;  // predict() does everything in its most general loop
#else
inline constexpr bool kOneLoop = false;
#endif

// An op of any engine runs on engine 0.
[[nodiscard]] std::uint8_t engine_of(const GraphView& graph, std::uint32_t node) noexcept;

// What is known of a node while running; the root's time may have come by itself.
[[nodiscard]] RuntimeFacts facts_of(const PredictInputs& inputs, std::uint32_t node) noexcept;

}  // namespace edgejoule::detail
