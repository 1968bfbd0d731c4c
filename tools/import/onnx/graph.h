// An ONNX model as the steps an inference runs: names resolved, functions inlined,
// nodes in an order in which each finds its operands, shapes inferred on the way.
//
// Lifetime: views the OnnxFile and its bytes.
// Shape: a step stands for one node of the file, or of a function at one of its calls;
// bodies of control flow are steps of their own below it.
// Errors: throws ImportError for names that nothing defines, cycles, functions that
// call themselves, and dimensions that are open and not bound.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/dims.h"
#include "import/import.h"
#include "import/onnx/file.h"
#include "import/onnx/ops.h"

namespace edgejoule::import {

using OnnxNumbers = std::vector<double>;
inline constexpr std::uint32_t kNoValue = 0xFFFFFFFFU;
// Larger tensors hold data, not shapes.
inline constexpr std::size_t kMaxOnnxNumbers = 1024;

struct OnnxValue {
  std::string_view name;
  DataType type = DataType::kUnknown;
  std::optional<Dims> dims;            // nothing where nobody can tell
  std::optional<OnnxNumbers> numbers;  // of small tensors, where known
  bool constant = false;               // known before the first inference: weights and what is made of them
  // What a DequantizeLinear made: from where, and how its scales are stored.
  std::uint32_t dequantised_from = kNoValue;
  std::uint64_t scales = 0;
  DataType scale_type = DataType::kUnknown;
};

struct OnnxStep;

struct OnnxBody {
  std::string name;
  std::vector<OnnxStep> steps;
  std::vector<std::uint32_t> outputs;
};

struct OnnxStep {
  const OnnxNode* node = nullptr;
  const OnnxOp* row = nullptr;
  std::int64_t opset = 0;              // of the node's domain
  std::vector<std::uint32_t> inputs;   // kNoValue: left out
  std::vector<std::uint32_t> outputs;  // likewise
  std::vector<std::string> caller;     // scopes of the functions it was inlined from
  bool at_load = false;                // works on constants alone, or only states shapes: once, when the model loads
  // Control flow.
  std::vector<OnnxBody> bodies;
  std::uint64_t trips = 1;
  bool trips_known = false;
  bool may_end_early = false;

  [[nodiscard]] std::uint32_t input(std::size_t i) const { return i < inputs.size() ? inputs[i] : kNoValue; }
  [[nodiscard]] std::uint32_t output(std::size_t i) const { return i < outputs.size() ? outputs[i] : kNoValue; }
};

struct OnnxProgram {
  std::vector<OnnxValue> values;
  std::vector<OnnxStep> steps;
  std::vector<std::uint32_t> outputs;           // of the model
  std::deque<OnnxNode> bound_nodes;             // of functions, with the attributes of their calls
  std::uint64_t batch = 1;                      // of the first input
  std::map<std::string, std::int64_t> assumed;  // dimensions taken as 1 for their name
  std::map<std::string, std::int64_t> bound;    // dimensions bound by the caller, and used
  std::uint64_t inlined_calls = 0;
  std::uint64_t bounded_results = 0;  // sizes known at run time only, taken as the largest possible
  bool sorted = false;                // the file's nodes were in no order of execution
};

[[nodiscard]] OnnxProgram lower_onnx(const OnnxFile& model, std::string_view file, const Bindings& bindings);

}  // namespace edgejoule::import
