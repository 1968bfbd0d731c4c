// STRIDED_SLICE: the shape of what it picks, and the picks themselves where the
// integers it picks from are known.
#pragma once

#include <optional>

#include "import/tflite/file.h"
#include "import/tflite/shapes.h"

namespace edgejoule::import {

// Shape: begin, end and steps have one entry per dimension named.
struct StridedSlice {
  const Ints& begin;
  const Ints& end;
  const Ints& steps;
  const tflite_wire::StridedSliceOptions& options;
};

[[nodiscard]] std::optional<Dims> sliced_dims(const Dims& input, const StridedSlice& slice);

// Of a vector.
[[nodiscard]] std::optional<Ints> sliced_values(const Ints& input, const StridedSlice& slice);

}  // namespace edgejoule::import
