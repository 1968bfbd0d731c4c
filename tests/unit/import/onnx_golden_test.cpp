// Real ONNX files against MACs known from elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "imported.h"

namespace edgejoule::import {
namespace {

struct Golden {
  const char* file;
  std::uint64_t macs;
  std::size_t ops;  // in the graph
  Bindings bindings{};
};

// MACs: those published for the classifiers of the ONNX model zoo, to the digit; the
// others counted by hand from their shapes. Every .onnx of the folder stands here.
const Golden kGolden[] = {
    {"onnx/light_bvlc_alexnet.onnx", 654'560'384, 24, {}},
    {"onnx/light_inception_v1.onnx", 1'431'556'352, 143, {}},
    {"onnx/light_resnet50.onnx", 4'089'184'256, 176, {}},
    {"onnx/light_squeezenet.onnx", 349'151'936, 66, {}},
    {"onnx/light_vgg19.onnx", 19'632'062'464, 46, {}},
    {"onnx/light_zfnet512.onnx", 1'481'727'008, 22, {}},
    // 28x28x8x25 + 14x14x16x8x25 + 256x10
    {"onnxruntime-qnn/mnist.onnx", 786'560, 11, {}},
    // 24x24x10x25 + 8x8x20x250 + 320x50 + 50x10
    {"onnxruntime-qnn/cnn_mnist_pytorch.onnx", 480'500, 12, {}},
    // Eight tokens of width 8 behind four: 8x8x24 + 2x8x12x8 + 8x8x8 + 2x8x8x32, and 8x8x10 logits.
    {"onnxruntime-qnn/gpt2_megatron.onnx", 8'320, 92, {{"past_seq_len", 4}, {"seq_len", 8}}},
    // Eight tokens of width 4: 8x4x12 + 2x8x8x4 + 8x4x4 + 2x8x4x16.
    {"onnxruntime-qnn/gpt2_one_layer.onnx", 2'048, 34, {{"seq_len", 8}}},
    // One token of width 8: 4 x 8x8 + 2 x 8.
    {"onnxruntime-qnn/attention_distilbert.onnx", 272, 23, {}},
    // Two sequences of ten tokens of width 10: 20x10x30 + 2 x 2x10x10x10 + 3 x 20x10x10.
    {"onnxruntime-qnn/hf_fp32_encoder_self_attention.onnx", 16'000, 12, {}},
    // A search around two graphs of its own: unknown, and named.
    {"onnxruntime-qnn/dummy_t5.onnx", 0, 1, {{"encode_sequence_length", 8}}},
};

std::filesystem::path models() {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  return shared == nullptr || *shared == '\0' ? std::filesystem::path() : std::filesystem::path(shared) / "models";
}

constexpr const char* kAbsent = "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";

test::Imported import_file(const std::string& file, const Bindings& bindings) {
  ImportOptions options;
  options.bindings = bindings;
  return test::Imported(import_model(models() / file, options));
}

class OnnxGolden : public testing::TestWithParam<Golden> {};

TEST_P(OnnxGolden, CountsTheMacsToTheDigit) {
  if (models().empty()) GTEST_SKIP() << kAbsent;
  const test::Imported graph = import_file(GetParam().file, GetParam().bindings);
  EXPECT_EQ(graph.total_macs(), GetParam().macs);
  EXPECT_EQ(graph.ops(), GetParam().ops);
  EXPECT_EQ(graph.notes().find("could not be counted"), std::string::npos) << graph.notes();
}

INSTANTIATE_TEST_SUITE_P(RealFiles, OnnxGolden, testing::ValuesIn(kGolden), [](const auto& golden) {
  std::string name;
  for (const char c : std::filesystem::path(golden.param.file).stem().string()) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
});

TEST(OnnxRealFiles, NoneIsForgotten) {
  if (models().empty()) GTEST_SKIP() << kAbsent;
  std::set<std::string> known;
  for (const Golden& golden : kGolden) known.insert(golden.file);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models())) {
    if (entry.path().extension() != ".onnx") continue;
    EXPECT_EQ(known.count(entry.path().lexically_relative(models()).string()), 1U) << entry.path();
  }
}

TEST(OnnxRealFiles, WhatIsLeftOpenIsRefusedByName) {
  if (models().empty()) GTEST_SKIP() << kAbsent;
  try {
    static_cast<void>(import_file("onnxruntime-qnn/gpt2_megatron.onnx", {}));
    FAIL() << "imported";
  } catch (const ImportError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("2 dimensions of its inputs are open: 'past_seq_len', 'seq_len'"));
  }
}

TEST(OnnxRealFiles, AllButTheSearchIsKnown) {
  if (models().empty()) GTEST_SKIP() << kAbsent;
  for (const Golden& golden : kGolden) {
    SCOPED_TRACE(golden.file);
    const test::Imported graph = import_file(golden.file, golden.bindings);
    for (std::uint32_t i = 0; i < graph.view().size(); ++i) {
      if (graph.view().type_name(i) == "com.microsoft.BeamSearch") continue;
      EXPECT_NE(graph.view().kind(i), OpKind::kUnknown) << graph.view().type_name(i);
      EXPECT_NE(graph.view().op_class(i), OpClass::kOpaque) << graph.view().type_name(i);
    }
  }
}

// Weights that the exporter still names after PyTorch's modules make the tree.
TEST(OnnxRealFiles, GptFindsItsLayerByItsWeights) {
  if (models().empty()) GTEST_SKIP() << kAbsent;
  const test::Imported graph = import_file("onnxruntime-qnn/gpt2_megatron.onnx", {{"past_seq_len", 4}, {"seq_len", 8}});
  const GraphView& view = graph.view();
  EXPECT_EQ(view.kind(graph.named("layers.0")), OpKind::kLayer);
  EXPECT_EQ(view.kind(graph.named("attention")), OpKind::kAttentionModule);
  EXPECT_EQ(view.kind(graph.named("mlp")), OpKind::kFeedForward);
  EXPECT_EQ(graph.path(graph.named("Softmax_91")), "gpt2_megatron/transformer/layers.0/attention/Softmax_91");
}

}  // namespace
}  // namespace edgejoule::import
