// What an import makes of files written for the purpose; every number is worked out
// by hand from the operators' definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/tflite/writer.h"
#include "imported.h"
#include "support/tflite_models.h"

namespace edgejoule::import {
namespace {

using namespace tflite_wire;
using test::Imported;
using test::imported;
using testing::HasSubstr;
using testing::Not;

TfliteTensorSpec floats(std::string name, std::vector<std::int32_t> shape) {
  return {std::move(name), TensorType::float32, std::move(shape), {}, 0, false};
}

TEST(TfliteImport, CountsAConvolutionalNetwork) {
  const Imported graph = imported(test::tflite_cnn());
  EXPECT_EQ(graph.ops(), 8U);
  const std::uint32_t stem = graph.named("stem");
  EXPECT_EQ(graph.view().kind(stem), OpKind::kConv2d);
  EXPECT_EQ(graph.view().data_type(stem), DataType::kInt8);
  EXPECT_EQ(graph.work(stem).macs, 4U * 4U * 16U * 27U);
  const Facts facts = graph.view().facts(stem);
  EXPECT_EQ(facts[Fact::kStrideH], 2U);
  EXPECT_EQ(facts[Fact::kInputBytes], 8U * 8U * 3U);
  EXPECT_EQ(facts[Fact::kOutputBytes], 4U * 4U * 16U);
  EXPECT_EQ(facts[Fact::kWeightBytes], 16U * 27U + 16U * 4U);
  EXPECT_EQ(facts[Fact::kScaleBytes], 16U * 4U);  // one per channel
  EXPECT_EQ(facts[Fact::kFusedActivation], static_cast<std::uint64_t>(OpKind::kRelu6));
  const std::uint32_t depthwise = graph.named("depthwise");
  EXPECT_EQ(graph.view().kind(depthwise), OpKind::kDepthwiseConv2d);
  EXPECT_EQ(graph.view().facts(depthwise)[Fact::kGroups], 16U);
  EXPECT_EQ(graph.total_macs(), 4U * 4U * 16U * 27U + 4U * 4U * 16U * 9U + 4U * 4U * 16U * 16U + 160U);
}

TEST(TfliteImport, BuildsModulesFromScopes) {
  const Imported graph = imported(test::tflite_cnn());
  EXPECT_EQ(graph.path(graph.named("project")), "main/block_1/project");
  EXPECT_EQ(graph.path(graph.of_type("ADD")), "main/block_1/add");
  EXPECT_EQ(graph.path(graph.of_type("FULLY_CONNECTED")), "main/head/dense");
  EXPECT_EQ(graph.view().kind(graph.named("block_1")), OpKind::kBlock);
  // A name that only a converter gave says nothing.
  EXPECT_EQ(graph.path(graph.of_type("SOFTMAX")), "main/softmax_7");
}

TEST(TfliteImport, ModuleTreeCanBeLeftOut) {
  const std::vector<std::uint8_t> model = test::tflite_cnn();
  ImportOptions options;
  options.module_tree = false;
  options.model_name = "flat";
  const Imported graph(import_bytes({reinterpret_cast<const std::byte*>(model.data()), model.size()}, "x", options));
  EXPECT_EQ(graph.view().size(), 9U);
  EXPECT_EQ(graph.view().model_name(), "flat");
}

TEST(TfliteImport, InfersShapesThatAFileLeavesOut) {
  const Imported whole = imported(test::tflite_cnn());
  const Imported bare = imported(test::tflite_cnn_without_shapes());
  EXPECT_EQ(bare.total_macs(), whole.total_macs());
  EXPECT_EQ(bare.total(Fact::kOutputBytes), whole.total(Fact::kOutputBytes));
  EXPECT_EQ(bare.notes(), "");
}

TEST(TfliteImport, ReadsConstantsBehindTheFlatBuffer) {
  const Imported inside = imported(test::tflite_cnn());
  const Imported behind = imported(test::tflite_cnn_with_appended_weights());
  EXPECT_EQ(behind.total_macs(), inside.total_macs());
  EXPECT_EQ(behind.total(Fact::kUniqueWeightBytes), inside.total(Fact::kUniqueWeightBytes));
}

TEST(TfliteImport, AssumesBatchOneWhereItIsOpenAndSaysSo) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 8}));
  w.model().subgraphs[0]->tensors[0]->shape_signature = {-1, 8};
  const auto weights = w.constant(floats("weights", {4, 8}));
  const auto output = w.tensor(floats("output", {-1, 4}));
  w.op(9, {input, weights, -1}, {output}, FullyConnectedOptionsT());
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_EQ(graph.total_macs(), 32U);
  EXPECT_THAT(graph.notes(), HasSubstr("batch 1 is assumed"));
  EXPECT_THAT(graph.notes(), Not(HasSubstr("beside the batch")));
}

TEST(TfliteImport, NotesOpenDimensionsBesideTheBatch) {
  TfliteWriter w;
  const auto input = w.tensor(floats("tokens", {1, 1}));
  w.model().subgraphs[0]->tensors[0]->shape_signature = {1, -1};
  w.op(19, {input}, {w.tensor(floats("output", {1, 1}))});
  w.inputs({input});
  EXPECT_THAT(imported(w.finish()).notes(), HasSubstr("1 dimension of input 'tokens' beside the batch is open"));
}

TEST(TfliteImport, BatchOfDenseLayersIsKeptApartFromRows) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {2, 3, 8}));
  const auto weights = w.constant(floats("weights", {5, 8}));
  FullyConnectedOptionsT options;
  options.keep_num_dims = true;
  w.op(9, {input, weights, -1}, {w.tensor(floats("output", {2, 3, 5}))}, options);
  w.inputs({input});
  const Imported graph = imported(w.finish());
  const Facts facts = graph.view().facts(1);
  EXPECT_EQ(facts[Fact::kBatch], 2U);
  EXPECT_EQ(facts[Fact::kRowsM], 3U);
  EXPECT_EQ(graph.total_macs(), 2U * 3U * 8U * 5U);
}

TEST(TfliteImport, CountsRecurrentLayersInAllVariants) {
  const Imported graph = imported(test::tflite_recurrent());
  const std::uint32_t full = graph.named("full_lstm");
  EXPECT_EQ(graph.work(full).macs, 2U * 5U * (4U * 20U * (12U + 8U) + 20U * 8U));
  EXPECT_EQ(graph.view().facts(full)[Fact::kProjection], 8U);
  const std::uint32_t coupled = graph.named("coupled_lstm");
  EXPECT_EQ(graph.view().facts(coupled)[Fact::kGates], 3U);
  EXPECT_EQ(graph.work(coupled).macs, 2U * 5U * 3U * 20U * (12U + 20U));
  const std::uint32_t both = graph.named("both_lstm");
  EXPECT_EQ(graph.view().facts(both)[Fact::kDirections], 2U);
  EXPECT_EQ(graph.work(both).macs, 2U * 2U * 5U * 4U * 20U * (12U + 20U));
  EXPECT_EQ(graph.work(graph.of_type("LSTM")).macs, 2U * 4U * 20U * (12U + 20U));
  EXPECT_EQ(graph.work(graph.of_type("RNN")).macs, 2U * 16U * (12U + 16U));
  EXPECT_EQ(graph.work(graph.of_type("SVDF")).macs, 2U * 24U * (12U + 7U));
  EXPECT_EQ(graph.notes(), "");
}

TEST(TfliteImport, CountsAttentionAndTellsHybridLayers) {
  const Imported graph = imported(test::tflite_attention());
  EXPECT_EQ(graph.total_macs(), 3U * 16U * 32U * 32U + 2U * 16U * 16U * 32U + 16U * 32U * 64U);
  const std::uint32_t query = graph.named("query");
  EXPECT_EQ(graph.view().data_type(query), DataType::kInt8);
  EXPECT_EQ(graph.view().facts(query)[Fact::kInputBytes], 16U * 32U * 4U);  // activations stay float
  EXPECT_EQ(graph.view().facts(query)[Fact::kScaleBytes], 32U * 4U);
  EXPECT_GT(graph.view().facts(query)[Fact::kStatedAlu], 0U);
  EXPECT_THAT(graph.notes(), HasSubstr("3 ops with integer weights on float activations"));
  EXPECT_EQ(graph.view().kind(graph.named("attention/self")), OpKind::kAttentionModule);
  EXPECT_EQ(graph.path(query), "main/attention/self/query");
}

TEST(TfliteImport, RunsLoopBodiesAsOftenAsTheirCounterSays) {
  const Imported graph = imported(test::tflite_control_flow());
  const std::uint32_t body = graph.named("body");
  EXPECT_EQ(graph.view().kind(body), OpKind::kLoopBody);
  const std::uint32_t less = graph.of_type("LESS");
  EXPECT_EQ(graph.view().facts(less)[Fact::kRepeats], 6U);  // tested once more than it passes
  // 0, 2, 4, 6, 8: five passes of 32 x 32; of the branches the one of 32 x 64.
  EXPECT_EQ(graph.total_macs(), 5U * 32U * 32U + 32U * 64U);
  EXPECT_THAT(graph.notes(), HasSubstr("runs 5 times per inference"));
}

TEST(TfliteImport, CountsTheCostliestBranchAndNamesWhatItLeavesOut) {
  const Imported graph = imported(test::tflite_control_flow());
  EXPECT_EQ(graph.view().kind(graph.named("large")), OpKind::kBranch);
  EXPECT_THROW(static_cast<void>(graph.named("small")), std::runtime_error);
  EXPECT_THAT(graph.notes(), HasSubstr("only the costliest, 'large', is counted"));
  EXPECT_THAT(graph.notes(), HasSubstr("runs subgraph 5 at the first inference only"));
  EXPECT_THAT(graph.notes(), HasSubstr("1 subgraph that nothing refers to"));
  // The weights of the branch that was not taken are not part of the model's.
  EXPECT_EQ(graph.total(Fact::kUniqueWeightBytes),
            (32U * 32U + 64U * 32U) * 4U + 2U * 4U);  // and the loop's two integers
}

TEST(TfliteImport, CountsOnePassOfALoopWithoutACounter) {
  TfliteWriter w;
  const auto condition = w.subgraph("cond");
  const auto body = w.subgraph("body");
  for (const auto graph : {condition, body}) {
    const auto x = w.tensor(floats("x", {4}), graph);
    const auto y = w.tensor(floats("y", {4}), graph);
    w.inputs({x}, graph);
    w.outputs({y}, graph);
    w.op_in(graph, 19, {x}, {y});
  }
  const auto input = w.tensor(floats("input", {4}));
  WhileOptionsT options;
  options.cond_subgraph = condition;
  options.body_subgraph = body;
  w.op(119, {input}, {w.tensor(floats("loop", {4}))}, options);
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_THAT(graph.notes(), HasSubstr("decided at run time: one pass is counted"));
  EXPECT_EQ(graph.ops(), 3U);
}

TEST(TfliteImport, KeepsUnknownOpsWithTheirBytesAndNames) {
  const Imported graph = imported(test::tflite_custom_ops());
  const std::uint32_t custom = graph.of_type("MysteryNormalise");
  EXPECT_EQ(graph.view().kind(custom), OpKind::kCustom);
  EXPECT_EQ(graph.view().op_class(custom), OpClass::kOpaque);
  EXPECT_EQ(graph.view().facts(custom)[Fact::kInputBytes], 160U);
  EXPECT_EQ(graph.view().facts(custom)[Fact::kOutputBytes], 160U);
  EXPECT_EQ(graph.view().kind(graph.of_type("TFLite_Detection_PostProcess")), OpKind::kDetectionPostprocess);
  EXPECT_EQ(graph.view().kind(graph.of_type("BUILTIN_300")), OpKind::kUnknown);
  EXPECT_THAT(graph.notes(), HasSubstr("1 op of type 'MysteryNormalise' is unknown"));
  EXPECT_THAT(graph.notes(), HasSubstr("BUILTIN_300"));
  EXPECT_THAT(graph.notes(), Not(HasSubstr("Detection")));
}

TEST(TfliteImport, ImportsEveryBuiltinCode) {
  const Imported graph = imported(test::tflite_all_codes());
  EXPECT_EQ(graph.ops(), 210U);
}

TEST(TfliteImport, ReadsOldFilesWithTheOneByteCode) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {4}));
  w.op(25, {input}, {w.tensor(floats("output", {4}))});
  w.model().operator_codes[0]->builtin_code = 0;
  w.inputs({input});
  EXPECT_EQ(imported(w.finish()).view().kind(1), OpKind::kSoftmax);
}

TEST(TfliteImport, WeightsUsedTwiceAreUniqueOnce) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 8}));
  const auto weights = w.constant(floats("weights", {8, 8}));
  const auto middle = w.tensor(floats("middle", {1, 8}));
  w.op(9, {input, weights, -1}, {middle}, FullyConnectedOptionsT());
  w.op(9, {middle, weights, -1}, {w.tensor(floats("output", {1, 8}))}, FullyConnectedOptionsT());
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_EQ(graph.total(Fact::kWeightBytes), 2U * 256U);
  EXPECT_EQ(graph.total(Fact::kUniqueWeightBytes), 256U);
  EXPECT_EQ(graph.total(Fact::kParameters), 64U);
}

TEST(TfliteImport, HalfPrecisionWeightsAreExpandedOnceAtLoad) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 8}));
  const auto stored = w.constant({"stored", TensorType::float16, {4, 8}, {}, 0, false});
  const auto expanded = w.tensor(floats("expanded", {4, 8}));
  w.op(6, {stored}, {expanded});
  w.op(9, {input, expanded, -1}, {w.tensor(floats("output", {1, 4}))}, FullyConnectedOptionsT());
  w.inputs({input});
  const Imported graph = imported(w.finish());
  const std::uint32_t dequantize = graph.of_type("DEQUANTIZE");
  EXPECT_EQ(graph.view().facts(dequantize)[Fact::kOutputBytes], 0U);
  EXPECT_EQ(graph.work(dequantize).alu_ops, 0U);
  const Facts dense = graph.view().facts(graph.of_type("FULLY_CONNECTED"));
  EXPECT_EQ(dense[Fact::kWeightBytes], 4U * 8U * 4U);
  EXPECT_EQ(dense[Fact::kInputBytes], 32U);
  EXPECT_THAT(graph.notes(), HasSubstr("1 op on constants alone runs once at load"));
}

TEST(TfliteImport, PacksInt4Weights) {
  TfliteWriter w;
  const auto input = w.tensor({"input", TensorType::int8, {1, 7}, {0.5F}, 0, false});
  const auto weights = w.constant({"weights", TensorType::int4, {3, 7}, {1.0F, 1.0F, 1.0F}, 0, false});
  w.op(9, {input, weights, -1}, {w.tensor({"output", TensorType::int8, {1, 3}, {0.5F}, 0, false})},
       FullyConnectedOptionsT());
  w.inputs({input});
  const Imported graph = imported(w.finish());
  const Facts facts = graph.view().facts(1);
  EXPECT_EQ(facts[Fact::kWeightBytes], 11U);  // 21 nibbles
  EXPECT_EQ(facts[Fact::kScaleBytes], 12U);
  EXPECT_EQ(graph.view().weight_type(1), DataType::kInt4);
}

TEST(TfliteImport, AnEmbeddingReadsItsRowsNotItsTable) {
  TfliteWriter w;
  const auto ids = w.tensor({"ids", TensorType::int32, {5}, {}, 0, false});
  const auto table = w.constant(floats("table", {1000, 16}));
  w.op(7, {ids, table}, {w.tensor(floats("embedded", {5, 16}))});
  w.inputs({ids});
  const Imported graph = imported(w.finish());
  const Facts facts = graph.view().facts(1);
  EXPECT_EQ(facts[Fact::kWeightBytes], 5U * 16U * 4U);
  EXPECT_EQ(facts[Fact::kUniqueWeightBytes], 1000U * 16U * 4U);
}

TEST(TfliteImport, CountsTransposedAndDeepConvolutions) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 4, 4, 8}));
  const auto filter = w.constant(floats("filter", {16, 3, 3, 8}));
  const auto shape = w.constant_ints("shape", {1, 8, 8, 16});
  TransposeConvOptionsT options;
  options.stride_h = options.stride_w = 2;
  w.op(67, {shape, filter, input}, {w.tensor(floats("up", {1, 8, 8, 16}))}, options);
  const auto volume = w.tensor(floats("volume", {1, 4, 5, 6, 2}));
  const auto cube = w.constant(floats("cube", {3, 3, 3, 2, 7}));
  Conv3DOptionsT deep;
  deep.stride_d = deep.stride_h = deep.stride_w = 1;
  w.op(132, {volume, cube, -1}, {w.tensor(floats("conv3d", {1, 4, 5, 6, 7}))}, deep);
  w.inputs({input, volume});
  const Imported graph = imported(w.finish());
  // Each input position meets the whole kernel.
  EXPECT_EQ(graph.work(graph.of_type("TRANSPOSE_CONV")).macs, 4U * 4U * 8U * 16U * 9U);
  EXPECT_EQ(graph.work(graph.of_type("CONV_3D")).macs, 4U * 5U * 6U * 7U * 27U * 2U);
}

TEST(TfliteImport, CountsGroupedConvolutions) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 5, 5, 8}));
  const auto filter = w.constant(floats("filter", {12, 1, 1, 2}));
  Conv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  w.op(3, {input, filter, -1}, {w.tensor(floats("grouped", {1, 5, 5, 12}))}, options);
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_EQ(graph.view().facts(1)[Fact::kGroups], 4U);
  EXPECT_EQ(graph.total_macs(), 5U * 5U * 12U * 2U);
}

TEST(TfliteImport, SaysWhatCouldNotBeCounted) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {}));
  const auto result = w.tensor(floats("result", {}));
  for (auto& tensor : w.model().subgraphs[0]->tensors) tensor->has_rank = false;
  w.op(25, {input}, {result});
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_THAT(graph.notes(), HasSubstr("input 'input' has no shape"));
  EXPECT_THAT(graph.notes(), HasSubstr("1 op could not be counted for want of shapes (the first: SOFTMAX"));
  EXPECT_EQ(graph.view().op_class(1), OpClass::kOpaque);
}

TEST(TfliteImport, StringTensorsHaveNoBytesButImport) {
  TfliteWriter w;
  const auto input = w.tensor({"text", TensorType::string, {3}, {}, 0, false});
  w.custom_op("Tokenizer", {input}, {w.tensor({"ids", TensorType::int32, {3}, {}, 0, false})});
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_EQ(graph.view().facts(1)[Fact::kInputBytes], 0U);
  EXPECT_EQ(graph.view().facts(1)[Fact::kOutputBytes], 12U);
}

TEST(TfliteImport, SparseAndExternalWeightsAreNoted) {
  TfliteWriter w;
  const auto input = w.tensor(floats("input", {1, 8}));
  const auto weights = w.constant(floats("weights", {4, 8}));
  w.model().subgraphs[0]->tensors[1]->sparsity = std::make_unique<SparsityT>();
  const auto middle = w.tensor(floats("middle", {1, 4}));
  const auto elsewhere = w.tensor(floats("elsewhere", {2, 4}));
  w.model().subgraphs[0]->tensors[static_cast<std::size_t>(elsewhere)]->external_buffer = 7;
  w.op(9, {input, weights, -1}, {middle}, FullyConnectedOptionsT());
  w.op(9, {middle, elsewhere, -1}, {w.tensor(floats("output", {1, 2}))}, FullyConnectedOptionsT());
  w.inputs({input});
  const Imported graph = imported(w.finish());
  EXPECT_THAT(graph.notes(), HasSubstr("1 sparse weight tensor counted as dense"));
  EXPECT_THAT(graph.notes(), HasSubstr("1 constant in other files"));
  EXPECT_EQ(graph.view().facts(2)[Fact::kWeightBytes], 2U * 4U * 4U);
}

TEST(TfliteImport, CountsStablehloProductsAndConvolutions) {
  TfliteWriter w;
  const auto x = w.tensor(floats("x", {3, 4, 5}));
  const auto y = w.tensor(floats("y", {3, 5, 6}));
  w.op(197, {x, y}, {w.tensor(floats("dot", {3, 4, 6}))});
  StablehloDotGeneralOptionsT dot;
  dot.lhs_batching = dot.rhs_batching = {0};
  dot.lhs_contracting = {2};
  dot.rhs_contracting = {1};
  w.model().subgraphs[0]->operators[0]->builtin_options_2.Set(dot);
  const auto image = w.tensor(floats("image", {1, 8, 8, 4}));
  const auto filter = w.constant(floats("filter", {3, 3, 4, 16}));
  w.op(171, {image, filter}, {w.tensor(floats("conv", {1, 8, 8, 16}))});
  StablehloConvolutionOptionsT conv;
  conv.input_feature_dimension = 3;
  conv.kernel_input_feature_dimension = 2;
  conv.kernel_output_feature_dimension = 3;
  conv.output_feature_dimension = 3;
  w.model().subgraphs[0]->operators[1]->builtin_options_2.Set(conv);
  w.inputs({x, y, image});
  const Imported graph = imported(w.finish());
  EXPECT_EQ(graph.work(graph.of_type("STABLEHLO_DOT_GENERAL")).macs, 3U * 4U * 5U * 6U);
  EXPECT_EQ(graph.work(graph.of_type("STABLEHLO_CONVOLUTION")).macs, 64U * 9U * 4U * 16U);
}

}  // namespace
}  // namespace edgejoule::import
