// The golden MACs of METHODS.md section 6, to the digit, on the real files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "imported.h"

namespace edgejoule::import {
namespace {

struct Golden {
  const char* file;
  std::uint64_t macs;
  std::size_t ops;
};

void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.file;
}

constexpr Golden kGolden[] = {
    {"tiny/ad01_fp32.tflite", 264'192, 10},
    {"tiny/ad01_int8.tflite", 264'192, 10},
    {"tiny/kws_ref_model.tflite", 2'656'768, 13},
    {"tiny/kws_ref_model_float32.tflite", 2'656'768, 13},
    {"tiny/vww_96_float.tflite", 7'489'664, 31},
    {"tiny/vww_96_int8.tflite", 7'489'664, 31},
    {"tiny/pretrainedResnet.tflite", 12'501'632, 16},
    {"tiny/pretrainedResnet_quant.tflite", 12'501'632, 16},
    {"tflite-micro/person_detect.tflite", 7'157'888, 31},
    {"test_data/mobilenet_v1_0.25_128_quant.tflite", 13'570'304, 31},
    {"test_data/mobilenet_v1_0.5_160_quant.tflite", 76'525'312, 31},
    {"test_data/mobilenet_v1_0.75_192_quant.tflite", 239'274'240, 31},
    {"test_data/mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", 567'716'352, 28},
    {"test_data/mobilenet_quant_v1_224_head_layers.tflite", 1'025'024, 3},
    {"test_data/mobilenet_v2_1.0_224_quant.tflite", 300'775'552, 66},
};

std::filesystem::path models() {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  return shared == nullptr || *shared == '\0' ? std::filesystem::path() : std::filesystem::path(shared) / "models";
}

class TfliteGolden : public testing::TestWithParam<Golden> {};

TEST_P(TfliteGolden, CountsTheMacsToTheDigit) {
  if (models().empty()) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  const test::Imported graph(import_model(models() / GetParam().file));
  EXPECT_EQ(graph.total_macs(), GetParam().macs);
  EXPECT_EQ(graph.ops(), GetParam().ops);
}

INSTANTIATE_TEST_SUITE_P(RealFiles, TfliteGolden, testing::ValuesIn(kGolden), [](const auto& golden) {
  std::string name;
  for (const char c : std::filesystem::path(golden.param.file).stem().string()) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
});

TEST(TfliteRealFiles, AllImportAndNothingIsUnknown) {
  if (models().empty()) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models())) {
    if (entry.path().extension() != ".tflite") continue;
    SCOPED_TRACE(entry.path().string());
    ++files;
    const test::Imported graph(import_model(entry.path()));
    EXPECT_GT(graph.ops(), 0U);
    const GraphView& view = graph.view();
    for (std::uint32_t i = 0; i < view.size(); ++i) {
      EXPECT_NE(view.kind(i), OpKind::kUnknown) << view.type_name(i);
      EXPECT_NE(view.op_class(i), OpClass::kOpaque) << view.type_name(i);
    }
    EXPECT_EQ(graph.notes().find("could not be counted"), std::string::npos) << graph.notes();
  }
  EXPECT_GE(files, 28U);
}

TEST(TfliteRealFiles, MobileNetV2HasItsInvertedResiduals) {
  if (models().empty()) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  const test::Imported graph(import_model(models() / "test_data/mobilenet_v2_1.0_224_quant.tflite"));
  const std::uint32_t block = graph.named("expanded_conv_2");
  EXPECT_EQ(graph.view().kind(block), OpKind::kInvertedResidual);
  // expand, depthwise, project, add
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(graph.view().parent(block + i), block);
  EXPECT_EQ(graph.view().name(block + 1), "expand");
  EXPECT_EQ(graph.work(block + 1).macs, 56U * 56U * 24U * 144U);
  EXPECT_EQ(graph.view().name(block + 4), "add");
  EXPECT_NE(graph.view().parent(block + 5), block);
}

TEST(TfliteRealFiles, LstmAndSvdfAreCountedPerStep) {
  if (models().empty()) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  const test::Imported lstm(import_model(models() / "test_data/keras_lstm_mnist_ptq.tflite"));
  const std::uint32_t cell = lstm.of_type("UNIDIRECTIONAL_SEQUENCE_LSTM");
  EXPECT_EQ(lstm.work(cell).macs, 28U * 4U * 20U * (28U + 20U));
  EXPECT_EQ(lstm.total_macs(), 113'120U);
  const test::Imported keyword(import_model(models() / "tflite-micro/keyword_scrambled.tflite"));
  EXPECT_EQ(keyword.work(keyword.of_type("SVDF")).macs, 64U * (96U + 8U));
  EXPECT_EQ(keyword.total_macs(), 21'056U);
}

TEST(TfliteRealFiles, SegmentationAndSuperResolutionTotals) {
  if (models().empty()) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: the real models are not at hand";
  EXPECT_EQ(test::Imported(import_model(models() / "test_data/deeplabv3_mnv2_dm05_pascal_quant.tflite")).total_macs(),
            867'496'704U);
  // 3x3 convolutions at 540 x 960: 3 to 32 channels, eleven times 32 to 32, 32 to 12.
  const std::uint64_t pixels = 540U * 960U;
  const std::uint64_t expected = pixels * 9U * (3U * 32U + 11U * 32U * 32U + 32U * 12U);
  EXPECT_EQ(test::Imported(import_model(models() / "mobile_models/edsr_f32b5_fp32.tflite")).total_macs(), expected);
}

}  // namespace
}  // namespace edgejoule::import
