// The C interface gives what the C++ interface gives; c_api_consumer.c proves that it is C.
#include "edgejoule/edgejoule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "c_api_consumer.h"
#include "edgejoule/core/meter.h"
#include "fixture.h"

namespace edgejoule::test {
namespace {

wire::CoefficientTableT table_of_test() {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kDense), {Feature::kMacs, 3.0F}).time_coefficient = 1e-9F;
  add_static(table, 0, EngineState::kBusy, 500.0F);
  table.op_residual = residual(0.1F, 20);
  table.model_residual = residual(0.2F, 20);
  return table;
}

wire::ModelGraphT graph_of_test() {
  return graph_of({{.kind = OpKind::kDense, .facts = dense_facts(1, 1, 1000, 2000), .name = "fc"},
                   {.kind = OpKind::kRelu, .facts = elementwise_facts(2000), .name = "relu"}});
}

void expect_same(const edgejoule_estimate& c, const NodeEstimate& cpp) {
  EXPECT_EQ(c.dynamic_j, cpp.dynamic.value());
  EXPECT_EQ(c.own_j, cpp.own.value());
  EXPECT_EQ(c.static_j, cpp.static_part.value());
  EXPECT_EQ(c.lower_j, cpp.interval.lower.value());
  EXPECT_EQ(c.upper_j, cpp.interval.upper.value());
  EXPECT_EQ(c.level, static_cast<std::uint32_t>(cpp.level));
  EXPECT_EQ(c.flags, cpp.flags.bits());
  EXPECT_EQ(c.time_s, cpp.time.value());
  EXPECT_EQ(c.time_lower_s, cpp.time_interval.lower.value());
  EXPECT_EQ(c.time_upper_s, cpp.time_interval.upper.value());
}

TEST(CInterface, PredictsAModelFromCAsFromCpp) {
  const files::FileBytes table = pack(table_of_test());
  const files::FileBytes graph = pack(graph_of_test());
  std::vector<std::uint64_t> memory(4096);
  std::vector<edgejoule_estimate> out(3);
  ASSERT_EQ(predict_from_c(table.span().data(), table.size(), graph.span().data(), graph.size(), memory.data(),
                           memory.size() * 8, out.data(), out.size()),
            EDGEJOULE_OK);
  PredictInputs inputs;
  inputs.time = Seconds(0.25F);
  const auto expected = Bound(table_of_test(), graph_of_test()).predict(inputs);
  for (std::size_t node = 0; node < out.size(); ++node) expect_same(out[node], expected[node]);
  EXPECT_FLOAT_EQ(out[0].static_j, 0.125F);
}

TEST(CInterface, PricesOneOpFromCAsFromCpp) {
  const files::FileBytes table = pack(table_of_test());
  std::vector<std::uint64_t> memory(4096);
  edgejoule_estimate out;
  ASSERT_EQ(estimate_from_c(table.span().data(), table.size(), memory.data(), memory.size() * 8, &out), EDGEJOULE_OK);
  EXPECT_FLOAT_EQ(out.dynamic_j, 3e-12F * 64.0F * 32.0F * 16.0F);
  EXPECT_EQ(out.level, static_cast<std::uint32_t>(EDGEJOULE_LEVEL_OP));
  EXPECT_FLOAT_EQ(out.upper_j, out.dynamic_j * std::exp(0.16F));
  EXPECT_FLOAT_EQ(out.time_s, 1e-9F * 64.0F * 32.0F * 16.0F);
  EXPECT_FLOAT_EQ(out.static_j, 0.5F * out.time_s);
  EXPECT_NE(out.flags & EDGEJOULE_FLAG_TIME_PREDICTED, 0U);
}

TEST(CInterface, HandsErrorsThroughAsNumbers) {
  edgejoule_table table;
  const std::vector<std::uint64_t> zeros(8);
  EXPECT_EQ(edgejoule_table_open(zeros.data(), 4, &table), static_cast<int>(Error::kTruncated));
  EXPECT_EQ(edgejoule_table_open(zeros.data(), 64, &table), static_cast<int>(Error::kWrongIdentifier));
  edgejoule_graph graph;
  EXPECT_EQ(edgejoule_graph_open(zeros.data(), 64, &graph), static_cast<int>(Error::kWrongIdentifier));

  const files::FileBytes bytes = pack(table_of_test());
  ASSERT_EQ(edgejoule_table_open(bytes.span().data(), bytes.size(), &table), EDGEJOULE_OK);
  std::vector<std::uint64_t> memory(edgejoule_plan_required_bytes(&table) / 8 + 1);
  edgejoule_plan plan;
  EXPECT_EQ(edgejoule_plan_prepare(&table, nullptr, memory.data(), 8, &plan),
            static_cast<int>(Error::kWorkspaceTooSmall));
  edgejoule_plan_options options = {"another,board", nullptr, "turbo", 1};
  EXPECT_EQ(edgejoule_plan_prepare(&table, &options, memory.data(), memory.size() * 8, &plan),
            static_cast<int>(Error::kOtherBoard));
  options.require_same_board = 0;
  EXPECT_EQ(edgejoule_plan_prepare(&table, &options, memory.data(), memory.size() * 8, &plan),
            static_cast<int>(Error::kUnknownOperatingPoint));
  options.operating_point = "30W";
  ASSERT_EQ(edgejoule_plan_prepare(&table, &options, memory.data(), memory.size() * 8, &plan), EDGEJOULE_OK);
  edgejoule_op op;
  edgejoule_op_init(&op, EDGEJOULE_OP_RELU, EDGEJOULE_TYPE_FLOAT32);
  edgejoule_estimate out;
  for (const int confidence : {-1, 4, 256, 1000}) {
    EXPECT_EQ(edgejoule_plan_estimate(&plan, &op, nullptr, confidence, &out), static_cast<int>(Error::kInvalidArgument))
        << confidence;
  }
  ASSERT_EQ(edgejoule_plan_estimate(&plan, &op, nullptr, EDGEJOULE_CONFIDENCE_50, &out), EDGEJOULE_OK);
  EXPECT_NE(out.flags & EDGEJOULE_FLAG_OTHER_BOARD, 0U);
}

TEST(CInterface, WalksTheGraph) {
  const files::FileBytes bytes = pack(graph_of_test());
  edgejoule_graph graph;
  ASSERT_EQ(edgejoule_graph_open(bytes.span().data(), bytes.size(), &graph), EDGEJOULE_OK);
  EXPECT_EQ(edgejoule_graph_size(&graph), 3U);
  EXPECT_EQ(edgejoule_graph_parent(&graph, 0), EDGEJOULE_NO_PARENT);
  EXPECT_EQ(edgejoule_graph_parent(&graph, 2), 0U);
  EXPECT_EQ(edgejoule_graph_kind(&graph, 1), EDGEJOULE_OP_DENSE);
  std::size_t length = 0;
  const char* name = edgejoule_graph_name(&graph, 2, &length);
  EXPECT_EQ(std::string(name, length), "relu");
}

TEST(CInterface, ExplainsEveryStatus) {
  EXPECT_STREQ(edgejoule_error_text(EDGEJOULE_OK), "ok");
  EXPECT_STREQ(edgejoule_error_text(static_cast<int>(Error::kCorrupt)), error_text(Error::kCorrupt));
  EXPECT_STREQ(edgejoule_error_text(-1), "unknown error");
  EXPECT_STREQ(edgejoule_error_text(257), "unknown error") << "no wrapping into a known code";
  EXPECT_EQ(edgejoule_version(), EDGEJOULE_VERSION);
}

TEST(CInterface, MetersFromCAsFromCpp) {
  edgejoule_meter_reading c;
  ASSERT_EQ(meter_from_c(&c), EDGEJOULE_OK);
  Meter meter;
  ASSERT_TRUE(meter.start({}).ok());
  meter.idle_until(0);
  PowerSample sample;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::int64_t begin = i * 10000000;
    const bool busy = i % 3 != 0;
    if (busy) {
      ASSERT_TRUE(meter.add_work(begin, begin + 10000000, Joules(0.05F)).ok());
    }
    meter.idle_until(begin + 10000000);
    sample.window_begin_ns = begin;
    sample.window_end_ns = begin + 10000000;
    sample.cycle_ns = 10000000;
    sample.power_uw = busy ? 8000000 : 2000000;
    ASSERT_TRUE(meter.add_sample(sample).ok());
  }
  const MeterReading cpp = meter.read();
  EXPECT_EQ(c.gain, cpp.gain);
  EXPECT_EQ(c.static_w, cpp.static_power.value());
  EXPECT_EQ(c.since_mark_j, cpp.since_mark.value());
  EXPECT_EQ(c.per_inference_j, cpp.per_inference.value());
  EXPECT_EQ(c.learned, cpp.learned);
  EXPECT_NEAR(c.gain, 1.2F, 0.02F);
  EXPECT_NEAR(c.static_w, 2.0F, 0.05F);
  const edgejoule_meter_options nonsense = {-1.0F, 0.0F, 1.0F, 0.5F};
  edgejoule_meter unused;
  EXPECT_EQ(edgejoule_meter_start(&nonsense, &unused), static_cast<int>(Error::kInvalidArgument));
}

}  // namespace
}  // namespace edgejoule::test
