// The same layer over the depth of a model, side by side: modules that repeat among their siblings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prediction.h"
#include "text_view.h"

namespace edgejoule::predict {

// Modules under one parent whose subtrees hold the same kinds in the same shape.
// Shape: the k-th node below one corresponds to the k-th node below every other.
struct Repeat {
  std::vector<std::uint32_t> modules;  // at least two, in the order of the graph
  std::uint32_t nodes = 0;             // of each subtree
};

// The outermost ones; those that lie inside another are left to it.
[[nodiscard]] std::vector<Repeat> repeats_of(const GraphView& graph);

// Per repeat its parts (options.depth levels of them) with mean, least and most joules, and a bar for each place.
[[nodiscard]] std::string repeats_text(const Prediction& prediction, const TextOptions& options);

}  // namespace edgejoule::predict
