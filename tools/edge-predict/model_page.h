// A prediction as one self-contained page: its tree to click through, where the energy goes, what would help.
#pragma once

#include <string>

#include "prediction.h"

namespace edgejoule::predict {

[[nodiscard]] std::string model_html(const Prediction& prediction);

}  // namespace edgejoule::predict
