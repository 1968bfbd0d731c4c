// Seconds beside joules: what a table says an op takes, what a model takes by the sum of
// its ops, and the static joules that follow.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "fixture.h"

namespace edgejoule::test {
namespace {

void timed(wire::TermT& term, float coefficient, wire::Unit unit) {
  term.time_coefficient = coefficient;
  term.time_unit = unit;
}

// Dense: 3 pJ and 0.5 ns per MAC, and 20 us per launch; relu: 2 ps per byte; all else has
// no time.
wire::CoefficientTableT timed_table() {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& dense = add_row(table, Level::kOp, OpKind::kDense);
  timed(add_term(dense, {Feature::kMacs, 3.0F}), 0.5F, wire::Unit::nanosecond);
  timed(add_term(dense, {Feature::kOne, 0.0F}), 20.0F, wire::Unit::microsecond);
  dense.time_residual = residual(0.1F, 20);
  wire::RowT& relu = add_row(table, Level::kOp, OpKind::kRelu);
  timed(add_term(relu, {Feature::kActivationBytes, 7.0F}), 2.0F, wire::Unit::picosecond);
  add_static(table, 0, EngineState::kBusy, 500.0F);
  table.op_time_residual = residual(0.2F, 20);
  table.model_time_residual = residual(0.05F, 5);
  return table;
}

constexpr float kDenseSeconds = 0.5e-9F * 2 * 3 * 64 * 32 + 20e-6F;
constexpr float kReluSeconds = 2e-12F * 8 * 400;

NodeSpec dense_node(std::uint32_t parent) {
  return {.kind = OpKind::kDense, .parent = parent, .facts = dense_facts(2, 3, 64, 32)};
}
NodeSpec relu_node(std::uint32_t parent) {
  return {.kind = OpKind::kRelu, .parent = parent, .facts = elementwise_facts(400)};
}
NodeSpec add_node(std::uint32_t parent) {
  return {.kind = OpKind::kAdd, .parent = parent, .facts = elementwise_facts(400)};
}

wire::ModelGraphT timed_graph() {
  return graph_of({{.kind = OpKind::kLayer, .parent = 0}, dense_node(1), relu_node(1), dense_node(0)});
}

TEST(Time, IsTheSumOfTheTermsAndOfTheChildren) {
  const auto nodes = Bound(timed_table(), timed_graph()).predict();
  EXPECT_FLOAT_EQ(nodes[2].time.value(), kDenseSeconds);
  EXPECT_FLOAT_EQ(nodes[3].time.value(), kReluSeconds);
  EXPECT_FLOAT_EQ(nodes[1].time.value(), kDenseSeconds + kReluSeconds);
  EXPECT_FLOAT_EQ(nodes[0].time.value(), 2 * kDenseSeconds + kReluSeconds);
  for (const NodeEstimate& node : nodes) {
    EXPECT_TRUE(node.flags.has(Flag::kTimePredicted));
    EXPECT_FALSE(node.flags.has(Flag::kStaticUnknown));
    EXPECT_FLOAT_EQ(node.static_part.value(), 0.5F * node.time.value());
  }
}

TEST(Time, HasAnIntervalFromTheRowTheTableOrTheModel) {
  const auto nodes = Bound(timed_table(), timed_graph()).predict();
  const auto spread = [&](std::size_t i) {
    EXPECT_NEAR(std::log(nodes[i].time_interval.lower / nodes[i].time),
                -std::log(nodes[i].time_interval.upper / nodes[i].time), 1e-5);
    return std::log(nodes[i].time_interval.upper / nodes[i].time);
  };
  EXPECT_NEAR(spread(2), 1.6F * 0.1F, 1e-5) << "its row's";
  EXPECT_NEAR(spread(3), 1.6F * 0.2F, 1e-5) << "any op's";
  EXPECT_NEAR(spread(0), 1.6F * 0.05F, 1e-5) << "any model's";
  EXPECT_NEAR(spread(1), 0.0F, 1e-6) << "nothing is known of modules";
  EXPECT_FALSE(nodes[2].flags.has(Flag::kTimeIntervalNotGuaranteed));
  EXPECT_TRUE(nodes[1].flags.has(Flag::kTimeIntervalNotGuaranteed));
  EXPECT_TRUE(nodes[0].flags.has(Flag::kTimeIntervalNotGuaranteed)) << "five groups do not carry 90 %";
}

TEST(Time, OfASumWithAnUnknownPartIsUnknown) {
  const auto nodes = Bound(timed_table(), graph_of({{.kind = OpKind::kLayer, .parent = 0},
                                                    dense_node(1),
                                                    add_node(1),
                                                    {.kind = OpKind::kLayer, .parent = 0},
                                                    dense_node(4)}))
                         .predict();
  EXPECT_LT(nodes[3].time.value(), 0.0F);
  EXPECT_LT(nodes[1].time.value(), 0.0F);
  EXPECT_LT(nodes[0].time.value(), 0.0F);
  EXPECT_FLOAT_EQ(nodes[4].time.value(), kDenseSeconds);
  for (const std::size_t unknown : {0U, 1U, 3U}) {
    EXPECT_TRUE(nodes[unknown].flags.has(Flag::kStaticUnknown)) << unknown;
    EXPECT_FALSE(nodes[unknown].flags.has(Flag::kTimePredicted)) << unknown;
    EXPECT_EQ(nodes[unknown].static_part.value(), 0.0F) << unknown;
    EXPECT_EQ(nodes[unknown].time_interval.upper.value(), 0.0F) << unknown;
  }
}

TEST(Time, ATableWithoutItSaysNothing) {
  wire::CoefficientTableT table = sound_table();
  add_static(table, 0, EngineState::kBusy, 500.0F);
  const Bound bound(table, timed_graph());
  for (const NodeEstimate& node : bound.predict()) {
    EXPECT_LT(node.time.value(), 0.0F);
    EXPECT_TRUE(node.flags.has(Flag::kStaticUnknown));
    EXPECT_FALSE(node.flags.has(Flag::kTimePredicted));
    EXPECT_FALSE(node.flags.has(Flag::kTimeIntervalNotGuaranteed));
  }
  PredictInputs inputs;
  inputs.batch_ratio = 2.0F;
  for (const NodeEstimate& node : bound.predict(inputs)) EXPECT_LT(node.time.value(), 0.0F);
}

TEST(Time, MeasuredComesBeforePredicted) {
  const Bound bound(timed_table(), timed_graph());
  PredictInputs inputs;
  inputs.time = Seconds(0.25F);
  auto nodes = bound.predict(inputs);
  EXPECT_EQ(nodes[0].time.value(), 0.25F);
  EXPECT_EQ(nodes[0].time_interval.lower.value(), 0.25F);
  EXPECT_EQ(nodes[0].static_part.value(), 0.125F);
  EXPECT_FALSE(nodes[0].flags.has(Flag::kTimePredicted));
  EXPECT_FALSE(nodes[0].flags.has(Flag::kTimeIntervalNotGuaranteed));
  EXPECT_FLOAT_EQ(nodes[2].time.value(), kDenseSeconds);

  std::vector<RuntimeFacts> runtime(nodes.size());
  runtime[2].time = Seconds(1e-3F);
  inputs = {};
  inputs.per_node = runtime;
  nodes = bound.predict(inputs);
  EXPECT_EQ(nodes[2].time.value(), 1e-3F);
  EXPECT_FLOAT_EQ(nodes[1].time.value(), 1e-3F + kReluSeconds);
  EXPECT_FLOAT_EQ(nodes[0].time.value(), 1e-3F + kReluSeconds + kDenseSeconds);
  EXPECT_FALSE(nodes[2].flags.has(Flag::kTimePredicted));
  EXPECT_TRUE(nodes[1].flags.has(Flag::kTimePredicted)) << "part of it is";
  EXPECT_FLOAT_EQ(nodes[0].static_part.value(), 0.5F * nodes[0].time.value());
}

void expect_same_bits(const NodeEstimate& a, const NodeEstimate& b) {
  const auto bits = [](const NodeEstimate& node) {
    std::array<float, 9> numbers = {node.dynamic.value(),
                                    node.own.value(),
                                    node.static_part.value(),
                                    node.interval.lower.value(),
                                    node.interval.upper.value(),
                                    node.time.value(),
                                    node.time_interval.lower.value(),
                                    node.time_interval.upper.value(),
                                    static_cast<float>(node.level)};
    std::array<std::uint32_t, 10> words{};
    std::memcpy(words.data(), numbers.data(), sizeof numbers);
    words[9] = node.flags.bits();
    return words;
  };
  EXPECT_EQ(bits(a), bits(b));
}

TEST(Time, AndAllElseIsTheSameInAnOutputThatHeldSomething) {
  for (const wire::CoefficientTableT& table : {timed_table(), sound_table()}) {
    for (const wire::ModelGraphT& graph : {timed_graph(), graph_of({})}) {
      const Bound bound(table, graph);
      std::vector<RuntimeFacts> runtime(bound.graph().size());
      runtime.back().time = Seconds(0.5F);
      PredictInputs with_time;
      with_time.time = Seconds(0.25F);
      PredictInputs with_op_times;
      with_op_times.per_node = runtime;
      PredictInputs with_batch;
      with_batch.batch_ratio = 2.0F;
      for (const PredictInputs& inputs : {PredictInputs{}, with_time, with_op_times, with_batch}) {
        const auto fresh = bound.predict(inputs);
        std::vector<NodeEstimate> used(fresh.size());
        std::memset(static_cast<void*>(used.data()), 0xFF, used.size() * sizeof used[0]);  // NaN and every flag
        ASSERT_TRUE(bound.predictor().predict(inputs, used).ok());
        for (std::size_t i = 0; i < fresh.size(); ++i) {
          expect_same_bits(fresh[i], used[i]);
        }
      }
    }
  }
}

TEST(Time, OfChildrenThatWereAllMeasuredIsKnownWithoutATable) {
  const Bound bound(sound_table(), timed_graph());
  std::vector<RuntimeFacts> runtime(5);
  for (const std::size_t op : {2U, 3U, 4U}) runtime[op].time = Seconds(0.5F);
  PredictInputs inputs;
  inputs.per_node = runtime;
  const auto nodes = bound.predict(inputs);
  EXPECT_FLOAT_EQ(nodes[1].time.value(), 1.0F);
  EXPECT_FLOAT_EQ(nodes[0].time.value(), 1.5F);
  EXPECT_FALSE(nodes[0].flags.has(Flag::kTimePredicted));
  EXPECT_TRUE(nodes[0].flags.has(Flag::kStaticUnknown)) << "the table has no static power";
}

TEST(Time, FollowsTheBatch) {
  const Bound bound(timed_table(), timed_graph());
  PredictInputs inputs;
  inputs.batch_ratio = 3.0F;
  const auto nodes = bound.predict(inputs);
  EXPECT_FLOAT_EQ(nodes[2].time.value(), 3 * (kDenseSeconds - 20e-6F) + 20e-6F) << "a launch is a launch";
  EXPECT_FLOAT_EQ(nodes[3].time.value(), 3 * kReluSeconds);
  EXPECT_FLOAT_EQ(nodes[0].static_part.value(), 0.5F * nodes[0].time.value());
}

TEST(Time, OfAModuleRowAddsToItsChildren) {
  wire::CoefficientTableT table = timed_table();
  wire::RowT& layer = add_module_row(table, OpKind::kLayer, 1.5F);
  timed(add_term(layer, {Feature::kOne, 1.0F, Unit::kMicrojoule}), 5.0F, wire::Unit::microsecond);
  const auto nodes = Bound(table, timed_graph()).predict();
  EXPECT_FLOAT_EQ(nodes[1].time.value(), kDenseSeconds + kReluSeconds + 5e-6F) << "the gain is of joules";
}

TEST(Time, OfLogRowsAndRepeatsIsLinear) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOp, OpKind::kDense);
  row.form = wire::RowForm::log2;
  row.intercept = -30.0F;
  timed(add_term(row, {Feature::kMacs, 1.0F, Unit::kRatio}), 1.0F, wire::Unit::nanosecond);
  NodeSpec node = dense_node(0);
  node.facts.set(Fact::kRepeats, 7);
  const auto nodes = Bound(table, graph_of({node})).predict();
  EXPECT_FLOAT_EQ(nodes[1].time.value(), 7e-9F * 2 * 3 * 64 * 32);
}

TEST(Time, IsExplainedTermByTerm) {
  const Bound bound(timed_table(), timed_graph());
  TermShare terms[kMaxTermsPerRow];
  const auto count = bound.predictor().explain(2, {}, terms);
  ASSERT_TRUE(count.ok());
  ASSERT_EQ(*count, 2U);
  EXPECT_FLOAT_EQ(terms[0].seconds, kDenseSeconds - 20e-6F);
  EXPECT_FLOAT_EQ(terms[1].seconds, 20e-6F);
  EXPECT_EQ(terms[1].term.time_unit, Unit::kMicrosecond);
}

TEST(Time, OfOneOpFromAHook) {
  const Prepared prepared(timed_table());
  OpDescriptor op;
  op.kind = OpKind::kDense;
  op.facts = dense_facts(2, 3, 64, 32);
  const auto predicted = prepared.plan().estimate(op, {}, Confidence::k90);
  ASSERT_TRUE(predicted.ok());
  EXPECT_FLOAT_EQ(predicted->time.value(), kDenseSeconds);
  EXPECT_NEAR(predicted->time_interval.upper / predicted->time, std::exp(0.16F), 1e-5);
  EXPECT_FLOAT_EQ(predicted->static_part.value(), 0.5F * kDenseSeconds);
  EXPECT_TRUE(predicted->flags.has(Flag::kTimePredicted));
  RuntimeFacts runtime;
  runtime.time = Seconds(2.0F);
  const auto measured = prepared.plan().estimate(op, runtime, Confidence::k90);
  EXPECT_EQ(measured->time.value(), 2.0F);
  EXPECT_EQ(measured->time_interval.upper.value(), 2.0F);
  EXPECT_FALSE(measured->flags.has(Flag::kTimePredicted));
  op.kind = OpKind::kAdd;
  EXPECT_LT(prepared.plan().estimate(op, {}, Confidence::k90)->time.value(), 0.0F);
}

TEST(Time, OfAHundredThousandEqualOpsAddsUp) {
  constexpr std::uint32_t kOps = 100000;
  const auto graph_bytes = layered_graph(kOps, 0);
  const Prepared prepared(timed_table());
  const auto graph = GraphView::open(graph_bytes.span());
  ASSERT_TRUE(graph.ok());
  Workspace workspace(Predictor::required_bytes(prepared.plan(), *graph));
  const auto predictor = Predictor::bind(prepared.plan(), *graph, workspace.span());
  ASSERT_TRUE(predictor.ok());
  std::vector<NodeEstimate> out(graph->size());
  ASSERT_TRUE(predictor->predict({}, out).ok());
  double sum = 0;
  for (std::size_t i = 1; i < out.size(); ++i) sum += static_cast<double>(out[i].time.value());
  EXPECT_NEAR(out[0].time.value() / sum, 1.0, 1e-6);
}

Error error_with(float coefficient, wire::Unit unit, Feature feature = Feature::kMacs, Unit energy = Unit::kPicojoule) {
  wire::CoefficientTableT table = sound_table();
  timed(add_term(add_row(table, Level::kOp, OpKind::kDense), {feature, 3.0F, energy}), coefficient, unit);
  const files::FileBytes bytes = pack(table);
  const auto opened = CoefficientTable::open(bytes.span());
  return opened.ok() ? Error{} : opened.error();
}

TEST(Time, OfATableIsCheckedWhenItIsOpened) {
  EXPECT_EQ(error_with(1.0F, wire::Unit::second), Error{});
  EXPECT_EQ(error_with(-1.0F, wire::Unit::second), Error::kNegative);
  EXPECT_EQ(error_with(NAN, wire::Unit::second), Error::kNotFinite);
  EXPECT_EQ(error_with(INFINITY, wire::Unit::second), Error::kNotFinite);
  EXPECT_EQ(error_with(1.0F, wire::Unit::joule), Error::kBadUnit);
  EXPECT_EQ(error_with(1.0F, static_cast<wire::Unit>(14)), Error::kUnknownValue);
  EXPECT_EQ(error_with(0.0F, wire::Unit::second, Feature::kTime, Unit::kWatt), Error{});
  EXPECT_EQ(error_with(1.0F, wire::Unit::second, Feature::kTime, Unit::kWatt), Error::kBadUnit);
  EXPECT_EQ(error_with(0.0F, wire::Unit::second, Feature::kMacs, Unit::kSecond), Error::kBadUnit)
      << "seconds are no joules";
  wire::CoefficientTableT table = timed_table();
  table.model_time_residual->shared_sigma = -1.0F;
  const files::FileBytes bytes = pack(table);
  EXPECT_EQ(CoefficientTable::open(bytes.span()).error(), Error::kNegative);
}

}  // namespace
}  // namespace edgejoule::test
