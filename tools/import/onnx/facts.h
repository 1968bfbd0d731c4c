// One step of an ONNX model as graph nodes with exact facts: one node, or several for
// operators that fuse what the graph counts apart (packed attention, embeddings).
//
// Errors: graph::GraphError where counts exceed 64 bits or dimensions contradict each
// other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph_builder.h"
#include "graph/op_work.h"
#include "graph/ops.h"
#include "import/onnx/graph.h"
#include "import/onnx/quantised.h"

namespace edgejoule::import {

// What an import learns while it walks the steps and a person should know.
struct OnnxObservations {
  std::map<std::string, std::uint64_t> unknown_ops;    // type name: how many
  std::map<std::string, std::uint64_t> unknown_bytes;  // type name: bytes of all
  std::uint64_t uncounted_graphs = 0;                  // that unknown ops hold
  std::uint64_t unknown_shapes = 0;                    // ops that could not be counted for it
  std::string first_unknown_shape;
  std::uint64_t load_time_ops = 0;
  std::uint64_t quantised_ops = 0;    // between DequantizeLinear and QuantizeLinear
  std::uint64_t folded_ops = 0;       // those two themselves
  std::uint64_t dequantised_ops = 0;  // narrow weights on float activations
};

class OnnxFacts {
 public:
  // `seen`: values whose weights an earlier step has counted.
  OnnxFacts(const OnnxProgram& program, const OnnxFolding& folding, std::set<std::uint32_t>& seen,
            OnnxObservations& observations)
      : program_(program), folding_(folding), seen_(seen), observations_(observations) {}

  // `index`: of the step in the list that `folding` was made of.
  [[nodiscard]] std::vector<graph::OpNode> nodes(const OnnxStep& step, std::size_t index, const std::string& name);

 private:
  using Shape = const Dims*;
  using Nodes = std::optional<std::vector<graph::OpNode>>;  // nothing: a shape is missing or does not fit
  using Node = std::optional<graph::OpNode>;

  // A value as the step reads it: what is behind a DequantizeLinear where a kernel reads
  // that instead.
  struct Operand {
    std::uint32_t value = kNoValue;
    DataType type = DataType::kUnknown;
    std::uint64_t scales = 0;
    DataType scale_type = DataType::kFloat32;
  };
  [[nodiscard]] Operand operand(std::uint32_t value) const;
  [[nodiscard]] bool has(const OnnxStep& step, std::size_t input) const { return step.input(input) != kNoValue; }
  [[nodiscard]] bool is_constant(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] Shape shape(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] Shape result_shape(const OnnxStep& step) const;
  [[nodiscard]] DataType type(const OnnxStep& step, std::size_t input) const;
  [[nodiscard]] DataType result_type(const OnnxStep& step, std::size_t output = 0) const;
  [[nodiscard]] graph::Tensor tensor(std::uint32_t value);
  [[nodiscard]] std::vector<graph::Tensor> operands(const OnnxStep& step, bool skip_parameters);
  [[nodiscard]] std::vector<graph::Tensor> results(const OnnxStep& step) const;
  [[nodiscard]] graph::WeightUse weights(const OnnxStep& step, std::size_t input, std::int8_t scale_input);
  [[nodiscard]] graph::OpTypes types(const OnnxStep& step) const;

  [[nodiscard]] Nodes counted(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node by_class(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] graph::OpNode opaque(const OnnxStep& step, const graph::OpContext& context, OpClass op_class);
  [[nodiscard]] Node elementwise(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node softmax(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node normalisation(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node pooling(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node lookup(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node movement(const OnnxStep& step, graph::OpContext& context);

  [[nodiscard]] Node convolution(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node gemm(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node matmul(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node matmul_n_bits(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node einsum(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node recurrent(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Nodes packed_attention(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Node attention(const OnnxStep& step, graph::OpContext& context);
  [[nodiscard]] Nodes embed_normalisation(const OnnxStep& step, graph::OpContext& context);

  // One matrix of weights for all rows of the data.
  [[nodiscard]] graph::OpNode dense(const OnnxStep& step, graph::OpContext& context, std::uint64_t rows,
                                    std::uint64_t k, std::uint64_t n);
  void add_work(graph::OpNode& node, const graph::ScalarWork& each, std::uint64_t times, DataType type) const;
  // Of narrow weights on float activations: each weight is made a float where it is used.
  void add_dequantisation(graph::OpNode& node, const graph::OpTypes& types, std::uint64_t elements);

  const OnnxProgram& program_;
  const OnnxFolding& folding_;
  std::set<std::uint32_t>& seen_;
  OnnxObservations& observations_;
  bool quantised_ = false;  // the step at hand runs on narrow integers
};

}  // namespace edgejoule::import
