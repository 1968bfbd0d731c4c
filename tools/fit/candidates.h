// The physical forms a row may take: sets of terms per class of op, and the facts by
// which a library may switch to another kernel.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fit/design.h"

namespace edgejoule::fit {

struct TermSet {
  std::string_view name;
  std::vector<TermSpec> terms;
};

// From plain to rich. Never empty.
[[nodiscard]] std::vector<TermSet> term_sets(OpClass op_class);

// Features that conditions of a row may test.
[[nodiscard]] std::vector<Feature> split_features(OpClass op_class);

// For kinds of a class that nobody measured: what any op pays for. Terms that describe
// one kernel's habits (launches per group, unfolded patches) would be extrapolated far
// beyond anything seen: a depthwise convolution has as many groups as channels.
[[nodiscard]] TermSet fallback_terms();

// What any op is priced by where nothing better is known.
[[nodiscard]] TermSet roofline_terms();

}  // namespace edgejoule::fit
