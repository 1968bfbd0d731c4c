#include "import/experiment/files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "unit/import/imported.h"
#include "workloads/workload.h"

namespace edgejoule::import {
namespace {

using ::testing::HasSubstr;
using workloads::Candidate;

std::vector<Candidate> small_candidates() {
  return workloads::candidates(
      {.last_level_bytes = 64U << 10U, .memory_bytes = 64U << 20U, .max_threads = 1, .has_fp16 = true});
}

ExperimentOp experiment_of(const workloads::Workload& workload) {
  return {.op = workload.op, .rows = workload.rows};
}

// "" where node `node` of the graph has the kind, types and facts of `op`.
std::string difference(const GraphView& view, std::uint32_t node, const graph::OpNode& op) {
  std::string out;
  if (view.kind(node) != op.kind) out += fmt::format("kind {} not {}; ", name_of(view.kind(node)), name_of(op.kind));
  if (view.data_type(node) != op.data_type) out += "data type; ";
  if (view.weight_type(node) != op.weight_type) out += "weight type; ";
  const Facts facts = view.facts(node);
  for (std::size_t i = 0; i < kFactCount; ++i) {
    const auto fact = static_cast<Fact>(i);
    if (facts[fact] != op.facts[fact]) out += fmt::format("{} {} not {}; ", name_of(fact), facts[fact], op.facts[fact]);
  }
  return out;
}

void expect_same_facts(ModelFormat format, const std::set<std::string>& kinds) {
  std::set<std::string> written;
  for (const Candidate& candidate : small_candidates()) {
    const ExperimentOp op = experiment_of(candidate.workload);
    if (!can_write(format, op)) continue;
    const test::Imported graph = test::imported(write_experiment(format, {&op, 1}));
    ASSERT_EQ(graph.ops(), 1U) << op.op.name;
    graph::OpNode expected = op.op;
    if (format == ModelFormat::kOnnx && expected.kind == OpKind::kDense) {  // a Gemm's rows are a batch
      expected.facts.set(Fact::kBatch, op.op.facts[Fact::kRowsM]).set(Fact::kRowsM, 1);
    }
    EXPECT_EQ(difference(graph.view(), graph.view().size() - 1, expected), "") << op.op.name;
    written.insert(fmt::format("{} {}", name_of(op.op.kind), name_of(op.op.data_type)));
  }
  EXPECT_EQ(written, kinds);
}

TEST(ExperimentFiles, ComeBackFromTfliteWithTheSameFacts) {
  expect_same_facts(ModelFormat::kTflite, {"add float32",
                                           "add int8",
                                           "average_pool_2d float32",
                                           "batch_matmul float32",
                                           "conv_2d float32",
                                           "conv_2d int8",
                                           "dense float32",
                                           "dense int8",
                                           "depthwise_conv_2d float32",
                                           "depthwise_conv_2d int8",
                                           "embedding float32",
                                           "gelu float32",
                                           "hard_swish float32",
                                           "max_pool_2d float32",
                                           "mean float32",
                                           "mul float32",
                                           "relu float32",
                                           "relu6 float32",
                                           "sigmoid float32",
                                           "softmax float32",
                                           "tanh float32",
                                           "transpose float32"});
}

#ifdef EDGEJOULE_WITH_ONNX
TEST(ExperimentFiles, ComeBackFromOnnxWithTheSameFacts) {
  expect_same_facts(ModelFormat::kOnnx,
                    {"add float16", "add float32", "average_pool_2d float32", "batch_matmul float32", "conv_2d float32",
                     "dense float16", "dense float32", "depthwise_conv_2d float32", "embedding float32",
                     "hard_swish float32", "layer_norm float32", "max_pool_2d float32", "mean float32", "mul float32",
                     "relu float32", "sigmoid float32", "softmax float32", "tanh float32", "transpose float32"});
}
#endif

std::vector<ExperimentOp> convolution_and_relu() {
  graph::ConvolutionParams p{.in_h = 8, .in_w = 8, .in_c = 4, .out_h = 8, .out_w = 8, .out_c = 6};
  p.kernel_h = p.kernel_w = 3;
  const graph::Tensor tensor{.elements = 8 * 8 * 6};
  return {{.op = graph::convolution({.name = "conv"}, p)},
          {.op = graph::elementwise({.name = "relu"}, {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor})}};
}

TEST(ExperimentFiles, OpsFollowOneAnother) {
  const std::vector<ExperimentOp> ops = convolution_and_relu();
  std::vector<ModelFormat> formats{ModelFormat::kTflite};
#ifdef EDGEJOULE_WITH_ONNX
  formats.push_back(ModelFormat::kOnnx);
#endif
  for (const ModelFormat format : formats) {
    const test::Imported graph = test::imported(write_experiment(format, ops));
    ASSERT_EQ(graph.ops(), 2U);
    for (const ExperimentOp& op : ops) {
      EXPECT_EQ(difference(graph.view(), graph.named(op.op.name), op.op), "") << op.op.name;
    }
  }
}

TEST(ExperimentFiles, SayWhatCannotBeWritten) {
  const auto failure = [](ModelFormat format, const std::vector<ExperimentOp>& ops) {
    try {
      static_cast<void>(write_experiment(format, ops));
    } catch (const ImportError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const ExperimentOp attention{.op = graph::attention({.name = "a"}, {.heads = 2, .context = 4, .depth = 8})};
  for (const ModelFormat format : {ModelFormat::kTflite, ModelFormat::kOnnx}) {
    EXPECT_FALSE(can_write(format, attention));
    EXPECT_THAT(failure(format, {attention}), HasSubstr("operator"));
    std::vector<ExperimentOp> wrong_order = convolution_and_relu();
    std::swap(wrong_order[0], wrong_order[1]);
    EXPECT_THAT(failure(format, wrong_order), HasSubstr("cannot take the output of the op before it"));
    EXPECT_THAT(failure(format, {}), HasSubstr("no ops"));
  }
  const ExperimentOp int8{
      .op = graph::dense({.name = "d"}, {.types = {.input = DataType::kInt8}, .weights = {.scales = 1}})};
  EXPECT_THAT(failure(ModelFormat::kOnnx, {int8}), HasSubstr("quantised"));
  EXPECT_TRUE(can_write(ModelFormat::kTflite, int8));
}

}  // namespace
}  // namespace edgejoule::import
