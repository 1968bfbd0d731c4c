// What ONNX models mean: MACs, types, weights, modules, notes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/onnx/writer.h"
#include "imported.h"
#include "support/onnx_models.h"

namespace edgejoule::import {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

std::uint64_t macs_of(const Imported& graph, std::string_view name) {
  return graph.work(graph.named(name)).macs;
}

TEST(Onnx, CountsAConvolutionalNetwork) {
  const Imported graph = imported(onnx_cnn());
  EXPECT_EQ(graph.ops(), 10U);
  // 16x16 of 3x3x3 to 16; 16x16 depthwise 3x3; 8x8 of 16 to 8 by 2x2; 8 to 10.
  EXPECT_EQ(graph.total_macs(), 256U * 16 * 27 + 256U * 16 * 9 + 64U * 16 * 8 * 4 + 80U);
  EXPECT_EQ(graph.total(Fact::kParameters), 16U * 27 + 16 + 4U * 16 + 16U * 9 + 16U * 8 * 4 + 90U);
  EXPECT_EQ(graph.view().source_format(), "onnx");
}

TEST(Onnx, AnOpenBatchIsOneAndSaidSo) {
  EXPECT_THAT(imported(onnx_cnn()).notes(), HasSubstr("dimension 'N' open: 1 is assumed"));
  const Imported bound = imported(onnx_cnn(), {{"N", 4}});
  EXPECT_EQ(bound.total_macs(), 4 * imported(onnx_cnn()).total_macs());
  EXPECT_THAT(bound.notes(), HasSubstr("dimension 'N' is bound to 4."));
  EXPECT_THAT(bound.notes(), Not(HasSubstr("assumed")));
}

TEST(Onnx, OpenDimensionsAreNamedTogether) {
  const std::string failure = import_failure(onnx_transformer());
  EXPECT_THAT(failure, HasSubstr("'sequence'"));
  EXPECT_THAT(failure, HasSubstr("--bind 'sequence=128'"));
  EXPECT_THAT(failure, Not(HasSubstr("'batch'"))) << "has a default";
}

TEST(Onnx, ADimensionWithoutANameIsBoundByItsPlace) {
  OnnxGraphWriter g;
  g.input("x", {1, -1, 8}).output("y").weights("w", {8, 8}).node({"MatMul", {"x", "w"}, {"y"}});
  EXPECT_THAT(import_failure(OnnxModelWriter(g).finish()), HasSubstr("--bind 'x:1=128'"));
  EXPECT_EQ(imported(OnnxModelWriter(g).finish(), {{"x:1", 5}}).total_macs(), 5U * 64);
}

TEST(Onnx, ASumOfDimensionsFollowsFromItsParts) {
  OnnxGraphWriter g;
  g.input("x", {1, "past + new + 1", 8}).input("z", {"past", "new"}).output("y").weights("w", {8, 8});
  g.node({"MatMul", {"x", "w"}, {"y"}});
  const auto model = OnnxModelWriter(g).finish();
  EXPECT_EQ(imported(model, {{"past", 6}, {"new", 3}}).total_macs(), 10U * 64);
}

TEST(Onnx, ABindingThatNothingUsesIsRefused) {
  const std::string failure = import_failure(onnx_cnn(), {{"N", 1}, {"sequence", 3}});
  EXPECT_THAT(failure, HasSubstr("no input has an open dimension called 'sequence'"));
  EXPECT_THAT(failure, HasSubstr("'N'"));
  EXPECT_THAT(import_failure(onnx_cnn(), {{"N", -3}}), HasSubstr("bound to -3"));
}

TEST(Onnx, TransformerLayersStandInTheTreeWithTheirParts) {
  const Imported graph = imported(onnx_transformer(), {{"batch", 2}, {"sequence", 8}});
  const std::uint64_t rows = 16;
  const std::uint64_t layer = rows * 64 * 64 * 4 + rows * 64 * 256 * 2 + 2 * (2U * 4 * 8 * 8 * 16);
  EXPECT_EQ(graph.total_macs(), 2 * layer);
  const std::uint32_t first = graph.named("layer.0");
  const std::uint32_t second = graph.named("layer.1");
  EXPECT_EQ(graph.view().kind(first), OpKind::kLayer);
  EXPECT_EQ(graph.view().kind(second), OpKind::kLayer);
  const std::uint32_t query = graph.named("query");
  EXPECT_THAT(graph.path(query), HasSubstr("layer.0/attention/self/query"));
  EXPECT_EQ(graph.view().kind(graph.named("attention")), OpKind::kAttentionModule);
  EXPECT_EQ(graph.view().name(query + 1), "MatMul");
  EXPECT_EQ(graph.work(query + 1).macs, rows * 64 * 64);
  EXPECT_EQ(graph.view().op_class(query + 1), OpClass::kMatrix);
}

TEST(Onnx, AProductOfTwoActivationsIsABatchOfMatrices) {
  const Imported graph = imported(onnx_transformer(), {{"batch", 2}, {"sequence", 8}});
  const GraphView& view = graph.view();
  std::uint32_t products = 0;
  for (std::uint32_t i = 0; i < view.size(); ++i) {
    if (view.kind(i) != OpKind::kBatchMatmul) continue;
    ++products;
    EXPECT_EQ(view.facts(i)[Fact::kBatch], 8U);
    EXPECT_EQ(view.facts(i)[Fact::kWeightBytes], 0U);
  }
  EXPECT_EQ(products, 4U);
}

TEST(Onnx, AnOpBetweenDequantiseAndQuantiseIsIntegerArithmetic) {
  const Imported graph = imported(onnx_quantised());
  const std::uint32_t conv = graph.of_type("Conv");
  EXPECT_EQ(graph.work(conv).macs, 14U * 14 * 16 * 8 * 9);
  EXPECT_EQ(graph.view().data_type(conv), DataType::kUint8);
  EXPECT_EQ(graph.view().weight_type(conv), DataType::kInt8);
  EXPECT_EQ(graph.view().facts(conv)[Fact::kInputBytes], 8U * 16 * 16);
  EXPECT_EQ(graph.view().facts(conv)[Fact::kOutputBytes], 14U * 14 * 16);
  EXPECT_EQ(graph.view().facts(conv)[Fact::kWeightBytes], 16U * 8 * 9 + 16U * 4);
  EXPECT_EQ(graph.view().facts(conv)[Fact::kScaleBytes], 16U * 4);
  EXPECT_EQ(graph.view().data_type(graph.of_type("Relu")), DataType::kUint8);
  EXPECT_THROW(static_cast<void>(graph.of_type("QuantizeLinear")), std::runtime_error);
  EXPECT_THROW(static_cast<void>(graph.of_type("DequantizeLinear")), std::runtime_error);
  EXPECT_THAT(graph.notes(), HasSubstr("2 ops between DequantizeLinear and QuantizeLinear are counted as integer"));
}

TEST(Onnx, ADequantiseThatOthersReadStays) {
  OnnxGraphWriter g;
  g.input("q", {4, 8}, OnnxType::kInt8).output("y").output("f").weights("s", {}).weights("z", {}, OnnxType::kInt8);
  g.node({"DequantizeLinear", {"q", "s", "z"}, {"f"}});
  g.node({"Sigmoid", {"f"}, {"a"}});
  g.node({"QuantizeLinear", {"a", "s", "z"}, {"y"}});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_EQ(graph.view().data_type(graph.of_type("Sigmoid")), DataType::kInt8);
  EXPECT_EQ(graph.view().facts(graph.of_type("DequantizeLinear"))[Fact::kOutputBytes], 4U * 8 * 4);
}

TEST(Onnx, QuantisedOperatorsHaveTheirTypes) {
  const Imported graph = imported(onnx_quantised());
  const std::uint32_t conv = graph.of_type("QLinearConv");
  EXPECT_EQ(graph.work(conv).macs, 14U * 14 * 4 * 16);
  EXPECT_EQ(graph.view().data_type(conv), DataType::kUint8);
  EXPECT_EQ(graph.view().facts(conv)[Fact::kOutputBytes], 14U * 14 * 4);
  const std::uint32_t product = graph.of_type("MatMulInteger");
  EXPECT_EQ(graph.work(product).macs, 4U * 64 * 32);
  EXPECT_EQ(graph.view().facts(product)[Fact::kOutputBytes], 4U * 32 * 4);
}

TEST(Onnx, BlockwiseWeightsAreReadPackedWithTheirScales) {
  const Imported graph = imported(onnx_quantised());
  const std::uint32_t product = graph.of_type("MatMulNBits");
  const Facts facts = graph.view().facts(product);
  EXPECT_EQ(graph.work(product).macs, 4U * 64 * 32);
  EXPECT_EQ(graph.view().weight_type(product), DataType::kUint4);
  EXPECT_EQ(graph.view().data_type(product), DataType::kFloat32);
  EXPECT_EQ(facts[Fact::kWeightBytes], 64U * 32 / 2);
  EXPECT_EQ(facts[Fact::kScaleBytes], 2U * 32 * 4);
  EXPECT_EQ(facts[Fact::kStatedAlu], 2U * 64 * 32) << "each weight is scaled and shifted";
}

TEST(Onnx, DequantisedWeightsAloneAreReadAsStored) {
  const Imported graph = imported(onnx_quantised());
  const std::uint32_t product = graph.of_type("MatMul");
  EXPECT_EQ(graph.view().data_type(product), DataType::kFloat32);
  EXPECT_EQ(graph.view().weight_type(product), DataType::kInt8);
  EXPECT_EQ(graph.view().facts(product)[Fact::kWeightBytes], 64U * 32);
  EXPECT_EQ(graph.view().facts(product)[Fact::kScaleBytes], 32U * 4);
  EXPECT_THAT(graph.notes(), HasSubstr("narrow weights on float activations"));
}

TEST(Onnx, OfTwoBranchesTheCostlierIsCounted) {
  const Imported graph = imported(onnx_control_flow());
  EXPECT_EQ(graph.view().kind(graph.named("large")), OpKind::kBranch);
  EXPECT_THROW(static_cast<void>(graph.named("small")), std::runtime_error);
  EXPECT_THAT(graph.notes(), HasSubstr("'large', is counted: an upper bound"));
}

TEST(Onnx, ALoopRunsAsOftenAsItsLimitSays) {
  const Imported graph = imported(onnx_control_flow());
  EXPECT_EQ(graph.total_macs(), 4U * 16 * 32 + 3U * 4 * 16 * 16);
  EXPECT_THAT(graph.notes(), HasSubstr("loop 'loop' runs 3 times per inference."));
  // What the passes leave behind is stacked: 3 x 4 x 16.
  EXPECT_EQ(graph.view().facts(graph.named("after"))[Fact::kOutputElements], 3U * 4 * 16);
}

TEST(Onnx, AScanRunsOverItsElements) {
  const Imported graph = imported(onnx_control_flow());
  const std::uint32_t add = graph.of_type("Add");
  EXPECT_EQ(graph.view().facts(add)[Fact::kRepeats], 5U);
  EXPECT_EQ(graph.view().facts(add)[Fact::kOutputElements], 16U);
}

TEST(Onnx, ALoopWithoutALimitIsOnePassAndSaidSo) {
  OnnxGraphWriter body("body");
  body.input("i", {}, OnnxType::kInt64).input("go", {}, OnnxType::kBool).input("s", {4});
  body.node({"Relu", {"s"}, {"n"}}).node({"Identity", {"go"}, {"g"}}).output("g").output("n");
  OnnxGraphWriter g;
  g.input("m", {}, OnnxType::kInt64).input("x", {4}).output("y");
  g.node({"Loop", {"m", "", "x"}, {"y"}, {onnx_graph("body", body)}, "endless"});
  EXPECT_THAT(imported(OnnxModelWriter(g).finish()).notes(),
              HasSubstr("'endless' runs is decided at run time: one pass"));
}

TEST(Onnx, FunctionsAreInlinedWithTheAttributesOfTheirCall) {
  const Imported graph = imported(onnx_functions());
  EXPECT_EQ(graph.total_macs(), 2U * 16 * 32 + 2U * 32 * 8);
  EXPECT_EQ(graph.ops(), 6U);
  EXPECT_EQ(graph.view().name(graph.view().parent(graph.of_type("Gemm"))), "first");
  EXPECT_THAT(graph.notes(), HasSubstr("4 calls of the file's own functions are inlined"));
}

TEST(Onnx, RecurrentLayersReadTheirWeightsEveryStep) {
  const Imported graph = imported(onnx_recurrent());
  const std::uint32_t lstm = graph.of_type("LSTM");
  EXPECT_EQ(graph.work(lstm).macs, 10U * 2 * 2 * 4 * 16 * (12 + 16));
  EXPECT_EQ(graph.view().facts(lstm)[Fact::kParameters], 2U * 64 * 12 + 2U * 64 * 16 + 2U * 128);
  EXPECT_EQ(graph.view().facts(lstm)[Fact::kWeightBytes], 10U * 4 * (2U * 64 * 12 + 2U * 64 * 16 + 2U * 128));
  EXPECT_EQ(graph.work(graph.of_type("GRU")).macs, 10U * 2 * 3 * 8 * (12 + 8));
  EXPECT_EQ(graph.view().facts(graph.of_type("GRU"))[Fact::kOutputElements], 2U * 8) << "the last step alone";
  EXPECT_EQ(graph.work(graph.of_type("RNN")).macs, 10U * 2 * 6 * (12 + 6));
}

TEST(Onnx, PackedAttentionIsAProjectionAndAnAttention) {
  const Imported graph = imported(onnx_contributed());
  EXPECT_EQ(macs_of(graph, "qkv_projection"), 8U * 64 * 192);
  const std::uint32_t projection = graph.named("qkv_projection");
  EXPECT_EQ(graph.view().kind(graph.view().parent(projection)), OpKind::kAttentionModule);
  EXPECT_EQ(graph.work(projection + 1).macs, 4U * 8 * 8 * 32);
}

TEST(Onnx, AttentionLooksBackOverItsCache) {
  const Imported graph = imported(onnx_contributed());
  EXPECT_EQ(macs_of(graph, "cross"), 4U * 8 * (24 + 8) * 32);
  EXPECT_EQ(macs_of(graph, "grouped"), 4U * 8 * (24 + 8) * 32);
  EXPECT_EQ(graph.view().facts(graph.named("grouped"))[Fact::kKvHeads], 2U);
}

TEST(Onnx, FusedOperatorsKeepTheWorkOfTheirParts) {
  const Imported graph = imported(onnx_contributed());
  EXPECT_EQ(macs_of(graph, "down"), 8U * 256 * 64);
  const Facts skip = graph.view().facts(graph.named("skip"));
  EXPECT_EQ(skip[Fact::kInputBytes], 2U * 8 * 64 * 4);
  EXPECT_EQ(skip[Fact::kOutputBytes], 2U * 8 * 64 * 4) << "the sum is handed on";
  EXPECT_EQ(graph.view().kind(graph.named("word_embedding")), OpKind::kEmbedding);
  EXPECT_EQ(graph.view().facts(graph.named("word_embedding"))[Fact::kWeightBytes], 8U * 64 * 4) << "the rows read";
}

TEST(Onnx, AnUnknownOperatorIsNamedWithItsShareOfTheBytes) {
  const Imported graph = imported(onnx_unknown());
  const std::uint32_t odd = graph.of_type("acme.Frobnicate");
  EXPECT_EQ(graph.view().kind(odd), OpKind::kUnknown);
  EXPECT_EQ(graph.view().op_class(odd), OpClass::kOpaque);
  EXPECT_EQ(graph.view().facts(odd)[Fact::kInputBytes], 4U * 100 * 4);
  EXPECT_EQ(graph.view().facts(odd)[Fact::kOutputBytes], 4U * 100 * 4) << "as the file states";
  EXPECT_THAT(graph.notes(), HasSubstr("1 op of type 'acme.Frobnicate' is unknown"));
  EXPECT_THAT(graph.notes(), testing::ContainsRegex("47\\.[0-9] % of the model's"));
}

TEST(Onnx, TheLibraryGivesTheShapesThatOurRulesDoNot) {
  const Imported graph = imported(onnx_unknown());
  EXPECT_EQ(graph.view().facts(graph.of_type("Det"))[Fact::kOutputElements], 3U);
}

TEST(Onnx, ANewerOpsetIsSaidAndRead) {
  const Imported graph = imported(onnx_transformer(), {{"sequence", 8}});
  EXPECT_GT(graph.total_macs(), 0U);
  OnnxGraphWriter g;
  g.input("x", {1, 8}).output("y").node({"Relu", {"x"}, {"y"}});
  EXPECT_THAT(imported(OnnxModelWriter(g, 99).finish()).notes(), HasSubstr("opset 99, newer than"));
  EXPECT_THAT(imported(OnnxModelWriter(g, 13).finish()).notes(), Not(HasSubstr("opset")));
}

TEST(Onnx, WorkOnConstantsIsDoneWhenTheModelLoads) {
  OnnxGraphWriter g;
  g.input("x", {1, 8}).output("y").weights("w", {4, 8});
  g.node({"Transpose", {"w"}, {"wt"}}).node({"MatMul", {"x", "wt"}, {"y"}});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_EQ(graph.ops(), 1U);
  EXPECT_EQ(graph.view().facts(graph.of_type("MatMul"))[Fact::kParameters], 32U);
  EXPECT_THAT(graph.notes(), HasSubstr("1 op that works on constants and shapes alone runs once at load"));
}

TEST(Onnx, AttributesWithLongTablesAreNoHindrance) {
  OnnxGraphWriter g;
  g.input("x", {1, 8}).output("y");
  g.node({"TreeEnsembleRegressor",
          {"x"},
          {"y"},
          {onnx_ints("nodes_modes", OnnxDims(100'000, 1))},
          "forest",
          "ai.onnx.ml"});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_EQ(graph.view().type_name(1), "ai.onnx.ml.TreeEnsembleRegressor");
}

TEST(Onnx, WeightsThatTwoOpsShareAreParametersOnce) {
  OnnxGraphWriter g;
  g.input("x", {1, 8}).output("z").weights("w", {8, 8});
  g.node({"MatMul", {"x", "w"}, {"y"}}).node({"MatMul", {"y", "w"}, {"z"}});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_EQ(graph.total(Fact::kParameters), 64U);
  EXPECT_EQ(graph.total(Fact::kWeightBytes), 2U * 64 * 4);
}

TEST(Onnx, NodesOutOfOrderAreSorted) {
  OnnxGraphWriter g;
  g.input("x", {1, 8}).output("z").weights("w", {8, 8});
  g.node({"Relu", {"y"}, {"z"}}).node({"MatMul", {"x", "w"}, {"y"}});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_EQ(graph.view().type_name(1), "MatMul");
  EXPECT_THAT(graph.notes(), HasSubstr("were sorted"));
}

TEST(Onnx, ModulesComeFromThePathsOfWeightsWhereNodesHaveNone) {
  OnnxGraphWriter g;
  g.input("x", {4, 16}).output("h3");
  std::string last = "x";
  for (int i = 0; i < 2; ++i) {
    const std::string path = "model.layers." + std::to_string(i) + ".mlp.";
    const std::string made = std::to_string(i);
    g.weights(path + "up.weight", {16, 32}).weights(path + "down.weight", {32, 16});
    g.node({"MatMul", {last, path + "up.weight"}, {"a" + made}, {}, "MatMul_" + made});
    g.node({"Relu", {"a" + made}, {"b" + made}, {}, "Relu_" + made});
    g.node({"MatMul", {"b" + made, path + "down.weight"}, {"h" + made}, {}, "MatMul_x" + made});
    last = "h" + made;
  }
  g.node({"Relu", {last}, {"h3"}, {}, "Relu_end"});
  const Imported graph = imported(OnnxModelWriter(g).finish());
  EXPECT_THAT(graph.path(graph.named("Relu_0")), HasSubstr("layers.0/mlp/Relu_0"));
  EXPECT_EQ(graph.view().kind(graph.view().parent(graph.named("Relu_1"))), OpKind::kFeedForward);
}

TEST(Onnx, RepeatedBlocksAreFoundWhereNamesAreMissing) {
  OnnxGraphWriter g;
  g.input("x", {4, 16}).output("end").weights("w", {16, 16});
  std::string last = "x";
  for (int i = 0; i < 4; ++i) {
    const std::string made = std::to_string(i);
    g.node({"MatMul", {last, "w"}, {"m" + made}}).node({"Gelu", {"m" + made}, {"g" + made}});
    g.node({"Add", {"g" + made, last}, {i == 3 ? "end" : "a" + made}});
    last = "a" + made;
  }
  const Imported graph = imported(OnnxModelWriter(g, 20).finish());
  EXPECT_EQ(graph.view().kind(graph.named("block_3")), OpKind::kBlock);
  EXPECT_THAT(graph.notes(), HasSubstr("blocks are repeated sequences of ops"));
}

TEST(Onnx, SoftmaxRowsFollowTheOpset) {
  OnnxGraphWriter g;
  g.input("x", {2, 3, 4}).output("y").node({"Softmax", {"x"}, {"y"}});
  const auto rows = [&](std::int64_t opset) {
    const Imported graph = imported(OnnxModelWriter(g, opset).finish());
    return graph.view().facts(graph.of_type("Softmax"))[Fact::kStatedSpecial];
  };
  EXPECT_EQ(rows(11), 2U) << "one division per row: everything from axis 1 on is a row";
  EXPECT_EQ(rows(13), 6U) << "the last axis is";
}

}  // namespace
}  // namespace edgejoule::import
