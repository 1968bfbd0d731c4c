// Published figures of the models in the zoo: multiply-accumulates (bias not counted)
// and parameters.
#include <fmt/format.h>
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

INSTANTIATE_TEST_SUITE_P(
    Zoo, TransformerParameters,
    ::testing::Values(Figure{"bert-tiny", 4'385'920}, Figure{"bert-mini", 11'170'560}, Figure{"bert-small", 28'763'648},
                      Figure{"bert-medium", 41'373'184}, Figure{"bert-base", 109'482'240},
                      Figure{"bert-large", 335'141'888}, Figure{"distilbert", 66'362'880}, Figure{"albert", 11'683'584},
                      Figure{"gpt2", 124'439'808}, Figure{"gpt2-medium", 354'823'168},
                      Figure{"gpt2-large", 774'030'080}, Figure{"gpt2-xl", 1'557'611'200},
                      // Hugging Face's model cards (safetensors, number of parameters).
                      Figure{"tinyllama-1.1b", 1'100'048'384}, Figure{"llama-3.2-1b", 1'235'814'400},
                      Figure{"llama-3.2-3b-q4", 3'212'749'824}, Figure{"llama-2-7b-q4", 6'738'415'616},
                      Figure{"llama-3-8b-q4", 8'030'261'248},
                      // torchvision (vit_b_16, vit_b_32, vit_l_16) and timm (DeiT tiny, small).
                      Figure{"vit-tiny-16", 5'717'416}, Figure{"vit-small-16", 22'050'664},
                      Figure{"vit-base-16", 86'567'656}, Figure{"vit-base-32", 88'224'232},
                      Figure{"vit-large-16", 304'326'632}));

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

// torchvision's weights state 17.564, 4.409 and 61.555 GFLOPs (multiply-accumulates).
INSTANTIATE_TEST_SUITE_P(Vit, PublishedMacs,
                         ::testing::Values(Figure{"vit-base-16", 17'564'000'000}, Figure{"vit-base-32", 4'409'000'000},
                                           Figure{"vit-large-16", 61'555'000'000}));

// DistilBERT is BERT with half the layers, ALBERT-base is BERT-base with a small table
// of words and one layer: the encoder multiplies as often (arXiv 1909.11942, table 1).
TEST(BertFigures, RelativesMultiplyAsTheirLayersDo) {
  const Model bert("bert-base");
  const Model distilled("distilbert");
  const Model albert("albert");
  EXPECT_EQ(2 * distilled.macs(distilled.find("encoder")), bert.macs(bert.find("encoder")));
  EXPECT_EQ(albert.macs(albert.find("encoder")), bert.macs(bert.find("encoder")) + 128U * 128U * 768U);
}

// Reading n tokens: every matrix n times, and n*n scores in each head, twice its depth.
// Writing one behind them: every matrix once, n scores.
TEST(LlamaFigures, PrefillAndDecodeAreFunctionsOfTheContext) {
  constexpr std::uint64_t kLayer = 2048U * (2048U + 256U + 256U + 2048U) + 3U * 2048U * 5632U;
  constexpr std::uint64_t kHead = 2048U * 32000U;
  for (const std::uint64_t n : {1U, 128U, 2000U}) {
    const Model prefill(fmt::format("tinyllama-1.1b:seq={}", n));
    EXPECT_EQ(prefill.macs(), 22U * (n * kLayer + 2U * n * n * 2048U) + kHead) << n;
    const Model decode(fmt::format("tinyllama-1.1b:seq=1,context={}", n));
    EXPECT_EQ(decode.macs(), 22U * (kLayer + 2U * n * 2048U) + kHead) << n;
  }
}

// Every key and value of the context is read once per token: 2 (keys and values) times
// 4 heads of 64 in 16 bits, in each of 22 layers. With a head for each query it were 8 times that.
TEST(LlamaFigures, GroupedQueriesReadTheCacheOnce) {
  const auto cache_read = [](const char* settings) {
    const Model shorter(fmt::format("tinyllama-1.1b:seq=1,context=1024{}", settings));
    const Model longer(fmt::format("tinyllama-1.1b:seq=1,context=2048{}", settings));
    std::uint64_t bytes = 0;
    for (int layer = 0; layer < 22; ++layer) {
      for (const char* op : {"query_key", "attention_value"}) {
        const std::string path = fmt::format("layers/layers.{}/self_attn/{}", layer, op);
        bytes += longer.sum(Fact::kInputBytes, longer.find(path)) - shorter.sum(Fact::kInputBytes, shorter.find(path));
      }
    }
    return bytes;
  };
  constexpr std::uint64_t kScores = 22U * 32U * 1024U * 2U;  // attention_value reads the scores as well
  EXPECT_EQ(cache_read(""), 22U * 2U * 1024U * 4U * 64U * 2U + kScores);
  EXPECT_EQ(cache_read(",kv_heads=32"), 8U * (22U * 2U * 1024U * 4U * 64U * 2U) + kScores);
}

// llama.cpp's Q4_0: 18 bytes hold 32 weights, 4.5 bits each.
TEST(LlamaFigures, FourBitWeightsAddTheirScales) {
  const Model decode("tinyllama-1.1b-q4:seq=1,context=1");
  std::uint64_t matrices = 0;
  std::uint64_t bytes = 0;
  for (std::uint32_t node = 0; node < decode.graph().size(); ++node) {
    if (decode.graph().kind(node) != OpKind::kDense) continue;
    const Facts facts = decode.graph().facts(node);
    EXPECT_EQ(decode.graph().weight_type(node), DataType::kInt4);
    EXPECT_EQ(decode.graph().data_type(node), DataType::kFloat16);
    EXPECT_EQ(facts[Fact::kStatedAlu], 2 * facts[Fact::kParameters]) << "a zero point and a scale for each weight";
    matrices += facts[Fact::kParameters];
    bytes += facts[Fact::kWeightBytes] + facts[Fact::kScaleBytes];
  }
  EXPECT_EQ(bytes, matrices / 32 * 18);
}

// The table of words is the matrix of the logits: it is read twice and held once.
TEST(LlamaFigures, TiedLogitsAreTrafficWithoutParameters) {
  const Model tied("llama-3.2-1b:seq=1");
  EXPECT_EQ(tied.parameters(tied.find("lm_head")), 0U);
  EXPECT_EQ(tied.sum(Fact::kWeightBytes, tied.find("lm_head")), 128256U * 2048U * 2U);
}

}  // namespace
}  // namespace edgejoule::zoo
