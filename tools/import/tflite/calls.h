// Bounds on what subgraphs make of each other, checked before anything is unrolled:
// a small file can describe endless or exponentially many operators.
//
// Errors: throws ImportError where a subgraph runs itself, where calls nest deeper
// than the tree of a graph allows, or where the model runs too many operators.
#pragma once

#include <string_view>

#include "import/tflite/file.h"

namespace edgejoule::import {

void check_calls(const TfliteFile& model, std::string_view file);

}  // namespace edgejoule::import
