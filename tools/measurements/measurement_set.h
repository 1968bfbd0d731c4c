// What was measured: ops, modules and models with their facts and joules, and what
// those joules mean.
//
// Units: joules, seconds, watts; shares of 1. A negative run-time fact was not measured.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/op_kinds.h"
#include "edgejoule/core/table.h"

namespace edgejoule::measurements {

// A file that cannot be used: what, where and what to do next.
struct MeasurementError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class NodeLevel : std::uint8_t { kOp, kModule, kModel };

// One of several ops that were measured together.
struct Part {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  DataType data_type = DataType::kUnknown;
  Facts facts;
  double count = 1;  // executions in the measured joules
};

// A measurement below a module or model, by its place in the set.
struct Child {
  std::size_t index = 0;
  double count = 1;
};

struct Measurement {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  DataType data_type = DataType::kUnknown;
  Facts facts;
  double energy_joules = 0;
  double time_seconds = -1;
  std::string group;   // rows of one group are never split between fitting and testing
  std::string origin;  // "file:line", for messages

  NodeLevel level = NodeLevel::kOp;
  std::uint32_t repetitions = 1;  // executions behind energy_joules, which is of one
  double weight = 1;              // equal rows merged into this one
  std::string model{};
  std::string family{};  // of models
  std::string device{};  // board, runtime and settings, where a set spans several
  double counter_joules = -1;
  double utilisation = -1;
  double memory_utilisation = -1;
  std::shared_ptr<const std::vector<Part>> parts{};  // null: the op itself
  std::vector<Child> children{};                     // of modules and models; each stands before its parent
  std::vector<double> source_columns{};              // as the source has them, for methods that use them raw
};

// A row that was read and left out.
struct Exclusion {
  std::string origin;
  std::string reason;
};

// Joules of different boundary or baseline are different quantities: one set has one
// of each, and never mixes them.
struct MeasurementSet {
  BoundaryKind boundary = BoundaryKind::kUnknown;
  std::vector<std::string> rails;
  std::string boundary_description;
  BaselineKind baseline = BaselineKind::kUnknown;
  std::string idle_state;

  std::string board;
  std::string board_compatible;
  std::string os_release;
  std::string runtime;
  std::string backend;
  std::string engine;  // "" where not stated
  EngineKind engine_kind = EngineKind::kUnknown;
  std::uint64_t last_level_bytes = 0;
  double idle_watts = -1;  // of the boundary, where it was measured

  std::string source;
  std::string licence;
  std::string protocol;
  std::string sha256;  // of the file

  std::vector<Measurement> measurements;
  std::vector<Exclusion> excluded;
};

}  // namespace edgejoule::measurements
