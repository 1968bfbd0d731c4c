// A sweep as a table with bars, as CSV, as JSON, as a page with a chart.
#pragma once

#include <string>
#include <vector>

#include "sweep.h"
#include "text_view.h"

namespace edgejoule::predict {

struct SweepView {
  std::string model;
  std::string table;
  std::string key;
  Confidence confidence = Confidence::k90;
};

// `best` (SIZE_MAX: none) is marked.
[[nodiscard]] std::string sweep_text(const SweepView& view, const std::vector<SweepPoint>& points, std::size_t best,
                                     const TextOptions& options);
// Columns: key, value, dynamic_j, lower_j, upper_j, j_per_input, j_per_token (empty where
// the model has no tokens), macs, weight_bytes, flags.
[[nodiscard]] std::string sweep_csv(const SweepView& view, const std::vector<SweepPoint>& points);
[[nodiscard]] std::string sweep_json(const SweepView& view, const std::vector<SweepPoint>& points, std::size_t best);
[[nodiscard]] std::string sweep_html(const SweepView& view, const std::vector<SweepPoint>& points);

}  // namespace edgejoule::predict
