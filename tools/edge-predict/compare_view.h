// A comparison as text, CSV and JSON.
#pragma once

#include <string>

#include "compare.h"
#include "text_view.h"

namespace edgejoule::predict {

// The whole, then modules (or ops), the largest difference first; options.top rows.
[[nodiscard]] std::string compare_text(const Comparison& comparison, bool ops, const TextOptions& options);

// One row per node of the merged tree: index, parent, depth, path, kind, in (both, a, b),
// a_j, b_j, difference_j, lower_j, upper_j, ratio, ratio_lower, ratio_upper, flags.
[[nodiscard]] std::string compare_csv(const Comparison& comparison);
[[nodiscard]] std::string compare_json(const Comparison& comparison);

}  // namespace edgejoule::predict
