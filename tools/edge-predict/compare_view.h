// A comparison as text, CSV and JSON.
#pragma once

#include <string>

#include "compare.h"
#include "text_view.h"

namespace edgejoule::predict {

enum class CompareBy { kModule, kOp, kKind, kTree };

// The whole, then modules, ops or kinds of op, the largest difference first, options.top rows; or the merged tree, as
// deep as options.depth.
[[nodiscard]] std::string compare_text(const Comparison& comparison, CompareBy by, const TextOptions& options);

// "model, batch=8; table board.ejt at MAXN" and the parts of a row, for other views of a comparison.
[[nodiscard]] std::string side_text(const Prediction& prediction);
[[nodiscard]] std::string joules_text(bool is_in, float joules);
[[nodiscard]] std::string signed_text(float joules);
[[nodiscard]] std::string difference_interval(const Compared& compared);
[[nodiscard]] std::string ratio_text(const Compared& compared);

// One row per node of the merged tree: index, parent, depth, path, kind, in (both, a, b),
// a_j, b_j, difference_j, lower_j, upper_j, ratio, ratio_lower, ratio_upper, flags.
[[nodiscard]] std::string compare_csv(const Comparison& comparison);
[[nodiscard]] std::string compare_json(const Comparison& comparison);

}  // namespace edgejoule::predict
