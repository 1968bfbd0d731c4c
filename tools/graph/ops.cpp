#include "graph/ops.h"

#include <fmt/format.h>

#include "graph/exact.h"
#include "graph/op_work.h"
#include "graph/transistor_ops.h"

namespace edgejoule::graph {
namespace {

bool is_integer(DataType type) {
  switch (type) {
    case DataType::kInt4:
    case DataType::kUint4:
    case DataType::kInt8:
    case DataType::kUint8:
    case DataType::kInt16:
    case DataType::kUint16: return true;
    default: return false;
  }
}

DataType either(DataType stated, DataType fallback) {
  return stated != DataType::kUnknown ? stated : fallback;
}

OpTypes complete(OpTypes types) {
  types.output = either(types.output, types.input);
  types.weight = either(types.weight, types.input);
  types.arithmetic = either(types.arithmetic, types.input);
  if (types.bias == DataType::kUnknown) {
    const bool wide = types.arithmetic == DataType::kInt16 || types.arithmetic == DataType::kUint16;
    types.bias = !is_integer(types.input) ? types.input : wide ? DataType::kInt64 : DataType::kInt32;
  }
  return types;
}

// A node whose facts are being gathered. Element work is collected here and turned
// into facts once, with the transistor operations that belong to it.
class OpFacts {
 public:
  OpFacts(const OpContext& context, OpKind kind, OpClass op_class = OpClass::kUnknown) : exact_(context.name) {
    node_.kind = kind;
    node_.op_class = op_class == OpClass::kUnknown ? class_of(kind) : op_class;
    node_.engine = context.engine;
    node_.name = context.name;
    node_.type_name = context.type_name;
    set(Fact::kBatch, context.batch);
    set(Fact::kTokens, context.tokens);
    set(Fact::kSequence, context.sequence);
    work_ = work_of(kind);
  }

  OpFacts& set(Fact fact, std::uint64_t value) {
    node_.facts.set(fact, value);
    return *this;
  }
  void grow(Fact fact, std::uint64_t amount) { set(fact, exact_.add(node_.facts[fact], amount)); }

  void types(DataType arithmetic, DataType weight) {
    node_.data_type = arithmetic;
    node_.weight_type = weight;
  }

  void input(std::uint64_t elements, DataType type) {
    grow(Fact::kInputElements, elements);
    grow(Fact::kInputBytes, exact_.bytes(elements, type));
  }
  void output(std::uint64_t elements, DataType type) {
    grow(Fact::kOutputElements, elements);
    grow(Fact::kOutputBytes, exact_.bytes(elements, type));
  }
  // `reads` times per execution.
  void weights(std::uint64_t elements, DataType type, bool seen_before, std::uint64_t reads = 1) {
    const std::uint64_t bytes = exact_.bytes(elements, type);
    grow(Fact::kWeightBytes, exact_.mul(bytes, reads));
    if (!seen_before) {
      grow(Fact::kUniqueWeightBytes, bytes);
      grow(Fact::kParameters, elements);
    }
  }
  void scales(const WeightUse& use, std::uint64_t reads = 1) {
    grow(Fact::kScaleBytes, exact_.mul(exact_.bytes(use.scales, use.scale_type), reads));
  }
  void tensor_in(const Tensor& tensor) {
    if (tensor.constant) {
      weights(tensor.elements, tensor.type, tensor.seen_before);
      node_.weight_type = tensor.type;
    } else {
      input(tensor.elements, tensor.type);
    }
  }

  [[nodiscard]] const Exact& exact() const { return exact_; }
  OpWork& work() { return work_; }

  // Fused into the op: its work per output is added.
  void activation(OpKind kind) {
    if (kind != OpKind::kUnknown) {
      set(Fact::kFusedActivation, static_cast<std::uint64_t>(kind));
      work_.per_output = work_.per_output + work_of(kind).per_output;
    }
  }
  void rows(std::uint64_t count) { rows_ = count; }
  // Work that belongs to neither inputs, outputs nor rows.
  void extra(const ScalarWork& work, std::uint64_t times) {
    grow(Fact::kStatedAlu, exact_.mul(work.alu(), times));
    grow(Fact::kStatedSpecial, exact_.mul(work.special(), times));
    grow(Fact::kTransistorOps, exact_.mul(transistor_ops(work, transistor_cost(node_.data_type)), times));
  }

  // The types must be set.
  [[nodiscard]] OpNode finish() {
    Facts& facts = node_.facts;
    facts.set(Fact::kAluPerInput, work_.per_input.alu()).set(Fact::kSpecialPerInput, work_.per_input.special());
    facts.set(Fact::kAluPerOutput, work_.per_output.alu()).set(Fact::kSpecialPerOutput, work_.per_output.special());
    if (rows_ != 0) {
      extra(work_.per_row, rows_);
    }
    const Result<WorkCounts> counts = count_work(node_.op_class, facts);
    if (!counts) {
      throw GraphError(fmt::format("op '{}': {}; check its dimensions", node_.name, error_text(counts.error())));
    }
    const TransistorCost cost = transistor_cost(node_.data_type);
    grow(Fact::kTransistorOps, exact_.mul(counts->macs, cost.multiply_accumulate));
    grow(Fact::kTransistorOps, exact_.mul(facts[Fact::kInputElements], transistor_ops(work_.per_input, cost)));
    grow(Fact::kTransistorOps, exact_.mul(facts[Fact::kOutputElements], transistor_ops(work_.per_output, cost)));
    return std::move(node_);
  }

 private:
  OpNode node_;
  Exact exact_;
  OpWork work_;
  std::uint64_t rows_ = 0;
};

// Of a convolution or matrix product: one addition of the bias; results of quantised
// arithmetic are rescaled (multiply, round, zero point).
void add_result_work(OpFacts& op, const OpTypes& types, bool has_bias, OpKind activation) {
  if (has_bias) {
    op.work().per_output.add += 1;
  }
  if (is_integer(types.arithmetic)) {
    op.work().per_output = op.work().per_output + ScalarWork{.add = 2, .multiply = 1};
  }
  op.activation(activation);
}

void add_weights(OpFacts& op, std::uint64_t elements, const OpTypes& types, const WeightUse& use) {
  if (use.constant) {
    op.weights(elements, types.weight, use.seen_before);
  } else {
    op.input(elements, types.weight);
  }
  op.scales(use);
}

OpNode any_convolution(const OpContext& context, const ConvolutionParams& p, OpKind kind) {
  OpFacts op(context, kind);
  const Exact& exact = op.exact();
  const OpTypes types = complete(p.types);
  if (p.groups == 0 || p.in_c % p.groups != 0 || p.out_c % p.groups != 0) {
    throw GraphError(
        fmt::format("op '{}': {} groups do not divide {} input and {} output channels; check its attributes",
                    context.name, p.groups, p.in_c, p.out_c));
  }
  op.types(types.arithmetic, types.weight);
  op.set(Fact::kInD, p.in_d).set(Fact::kInH, p.in_h).set(Fact::kInW, p.in_w).set(Fact::kInC, p.in_c);
  op.set(Fact::kOutD, p.out_d).set(Fact::kOutH, p.out_h).set(Fact::kOutW, p.out_w).set(Fact::kOutC, p.out_c);
  op.set(Fact::kKernelD, p.kernel_d).set(Fact::kKernelH, p.kernel_h).set(Fact::kKernelW, p.kernel_w);
  op.set(Fact::kStrideD, p.stride_d).set(Fact::kStrideH, p.stride_h).set(Fact::kStrideW, p.stride_w);
  op.set(Fact::kDilationH, p.dilation_h).set(Fact::kDilationW, p.dilation_w).set(Fact::kGroups, p.groups);
  op.input(exact.mul(context.batch, p.in_d, p.in_h, p.in_w, p.in_c), types.input);
  op.output(exact.mul(context.batch, p.out_d, p.out_h, p.out_w, p.out_c), types.output);
  // Weights: out_c filters of in_c/groups channels, and the same product transposed.
  add_weights(op, exact.mul(p.out_c, p.in_c / p.groups, p.kernel_d, p.kernel_h, p.kernel_w), types, p.weights);
  if (p.has_bias) {
    op.weights(p.out_c, types.bias, p.weights.seen_before);
  }
  add_result_work(op, types, p.has_bias, p.fused_activation);
  return op.finish();
}

}  // namespace

OpNode convolution(const OpContext& context, const ConvolutionParams& params) {
  OpKind kind = params.kind;
  if (kind == OpKind::kUnknown) {
    const bool deep = params.in_d != 1 || params.kernel_d != 1;
    const bool depthwise = params.groups > 1 && params.groups == params.in_c;
    kind = deep ? OpKind::kConv3d : depthwise ? OpKind::kDepthwiseConv2d : OpKind::kConv2d;
  }
  return any_convolution(context, params, kind);
}

OpNode transposed_convolution(const OpContext& context, const ConvolutionParams& params) {
  const bool deep = params.in_d != 1 || params.kernel_d != 1;
  const OpKind derived = deep ? OpKind::kTransposeConv3d : OpKind::kTransposeConv2d;
  return any_convolution(context, params, params.kind == OpKind::kUnknown ? derived : params.kind);
}

OpNode dense(const OpContext& context, const DenseParams& p) {
  OpFacts op(context, OpKind::kDense);
  const Exact& exact = op.exact();
  const OpTypes types = complete(p.types);
  op.types(types.arithmetic, types.weight);
  op.set(Fact::kRowsM, p.m).set(Fact::kColsN, p.n).set(Fact::kDepthK, p.k);
  op.input(exact.mul(context.batch, p.m, p.k), types.input);
  op.output(exact.mul(context.batch, p.m, p.n), types.output);
  add_weights(op, exact.mul(p.k, p.n), types, p.weights);
  if (p.has_bias) {
    op.weights(p.n, types.bias, p.weights.seen_before);
  }
  add_result_work(op, types, p.has_bias, p.fused_activation);
  return op.finish();
}

OpNode batch_matmul(const OpContext& context, const BatchMatmulParams& p) {
  OpFacts op(context, OpKind::kBatchMatmul);
  const Exact& exact = op.exact();
  const OpTypes types = complete(p.types);
  op.types(types.arithmetic, types.weight);
  op.set(Fact::kBatch, p.products).set(Fact::kRowsM, p.m).set(Fact::kColsN, p.n).set(Fact::kDepthK, p.k);
  op.input(exact.mul(p.left_matrices != 0 ? p.left_matrices : p.products, p.m, p.k), types.input);
  op.output(exact.mul(p.products, p.m, p.n), types.output);
  add_weights(op, exact.mul(p.right_matrices != 0 ? p.right_matrices : p.products, p.k, p.n), types, p.right);
  add_result_work(op, types, false, OpKind::kUnknown);
  return op.finish();
}

OpNode recurrent(const OpContext& context, const RecurrentParams& p) {
  OpFacts op(context, p.kind);
  const Exact& exact = op.exact();
  const OpTypes types = complete(p.types);
  op.types(types.arithmetic, types.weight);
  const bool is_svdf = p.kind == OpKind::kSvdf;
  const std::uint64_t state = p.projection != 0 ? p.projection : p.units;
  std::uint64_t gates = 1;
  ScalarWork cell;  // per unit and step; one bias per gate, activations, the state update
  const ScalarWork sigmoid = work_of(OpKind::kSigmoid).per_output;
  const ScalarWork activation = work_of(p.activation).per_output;
  if (p.kind == OpKind::kLstm) {
    gates = p.coupled_input_gate ? 3 : 4;
    // c = f*c + i*g; h = o*act(c)
    cell = activation + activation + sigmoid + sigmoid + ScalarWork{.add = 1, .multiply = 3};
    cell = cell + (p.coupled_input_gate ? ScalarWork{.add = 1} : sigmoid);
    cell = cell + (p.peepholes ? ScalarWork{.add = 3, .multiply = 3} : ScalarWork{});
  } else if (p.kind == OpKind::kGru) {
    gates = 3;
    // h = (1 - z)*n + z*h, the reset gate scales the recurrent part of n
    cell = sigmoid + sigmoid + activation + ScalarWork{.add = 2, .multiply = 3};
  } else {
    cell = activation;
  }
  const std::uint64_t recurrent_k = is_svdf ? p.svdf_memory : state;
  const std::uint64_t executions = exact.mul(context.batch, p.steps, p.directions);
  cell.add += static_cast<std::uint32_t>(gates);

  op.set(Fact::kColsN, p.units).set(Fact::kDepthK, p.inputs).set(Fact::kRecurrentK, recurrent_k);
  op.set(Fact::kGates, gates).set(Fact::kSteps, p.steps).set(Fact::kDirections, p.directions);
  op.set(Fact::kProjection, p.projection);
  op.input(exact.mul(context.batch, p.steps, p.inputs), types.input);
  if (is_svdf && (p.svdf_rank == 0 || p.units % p.svdf_rank != 0)) {
    throw GraphError(
        fmt::format("op '{}': rank {} does not divide {} SVDF filters", context.name, p.svdf_rank, p.units));
  }
  const std::uint64_t results = is_svdf ? p.units / p.svdf_rank : state;
  op.output(exact.mul(context.batch, p.every_step ? p.steps : 1, p.directions, results), types.output);

  std::uint64_t matrices = exact.mul(gates, p.units, exact.add(p.inputs, recurrent_k));
  matrices = exact.add(matrices, exact.mul(p.units, p.projection));
  const std::uint64_t peepholes = p.peepholes ? exact.mul(p.coupled_input_gate ? 2 : 3, p.units) : 0;
  const std::uint64_t biases = is_svdf ? results : exact.add(exact.mul(gates, p.units), peepholes);
  op.weights(exact.mul(p.directions, matrices), types.weight, p.weights.seen_before, p.steps);
  op.weights(exact.mul(p.directions, biases), types.bias, p.weights.seen_before, p.steps);
  op.scales(p.weights, p.steps);
  op.extra(cell, exact.mul(executions, is_svdf ? results : p.units));
  return op.finish();
}

OpNode attention(const OpContext& context, const AttentionParams& p) {
  OpFacts op(context, OpKind::kAttention);
  const Exact& exact = op.exact();
  const OpTypes types = complete(p.types);
  const std::uint64_t kv_heads = p.kv_heads != 0 ? p.kv_heads : p.heads;
  const std::uint64_t value_depth = p.value_depth != 0 ? p.value_depth : p.depth;
  op.types(types.arithmetic, DataType::kUnknown);
  op.set(Fact::kHeads, p.heads).set(Fact::kKvHeads, kv_heads).set(Fact::kContext, p.context);
  op.set(Fact::kRowsM, p.queries).set(Fact::kDepthK, p.depth).set(Fact::kValueK, value_depth);
  const std::uint64_t keys = exact.mul(context.batch, kv_heads, p.context);
  const std::uint64_t rows = exact.mul(context.batch, p.heads, p.queries);
  op.input(exact.add(exact.mul(rows, p.depth), exact.mul(keys, exact.add(p.depth, value_depth))), types.input);
  op.output(exact.mul(rows, value_depth), types.output);
  const OpWork per_score = work_of(OpKind::kSoftmax);
  op.extra(per_score.per_input + ScalarWork{.multiply = 1}, exact.mul(rows, p.context));  // and the scale 1/sqrt(depth)
  op.extra(per_score.per_row, rows);
  op.set(Fact::kSoftmaxBytes, exact.bytes(exact.mul(rows, p.context), types.arithmetic));
  return op.finish();
}

OpNode elementwise(const OpContext& context, const ElementwiseParams& p) {
  OpFacts op(context, p.kind);
  op.types(p.inputs.empty() ? p.output.type : p.inputs.front().type, DataType::kUnknown);
  for (const Tensor& input : p.inputs) {
    op.tensor_in(input);
  }
  op.output(p.output.elements, p.output.type);
  if (p.kind == OpKind::kAddN && !p.inputs.empty()) {
    op.work().per_output.add = static_cast<std::uint32_t>(p.inputs.size() - 1);
  }
  op.activation(p.fused_activation);
  return op.finish();
}

OpNode softmax(const OpContext& context, OpKind kind, std::uint64_t rows, std::uint64_t width, DataType type) {
  OpFacts op(context, kind);
  const std::uint64_t elements = op.exact().mul(rows, width);
  op.types(type, DataType::kUnknown);
  op.input(elements, type);
  op.output(elements, type);
  op.rows(rows);
  op.set(Fact::kSoftmaxBytes, op.exact().bytes(elements, type));
  return op.finish();
}

OpNode normalisation(const OpContext& context, const NormalisationParams& p) {
  OpFacts op(context, p.kind);
  const OpTypes types = complete(p.types);
  op.types(types.arithmetic, p.parameters != 0 ? types.weight : DataType::kUnknown);
  op.input(p.elements, types.input);
  op.output(p.elements, types.output);
  op.weights(p.parameters, types.weight, p.seen_before);
  op.rows(p.groups);
  return op.finish();
}

OpNode reduction(const OpContext& context, OpKind kind, const Tensor& input, const std::vector<Tensor>& outputs) {
  OpFacts op(context, kind);
  op.types(input.type, DataType::kUnknown);
  op.tensor_in(input);
  for (const Tensor& output : outputs) {
    op.output(output.elements, output.type);
  }
  return op.finish();
}

OpNode pooling(const OpContext& context, const PoolingParams& p) {
  OpFacts op(context, p.kind);
  const Exact& exact = op.exact();
  op.types(p.type, DataType::kUnknown);
  op.set(Fact::kInH, p.in_h).set(Fact::kInW, p.in_w).set(Fact::kInC, p.channels);
  op.set(Fact::kOutH, p.out_h).set(Fact::kOutW, p.out_w).set(Fact::kOutC, p.channels);
  const bool is_global = p.kind == OpKind::kGlobalAveragePool || p.kind == OpKind::kGlobalMaxPool;
  op.set(Fact::kKernelH, is_global ? p.in_h : p.kernel_h).set(Fact::kKernelW, is_global ? p.in_w : p.kernel_w);
  op.set(Fact::kStrideH, p.stride_h).set(Fact::kStrideW, p.stride_w);
  op.input(exact.mul(context.batch, p.in_h, p.in_w, p.channels), p.type);
  op.output(exact.mul(context.batch, p.out_h, p.out_w, p.channels), p.type);
  if (!is_global) {
    const std::uint64_t window = exact.mul(p.kernel_h, p.kernel_w);
    if (window > 0xFFFFFFFFU) {
      throw GraphError(
          fmt::format("op '{}': a pooling window of {} x {} is not plausible", context.name, p.kernel_h, p.kernel_w));
    }
    const auto taps = static_cast<std::uint32_t>(window);
    ScalarWork& work = op.work().per_output;
    if (p.kind == OpKind::kMaxPool2d) {
      work.compare += taps - 1;
    } else {
      work.add += taps - 1;
    }
    if (p.kind == OpKind::kL2Pool2d) {
      work.multiply += taps;  // squares
    }
  }
  op.activation(p.fused_activation);
  return op.finish();
}

OpNode lookup(const OpContext& context, const LookupParams& p) {
  OpFacts op(context, p.kind);
  const Exact& exact = op.exact();
  const std::uint64_t elements = exact.mul(p.rows_read, p.row_elements);
  const DataType output_type = either(p.output_type, p.table.type);
  op.types(output_type, p.table.constant ? p.table.type : DataType::kUnknown);
  op.tensor_in(p.indices);
  if (p.table.constant) {
    op.grow(Fact::kWeightBytes, exact.bytes(elements, p.table.type));
    if (!p.table.seen_before) {
      op.grow(Fact::kUniqueWeightBytes, exact.bytes(p.table.elements, p.table.type));
      op.grow(Fact::kParameters, p.table.elements);
    }
  } else {
    op.input(elements, p.table.type);
  }
  op.scales(p.weights);
  op.output(elements, output_type);
  return op.finish();
}

bool is_free(OpKind kind) {
  switch (kind) {
    case OpKind::kReshape:
    case OpKind::kShape:
    case OpKind::kIdentity:
    case OpKind::kVariable:
    case OpKind::kConstant: return true;
    default: return false;
  }
}

OpNode data_movement(const OpContext& context, OpKind kind, const std::vector<Tensor>& inputs,
                     const std::vector<Tensor>& outputs) {
  OpFacts op(context, kind);
  // Quantising and dequantising compute on the real-valued side.
  const Tensor none{};
  const DataType in = inputs.empty() ? none.type : inputs.front().type;
  const DataType out = outputs.empty() ? none.type : outputs.front().type;
  op.types(kind == OpKind::kDequantize || inputs.empty() ? out : in, DataType::kUnknown);
  for (const Tensor& input : inputs) {
    op.tensor_in(input);
  }
  for (const Tensor& output : outputs) {
    op.output(output.elements, output.type);
  }
  if (is_free(kind)) {
    op.set(Fact::kInputBytes, 0).set(Fact::kOutputBytes, 0).set(Fact::kWeightBytes, 0).set(Fact::kRepeats, 0);
  }
  if (kind == OpKind::kSlice || kind == OpKind::kSplit || kind == OpKind::kUnpack) {
    // What is not selected is not read.
    std::uint64_t read = 0;
    std::uint64_t bytes = 0;
    for (const Tensor& output : outputs) {
      read = op.exact().add(read, output.elements);
      bytes = op.exact().add(bytes, op.exact().bytes(output.elements, output.type));
    }
    op.set(Fact::kInputElements, read).set(Fact::kInputBytes, bytes);
  }
  return op.finish();
}

OpNode control(const OpContext& context, OpKind kind) {
  OpFacts op(context, kind);
  return op.finish();
}

OpNode opaque(const OpContext& context, const OpaqueParams& p) {
  OpFacts op(context, p.kind, p.op_class);
  op.types(p.inputs.empty() ? DataType::kUnknown : p.inputs.front().type, DataType::kUnknown);
  for (const Tensor& input : p.inputs) {
    op.tensor_in(input);
  }
  for (const Tensor& output : p.outputs) {
    op.output(output.elements, output.type);
  }
  op.set(Fact::kStatedMacs, p.macs).set(Fact::kStatedAlu, p.alu_ops).set(Fact::kStatedSpecial, p.special_ops);
  return op.finish();
}

}  // namespace edgejoule::graph
