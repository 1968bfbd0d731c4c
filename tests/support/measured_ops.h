// Measurements that tests make up: of nothing yet, and of single ops.
//
// Units: joules above idle.
#pragma once

#include <string>

#include "graph/ops.h"
#include "measurements/measurement_set.h"

namespace edgejoule::test {

inline measurements::MeasurementSet empty_set() {
  measurements::MeasurementSet set;
  set.boundary = BoundaryKind::kModuleInput;
  set.baseline = BaselineKind::kAboveIdle;
  set.board = "test board";
  set.engine = "gpu";
  set.idle_watts = 1.5;
  return set;
}

inline measurements::Measurement measured_op(const graph::OpNode& op, double joules, const std::string& group) {
  measurements::Measurement m;
  m.kind = op.kind;
  m.op_class = op.op_class == OpClass::kUnknown ? class_of(op.kind) : op.op_class;
  m.data_type = DataType::kFloat32;
  m.facts = op.facts;
  m.energy_joules = joules;
  m.group = group;
  m.origin = "test:" + group;
  return m;
}

}  // namespace edgejoule::test
