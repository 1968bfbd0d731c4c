// A prediction as text for a person: the tree, lists by op, kind or module, and sums
// of named terms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "prediction.h"

namespace edgejoule::predict {

struct TextOptions {
  bool colour = false;
  int width = 0;                  // 0: not limited
  std::optional<unsigned> depth;  // of the tree
  std::optional<unsigned> top;    // rows of a list
};

// "125 mJ .. 229 mJ ?", "-" where nothing is known.
[[nodiscard]] std::string interval_text(const Interval& interval, Flags flags);
// "90 % interval"
[[nodiscard]] std::string interval_title(Confidence confidence);
// "rails VDD_IN, above idle": what a joule of the table means.
[[nodiscard]] std::string boundary_text(const CoefficientTable& table);
// "301 M", "-" for none.
[[nodiscard]] std::string macs_text(std::uint64_t macs);

// Model, table, what a joule means here.
[[nodiscard]] std::string heading_text(const Prediction& prediction, const TextOptions& options);
[[nodiscard]] std::string tree_text(const Prediction& prediction, const TextOptions& options);
[[nodiscard]] std::string by_op_text(const Prediction& prediction, const TextOptions& options);
[[nodiscard]] std::string by_kind_text(const Prediction& prediction, const TextOptions& options);
[[nodiscard]] std::string by_module_text(const Prediction& prediction, const TextOptions& options);
// Total, costliest ops and kinds, what the flags that occur mean, what was assumed.
[[nodiscard]] std::string summary_text(const Prediction& prediction, const TextOptions& options);
// Ops whose name contains `pattern` ("" for all) as sums of named terms.
[[nodiscard]] std::string explain_text(const Prediction& prediction, const std::string& pattern,
                                       const TextOptions& options);

}  // namespace edgejoule::predict
