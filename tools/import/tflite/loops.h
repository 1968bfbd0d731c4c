// How often the body of a WHILE runs, where the file tells.
#pragma once

#include <cstdint>
#include <optional>

#include "import/tflite/file.h"
#include "import/tflite/shapes.h"

namespace edgejoule::import {

// Counts loops of the form that converters write: a counter from a constant start, a
// constant step in the body, compared with a constant limit (also as part of a
// LOGICAL_AND, where the smallest count ends the loop). Nothing for any other loop.
// `caller`: the shapes and known integers of the subgraph that holds `loop`.
[[nodiscard]] std::optional<std::uint64_t> trip_count(const TfliteFile& file, const TfliteOperator& loop,
                                                      const TfliteShapes& caller);

}  // namespace edgejoule::import
