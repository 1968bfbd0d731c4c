// Ops as facts: one function per family turns what an op means into a graph node
// with exact facts. Importers and the zoo both come through here, so an op costs
// the same whatever file it stood in.
//
// Units: elements; bytes are rounded up per tensor (three int4 values are two bytes).
// Shape: MACs follow from the facts (core counts them); bias additions, rescaling of
// quantised results and fused activations are element work, folded into
// alu_per_output and special_per_output; work per row stands in stated_alu and
// stated_special. weight_bytes is what one execution reads, unique_weight_bytes and
// parameters count a tensor once, where it is first used; scales stand apart in
// scale_bytes.
// Errors: throws GraphError naming the op where a count exceeds 64 bits or
// dimensions contradict each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph_builder.h"

namespace edgejoule::graph {

// What every op has.
struct OpContext {
  std::string name{};
  std::string type_name{};
  std::uint8_t engine = 255;
  std::uint64_t batch = 1;
  std::uint64_t tokens = 0;  // batch * sequence, where the model has one
  std::uint64_t sequence = 0;
};

struct OpTypes {
  DataType input = DataType::kFloat32;
  DataType output = DataType::kUnknown;  // unknown: as input
  DataType weight = DataType::kUnknown;  // unknown: as input
  DataType bias = DataType::kUnknown;    // unknown: int32 beside integer arithmetic (int64 beside int16), else as input
  DataType arithmetic = DataType::kUnknown;  // unknown: as input
};

// How weights are stored.
struct WeightUse {
  std::uint64_t scales = 0;  // quantisation scales: one per channel or per block
  DataType scale_type = DataType::kFloat32;
  bool seen_before = false;  // shared: an earlier op has counted it
  bool constant = true;      // false: computed at run time, then it is an input
};

// A tensor of an op without weights in the narrow sense.
struct Tensor {
  std::uint64_t elements = 0;
  DataType type = DataType::kFloat32;
  bool constant = false;     // stored in the model: weight bytes and parameters
  bool seen_before = false;  // constant and counted by an earlier op
};

// Convolutions of one to three dimensions, grouped and depthwise; in_* and out_* are
// those of the op (a transposed convolution has the larger output).
struct ConvolutionParams {
  OpKind kind = OpKind::kUnknown;  // unknown: depthwise, conv_3d or conv_2d by the numbers below
  std::uint64_t in_d = 1, in_h = 1, in_w = 1, in_c = 1;
  std::uint64_t out_d = 1, out_h = 1, out_w = 1, out_c = 1;
  std::uint64_t kernel_d = 1, kernel_h = 1, kernel_w = 1;
  std::uint64_t stride_d = 1, stride_h = 1, stride_w = 1;
  std::uint64_t dilation_h = 1, dilation_w = 1;
  std::uint64_t groups = 1;
  bool has_bias = true;
  OpKind fused_activation = OpKind::kUnknown;
  OpTypes types{};
  WeightUse weights{};
};
[[nodiscard]] OpNode convolution(const OpContext& context, const ConvolutionParams& params);
[[nodiscard]] OpNode transposed_convolution(const OpContext& context, const ConvolutionParams& params);

// context.batch x (m x k) times one (k x n).
struct DenseParams {
  std::uint64_t m = 1, k = 1, n = 1;
  bool has_bias = true;
  OpKind fused_activation = OpKind::kUnknown;
  OpTypes types{};
  WeightUse weights{};
};
[[nodiscard]] OpNode dense(const OpContext& context, const DenseParams& params);

// `products` x (m x k) times (k x n); the right side is an input unless right.constant,
// and exists right_matrices times (fewer than products: broadcast).
struct BatchMatmulParams {
  std::uint64_t products = 1, m = 1, k = 1, n = 1;
  std::uint64_t left_matrices = 0;   // 0: one per product
  std::uint64_t right_matrices = 0;  // 0: one per product
  OpTypes types{};
  WeightUse right{.scales = 0, .scale_type = DataType::kFloat32, .seen_before = false, .constant = false};
};
[[nodiscard]] OpNode batch_matmul(const OpContext& context, const BatchMatmulParams& params);

// LSTM, GRU and RNN over `steps`; SVDF with filters = units and memory in steps of
// state. Weights are read again at every step.
struct RecurrentParams {
  OpKind kind = OpKind::kLstm;
  std::uint64_t steps = 1, directions = 1;
  std::uint64_t inputs = 1, units = 1;
  std::uint64_t projection = 0;   // LSTM: units of the projected state; 0: none
  std::uint64_t svdf_memory = 0;  // SVDF: length of the time filter
  std::uint64_t svdf_rank = 1;
  bool coupled_input_gate = false;  // LSTM with three gates
  bool peepholes = false;
  bool every_step = true;  // the output holds all steps, not the last alone
  OpKind activation = OpKind::kTanh;
  OpTypes types{};
  WeightUse weights{};
};
[[nodiscard]] OpNode recurrent(const OpContext& context, const RecurrentParams& params);

// Fused scaled dot-product attention: scores, softmax and weighted sum.
struct AttentionParams {
  std::uint64_t heads = 1;
  std::uint64_t kv_heads = 0;     // 0: heads
  std::uint64_t queries = 1;      // rows per head
  std::uint64_t context = 1;      // keys per head
  std::uint64_t depth = 1;        // per head
  std::uint64_t value_depth = 0;  // 0: depth
  OpTypes types{};
};
[[nodiscard]] OpNode attention(const OpContext& context, const AttentionParams& params);

// Elementwise kinds and activations of any number of inputs.
struct ElementwiseParams {
  OpKind kind = OpKind::kAdd;
  std::vector<Tensor> inputs{};
  Tensor output;
  OpKind fused_activation = OpKind::kUnknown;
};
[[nodiscard]] OpNode elementwise(const OpContext& context, const ElementwiseParams& params);

// kSoftmax or kLogSoftmax over `rows` rows of `width`.
[[nodiscard]] OpNode softmax(const OpContext& context, OpKind kind, std::uint64_t rows, std::uint64_t width,
                             DataType type);

// `groups` statistics are computed over `elements` in all (layer norm: one per row);
// `parameters` are gains and biases.
struct NormalisationParams {
  OpKind kind = OpKind::kLayerNorm;
  std::uint64_t elements = 0;
  std::uint64_t groups = 1;
  std::uint64_t parameters = 0;
  OpTypes types{};
  bool seen_before = false;
};
[[nodiscard]] OpNode normalisation(const OpContext& context, const NormalisationParams& params);

// Reductions, arg_max, top_k, cumsum.
[[nodiscard]] OpNode reduction(const OpContext& context, OpKind kind, const Tensor& input,
                               const std::vector<Tensor>& outputs);

struct PoolingParams {
  OpKind kind = OpKind::kAveragePool2d;  // global kinds: the kernel is the input
  std::uint64_t in_h = 1, in_w = 1, channels = 1, out_h = 1, out_w = 1;
  std::uint64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  OpKind fused_activation = OpKind::kUnknown;
  DataType type = DataType::kFloat32;
};
[[nodiscard]] OpNode pooling(const OpContext& context, const PoolingParams& params);

// Gather and embedding: of the table only the rows read are traffic.
struct LookupParams {
  OpKind kind = OpKind::kGather;
  Tensor table;
  std::uint64_t rows_read = 1;
  std::uint64_t row_elements = 1;
  Tensor indices;
  DataType output_type = DataType::kUnknown;  // unknown: that of the table
  WeightUse weights{};                        // of a constant table: scales read
};
[[nodiscard]] OpNode lookup(const OpContext& context, const LookupParams& params);

// Resizes, transposes, concatenations, casts, quantisation. Kinds that only give the
// same bytes another shape or name (reshape, shape, identity, variable, constant)
// move none and are executed no time (repeats 0), so that no row charges a launch for
// them: see is_free.
[[nodiscard]] OpNode data_movement(const OpContext& context, OpKind kind, const std::vector<Tensor>& inputs,
                                   const std::vector<Tensor>& outputs);
[[nodiscard]] bool is_free(OpKind kind);

// Branches and loops: the work stands in their bodies.
[[nodiscard]] OpNode control(const OpContext& context, OpKind kind);

// Work no formula covers: its bytes and class, and what its importer can state.
struct OpaqueParams {
  OpKind kind = OpKind::kUnknown;
  OpClass op_class = OpClass::kUnknown;
  std::vector<Tensor> inputs{};
  std::vector<Tensor> outputs{};
  std::uint64_t macs = 0, alu_ops = 0, special_ops = 0;
};
[[nodiscard]] OpNode opaque(const OpContext& context, const OpaqueParams& params);

}  // namespace edgejoule::graph
