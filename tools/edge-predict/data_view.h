// A prediction for other programs.
#pragma once

#include <string>

#include "prediction.h"

namespace edgejoule::predict {

// One row per node, a header row first; columns are documented in --help.
[[nodiscard]] std::string to_csv(const Prediction& prediction);

// EJR1 as JSON text (schemas/report.fbs); `terms`: each op's sum as well.
[[nodiscard]] std::string to_json(const Prediction& prediction, bool terms);

}  // namespace edgejoule::predict
