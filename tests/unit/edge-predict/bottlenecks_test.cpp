#include "edge-predict/bottlenecks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "edge-predict/many.h"
#include "edge-predict/model_page.h"
#include "edge-predict/repeats.h"
#include "files/json.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Two convolutions with a row of their own and a relu by the roofline.
class BottleneckViews : public testing::Test {
 protected:
  BottleneckViews() {
    wire::RowT& row = test::add_row(table_, Level::kOpAndType, OpKind::kConv2d, DataType::kFloat32);
    test::add_term(row, {.feature = Feature::kOne, .coefficient = 1, .unit = Unit::kMillijoule});
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = 10});
    test::add_term(row, {.feature = Feature::kWeightBytes, .coefficient = 100, .unit = Unit::kNanojoule});
    row.residual = test::residual(0.1F, 20, 0.05F, 0.1F);
  }

  Prediction predict(const std::vector<test::NodeSpec>& nodes) {
    files::save(graph_path_, test::pack(test::graph_of(nodes)).span(), files::FileKind::kGraph);
    return predict(graph_path_);
  }
  Prediction predict(const std::string& model) { return Prediction(request(model)); }
  Request request(const std::string& model) {
    files::save(table_path_, test::pack(table_).span(), files::FileKind::kTable);
    Request out;
    out.model = model;
    out.table = table_path_;
    return out;
  }

  test::TemporaryFolder folder_;
  std::string graph_path_ = folder_.file("m.ejg");
  std::string table_path_ = folder_.file("t.ejt");
  wire::CoefficientTableT table_ = test::sound_table();
};

const test::NodeSpec kConv{
    .kind = OpKind::kConv2d, .parent = 0, .facts = test::conv_facts(1, 8, 8, 16, 32, 3), .name = "conv"};
const test::NodeSpec kRelu{
    .kind = OpKind::kRelu, .parent = 0, .facts = test::elementwise_facts(1'000'000), .name = "relu"};
constexpr double kMacs = 8 * 8 * 32 * 16 * 9;
constexpr double kWeightBytes = 32 * 16 * 9 * 4;

double joules_of(const Bottlenecks& found, Cause cause) {
  for (const CauseSum& sum : found.causes) {
    if (sum.cause == cause) return sum.joules;
  }
  return 0;
}

TEST_F(BottleneckViews, EveryJouleHasOneCause) {
  const Prediction prediction = predict({kConv, kRelu});
  const Bottlenecks found = bottlenecks_of(prediction);
  double sum = 0;
  for (const CauseSum& cause : found.causes) sum += cause.joules;
  EXPECT_NEAR(sum, prediction.node(0).dynamic.value(), 1e-6 * sum);
  EXPECT_NEAR(found.whole, sum, 1e-12);
  EXPECT_NEAR(joules_of(found, Cause::kLaunch), 1e-3, 1e-8);
  EXPECT_NEAR(joules_of(found, Cause::kArithmetic), kMacs * 10e-12, 1e-9);
  // The relu has no weights: the roofline's tensor bytes are all activations.
  EXPECT_NEAR(joules_of(found, Cause::kActivations), prediction.node(2).own.value(), 1e-9);
  EXPECT_EQ(joules_of(found, Cause::kModules), 0);
}

TEST_F(BottleneckViews, TensorBytesOfTheRooflineAreSplitByTheOpsOwnBytes) {
  test::NodeSpec dense{.kind = OpKind::kDense, .parent = 0, .facts = test::dense_facts(1, 1, 1000, 1000)};
  const Bottlenecks found = bottlenecks_of(predict({dense}));
  const double weights = 10e-12 * static_cast<double>(dense.facts[Fact::kWeightBytes]);
  EXPECT_NEAR(joules_of(found, Cause::kWeights), weights, 1e-6 * weights);
  EXPECT_GT(joules_of(found, Cause::kActivations), 0);
}

TEST_F(BottleneckViews, ModulesWithARowOfTheirOwnAreACause) {
  test::add_module_row(table_, OpKind::kBlock, 1.5F);
  test::NodeSpec inside = kConv;
  inside.parent = 1;
  const Prediction prediction = predict({{.kind = OpKind::kBlock, .parent = 0, .name = "block"}, inside});
  const Bottlenecks found = bottlenecks_of(prediction);
  EXPECT_NEAR(joules_of(found, Cause::kModules), 0.5 * prediction.node(2).own.value(), 1e-8);
  EXPECT_NEAR(found.whole, prediction.node(0).dynamic.value(), 1e-8);
}

TEST_F(BottleneckViews, RemediesSaveWhatTheirTermsSay) {
  const Bottlenecks found = bottlenecks_of(predict({kConv, kRelu}));
  const auto about = [&](const std::string& text) {
    const auto it = std::find_if(found.remedies.begin(), found.remedies.end(),
                                 [&](const Remedy& r) { return r.what.find(text) != std::string::npos; });
    return it == found.remedies.end() ? Remedy{} : *it;
  };
  const Remedy batch = about("batches of 8");
  EXPECT_NEAR(batch.saved, 7.0 / 8 * (1e-3 + kWeightBytes * 100e-9), 1e-8);
  EXPECT_EQ(batch.settings, "batch=8");
  const Remedy weights = about("weights stored");
  EXPECT_NEAR(weights.saved, 0.75 * kWeightBytes * 100e-9, 1e-8);
  ASSERT_EQ(weights.through.size(), 1U);
  EXPECT_EQ(weights.through[0].term.feature, Feature::kWeightBytes);
  const Remedy fused = about("fused");
  EXPECT_NEAR(fused.saved, joules_of(found, Cause::kActivations), 1e-9);
  EXPECT_TRUE(std::is_sorted(found.remedies.begin(), found.remedies.end(),
                             [](const Remedy& a, const Remedy& b) { return a.saved > b.saved; }));
}

TEST_F(BottleneckViews, AChangedZooModelIsPricedAgain) {
  const Prediction one = predict("zoo:resnet8");
  Request eight = one.request();
  eight.settings = {{"batch", "8"}};
  const Bottlenecks found = bottlenecks_of(one);
  ASSERT_FALSE(found.remedies.empty());
  bool seen = false;
  for (const Remedy& r : found.remedies) {
    if (r.settings != "batch=8") continue;
    seen = true;
    ASSERT_TRUE(r.repriced);
    EXPECT_NEAR(*r.repriced, Prediction(eight).node(0).dynamic.value() / 8, 1e-9);
  }
  EXPECT_TRUE(seen);
  // What the person has set is not tried again.
  for (const Remedy& r : bottlenecks_of(Prediction(eight)).remedies) {
    EXPECT_FALSE(r.settings.starts_with("batch") && r.repriced);
  }
}

TEST_F(BottleneckViews, TextNamesTheCoefficients) {
  const std::string text = bottlenecks_text(predict({kConv, kRelu}), {});
  EXPECT_THAT(text, AllOf(HasSubstr("launch"), HasSubstr("row 1, conv_2d float32: 100 nJ x weight_bytes"),
                          HasSubstr("what would help"), HasSubstr("batches of 8")));
}

TEST_F(BottleneckViews, TheStaticPartIsACauseWhereTheTimeIsKnown) {
  test::add_static(table_, 0, EngineState::kBusy, 2000);
  Request timed = request("zoo:resnet8");
  timed.time = Seconds(0.5F);
  const Bottlenecks found = bottlenecks_of(Prediction(timed));
  EXPECT_NEAR(joules_of(found, Cause::kStatic), 1.0, 1e-5);
}

TEST_F(BottleneckViews, LayersThatRepeatStandSideBySide) {
  const Prediction prediction = predict("zoo:bert-tiny");
  const std::vector<Repeat> repeats = repeats_of(prediction.graph());
  ASSERT_EQ(repeats.size(), 1U);
  EXPECT_EQ(repeats[0].modules.size(), 2U);
  for (std::uint32_t k = 0; k < repeats[0].nodes; ++k) {
    EXPECT_EQ(prediction.graph().kind(repeats[0].modules[0] + k), prediction.graph().kind(repeats[0].modules[1] + k));
  }
  TextOptions shallow;
  shallow.depth = 1;
  EXPECT_THAT(repeats_text(prediction, shallow),
              AllOf(HasSubstr("2 x layer"), HasSubstr("attention"), Not(HasSubstr("query"))));
  EXPECT_THAT(repeats_text(prediction, {}), HasSubstr("query"));
  EXPECT_THAT(repeats_of(predict({kConv, kRelu}).graph()), IsEmpty());
  // A hundred layers still fit a line: 48 marks at the most, of three bytes each.
  const std::string deep = repeats_text(predict("zoo:bert:layers=100,hidden=16,heads=2"), shallow);
  EXPECT_THAT(deep, HasSubstr("100 x layer"));
  std::istringstream lines(deep);
  for (std::string line; std::getline(lines, line);) EXPECT_LT(line.size(), 60U + 3 * 48) << line;
}

TEST_F(BottleneckViews, OfManyModelsOneBadDoesNotStopTheOthers) {
  std::vector<std::size_t> started;
  const std::vector<PricedModel> models =
      price_models(request("x"), {"zoo:resnet8", "zoo:nothing", folder_.file("none.tflite"), "zoo:kws"},
                   [&](std::size_t i) { started.push_back(i); });
  EXPECT_THAT(started, ElementsAre(0, 1, 2, 3));
  ASSERT_EQ(models.size(), 4U);
  EXPECT_EQ(models[0].error, "");
  EXPECT_EQ(models[0].whole.dynamic.value(), predict("zoo:resnet8").node(0).dynamic.value());
  double fallback = 0;
  const Prediction kws = predict("zoo:kws");
  for (const std::uint32_t op : kws.ops_by_energy()) {
    if (kws.graph().kind(op) != OpKind::kConv2d) fallback += kws.share(op);
  }
  EXPECT_NEAR(models[3].fallback_share, fallback, 1e-6);
  EXPECT_THAT(models[1].error, HasSubstr("nothing"));
  EXPECT_THAT(models[2].error, HasSubstr("none.tflite"));
  EXPECT_THAT(models_text(models, request("x"), {}), AllOf(HasSubstr("zoo:nothing: not priced"), HasSubstr("zoo:kws")));
  EXPECT_THAT(models_csv(models), HasSubstr("zoo:nothing,,,,,,,,,,,,"));
  EXPECT_THAT(models_json(models, request("x")), HasSubstr("\"error\": "));
}

TEST_F(BottleneckViews, TimeStandsBesideEnergyWhereTheTableKnowsIt) {
  EXPECT_THAT(models_text(price_models(request("x"), {"zoo:kws"}, [](std::size_t) {}), request("x"), {}),
              Not(HasSubstr("time")));
  table_.rows[0]->terms[0]->time_coefficient = 1;  // 1 ns per MAC, of every op
  table_.rows[0]->terms[0]->time_unit = wire::Unit::nanosecond;
  table_.rows.resize(1);
  const std::vector<PricedModel> models = price_models(request("x"), {"zoo:kws", "zoo:no"}, [](std::size_t) {});
  EXPECT_NEAR(models[0].whole.time.value(), 2.657e-3, 1e-5);
  EXPECT_THAT(models_text(models, request("x"), {}), AllOf(HasSubstr("2.66 ms"), HasSubstr("energy x delay")));
  EXPECT_THAT(models_json(models, request("x")), HasSubstr("\"average_watts\": "));
  EXPECT_THAT(model_html(predict("zoo:kws")), AllOf(HasSubstr("latency"), HasSubstr("average power")));
}

TEST_F(BottleneckViews, AStreamCostsJoulesPerSecondAndTheFirstInferenceMore) {
  table_.engines[0]->wake_microjoules = 1500;
  Request stream = request("zoo:kws");
  stream.period = Seconds(0.02F);
  const Prediction prediction(stream);
  const std::string text = summary_text(prediction, {});
  EXPECT_THAT(text,
              AllOf(HasSubstr("first     1.50 mJ more"), HasSubstr("per second of input, an inference every 20.0 ms"),
                    HasSubstr(text::si(prediction.node(0).dynamic.value() / 0.02, "J"))));
  EXPECT_THAT(summary_text(predict("zoo:kws"), {}), Not(HasSubstr("stream")));
  stream.time = Seconds(0.03F);
  EXPECT_THAT(summary_text(Prediction(stream), {}), HasSubstr("cannot keep up"));
}

TEST_F(BottleneckViews, AnOpThatMovesNothingIsChargedNoLaunch) {
  test::add_term(*table_.rows[0], {.feature = Feature::kOne, .coefficient = 1, .unit = Unit::kMillijoule});
  const Prediction kws = predict("zoo:kws");
  std::size_t reshapes = 0;
  for (const std::uint32_t op : kws.ops_by_energy()) {
    const bool free = kws.graph().kind(op) == OpKind::kReshape;
    reshapes += free ? 1 : 0;
    EXPECT_EQ(kws.node(op).dynamic.value() == 0, free) << kws.path(op);
  }
  EXPECT_EQ(reshapes, 1U);
}

TEST_F(BottleneckViews, ThePageHoldsTheTreeAndTheRemedies) {
  const std::string html = model_html(predict({kConv, kRelu}));
  EXPECT_THAT(html, AllOf(HasSubstr("class=\"icicle\""), HasSubstr("\"n\":\"relu\""), HasSubstr("What would help"),
                          HasSubstr("script-src 'sha256-")));
}

}  // namespace
}  // namespace edgejoule::predict
