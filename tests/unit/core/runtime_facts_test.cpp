// Measured time, counters and utilisation: which row they bring in, and what they cost.
#include <gtest/gtest.h>

#include <cmath>

#include "cost_reference.h"
#include "fixture.h"

namespace edgejoule::test {
namespace {

// Dense rows: specs only; time; time and counter; utilisation.
wire::CoefficientTableT runtime_table() {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kDense), {Feature::kMacs, 3.0F});
  wire::RowT* row = &add_row(table, Level::kOp, OpKind::kDense);
  add_term(*row, {Feature::kTime, 4.0F, Unit::kWatt});
  add_term(*row, {Feature::kMacs, 1.0F});
  row = &add_row(table, Level::kOp, OpKind::kDense);
  add_term(*row, {Feature::kCounterEnergy, 1.25F, Unit::kRatio});
  add_term(*row, {Feature::kTime, 500.0F, Unit::kMilliwatt});
  row = &add_class_row(table, OpClass::kActivation);
  add_term(*row, {Feature::kUtilisationTime, 2.0F, Unit::kWatt});
  row = &add_module_row(table, OpKind::kLayer, 1.0F);
  row = &add_module_row(table, OpKind::kLayer, 1.1F);
  add_term(*row, {Feature::kTime, 1.0F, Unit::kWatt});
  return table;
}

wire::ModelGraphT runtime_graph() {
  return graph_of({{.kind = OpKind::kLayer, .parent = 0},
                   {.kind = OpKind::kDense, .parent = 1, .facts = dense_facts(2, 3, 64, 64)},
                   {.kind = OpKind::kRelu, .parent = 1, .facts = elementwise_facts(384)},
                   {.kind = OpKind::kDense, .parent = 0, .facts = dense_facts(2, 3, 64, 64)}});
}

RuntimeFacts facts(float time, float counter = -1.0F, float utilisation = -1.0F) {
  RuntimeFacts runtime;
  runtime.time = Seconds(time);
  runtime.counter_energy = Joules(counter);
  runtime.utilisation = utilisation;
  return runtime;
}

TEST(RuntimeFacts, TheRowThatUsesMostOfWhatIsKnownPrices) {
  const Bound bound(runtime_table(), runtime_graph());
  const auto row = [&](const RuntimeFacts& runtime) { return bound.predictor().row_of(2, runtime); };
  EXPECT_EQ(row({}), 1U);
  EXPECT_EQ(row(facts(1.0F)), 2U);
  EXPECT_EQ(row(facts(1.0F, 1.0F)), 3U);
  EXPECT_EQ(row(facts(-1.0F, 1.0F)), 1U) << "a counter without a time is enough for no row";
  EXPECT_EQ(bound.predictor().row_of(3, facts(1.0F)), 0U) << "the class row needs the utilisation too";
  EXPECT_EQ(bound.predictor().row_of(3, facts(1.0F, -1.0F, 0.5F)), 4U);
}

TEST(RuntimeFacts, MatchTheReferenceForEveryMixOfWhatIsKnown) {
  const wire::CoefficientTableT table = runtime_table();
  const wire::ModelGraphT graph = runtime_graph();
  const Bound bound(table, graph);
  for (unsigned mix = 0; mix < 256; ++mix) {
    std::vector<RuntimeFacts> per_node(5);
    ReferenceInputs reference_inputs;
    for (std::uint32_t node = 1; node < 5; ++node) {
      const bool time = ((mix >> (node - 1)) & 1U) != 0;
      const bool counter = ((mix >> (node + 2)) & 1U) != 0;
      const bool utilisation = ((mix >> ((node + mix) % 8)) & 1U) != 0;
      const float seconds = 1e-6F * static_cast<float>(node);
      per_node[node] = facts(time ? seconds : -1.0F, counter ? 2e-6F : -1.0F, utilisation ? 0.25F : -1.0F);
      reference_inputs.runtime[node] = {time ? static_cast<double>(seconds) : -1.0,
                                        counter ? static_cast<double>(2e-6F) : -1.0, utilisation ? 0.25 : -1.0};
    }
    PredictInputs inputs;
    inputs.per_node = per_node;
    const auto estimates = bound.predict(inputs);
    const auto reference = reference_costs(table, graph, reference_inputs);
    for (std::uint32_t node = 0; node < 5; ++node) {
      ASSERT_NEAR(static_cast<double>(estimates[node].dynamic.value()), reference[node].dynamic,
                  1e-6 * reference[node].dynamic)
          << "mix " << mix << " node " << node;
      const std::uint32_t row = bound.predictor().row_of(node, per_node[node]);
      ASSERT_EQ(row == kNoRow ? -1 : static_cast<int>(row), reference[node].row) << "mix " << mix << " node " << node;
      const bool measured =
          reference[node].row == 2 || reference[node].row == 3 || reference[node].row == 4 || reference[node].row == 6;
      if (node >= 2) {  // modules inherit the flag from their children
        ASSERT_EQ(estimates[node].flags.has(Flag::kRuntimeFacts), measured);
      } else if (measured) {
        ASSERT_TRUE(estimates[node].flags.has(Flag::kRuntimeFacts));
      }
    }
  }
}

TEST(RuntimeFacts, TheHookPathUsesThemTheSameWay) {
  const Bound bound(runtime_table(), runtime_graph());
  OpDescriptor op;
  op.kind = OpKind::kDense;
  op.data_type = DataType::kFloat32;
  op.facts = dense_facts(2, 3, 64, 64);
  const auto estimate = bound.plan().estimate(op, facts(1e-3F, 2e-3F), Confidence::k90);
  ASSERT_TRUE(estimate.ok());
  EXPECT_FLOAT_EQ(estimate->dynamic.value(), 1.25F * 2e-3F + 0.5F * 1e-3F);
  EXPECT_TRUE(estimate->flags.has(Flag::kRuntimeFacts));
}

TEST(RuntimeFacts, StaticJoulesComeFromAnOpsTimeOrItsChildrens) {
  wire::CoefficientTableT table = runtime_table();
  add_static(table, 0, EngineState::kBusy, 1000.0F);
  const Bound bound(table, runtime_graph());
  std::vector<RuntimeFacts> per_node(5);
  per_node[2] = facts(1.0F);
  per_node[3] = facts(2.0F);
  PredictInputs inputs;
  inputs.per_node = per_node;
  auto estimates = bound.predict(inputs);
  EXPECT_FLOAT_EQ(estimates[2].static_part.value(), 1.0F);
  EXPECT_FLOAT_EQ(estimates[1].static_part.value(), 3.0F) << "the sum of both children";
  EXPECT_FALSE(estimates[1].flags.has(Flag::kStaticUnknown));
  EXPECT_TRUE(estimates[0].flags.has(Flag::kStaticUnknown)) << "node 4 is not timed";
  EXPECT_EQ(estimates[0].static_part.value(), 0.0F);
  inputs.time = Seconds(2.5F);
  estimates = bound.predict(inputs);
  EXPECT_FLOAT_EQ(estimates[0].static_part.value(), 2.5F) << "measured, so overlap counts once";
  EXPECT_FALSE(estimates[0].flags.has(Flag::kStaticUnknown));
}

TEST(RuntimeFacts, ExplainShowsTheMeasuredTerms) {
  const Bound bound(runtime_table(), runtime_graph());
  std::vector<RuntimeFacts> per_node(5);
  per_node[2] = facts(1e-3F);
  PredictInputs inputs;
  inputs.per_node = per_node;
  TermShare terms[kMaxTermsPerRow];
  const auto count = bound.predictor().explain(2, inputs, terms);
  ASSERT_TRUE(count.ok());
  ASSERT_EQ(*count, 2U);
  EXPECT_EQ(terms[0].term.feature, Feature::kTime);
  EXPECT_FLOAT_EQ(terms[0].value, 1e-3F);
  EXPECT_FLOAT_EQ(terms[0].contribution, 4e-3F);
  EXPECT_FLOAT_EQ(terms[0].contribution + terms[1].contribution, bound.predict(inputs)[2].dynamic.value());
}

TEST(Batch, ScalesExactlyWhatIsProportionalAndKeepsTheRest) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOp, OpKind::kDense);
  add_term(row, {Feature::kMacs, 3.0F});
  add_term(row, {Feature::kWeightBytes, 50.0F});
  add_term(row, {Feature::kTensorBytes, 7.0F});
  add_term(row, {Feature::kOne, 2.0F, Unit::kNanojoule});
  const wire::ModelGraphT graph = graph_of({{.kind = OpKind::kDense, .facts = dense_facts(4, 1, 64, 32)},
                                            {.kind = OpKind::kRelu, .facts = elementwise_facts(4 * 32)}});
  const Bound bound(table, graph);
  for (const float ratio : {0.25F, 0.5F, 1.0F, 2.0F, 7.0F}) {
    PredictInputs inputs;
    inputs.batch_ratio = ratio;
    ReferenceInputs reference_inputs;
    reference_inputs.batch_ratio = static_cast<double>(ratio);
    const auto estimates = bound.predict(inputs);
    const auto reference = reference_costs(table, graph, reference_inputs);
    for (std::size_t node = 0; node < 3; ++node) {
      EXPECT_NEAR(static_cast<double>(estimates[node].dynamic.value()), reference[node].dynamic,
                  1e-6 * reference[node].dynamic)
          << ratio;
      EXPECT_FALSE(estimates[node].flags.has(Flag::kBatchScaled));
    }
    // What a graph of that batch would have said.
    if (ratio >= 1.0F) {
      const auto batch = static_cast<std::uint64_t>(4.0F * ratio);
      const auto direct =
          Bound(table, graph_of({{.kind = OpKind::kDense, .facts = dense_facts(batch, 1, 64, 32)}})).predict();
      EXPECT_NEAR(estimates[1].dynamic / direct[1].dynamic, 1.0F, 1e-6F);
    }
    TermShare terms[kMaxTermsPerRow];
    const auto count = bound.predictor().explain(1, inputs, terms);
    ASSERT_TRUE(count.ok());
    float sum = 0.0F;
    for (std::uint32_t i = 0; i < *count; ++i) sum += terms[i].contribution;
    EXPECT_NEAR(sum / estimates[1].own.value(), 1.0F, 1e-6F);
  }
}

TEST(Batch, SaysWhereScalingIsNotExact) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kDense),
           {Feature::kTiledMacs, 1.0F, Unit::kPicojoule, -INFINITY, INFINITY, Tile{64, 64, 64}});
  wire::RowT& log_row = add_row(table, Level::kOp, OpKind::kAdd);
  log_row.form = wire::RowForm::log2;
  log_row.intercept = -20.0F;
  add_term(log_row, {Feature::kOutputBytes, 0.5F, Unit::kRatio});
  wire::RowT& conditional = add_row(table, Level::kOp, OpKind::kRelu);
  add_condition(conditional, Feature::kOutputBytes, 0.0F, 1e6F);
  add_term(conditional, {Feature::kOutputBytes, 1.0F});
  const wire::ModelGraphT graph = graph_of({{.kind = OpKind::kDense, .facts = dense_facts(1, 10, 10, 10)},
                                            {.kind = OpKind::kAdd, .facts = elementwise_facts(100)},
                                            {.kind = OpKind::kRelu, .facts = elementwise_facts(100)},
                                            {.kind = OpKind::kSoftmax, .facts = elementwise_facts(100)}});
  const Bound bound(table, graph);
  PredictInputs inputs;
  for (const auto& estimate : bound.predict(inputs)) EXPECT_FALSE(estimate.flags.has(Flag::kBatchScaled));
  inputs.batch_ratio = 2.0F;
  const auto estimates = bound.predict(inputs);
  EXPECT_TRUE(estimates[1].flags.has(Flag::kBatchScaled));
  EXPECT_TRUE(estimates[2].flags.has(Flag::kBatchScaled));
  EXPECT_TRUE(estimates[3].flags.has(Flag::kBatchScaled)) << "the condition may no longer hold";
  EXPECT_FALSE(estimates[4].flags.has(Flag::kBatchScaled));
  EXPECT_TRUE(estimates[0].flags.has(Flag::kBatchScaled));
}

TEST(Batch, LeavesTheFittedRangeVisibly) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kRelu),
           {Feature::kOutputElements, 1.0F, Unit::kPicojoule, 50.0F, 400.0F});
  const Bound bound(table, graph_of({{.kind = OpKind::kRelu, .facts = elementwise_facts(100)}}));
  const auto outside = [&](float ratio) {
    PredictInputs inputs;
    inputs.batch_ratio = ratio;
    return bound.predict(inputs)[1].flags.has(Flag::kOutsideRange);
  };
  EXPECT_TRUE(outside(0.25F));
  EXPECT_FALSE(outside(0.5F));
  EXPECT_FALSE(outside(4.0F));
  EXPECT_TRUE(outside(4.5F));
}

TEST(Batch, MeasuredTimeIsNotScaledAgain) {
  const Bound bound(runtime_table(), runtime_graph());
  std::vector<RuntimeFacts> per_node(5);
  per_node[2] = facts(1e-3F);
  PredictInputs inputs;
  inputs.per_node = per_node;
  inputs.batch_ratio = 3.0F;
  EXPECT_FLOAT_EQ(bound.predict(inputs)[2].dynamic.value(), 4e-3F + 3.0F * 1e-12F * (2 * 3 * 64 * 64));
}

}  // namespace
}  // namespace edgejoule::test
