// Published figures of the models in the zoo: multiply-accumulates (bias not counted)
// and parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <set>

#include "zoo_model.h"

namespace edgejoule::zoo {
namespace {

struct Figure {
  const char* name;
  std::uint64_t value;
};

void PrintTo(const Figure& figure, std::ostream* out) {
  *out << figure.name;
}

class GoldenMacs : public ::testing::TestWithParam<Figure> {};

// The figures of METHODS, section 6, with all their digits.
TEST_P(GoldenMacs, MatchToTheDigit) {
  EXPECT_EQ(Model(GetParam().name).macs(), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(Zoo, GoldenMacs,
                         ::testing::Values(Figure{"ad01", 264'192}, Figure{"kws", 2'656'768}, Figure{"vww", 7'489'664},
                                           Figure{"resnet8", 12'501'632}, Figure{"mobilenet_v1-0.25-128", 13'570'304},
                                           Figure{"mobilenet_v1-0.5-160", 76'525'312},
                                           Figure{"mobilenet_v1-0.75-192", 239'274'240},
                                           Figure{"mobilenet_v1-1.0-224", 567'716'352 + 1'025'024},
                                           Figure{"mobilenet_v2-1.0-224", 300'775'552},
                                           Figure{"resnet50", 4'089'184'256}, Figure{"resnet18", 1'814'073'344}));

class PublishedMacs : public ::testing::TestWithParam<Figure> {};

// Rounded to the last million by their authors (TensorFlow's MobileNet pages).
TEST_P(PublishedMacs, MatchToTheMillion) {
  EXPECT_NEAR(static_cast<double>(Model(GetParam().name).macs()), static_cast<double>(GetParam().value), 1.0e6);
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, PublishedMacs,
    ::testing::Values(Figure{"mobilenet_v2-1.4-224", 582'000'000}, Figure{"mobilenet_v2-1.3-224", 509'000'000},
                      Figure{"mobilenet_v2-1.0-96", 56'000'000}, Figure{"mobilenet_v2-0.75-224", 209'000'000},
                      Figure{"mobilenet_v2-0.5-160", 50'000'000}, Figure{"mobilenet_v2-0.35-224", 59'000'000},
                      Figure{"mobilenet_v2-0.35-96", 11'000'000}, Figure{"mobilenet_v3-large", 217'000'000},
                      Figure{"mobilenet_v3-large-0.75", 155'000'000},
                      Figure{"mobilenet_v3-large-minimalistic", 209'000'000},
                      // The ICCV paper; the 66 million of the pages belong to its first draft.
                      Figure{"mobilenet_v3-small", 56'000'000}, Figure{"mobilenet_v3-small-0.75", 44'000'000}));

class PublishedOperations : public ::testing::TestWithParam<Figure> {};

// The authors of EfficientNet-Lite count batch normalisation and activations as well:
// their figures lie 3 to 6 % above the multiply-accumulates.
TEST_P(PublishedOperations, ExceedTheMacsByTheElementWork) {
  const double ratio = static_cast<double>(GetParam().value) / static_cast<double>(Model(GetParam().name).macs());
  EXPECT_GT(ratio, 1.03);
  EXPECT_LT(ratio, 1.06);
}

INSTANTIATE_TEST_SUITE_P(Zoo, PublishedOperations,
                         ::testing::Values(Figure{"efficientnet_lite0", 407'000'000},
                                           Figure{"efficientnet_lite1", 631'000'000},
                                           Figure{"efficientnet_lite2", 899'000'000},
                                           Figure{"efficientnet_lite3", 1'440'000'000},
                                           Figure{"efficientnet_lite4", 2'640'000'000}));

// Published networks have two parameters of batch normalisation per channel; here they
// are folded into one bias. Layers without normalisation keep their own bias.
std::uint64_t parameters_before_folding(const Model& model) {
  static const std::set<std::string_view> kPlain = {"logits", "squeeze", "excite", "features"};
  std::uint64_t parameters = model.parameters();
  for (std::uint32_t node = 0; node < model.graph().size(); ++node) {
    if (model.graph().op_class(node) == OpClass::kConvolution && kPlain.count(model.graph().name(node)) == 0) {
      parameters += model.graph().facts(node)[Fact::kOutC];
    }
  }
  return parameters;
}

class ConvolutionalParameters : public ::testing::TestWithParam<Figure> {};

// Keras, torchvision and timm, 1000 classes.
TEST_P(ConvolutionalParameters, MatchToTheDigit) {
  EXPECT_EQ(parameters_before_folding(Model(std::string(GetParam().name) + ":classes=1000")), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, ConvolutionalParameters,
    ::testing::Values(Figure{"mobilenet_v1-1.0-224", 4'231'976}, Figure{"mobilenet_v2-1.0-224", 3'504'872},
                      Figure{"mobilenet_v3-large", 5'483'032}, Figure{"mobilenet_v3-small", 2'542'856},
                      Figure{"efficientnet_lite0", 4'652'008}, Figure{"efficientnet_lite1", 5'416'680},
                      Figure{"efficientnet_lite2", 6'092'072}, Figure{"efficientnet_lite3", 8'197'096},
                      Figure{"efficientnet_lite4", 13'006'568}, Figure{"resnet18", 11'689'512},
                      Figure{"resnet34", 21'797'672}, Figure{"resnet50", 25'557'032}, Figure{"resnet101", 44'549'160},
                      Figure{"resnet152", 60'192'808}));

class TransformerParameters : public ::testing::TestWithParam<Figure> {};

TEST_P(TransformerParameters, MatchToTheDigit) {
  EXPECT_EQ(Model(GetParam().name).parameters(), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(Zoo, TransformerParameters,
                         ::testing::Values(Figure{"bert-tiny", 4'385'920}, Figure{"bert-mini", 11'170'560},
                                           Figure{"bert-small", 28'763'648}, Figure{"bert-medium", 41'373'184},
                                           Figure{"bert-base", 109'482'240}, Figure{"bert-large", 335'141'888},
                                           Figure{"distilbert", 66'362'880}, Figure{"albert", 11'683'584},
                                           Figure{"gpt2", 124'439'808}, Figure{"gpt2-medium", 354'823'168},
                                           Figure{"gpt2-large", 774'030'080}, Figure{"gpt2-xl", 1'557'611'200}));

TEST(BertFigures, EncoderOf128TokensMatchesToTheDigit) {
  const Model bert("bert-base:seq=128");
  EXPECT_EQ(bert.macs(bert.find("encoder")), 11'173'625'856U);  // 11173.6 M
  EXPECT_EQ(bert.macs(bert.find("pooler")), 768U * 768U);
}

// One token written after 1023 cached ones: every weight once, plus the cache.
TEST(GptFigures, DecodingGrowsWithTheContext) {
  const Model near_start("gpt2:seq=1,context=1");
  const Model far_on("gpt2:seq=1,context=1024");
  EXPECT_EQ(far_on.macs() - near_start.macs(), 12U * 2U * 1023U * 768U);
  EXPECT_EQ(far_on.sum(Fact::kWeightBytes), near_start.sum(Fact::kWeightBytes));
}

}  // namespace
}  // namespace edgejoule::zoo
