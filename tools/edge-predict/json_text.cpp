#include "json_text.h"

#include <cmath>

#include "text/quantity_text.h"

namespace edgejoule::predict {

std::string json_number(float value) {
  return std::isfinite(value) ? text::exact(value) : "null";
}

}  // namespace edgejoule::predict
