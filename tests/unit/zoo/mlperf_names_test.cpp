#include "zoo/mlperf_names.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "zoo/zoo.h"

namespace edgejoule::zoo {
namespace {

std::string zoo_of(std::string_view name) {
  const auto model = find_mlperf_edge(name);
  return model ? model->zoo : "";
}

TEST(MlperfEdgeNames, AreReadInEverySpelling) {
  EXPECT_EQ(zoo_of("mobilenet-v2-0.35-128-quantized"), "mobilenet_v2:dtype=uint8,width=0.35,resolution=128");
  EXPECT_EQ(zoo_of("mobilenet-v1-precision_float-0.25-160"), "mobilenet_v1:dtype=fp32,width=0.25,resolution=160");
  EXPECT_EQ(zoo_of("efficientnet-int8-lite3"), "efficientnet_lite3:dtype=uint8");
  EXPECT_EQ(zoo_of("efficientnet-lite4-non-quantized"), "efficientnet_lite4:dtype=fp32");
  EXPECT_EQ(zoo_of("resnet50"), "resnet50:dtype=fp32");
  EXPECT_EQ(find_mlperf_edge("mobilenet-v2-0.35-128-quantized")->family, "mobilenet_v2");
  EXPECT_EQ(find_mlperf_edge("mobilenet-v2-0.35-128-quantized")->data_type, DataType::kUint8);
}

TEST(MlperfEdgeNames, AreNotGuessed) {
  EXPECT_EQ(zoo_of("bert-99"), "");
  EXPECT_EQ(zoo_of("mobilenet-v2"), "");
  EXPECT_EQ(zoo_of("efficientnet-lite9"), "");
  EXPECT_EQ(zoo_of("efficientnet-lite"), "");
}

TEST(MlperfTinyNames, AreTheFourNetworks) {
  for (const char* name : {"ad", "ic", "kws", "vww", "anomaly_detection", "visual_wake_words"}) {
    const auto model = find_mlperf_tiny(name);
    ASSERT_TRUE(model) << name;
    EXPECT_GT(build(model->zoo).size(), 0U);
    EXPECT_EQ(model->data_type, DataType::kInt8);
  }
  EXPECT_EQ(find_mlperf_tiny("ad")->family, find_mlperf_tiny("anomaly_detection")->family);
  EXPECT_FALSE(find_mlperf_tiny("NUCLEO_L4R5ZI"));
}

TEST(MlperfEdgeNames, CoverThePublishedRuns) {
  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::string path = std::string(shared == nullptr ? "" : shared) + "/data/mlperf_edge/runs.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/mlperf_edge/runs.csv";
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::set<std::string> names, models;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string name;
    for (int i = 0; i < 5; ++i) std::getline(cells, name, ',');
    names.insert(name);
  }
  EXPECT_GT(names.size(), 100U);
  for (const std::string& name : names) {
    const auto model = find_mlperf_edge(name);
    ASSERT_TRUE(model) << name;
    if (!models.insert(model->zoo).second) continue;
    EXPECT_GT(build(model->zoo).size(), 0U) << model->zoo;
  }
}

}  // namespace
}  // namespace edgejoule::zoo
