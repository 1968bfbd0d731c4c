// Model graphs for tests: nodes in preorder, then packed. What a test wants broken it
// breaks in the wire object.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edgejoule/core/graph.h"
#include "files/file_bytes.h"
#include "schemas/graph_generated.h"

namespace edgejoule::test {

struct NodeSpec {
  OpKind kind = OpKind::kUnknown;
  std::uint32_t parent = 0;
  DataType data_type = DataType::kFloat32;
  Facts facts = {};
  std::string name = {};
  std::uint8_t engine = 255;
  OpClass op_class = OpClass::kUnknown;  // kUnknown: the class of the kind
};

// Node 0, the root of kind model, is added; specs follow it in preorder.
[[nodiscard]] wire::ModelGraphT graph_of(const std::vector<NodeSpec>& specs);
[[nodiscard]] files::FileBytes pack(const wire::ModelGraphT& graph);

// Facts of common ops, float32: input, output and weight bytes included.
[[nodiscard]] Facts conv_facts(std::uint64_t batch, std::uint64_t in_h, std::uint64_t in_w, std::uint64_t in_c,
                               std::uint64_t out_c, std::uint64_t kernel, std::uint64_t stride = 1,
                               std::uint64_t groups = 1);
[[nodiscard]] Facts dense_facts(std::uint64_t batch, std::uint64_t rows, std::uint64_t in, std::uint64_t out);
[[nodiscard]] Facts elementwise_facts(std::uint64_t elements, std::uint64_t alu_per_output = 1);

// A flat or nested model of `ops` dense layers, `per_block` to a block; 0: all under the root.
[[nodiscard]] files::FileBytes layered_graph(std::uint32_t ops, std::uint32_t per_block);

}  // namespace edgejoule::test
