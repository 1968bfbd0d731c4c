#include "timeline/trtexec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace edgejoule::timeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As trtexec lays them out: separators in front, blanks around the colons.
constexpr const char* kTimes = R"json([
  { "startEnqMs" : 0.01, "endEnqMs" : 0.4, "startH2dMs" : 0.02, "endH2dMs" : 0.05, "startComputeMs" : 0.06, "endComputeMs" : 2.06, "startD2hMs" : 2.07, "endD2hMs" : 2.1, "h2dMs" : 0.03, "computeMs" : 2, "d2hMs" : 0.03, "latencyMs" : 2.06, "endToEndMs" : 2.09 }
, { "startEnqMs" : 2.11, "endEnqMs" : 2.4, "startH2dMs" : 2.12, "endH2dMs" : 2.15, "startComputeMs" : 2.16, "endComputeMs" : 1.23457e+06, "startD2hMs" : 4.07, "endD2hMs" : 4.1, "h2dMs" : 0.03, "computeMs" : 2, "d2hMs" : 0.03, "latencyMs" : 2.06, "endToEndMs" : 2.09 }
]
)json";

constexpr const char* kProfile = R"json([
  { "count" : 200 }
, { "name" : "Reformatting CopyNode for Input Tensor 0 to conv1", "timeMs" : 2.4, "averageMs" : 0.012, "medianMs" : 0.011, "percentage" : 1.2 }
, { "name" : "conv1 + PWN(relu1)", "timeMs" : 190, "averageMs" : 0.95, "percentage" : 98.8 }
]
)json";

constexpr const char* kDetailed = R"json({"Layers": [
{"Name": "conv1 + PWN(relu1)","LayerType": "CaskConvolution","Inputs": [ { "Name": "x", "Location": "Device", "Dimensions": [1,3,8,8], "Format/Datatype": "Row major linear FP32" }], "ParameterType": "Convolution", "Weights": {"Type": "Float", "Count": 432}, "TacticValue": "0x0000000000000001", "Metadata": "[ONNX Layer: conv1]\u001e[ONNX Layer: relu1]"},
{"Name": "__myl_SoftSum_myl0_1", "LayerType": "kgen", "Metadata": "[ONNX Layer: softmax[0]]\u001e[ONNX Layer: scale]"},
{"Name": "{ForeignNode[conv2...fc]}", "LayerType": "DLA"},
{"Name": "Reformatting CopyNode for Output Tensor 0 to {ForeignNode[conv2...fc]}", "LayerType": "Reformat", "Metadata": ""}
], "Bindings": ["x", "y"]}
)json";

constexpr const char* kNames =
    R"json({"Layers": ["conv1 + bn1 + relu1", "PWN(PWN(/act/Sigmoid), PWN(/act/Mul))"], "Bindings": []})json";

template <class Read>
std::string failure(Read read, std::string_view json) {
  try {
    static_cast<void>(read(json, "run.json"));
  } catch (const TimelineError& error) {
    return error.what();
  }
  return "";
}

TEST(TrtexecTimes, AreSecondsOfEachInference) {
  const std::vector<InferenceTime> times = read_times(kTimes, "times.json");
  ASSERT_EQ(times.size(), 2U);
  EXPECT_DOUBLE_EQ(times[0].compute_begin, 0.06e-3);
  EXPECT_DOUBLE_EQ(times[0].compute_end, 2.06e-3);
  EXPECT_DOUBLE_EQ(times[0].latency, 2.06e-3);
  EXPECT_DOUBLE_EQ(times[1].compute_end, 1234.57);
}

TEST(TrtexecProfile, SumsOfAllInferencesAndTheirCount) {
  const LayerProfile profile = read_profile(kProfile, "profile.json");
  EXPECT_EQ(profile.inferences, 200U);
  ASSERT_EQ(profile.layers.size(), 2U);
  EXPECT_EQ(profile.layers[1].name, "conv1 + PWN(relu1)");
  EXPECT_DOUBLE_EQ(profile.seconds_per_inference(profile.layers[1]), 0.95e-3);
}

TEST(TrtexecLayers, DetailedOnesNameTheirNodesInTheMetadata) {
  const std::vector<EngineLayer> layers = read_layers(kDetailed, "layers.json");
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(layers[0].type, "CaskConvolution");
  EXPECT_THAT(layers[0].nodes, ElementsAre("conv1", "relu1"));
  EXPECT_THAT(layers[1].nodes, ElementsAre("softmax[0]", "scale"));
  EXPECT_TRUE(layers[2].is_subgraph);
  EXPECT_TRUE(layers[2].is_range);
  EXPECT_THAT(layers[2].nodes, ElementsAre("conv2", "fc"));
  EXPECT_TRUE(layers[3].is_reformat);
  EXPECT_THAT(layers[3].nodes, IsEmpty());
}

TEST(TrtexecLayers, NamesAloneAreTakenApart) {
  const std::vector<EngineLayer> layers = read_layers(kNames, "layers.json");
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_THAT(layers[0].nodes, ElementsAre("conv1", "bn1", "relu1"));
  EXPECT_THAT(layers[1].nodes, ElementsAre("/act/Sigmoid", "/act/Mul"));
  EXPECT_EQ(layers[0].type, "");
  const EngineLayer single = layer_of_name("{ForeignNode[only]}");
  EXPECT_THAT(single.nodes, ElementsAre("only"));
  EXPECT_TRUE(single.is_subgraph);
  EXPECT_FALSE(single.is_range);
  EXPECT_THAT(layer_of_name("conv_[a + b] + x").nodes, ElementsAre("conv_[a + b]", "x"));
}

TEST(TrtexecLayers, ARangeHoldsWhatStandsBetween) {
  const std::vector<std::string> nodes{"stem", "relu", "conv2", "pool", "fc", "lost"};
  const std::vector<EngineLayer> layers{layer_of_name("stem + relu"), layer_of_name("{ForeignNode[conv2...fc]}"),
                                        layer_of_name("fc + elsewhere")};
  const LayerNodes found = assign_nodes(layers, nodes);
  ASSERT_EQ(found.of_layer.size(), 3U);
  EXPECT_THAT(found.of_layer[0], ElementsAre(0, 1));
  EXPECT_THAT(found.of_layer[1], ElementsAre(2, 3, 4));
  EXPECT_THAT(found.of_layer[2], IsEmpty());  // in one layer only
  EXPECT_THAT(found.nowhere, ElementsAre(5));
  EXPECT_THAT(found.unknown, ElementsAre("elsewhere"));
}

TEST(Trtexec, DamageIsSaidWithItsPlaceAndWhatToDo) {
  const std::string times = kTimes;
  EXPECT_THAT(failure(read_times, ""), HasSubstr("run.json: it is empty; let trtexec write it again with"));
  EXPECT_THAT(failure(read_times, times.substr(0, 400)), HasSubstr("it ends in the middle; let trtexec"));
  EXPECT_THAT(failure(read_times, times.substr(0, 8)), HasSubstr("line 2: it ends in the middle of a text"));
  EXPECT_THAT(failure(read_times, "[]"), HasSubstr("no inference is in it"));
  EXPECT_THAT(failure(read_times, "{}"), HasSubstr("it is no array of inferences"));
  EXPECT_THAT(failure(read_times, "[1]"), HasSubstr("[0]: it is no object"));
  EXPECT_THAT(failure(read_times, "[} ]"), HasSubstr("line 1: '}' closes nothing"));
  EXPECT_THAT(failure(read_times, "[{ \"startComputeMs\" 1 }]"), HasSubstr("it is no JSON that can be read"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":1}]"), HasSubstr("[0]: 'endComputeMs' is missing"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":\"1\"}]"), HasSubstr("'startComputeMs' is no number"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":-1}]"), HasSubstr("'startComputeMs' is -1"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":1,\"startComputeMs\":2}]"), HasSubstr("duplicate keys"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":18446744073709551616}]"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(failure(read_times, "[{\"startComputeMs\":2,\"endComputeMs\":1,\"latencyMs\":1}]"),
              HasSubstr("[0]: it ends before it begins"));
  EXPECT_THAT(failure(read_times, std::string("[\0]", 3)), HasSubstr("a zero byte"));
  EXPECT_THAT(failure(read_times, std::string(300, '[') + std::string(300, ']')), HasSubstr("no JSON"));

  EXPECT_THAT(failure(read_profile, "[{\"count\":0}]"), HasSubstr("no number of inferences"));
  EXPECT_THAT(failure(read_profile, "[{\"count\":1}]"), HasSubstr("no layer is in it"));
  EXPECT_THAT(failure(read_profile, "[{\"count\":1},{\"name\":1}]"), HasSubstr("[1]: 'name' is no text"));
  EXPECT_THAT(failure(read_profile, "[{\"count\":1},{\"name\":\"a\"}]"), HasSubstr("'timeMs' is missing"));
  EXPECT_THAT(failure(read_layers, "[]"), HasSubstr("no array 'Layers'"));
  EXPECT_THAT(failure(read_layers, "{\"Layers\":[]}"), HasSubstr("no layer is in it"));
  EXPECT_THAT(failure(read_layers, "{\"Layers\":[1]}"), HasSubstr("Layers[0]: it is neither"));
  EXPECT_THAT(failure(read_layers, "{\"Layers\":[{}]}"), HasSubstr("'Name' is missing"));
}

// Every prefix and every changed byte is read or refused, never more.
TEST(Trtexec, AnyDamageIsReadOrRefused) {
  for (const std::string whole : {kTimes, kProfile, kDetailed}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 7)));
      for (const std::string& text : {whole.substr(0, i), changed}) {
        static_cast<void>(failure(read_times, text));
        static_cast<void>(failure(read_profile, text));
        static_cast<void>(failure(read_layers, text));
      }
    }
  }
}

}  // namespace
}  // namespace edgejoule::timeline
