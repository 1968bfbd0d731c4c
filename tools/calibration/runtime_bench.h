// One engine of a runtime that is a command, measured on the rails: what one inference draws above idle.
//
// Shape: profile | idle | short run | idle | long run | idle      (a long run that turned out too short for the sensor
// is followed by a longer one)
// Units: joules above idle, seconds; of one inference.
// Errors: NotSeen and what RuntimeCommand throws; MachineError; Interrupted; RailLost.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>

#include "calibration/engine_parts.h"
#include "calibration/machine.h"
#include "calibration/runtime_command.h"

namespace edgejoule::calibration {

[[nodiscard]] inline double seconds(std::int64_t ns) {
  return 1e-9 * static_cast<double>(ns);
}

// Somebody asked to end, or time ran out, inside an engine.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A rail of the total has gone silent, for good as it seems.
struct RailLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The engine ran, and what the rails told of it says too little: of an engine that draws next to nothing, or beside
// something that drew more.
struct NotSeen : RuntimeError {
  using RuntimeError::RuntimeError;
};

struct BenchResult {
  Engine engine;
  InferenceEnergy energy;
  double joules_error = 0;  // standard error
  double idle_watts = 0;
  double run_watts = 0;          // of the long run, idle included
  std::uint64_t inferences = 0;  // of the long run
  std::string problem;           // why it should be measured again; empty: good
};

class RuntimeBench {
 public:
  // Lifetime: views both.
  RuntimeBench(Machine& machine, RuntimeCommand& command);

  // `ended` is asked all along; where it says yes the command is ended, for good if it does not listen.
  [[nodiscard]] BenchResult measure(const Experiment& experiment, const std::function<bool()>& ended);
  // That an engine takes beside loading and building.
  [[nodiscard]] double least_seconds() const;

 private:
  template <class Work>
  [[nodiscard]] auto watched(const Experiment& experiment, const std::function<bool()>& ended, Work work);

  Machine& machine_;
  RuntimeCommand& command_;
  double cycle_s_ = 0, long_run_s_ = 0, idle_s_ = 0;
};

}  // namespace edgejoule::calibration
