// The zoo for a person who looks for a model: names, parameters, examples.
#pragma once

#include <string>

namespace edgejoule::predict {

[[nodiscard]] std::string zoo_text();

}  // namespace edgejoule::predict
