#include "zoo/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "zoo_model.h"

namespace edgejoule::zoo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string message_of(std::string_view name) {
  try {
    static_cast<void>(build(name));
  } catch (const ZooError& error) {
    return error.what();
  }
  return "";
}

TEST(Zoo, EveryListedNameBuildsAGraphThatCoreOpens) {
  std::set<std::string> names;
  for (const ZooEntry& entry : list()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name << " is listed twice";
    EXPECT_FALSE(entry.description.empty()) << entry.name;
    const Model model(entry.name);
    EXPECT_EQ(model.graph().model_name(), entry.name);
    EXPECT_GT(model.macs(), 0U) << entry.name;
    EXPECT_GT(model.sum(Fact::kTransistorOps), model.macs()) << entry.name;
    EXPECT_EQ(model.graph().unique_weight_bytes(), model.sum(Fact::kUniqueWeightBytes));
  }
  EXPECT_GT(names.size(), 50U);
}

TEST(Zoo, ListShowsTheParametersWithTheValuesOfTheName) {
  for (const ZooEntry& entry : list()) {
    if (entry.name != "bert-large") {
      continue;
    }
    for (const ZooParameter& parameter : entry.parameters) {
      EXPECT_FALSE(parameter.meaning.empty());
      if (parameter.key == "layers") {
        EXPECT_EQ(parameter.value, "24");
        return;
      }
    }
  }
  FAIL() << "bert-large has no parameter layers";
}

TEST(Zoo, PrefixIsOptionalAndPresetsAreSettings) {
  EXPECT_EQ(Model("zoo:bert-base").macs(), Model("bert:layers=12,hidden=768,seq=128,batch=1").macs());
  EXPECT_EQ(Model("mobilenet_v1-0.5-160").macs(), Model("mobilenet_v1:width=0.5,resolution=160").macs());
}

TEST(Zoo, BuildsTheSameBytesEachTime) {
  const files::FileBytes one = build("bert-tiny");
  const files::FileBytes two = build("bert-tiny");
  EXPECT_EQ(one.text(), two.text());
}

TEST(Zoo, UnknownNamesAreAnsweredWithCloseOnesAndAnExample) {
  EXPECT_THAT(message_of("zoo:mobilenet_v2-1.0-225"), AllOf(HasSubstr("mobilenet_v2-1.0-224,"), HasSubstr("example")));
  EXPECT_THAT(message_of("resnet-50"), HasSubstr("resnet50"));
  EXPECT_THAT(message_of(""), HasSubstr("families are mobilenet_v1"));
}

TEST(Zoo, WrongParametersSayWhatIsAccepted) {
  EXPECT_THAT(message_of("bert-base:sequence=4"), AllOf(HasSubstr("'sequence'"), HasSubstr("seq")));
  EXPECT_THAT(message_of("bert-base:seq"), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(message_of("bert-base:seq=0"), HasSubstr("from 1 to"));
  EXPECT_THAT(message_of("bert-base:seq=12x"), HasSubstr("whole number"));
  EXPECT_THAT(message_of("mobilenet_v1:width=nan"), HasSubstr("from 0.05 to 8"));
  EXPECT_THAT(message_of("resnet50:dtype=int5"), HasSubstr("fp32, fp16, bf16, int8, uint8"));
  EXPECT_THAT(message_of("bert-base:heads=7"), HasSubstr("does not divide"));
  EXPECT_THAT(message_of("bert-base:seq=513"), HasSubstr("positions"));
  EXPECT_THAT(message_of("bert-base:embedding=128"), HasSubstr("albert"));
  EXPECT_THAT(message_of("gpt2:seq=8,context=4"), HasSubstr("context=4"));
  EXPECT_THAT(message_of("llama:seq=8,context=4"), HasSubstr("context=4"));
  EXPECT_THAT(message_of("llama:heads=32,kv_heads=5"), HasSubstr("kv_heads=5"));
  EXPECT_THAT(message_of("llama:hidden=100"), HasSubstr("head_dim"));
  EXPECT_THAT(message_of("llama:weights=int3"), HasSubstr("dtype, int8, int4"));
  EXPECT_THAT(message_of("llama:block=0"), HasSubstr("from 1 to"));
  EXPECT_THAT(message_of("vit:resolution=225"), HasSubstr("patch=16"));
  EXPECT_THAT(message_of("vit:heads=7"), HasSubstr("does not divide"));
  EXPECT_THAT(message_of("gpt2:batch=-1"), HasSubstr("from 1 to"));
  EXPECT_THAT(message_of("gpt2:batch=99999999999999999999"), HasSubstr("from 1 to"));
}

TEST(Zoo, BatchMultipliesWorkAndActivationsButNotWeights) {
  for (const char* name : {"mobilenet_v3-small", "bert-tiny", "resnet8", "gpt2", "vit-tiny-16"}) {
    const Model one(name);
    const Model four(std::string(name) + ":batch=4");
    EXPECT_EQ(four.macs(), 4 * one.macs()) << name;
    EXPECT_EQ(four.sum(Fact::kInputBytes), 4 * one.sum(Fact::kInputBytes)) << name;
    EXPECT_EQ(four.sum(Fact::kOutputBytes), 4 * one.sum(Fact::kOutputBytes)) << name;
    EXPECT_EQ(four.sum(Fact::kUniqueWeightBytes), one.sum(Fact::kUniqueWeightBytes)) << name;
    EXPECT_EQ(four.parameters(), one.parameters()) << name;
  }
}

TEST(Zoo, DataTypeSetsBytesScalesAndTransistors) {
  const Model single("mobilenet_v1-0.25-128");
  const Model half("mobilenet_v1-0.25-128:dtype=fp16");
  const Model byte("mobilenet_v1-0.25-128:dtype=int8");
  EXPECT_EQ(single.sum(Fact::kOutputBytes), 2 * half.sum(Fact::kOutputBytes));
  EXPECT_EQ(single.sum(Fact::kOutputBytes), 4 * byte.sum(Fact::kOutputBytes));
  EXPECT_EQ(single.sum(Fact::kScaleBytes), 0U);
  std::uint64_t channels = 0;
  for (std::uint32_t node = 0; node < byte.graph().size(); ++node) {
    if (byte.graph().op_class(node) == OpClass::kConvolution) {
      channels += byte.graph().facts(node)[Fact::kOutC];
      EXPECT_EQ(byte.graph().data_type(node), DataType::kInt8);
    }
  }
  EXPECT_EQ(byte.sum(Fact::kScaleBytes), 4 * channels);
  EXPECT_LT(byte.sum(Fact::kTransistorOps), half.sum(Fact::kTransistorOps));
  EXPECT_LT(half.sum(Fact::kTransistorOps), single.sum(Fact::kTransistorOps));
}

TEST(Zoo, BertHasTheTreeThatIrEneMeasures) {
  const Model bert("bert-base");
  const GraphView& graph = bert.graph();
  EXPECT_EQ(graph.kind(bert.find("encoder/layer.11/attention/self/query")), OpKind::kDense);
  EXPECT_EQ(graph.kind(bert.find("encoder/layer.0/attention/self")), OpKind::kSelfAttention);
  EXPECT_EQ(graph.kind(bert.find("encoder/layer.0/attention/output/LayerNorm")), OpKind::kLayerNorm);
  EXPECT_EQ(graph.kind(bert.find("encoder/layer.0/intermediate")), OpKind::kFeedForward);
  EXPECT_EQ(graph.kind(bert.find("embeddings/word_embeddings")), OpKind::kEmbedding);
  const Facts self = graph.facts(bert.find("encoder/layer.0/attention/self"));
  EXPECT_EQ(self[Fact::kTokens], 128U);
  EXPECT_EQ(self[Fact::kSoftmaxBytes], 12U * 128U * 128U * 4U);
}

TEST(Zoo, IdenticalLayersHaveIdenticalFacts) {
  const Model bert("bert-base:seq=96,dtype=fp16");
  const GraphView& graph = bert.graph();
  const std::uint32_t first = bert.find("encoder/layer.0");
  const std::uint32_t last = bert.find("encoder/layer.11");
  const std::uint32_t size = bert.find("encoder/layer.1") - first;
  ASSERT_GT(size, 20U);
  for (std::uint32_t i = 1; i < size; ++i) {
    EXPECT_EQ(graph.name(first + i), graph.name(last + i));
    const Facts a = graph.facts(first + i);
    const Facts b = graph.facts(last + i);
    for (std::size_t fact = 0; fact < kFactCount; ++fact) {
      EXPECT_EQ(a[static_cast<Fact>(fact)], b[static_cast<Fact>(fact)]) << graph.name(first + i);
    }
  }
}

// Parameters once, traffic at every use.
TEST(Zoo, AlbertSharesItsLayer) {
  const Model albert("albert");
  const Model bert("bert-base");
  EXPECT_EQ(albert.sum(Fact::kWeightBytes, albert.find("encoder/layer.7")),
            bert.sum(Fact::kWeightBytes, bert.find("encoder/layer.7")));
  EXPECT_EQ(albert.parameters(albert.find("encoder/layer.7")), 0U);
  EXPECT_EQ(albert.parameters(albert.find("encoder/layer.0")), bert.parameters(bert.find("encoder/layer.0")));
  EXPECT_LT(albert.graph().unique_weight_bytes(), bert.graph().unique_weight_bytes() / 9);
}

TEST(Zoo, GptTiesItsLogitsToTheEmbeddings) {
  const Model gpt("gpt2");
  EXPECT_EQ(gpt.parameters(gpt.find("lm_head")), 0U);
  EXPECT_EQ(gpt.sum(Fact::kWeightBytes, gpt.find("lm_head")), 50257U * 768U * 4U);
  // Of the embeddings only the rows of the tokens are read.
  EXPECT_EQ(gpt.sum(Fact::kWeightBytes, gpt.find("embeddings/wte")), 128U * 768U * 4U);
}

TEST(Zoo, SqueezeAndExciteIsLeftOutOfMinimalisticNetworks) {
  const Model plain("mobilenet_v3-large-minimalistic");
  const Model full("mobilenet_v3-large");
  EXPECT_EQ(full.graph().kind(full.find("block_3/squeeze_excite")), OpKind::kBranch);
  EXPECT_THROW(static_cast<void>(plain.find("block_3/squeeze_excite")), std::runtime_error);
  EXPECT_EQ(full.graph().facts(full.find("block_3/depthwise"))[Fact::kKernelH], 5U);
  EXPECT_EQ(plain.graph().facts(plain.find("block_3/depthwise"))[Fact::kKernelH], 3U);
}

// The zoo's name for a model of MLPerf Inference's edge runs; empty where it names none.
std::string zoo_name(const std::string& model) {
  static const std::regex efficient("efficientnet-(?:fp32-|int8-)?lite([0-4])(?:-(?:non-)?quantized)?");
  static const std::regex v1v2(
      "mobilenet-(v[12])-(?:precision_(?:float|uint8)-)?([0-9.]+)-([0-9]+)(?:-(?:non-)?quantized)?");
  static const std::regex v3(
      "mobilenet-v3-(?:precision_(?:float|uint8)-)?(large|small)(-minimalistic)?[-_]224(?:_([0-9.]+))?.*");
  std::smatch match;
  if (std::regex_match(model, match, efficient)) {
    return "efficientnet_lite" + match[1].str();
  }
  if (std::regex_match(model, match, v1v2)) {
    return "mobilenet_" + match[1].str() + "-" + match[2].str() + "-" + match[3].str();
  }
  if (std::regex_match(model, match, v3)) {
    const bool narrow = match[3].matched && match[3].str() == "0.75";
    return "mobilenet_v3-" + match[1].str() + (narrow ? "-0.75" : "") + match[2].str();
  }
  return model == "resnet50" ? model : "";
}

TEST(Zoo, HasEveryModelOfTheMlperfEdgeRuns) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  if (shared == nullptr || *shared == '\0') {
    GTEST_SKIP() << "EDGEJOULE_SHARED_DIR is not set: no data/mlperf_edge/runs.csv to read";
  }
  const std::filesystem::path path = std::filesystem::path(shared) / "data" / "mlperf_edge" / "runs.csv";
  std::ifstream file(path);
  if (!file) {
    GTEST_SKIP() << path << " is absent";
  }
  std::set<std::string> listed;
  for (const ZooEntry& entry : list()) {
    listed.insert(entry.name);
  }
  std::string line;
  std::getline(file, line);
  std::set<std::string> models;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string model;
    for (int column = 0; column < 5; ++column) {
      std::getline(fields, model, ',');
    }
    models.insert(model);
  }
  models.erase("model");  // one run does not say which
  EXPECT_GT(models.size(), 100U);
  for (const std::string& model : models) {
    EXPECT_EQ(listed.count(zoo_name(model)), 1U) << model << " -> '" << zoo_name(model) << "'";
  }
}

}  // namespace
}  // namespace edgejoule::zoo
