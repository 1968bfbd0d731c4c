// An imported graph with another batch or data type, its facts rewritten as if the file had
// been exported that way, or for another engine.
//
// Shape: a batch multiplies work, activations and the rows that lookups read; weights
// stay. A data type rewrites what is stored and computed in floating point: indices,
// masks and weights already narrower keep theirs. To int8 (one scale per channel) and
// uint8 (one per tensor) every floating tensor becomes narrow, biases become int32.
// Errors: throws ChangeError where the file does not say enough to be exact.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "edgejoule/core/op_kinds.h"
#include "files/file_bytes.h"

namespace edgejoule::predict {

struct ChangeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct GraphChange {
  std::optional<std::uint64_t> batch;    // inputs per inference
  std::optional<DataType> data_type;     // float32, float16, bfloat16, int8, uint8
  std::optional<std::uint8_t> engine{};  // of a table, for ops that name none
};

// `file` is for messages.
[[nodiscard]] files::FileBytes change_graph(const files::FileBytes& graph, const GraphChange& change,
                                            const std::string& file);

}  // namespace edgejoule::predict
