// What an engine is made of: ops of the model as the runtime fused them, each part with
// facts of its own.
//
// Shape: a product with element work fused into it keeps its kind and facts, the fused
// work is stated beside them and what stays inside the layer is no traffic; what a DLA or
// a graph compiler runs as a whole is one part of kind subgraph with the summed facts.
// Errors: ImportError of the experiment's file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calibration/runtime_command.h"
#include "measurements/measurement_set.h"
#include "workloads/workload.h"

namespace edgejoule::calibration {

// Each op by itself, and products with an activation behind them, as far as the command's
// format can say them; held-out candidates become held-out experiments. Threads are the
// runtime's own affair: of candidates that differ in them alone the first counts.
// A command that tells no layers gets no pairs: whether the two ran as one nobody knows, and
// taken as two they make an activation look free (on the stand-in 90 % too low).
[[nodiscard]] std::vector<Experiment> experiments_of(std::span<const workloads::Candidate> candidates,
                                                     const RuntimeCommand& command);

struct EnginePart {
  graph::OpNode op;
  std::string layer;    // "" where the runtime told nothing of its layers
  double seconds = -1;  // per inference, from a profiled run; negative: not known
};

struct Engine {
  std::string name;
  std::vector<EnginePart> parts;
  std::vector<std::string> notes;  // what had to be assumed, one sentence each
};

// `ops` run as one layer.
[[nodiscard]] graph::OpNode fuse(std::span<const graph::OpNode> ops, const std::string& name);

// The model's ops come from importing the experiment's file, so that they are what any
// model of the user's will be priced as.
[[nodiscard]] Engine engine_of(const Experiment& experiment, const std::filesystem::path& model,
                               const RuntimeProfile& profile);

// Joules and seconds of one inference, free of what a run costs beside its inferences
// (loading, building, the first inference): from a short and a long run of one engine.
struct RunEnergy {
  std::uint64_t inferences = 0;
  double joules = 0;   // of the whole run, above the baseline
  double seconds = 0;  // of the whole run
};
struct InferenceEnergy {
  double joules = 0;
  double seconds = 0;
};
// Throws RuntimeError where the runs are of one length, or the longer took less.
[[nodiscard]] InferenceEnergy per_inference(const RunEnergy& shorter, const RunEnergy& longer);

// As `fit` takes it: an op where the engine is one part, else a model of parts.
[[nodiscard]] measurements::Measurement measurement_of(const Engine& engine, const InferenceEnergy& energy);

}  // namespace edgejoule::calibration
