// A comparison as one self-contained page: the merged tree to click through, and the biggest movers.
#pragma once

#include <string>

#include "compare.h"

namespace edgejoule::predict {

[[nodiscard]] std::string compare_html(const Comparison& comparison);

}  // namespace edgejoule::predict
