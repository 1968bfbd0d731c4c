// One TFLite operator as a graph node with exact facts.
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
#include "graph/ops.h"
#include "import/tflite/file.h"
#include "import/tflite/ops.h"
#include "import/tflite/shapes.h"

namespace edgejoule::import {

// What an import learns while it walks the operators and a person should know.
struct TfliteObservations {
  std::map<std::string, std::uint64_t> unknown_ops;  // type name: how many
  std::uint64_t unknown_shapes = 0;                  // operators that could not be counted for it
  std::string first_unknown_shape;
  std::uint64_t sparse_weights = 0;
  std::uint64_t hybrid_ops = 0;     // integer weights on float activations
  std::uint64_t load_time_ops = 0;  // run once, on constants
  std::uint64_t diagonal_recurrent = 0;
};

class TfliteFacts {
 public:
  // `seen_buffers`: whose weights an earlier operator has counted.
  TfliteFacts(const TfliteSubgraph& graph, const TfliteShapes& shapes, std::uint64_t model_batch,
              std::set<std::uint32_t>& seen_buffers, TfliteObservations& observations);

  // In execution order: what is made of constants alone is remembered as constant.
  [[nodiscard]] graph::OpNode node(const TfliteOperator& op, const std::string& name);

 private:
  using Shape = const Dims*;

  [[nodiscard]] bool has(const TfliteOperator& op, std::size_t input) const;
  [[nodiscard]] Shape shape(const TfliteOperator& op, std::size_t input) const;
  [[nodiscard]] Shape result_shape(const TfliteOperator& op) const;
  [[nodiscard]] DataType type(std::int32_t tensor) const;
  [[nodiscard]] graph::Tensor tensor(std::int32_t index);
  [[nodiscard]] std::vector<graph::Tensor> results(const TfliteOperator& op);
  [[nodiscard]] std::vector<graph::Tensor> operands(const TfliteOperator& op, bool skip_parameters);
  [[nodiscard]] graph::WeightUse weights(const TfliteOperator& op, std::size_t input);
  [[nodiscard]] graph::OpTypes types(const TfliteOperator& op, std::size_t input, std::size_t weight,
                                     std::size_t bias) const;
  [[nodiscard]] bool runs_at_load(const TfliteOperator& op, const TfliteOp& row) const;

  using Node = std::optional<graph::OpNode>;  // nothing: a shape is missing or does not fit
  [[nodiscard]] Node counted(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] Node by_class(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] Node conv_2d(const TfliteOperator& op, graph::OpContext& context, bool depthwise);
  [[nodiscard]] Node conv_3d(const TfliteOperator& op, graph::OpContext& context, bool transposed);
  [[nodiscard]] Node transpose_conv(const TfliteOperator& op, graph::OpContext& context, std::size_t data);
  [[nodiscard]] Node stablehlo_convolution(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node stablehlo_dot(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node dense(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node batch_matmul(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node lstm(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] Node basic_lstm(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node rnn(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] Node svdf(const TfliteOperator& op, graph::OpContext& context);
  [[nodiscard]] Node pool_2d(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] Node lookup(const TfliteOperator& op, const TfliteOp& row, graph::OpContext& context);
  [[nodiscard]] graph::OpNode opaque(const TfliteOperator& op, const TfliteOp& row, const graph::OpContext& context,
                                     OpClass op_class);
  // What a product multiplies: the types of its operands, and how its weights are stored.
  template <class Params>
  void set_operands(Params& p, const TfliteOperator& op, std::size_t input, std::size_t weight, std::size_t bias);
  // A product of narrow weights quantises its float data, input 0, first.
  [[nodiscard]] graph::OpNode with_dynamic_quantisation(graph::OpNode node, const TfliteOperator& op);

  const TfliteSubgraph& graph_;
  const TfliteShapes& shapes_;
  std::uint64_t model_batch_;
  std::set<std::uint32_t>& seen_;
  TfliteObservations& observations_;
  std::vector<bool> constant_;         // per tensor
  std::vector<std::uint32_t> buffer_;  // per tensor: where its constant bytes come from
};

}  // namespace edgejoule::import
