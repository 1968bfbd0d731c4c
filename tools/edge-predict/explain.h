// Each op as a sum of named terms, every one traceable to a coefficient of the table.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "prediction.h"

namespace edgejoule::predict {

// The terms of the row that priced a node, in the table's order; empty for a module
// that costs what its children cost.
[[nodiscard]] std::vector<TermShare> terms_of(const Prediction& prediction, std::uint32_t node);

// "conv_2d float32, 2 <= kernel_area < 10": what the row answers.
[[nodiscard]] std::string row_text(const RowView& row);

// "macs tiled 64x64x1": a feature as the term multiplies it.
[[nodiscard]] std::string feature_text(const Term& term);

}  // namespace edgejoule::predict
