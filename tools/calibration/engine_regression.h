// Coefficients of a runtime's ops from the joules of many engines: what a layer drew
// alone nobody can read from a rail, what many engines drew together can be regressed.
//
// Units: joules per execution, per MAC and per byte.
// Shape: a row per kind and data type: launch, MACs where there are any, bytes of its
// tensors; all rows are fitted together, none below zero, relative to what was measured.
// Errors: RuntimeError where engines are fewer than coefficients, or one drew nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/engine_parts.h"
#include "edgejoule/core/features.h"

namespace edgejoule::calibration {

struct MeasuredEngine {
  Engine engine;
  InferenceEnergy energy;
};

struct RegressedCoefficient {
  Feature feature = Feature::kOne;
  double joules = 0;          // per unit of the feature
  double relative_error = 0;  // standard error, as a share; 1 and more: not seen
};

struct RegressedRow {
  OpKind kind = OpKind::kUnknown;
  DataType data_type = DataType::kUnknown;
  std::vector<RegressedCoefficient> coefficients;
};

[[nodiscard]] std::vector<RegressedRow> regress(std::span<const MeasuredEngine> engines);

// Joules of one inference of an engine whose kinds all have a row.
[[nodiscard]] double predict(std::span<const RegressedRow> rows, const Engine& engine);

}  // namespace edgejoule::calibration
