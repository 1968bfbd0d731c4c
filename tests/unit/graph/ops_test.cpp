#include "graph/ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "graph/op_work.h"
#include "graph/transistor_ops.h"

namespace edgejoule::graph {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max() / 2;

WorkCounts work_of_op(const OpNode& op) {
  const Result<WorkCounts> work = count_work(op.op_class, op.facts);
  EXPECT_TRUE(work);
  return *work;
}

template <class Action>
std::string message_of(Action action) {
  try {
    static_cast<void>(action());
  } catch (const GraphError& error) {
    return error.what();
  }
  return "";
}

// 8 x 8 x 16 to 4 x 4 x 32, 3 x 3, stride 2.
ConvolutionParams small_convolution() {
  ConvolutionParams p;
  p.in_h = p.in_w = 8;
  p.in_c = 16;
  p.out_h = p.out_w = 4;
  p.out_c = 32;
  p.kernel_h = p.kernel_w = 3;
  p.stride_h = p.stride_w = 2;
  return p;
}

TEST(Convolution, CountsWorkTensorsAndParameters) {
  const OpNode op = convolution({.name = "c", .batch = 2}, small_convolution());
  EXPECT_EQ(op.kind, OpKind::kConv2d);
  EXPECT_EQ(work_of_op(op).macs, 2U * 4 * 4 * 32 * 16 * 9);
  EXPECT_EQ(work_of_op(op).alu_ops, 2U * 4 * 4 * 32);  // the bias
  EXPECT_EQ(op.facts[Fact::kInputBytes], 2U * 8 * 8 * 16 * 4);
  EXPECT_EQ(op.facts[Fact::kOutputBytes], 2U * 4 * 4 * 32 * 4);
  EXPECT_EQ(op.facts[Fact::kParameters], 16U * 9 * 32 + 32);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], (16U * 9 * 32 + 32) * 4);
  EXPECT_EQ(op.facts[Fact::kUniqueWeightBytes], op.facts[Fact::kWeightBytes]);
}

TEST(Convolution, DepthwiseIsRecognisedByItsGroups) {
  ConvolutionParams p = small_convolution();
  p.out_c = p.groups = 16;
  const OpNode op = convolution({.name = "d"}, p);
  EXPECT_EQ(op.kind, OpKind::kDepthwiseConv2d);
  EXPECT_EQ(work_of_op(op).macs, 4U * 4 * 16 * 9);
  EXPECT_EQ(op.facts[Fact::kParameters], 16U * 9 + 16);
}

TEST(Convolution, DepthMakesItThreeDimensional) {
  ConvolutionParams p = small_convolution();
  p.in_d = 6;
  p.out_d = 4;
  p.kernel_d = 3;
  const OpNode op = convolution({.name = "v"}, p);
  EXPECT_EQ(op.kind, OpKind::kConv3d);
  EXPECT_EQ(work_of_op(op).macs, 4U * 4 * 4 * 32 * 16 * 27);
}

TEST(Convolution, QuantisedResultsAreRescaledAndScalesStandApart) {
  ConvolutionParams p = small_convolution();
  p.types.input = DataType::kInt8;
  p.types.weight = DataType::kInt4;
  p.weights.scales = 32;
  p.fused_activation = OpKind::kRelu6;
  const OpNode op = convolution({.name = "q"}, p);
  EXPECT_EQ(op.data_type, DataType::kInt8);
  EXPECT_EQ(op.weight_type, DataType::kInt4);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 16U * 9 * 32 / 2 + 32 * 4);  // int32 biases
  EXPECT_EQ(op.facts[Fact::kScaleBytes], 32U * 4);
  EXPECT_EQ(op.facts[Fact::kAluPerOutput], 1U + 3U + 2U);  // bias, rescaling, two comparisons
  EXPECT_EQ(op.facts[Fact::kFusedActivation], static_cast<std::uint64_t>(OpKind::kRelu6));
}

TEST(Convolution, TransistorsAreThoseOfItsParts) {
  ConvolutionParams p = small_convolution();
  p.fused_activation = OpKind::kRelu;
  const OpNode op = convolution({.name = "t"}, p);
  const TransistorCost cost = transistor_cost(DataType::kFloat32);
  const std::uint64_t outputs = 4U * 4 * 32;
  EXPECT_EQ(op.facts[Fact::kTransistorOps],
            work_of_op(op).macs * (cost.multiply + cost.add) + outputs * (cost.add + cost.compare));
}

TEST(Convolution, TransposedCountsFromItsInput) {
  ConvolutionParams p = small_convolution();
  std::swap(p.in_h, p.out_h);
  std::swap(p.in_w, p.out_w);
  const OpNode op = transposed_convolution({.name = "u"}, p);
  EXPECT_EQ(op.kind, OpKind::kTransposeConv2d);
  EXPECT_EQ(work_of_op(op).macs, 4U * 4 * 16 * 32 * 9);
}

TEST(Convolution, RefusesWhatCannotBe) {
  ConvolutionParams p = small_convolution();
  p.groups = 3;
  EXPECT_THAT(message_of([&] { return convolution({.name = "odd"}, p); }), HasSubstr("'odd'"));
  p.groups = 0;
  EXPECT_THAT(message_of([&] { return convolution({.name = "none"}, p); }), HasSubstr("do not divide"));
  p = small_convolution();
  p.in_h = kHuge;
  EXPECT_THAT(message_of([&] { return convolution({.name = "huge"}, p); }), HasSubstr("op 'huge': a count exceeds"));
}

TEST(Dense, ReadsItsWeightsOnceForTheWholeBatch) {
  DenseParams p;
  p.m = 7;
  p.k = 64;
  p.n = 10;
  p.has_bias = false;
  const OpNode op = dense({.name = "fc", .batch = 3}, p);
  EXPECT_EQ(work_of_op(op).macs, 3U * 7 * 64 * 10);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 64U * 10 * 4);
  EXPECT_EQ(op.facts[Fact::kInputElements], 3U * 7 * 64);
}

TEST(Dense, SharedWeightsAreTrafficButNoParameters) {
  DenseParams p;
  p.k = 64;
  p.n = 10;
  p.weights.seen_before = true;
  const OpNode op = dense({.name = "fc"}, p);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], (64U * 10 + 10) * 4);
  EXPECT_EQ(op.facts[Fact::kUniqueWeightBytes], 0U);
  EXPECT_EQ(op.facts[Fact::kParameters], 0U);
}

TEST(Dense, OddInt4CountsRoundUpToBytes) {
  DenseParams p;
  p.k = 3;
  p.n = 1;
  p.has_bias = false;
  p.types.weight = DataType::kInt4;
  EXPECT_EQ(dense({.name = "fc"}, p).facts[Fact::kWeightBytes], 2U);
}

TEST(Dense, WeightsComputedAtRunTimeAreAnInput) {
  DenseParams p;
  p.k = 8;
  p.n = 4;
  p.has_bias = false;
  p.weights.constant = false;
  const OpNode op = dense({.name = "fc"}, p);
  EXPECT_EQ(op.facts[Fact::kInputElements], 8U + 32U);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 0U);
}

TEST(BatchMatmul, BothSidesAreInputsAndMayBeBroadcast) {
  BatchMatmulParams p;
  p.products = 12;
  p.m = 5;
  p.k = 64;
  p.n = 9;
  OpNode op = batch_matmul({.name = "bmm"}, p);
  EXPECT_EQ(work_of_op(op).macs, 12U * 5 * 64 * 9);
  EXPECT_EQ(op.facts[Fact::kInputElements], 12U * (5 * 64 + 64 * 9));
  p.right_matrices = 1;
  op = batch_matmul({.name = "bmm"}, p);
  EXPECT_EQ(op.facts[Fact::kInputElements], 12U * 5 * 64 + 64 * 9);
}

TEST(Recurrent, LstmReadsItsWeightsAtEveryStep) {
  RecurrentParams p;
  p.steps = 20;
  p.inputs = 28;
  p.units = 16;
  const OpNode op = recurrent({.name = "lstm", .batch = 2}, p);
  EXPECT_EQ(work_of_op(op).macs, 2U * 20 * 4 * 16 * (28 + 16));
  EXPECT_EQ(op.facts[Fact::kParameters], 4U * 16 * (28 + 16) + 4 * 16);
  EXPECT_EQ(op.facts[Fact::kUniqueWeightBytes], 4 * op.facts[Fact::kParameters]);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 20 * op.facts[Fact::kUniqueWeightBytes]);
  // Three sigmoids and two tanh of two special functions each, per unit and step.
  EXPECT_EQ(work_of_op(op).special_ops, 2U * 20 * 16 * 10);
}

TEST(Recurrent, GruRnnAndProjectionDifferInTheirGates) {
  RecurrentParams p;
  p.inputs = 8;
  p.units = 4;
  p.kind = OpKind::kGru;
  EXPECT_EQ(work_of_op(recurrent({.name = "gru"}, p)).macs, 3U * 4 * (8 + 4));
  p.kind = OpKind::kRnn;
  EXPECT_EQ(work_of_op(recurrent({.name = "rnn"}, p)).macs, 4U * (8 + 4));
  p.kind = OpKind::kLstm;
  p.projection = 2;
  EXPECT_EQ(work_of_op(recurrent({.name = "lstmp"}, p)).macs, 4U * 4 * (8 + 2) + 4 * 2);
  EXPECT_EQ(recurrent({.name = "lstmp"}, p).facts[Fact::kOutputElements], 2U);
}

TEST(Recurrent, SvdfIsAFeatureAndATimeFilter) {
  RecurrentParams p;
  p.kind = OpKind::kSvdf;
  p.inputs = 40;
  p.units = 16;
  p.svdf_memory = 8;
  p.svdf_rank = 2;
  const OpNode op = recurrent({.name = "svdf"}, p);
  EXPECT_EQ(work_of_op(op).macs, 16U * (40 + 8));
  EXPECT_EQ(op.facts[Fact::kOutputElements], 8U);
  p.svdf_rank = 3;
  EXPECT_THAT(message_of([&] { return recurrent({.name = "svdf"}, p); }), HasSubstr("rank 3"));
}

TEST(Attention, SharesKeysBetweenHeads) {
  AttentionParams p;
  p.heads = 8;
  p.kv_heads = 2;
  p.queries = 3;
  p.context = 10;
  p.depth = 64;
  const OpNode op = attention({.name = "sdpa"}, p);
  EXPECT_EQ(work_of_op(op).macs, 8U * 3 * 10 * (64 + 64));
  EXPECT_EQ(op.facts[Fact::kInputElements], 8U * 3 * 64 + 2 * 2 * 10 * 64);
  EXPECT_EQ(work_of_op(op).special_ops, 8U * 3 * 10 + 8 * 3);  // exponentials, and a reciprocal per row
  EXPECT_EQ(op.facts[Fact::kSoftmaxBytes], 8U * 3 * 10 * 4);
}

TEST(Elementwise, ConstantsAreWeightsNotInputs) {
  const OpNode op = elementwise({.name = "mul"}, {.kind = OpKind::kMul,
                                                  .inputs = {{.elements = 100}, {.elements = 10, .constant = true}},
                                                  .output = {.elements = 100}});
  EXPECT_EQ(op.facts[Fact::kInputBytes], 400U);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 40U);
  EXPECT_EQ(op.facts[Fact::kParameters], 10U);
  EXPECT_EQ(work_of_op(op).alu_ops, 100U);
}

TEST(Elementwise, AddNAddsAllItsInputs) {
  const Tensor tensor{.elements = 100};
  const OpNode op = elementwise({.name = "sum"},
                                {.kind = OpKind::kAddN, .inputs = {tensor, tensor, tensor, tensor}, .output = tensor});
  EXPECT_EQ(work_of_op(op).alu_ops, 300U);
}

TEST(Elementwise, GeluCostsMoreThanRelu) {
  const Tensor tensor{.elements = 10};
  const OpNode gelu = elementwise({.name = "g"}, {.kind = OpKind::kGelu, .inputs = {tensor}, .output = tensor});
  const OpNode relu = elementwise({.name = "r"}, {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor});
  EXPECT_EQ(gelu.op_class, OpClass::kActivation);
  EXPECT_EQ(work_of_op(gelu).special_ops, 20U);
  EXPECT_EQ(work_of_op(relu).special_ops, 0U);
  EXPECT_GT(gelu.facts[Fact::kTransistorOps], 100 * relu.facts[Fact::kTransistorOps]);
}

TEST(Softmax, CountsElementsAndRows) {
  const OpNode op = softmax({.name = "s"}, OpKind::kSoftmax, 5, 10, DataType::kFloat32);
  EXPECT_EQ(work_of_op(op).alu_ops, 4U * 50);
  EXPECT_EQ(work_of_op(op).special_ops, 50U + 5U);
  EXPECT_THAT(message_of([] { return softmax({.name = "s"}, OpKind::kSoftmax, kHuge, 9, DataType::kInt8); }),
              HasSubstr("exceeds 64 bits"));
}

TEST(Normalisation, HasWorkPerGroup) {
  const OpNode op = normalisation({.name = "ln"}, {.elements = 768 * 4, .groups = 4, .parameters = 2 * 768});
  EXPECT_EQ(work_of_op(op).alu_ops, 7U * 768 * 4 + 3 * 4);
  EXPECT_EQ(work_of_op(op).special_ops, 4U);
  EXPECT_EQ(op.facts[Fact::kParameters], 1536U);
}

TEST(Pooling, CountsItsWindow) {
  PoolingParams p;
  p.in_h = p.in_w = 8;
  p.channels = 4;
  p.out_h = p.out_w = 4;
  p.kernel_h = p.kernel_w = 2;
  p.stride_h = p.stride_w = 2;
  const OpNode average = pooling({.name = "p"}, p);
  EXPECT_EQ(work_of_op(average).alu_ops, 4U * 4 * 4 * 4);  // three additions and a product
  p.kind = OpKind::kMaxPool2d;
  EXPECT_EQ(work_of_op(pooling({.name = "p"}, p)).alu_ops, 3U * 4 * 4 * 4);
  p.kind = OpKind::kGlobalAveragePool;
  p.out_h = p.out_w = 1;
  const OpNode global = pooling({.name = "p"}, p);
  EXPECT_EQ(work_of_op(global).alu_ops, 8U * 8 * 4 + 4);
  EXPECT_EQ(global.facts[Fact::kKernelH], 8U);
}

TEST(Reduction, MeetsEachInputOnce) {
  const OpNode op = reduction({.name = "r"}, OpKind::kReduceMax, {.elements = 100}, {{.elements = 10}});
  EXPECT_EQ(work_of_op(op).alu_ops, 100U);
  EXPECT_EQ(op.facts[Fact::kOutputElements], 10U);
}

TEST(Lookup, OnlyRowsReadAreTraffic) {
  LookupParams p;
  p.table = {.elements = 30522 * 768, .constant = true};
  p.rows_read = 128;
  p.row_elements = 768;
  p.indices = {.elements = 128, .type = DataType::kInt32};
  const OpNode op = lookup({.name = "e"}, p);
  EXPECT_EQ(op.facts[Fact::kWeightBytes], 128U * 768 * 4);
  EXPECT_EQ(op.facts[Fact::kUniqueWeightBytes], 30522U * 768 * 4);
  EXPECT_EQ(op.facts[Fact::kParameters], 30522U * 768);
  EXPECT_EQ(op.facts[Fact::kInputBytes], 128U * 4);
}

TEST(DataMovement, ReshapeMovesNothing) {
  const Tensor tensor{.elements = 1000};
  const OpNode op = data_movement({.name = "r"}, OpKind::kReshape, {tensor}, {tensor});
  EXPECT_EQ(op.facts[Fact::kInputBytes] + op.facts[Fact::kOutputBytes], 0U);
  EXPECT_EQ(op.facts[Fact::kOutputElements], 1000U);
  EXPECT_EQ(op.facts[Fact::kTransistorOps], 0U);
  EXPECT_EQ(op.facts[Fact::kRepeats], 0U) << "no row charges a launch for it";
  EXPECT_FALSE(is_free(OpKind::kTranspose));
}

TEST(DataMovement, SliceReadsWhatItSelects) {
  const OpNode op = data_movement({.name = "s"}, OpKind::kSlice, {{.elements = 1000}}, {{.elements = 10}});
  EXPECT_EQ(op.facts[Fact::kInputBytes], 40U);
}

TEST(DataMovement, QuantisingComputesOnTheRealSide) {
  const Tensor real{.elements = 10};
  const Tensor byte{.elements = 10, .type = DataType::kInt8};
  const OpNode quantize = data_movement({.name = "q"}, OpKind::kQuantize, {real}, {byte});
  const OpNode dequantize = data_movement({.name = "d"}, OpKind::kDequantize, {byte}, {real});
  EXPECT_EQ(quantize.data_type, DataType::kFloat32);
  EXPECT_EQ(dequantize.data_type, DataType::kFloat32);
  EXPECT_EQ(quantize.facts[Fact::kOutputBytes], 10U);
}

TEST(Opaque, KeepsItsBytesClassAndStatedWork) {
  const OpNode op =
      opaque({.name = "x", .type_name = "Mystery"},
             {.op_class = OpClass::kOpaque, .inputs = {{.elements = 5}}, .outputs = {{.elements = 3}}, .macs = 70});
  EXPECT_EQ(op.kind, OpKind::kUnknown);
  EXPECT_EQ(op.op_class, OpClass::kOpaque);
  EXPECT_EQ(work_of_op(op).macs, 70U);
  EXPECT_EQ(op.facts[Fact::kInputBytes], 20U);
  EXPECT_EQ(op.type_name, "Mystery");
}

TEST(OpWork, EveryComputingKindHasARow) {
  const struct {
    OpClass op_class;
    const char* why;
  } computing[] = {{OpClass::kElementwise, "an elementwise op computes"},
                   {OpClass::kActivation, "an activation computes"},
                   {OpClass::kSoftmax, "softmax computes"},
                   {OpClass::kNormalisation, "a normalisation computes"},
                   {OpClass::kReduction, "a reduction computes"}};
#define EDGEJOULE_KIND_VALUE(name, wire, number, op_class) OpKind::name,
  for (const OpKind kind : {EDGEJOULE_OP_KINDS(EDGEJOULE_KIND_VALUE)}) {
    for (const auto& row : computing) {
      if (class_of(kind) == row.op_class && kind != OpKind::kAddN) {  // add_n: by its number of inputs
        const OpWork work = work_of(kind);
        EXPECT_GT(work.per_input.alu() + work.per_input.special() + work.per_output.alu() + work.per_output.special(),
                  0U)
            << name_of(kind) << ": " << row.why;
      }
    }
  }
#undef EDGEJOULE_KIND_VALUE
}

}  // namespace
}  // namespace edgejoule::graph
