// What TensorRT's trtexec writes about a run: --exportTimes (one entry per inference),
// --exportProfile (time per layer, of a profiled run) and --exportLayerInfo (which nodes
// of the model a layer of the engine is made of).
//
// Units: seconds; trtexec writes milliseconds with six digits.
// Shape: times are an array of objects; a profile is an array whose first entry is the
// count of inferences; layer information is an object with "Layers", each a name, or an
// object with Name, LayerType and Metadata where the engine was built with
// --profilingVerbosity=detailed. Fields that newer releases add are ignored.
// Source: NVIDIA/TensorRT, samples/common/sampleReporting.cpp (exportJSONTrace,
// exportJSONProfile); the developer guide's "Engine Inspector".
// Errors: TimelineError: which file, where in it, what, what to do next.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/timeline_error.h"

namespace edgejoule::timeline {

// From the start of the run; without instants of another clock.
struct InferenceTime {
  double compute_begin = 0;
  double compute_end = 0;
  double latency = 0;  // with transfers to and from the device
};

struct LayerTime {
  std::string name;
  double seconds = 0;  // of all inferences together
};

struct LayerProfile {
  std::uint64_t inferences = 0;
  std::vector<LayerTime> layers;  // in the order in which they run

  [[nodiscard]] double seconds_per_inference(const LayerTime& layer) const {
    return layer.seconds / static_cast<double>(inferences);
  }
};

struct EngineLayer {
  std::string name;
  std::string type{};                // "" where only names were written
  std::vector<std::string> nodes{};  // of the model
  bool is_subgraph = false;          // compiled as a whole: a DLA's, or one of a graph compiler
  bool is_range = false;             // nodes are the ends of a range
  bool is_reformat = false;          // moves data, computes nothing of the model
};

// `file_name` is for messages.
[[nodiscard]] std::vector<InferenceTime> read_times(std::string_view json, const std::string& file_name);
[[nodiscard]] LayerProfile read_profile(std::string_view json, const std::string& file_name);
[[nodiscard]] std::vector<EngineLayer> read_layers(std::string_view json, const std::string& file_name);

// The nodes behind a layer's name: "a + b", "PWN(a, b)", "PWN(PWN(a), PWN(b))",
// "{ForeignNode[first...last]}", "Reformatting CopyNode for Input Tensor 0 to a".
[[nodiscard]] EngineLayer layer_of_name(const std::string& name);

// Which nodes of a model, by place, stand behind every layer; each node in one layer at
// most. `nodes` are the model's, in execution order.
struct LayerNodes {
  std::vector<std::vector<std::size_t>> of_layer;  // as many as layers
  std::vector<std::size_t> nowhere;                // nodes that no layer names
  std::vector<std::string> unknown;                // names in layers that the model does not have
};
[[nodiscard]] LayerNodes assign_nodes(std::span<const EngineLayer> layers, std::span<const std::string> nodes);

}  // namespace edgejoule::timeline
