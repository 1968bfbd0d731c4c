// A TFLite file whose structure and indices have been checked: what the rest of the
// import may walk without looking over its shoulder.
//
// Lifetime: views the bytes handed to open(), which must outlive it.
// Shape: a dimension that a file leaves open (-1) stands as 1 and is counted in
// `open_dims`.
// Errors: throws ImportError.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "edgejoule/core/span.h"
#include "import/dims.h"
#include "schemas/tflite_wire_generated.h"

namespace edgejoule::import {

using IndexSpan = std::span<const std::int32_t>;

struct TfliteTensor {
  std::string_view name;
  tflite_wire::TensorType type = tflite_wire::TensorType::float32;
  std::optional<Dims> dims;  // nothing: neither a shape nor a rank is stated
  std::uint32_t open_dims = 0;
  bool batch_open = false;  // the first dimension is one of the open ones
  bool constant = false;
  bool variable = false;
  bool sparse = false;
  std::uint32_t buffer = 0;
  std::uint64_t scale_count = 0;
  std::uint64_t stored_bytes = 0;      // 0 where the data lies in another file
  std::span<const std::uint8_t> data;  // constants; pages are only touched when read
};

struct TfliteOperator {
  std::int32_t code = 0;
  std::string_view custom_code;
  IndexSpan inputs;                             // -1: an optional input left out
  IndexSpan outputs;                            // -1: likewise
  const tflite_wire::Operator* wire = nullptr;  // for the options
};

struct TfliteSubgraph {
  std::string_view name;
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOperator> operators;
  IndexSpan inputs;
  IndexSpan outputs;
};

struct TfliteFile {
  std::string_view description;
  std::vector<TfliteSubgraph> subgraphs;
  // Subgraphs that a signature names as an entry point.
  std::vector<std::uint32_t> entry_points;
  std::uint64_t external_tensors = 0;  // constants stored in other files

  [[nodiscard]] static bool recognises(Span<const std::byte> bytes) noexcept;
  // `file` is what messages call it. Precondition: bytes start on an 8-byte boundary.
  [[nodiscard]] static TfliteFile open(Span<const std::byte> bytes, std::string_view file);
};

// Subgraphs an operator runs or refers to, with what it does to them.
enum class SubgraphUse : std::uint8_t {
  kCall,       // runs once
  kBranch,     // at most one of these runs
  kCondition,  // of a loop
  kBody,       // of a loop
  kOnce,       // at the first inference only
  kElement     // computes one element of the operator's result
};
struct SubgraphReference {
  SubgraphUse use;
  std::uint32_t subgraph;
};
[[nodiscard]] std::vector<SubgraphReference> subgraphs_of(const TfliteOperator& op);

}  // namespace edgejoule::import
