#include "edgejoule/core/predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "cost_reference.h"
#include "fixture.h"

namespace edgejoule::test {
namespace {

// A table with a row of every level, conditions, tiles, modules and a log2 row.
wire::CoefficientTableT rich_table() {
  wire::CoefficientTableT table = sound_table();
  wire::RowT* row = &add_row(table, Level::kExact, OpKind::kConv2d, DataType::kFloat32);
  add_term(*row, {Feature::kTiledMacs, 1.5F, Unit::kPicojoule, 0.0F, 1e12F, Tile{8, 12, 4}});
  add_condition(*row, Feature::kKernelArea, 2.0F, INFINITY);
  row = &add_row(table, Level::kExact, OpKind::kConv2d, DataType::kFloat32);
  add_term(*row, {Feature::kMacs, 900.0F, Unit::kFemtojoule});
  add_term(*row, {Feature::kOne, 3.0F, Unit::kMicrojoule});
  add_condition(*row, Feature::kKernelArea, -INFINITY, 2.0F);
  row = &add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  add_term(*row, {Feature::kMacs, 2.5F});
  add_term(*row, {Feature::kWeightBytes, 80.0F});
  row = &add_row(table, Level::kOp, OpKind::kDense);
  add_term(*row, {Feature::kMacs, 4.0F});
  row = &add_class_row(table, OpClass::kActivation);
  add_term(*row, {Feature::kActivationBytes, 12.0F});
  row = &add_row(table, Level::kOp, OpKind::kAdd);
  row->form = wire::RowForm::log2;
  row->intercept = -30.0F;
  add_term(*row, {Feature::kActivationBytes, 0.9F, Unit::kRatio});
  row = &add_module_row(table, OpKind::kLayer, 1.05F);
  add_term(*row, {Feature::kOwnMacs, 3.0F});
  row = &add_module_row(table, OpKind::kBlock, 0.9F);
  add_term(*row, {Feature::kOne, 1.0F, Unit::kNanojoule});
  return table;
}

wire::ModelGraphT random_graph(std::uint32_t seed, std::uint32_t size) {
  std::mt19937 random(seed);
  const auto pick = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  std::vector<NodeSpec> specs;
  std::vector<std::uint32_t> open_modules{0};
  while (specs.size() < size) {
    const std::uint32_t self = static_cast<std::uint32_t>(specs.size()) + 1;
    while (open_modules.size() > 1 && pick(6) == 0) open_modules.pop_back();
    NodeSpec spec;
    spec.parent = open_modules.back();
    spec.data_type = pick(4) == 0 ? DataType::kInt8 : DataType::kFloat32;
    switch (pick(6)) {
      case 0:
        spec.kind = pick(2) == 0 ? OpKind::kLayer : pick(2) == 0 ? OpKind::kBlock : OpKind::kStage;
        spec.facts.set(Fact::kOwnMacs, pick(100000));
        if (open_modules.size() < 40) open_modules.push_back(self);
        break;
      case 1:
        spec.kind = OpKind::kConv2d, spec.facts = conv_facts(1 + pick(3), 8 + pick(30), 9, 8, 16, 1 + 2 * pick(2));
        break;
      case 2: spec.kind = OpKind::kDense, spec.facts = dense_facts(1, 1 + pick(9), 64, 1 + pick(2000)); break;
      case 3: spec.kind = OpKind::kRelu, spec.facts = elementwise_facts(1 + pick(5000)); break;
      case 4:
        spec.kind = OpKind::kAdd, spec.facts = elementwise_facts(1 + pick(5000)).set(Fact::kRepeats, 1 + pick(3));
        break;
      default: spec.kind = OpKind::kSoftmax, spec.facts = elementwise_facts(1 + pick(5000), 5); break;
    }
    specs.push_back(spec);
  }
  return graph_of(specs);
}

TEST(Predictor, MatchesThePlainReferenceOnRandomModels) {
  const wire::CoefficientTableT table = rich_table();
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const wire::ModelGraphT graph = random_graph(seed, 5 + 7 * seed);
    const Bound bound(table, graph);
    const auto estimates = bound.predict();
    const auto reference = reference_costs(table, graph);
    for (std::uint32_t node = 0; node < estimates.size(); ++node) {
      const std::uint32_t row = bound.predictor().row_of(node);
      ASSERT_EQ(row == kNoRow ? -1 : static_cast<int>(row), reference[node].row) << "seed " << seed << " node " << node;
      const double expected = reference[node].dynamic;
      ASSERT_NEAR(static_cast<double>(estimates[node].dynamic.value()), expected, 2e-6 * expected)
          << "seed " << seed << " node " << node;
      ASSERT_NEAR(static_cast<double>(estimates[node].own.value()), reference[node].own, 2e-6 * std::abs(expected))
          << "seed " << seed << " node " << node;
    }
  }
}

TEST(Predictor, GoldenNumbersByHand) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32), {Feature::kMacs, 3.0F});
  add_term(add_module_row(table, OpKind::kLayer, 1.5F), {Feature::kOne, 1.0F, Unit::kMicrojoule});
  const wire::ModelGraphT graph = graph_of({
      {.kind = OpKind::kLayer, .parent = 0},
      {.kind = OpKind::kDense, .parent = 1, .facts = dense_facts(1, 1, 1000, 2000)},  // 2e6 MACs: 6 uJ
      {.kind = OpKind::kRelu, .parent = 1, .facts = elementwise_facts(2000)},         // 16 kB at 10 pJ/B: 0.16 uJ
  });
  const auto estimates = Bound(table, graph).predict();
  EXPECT_FLOAT_EQ(estimates[2].dynamic.value(), 6e-6F);
  EXPECT_EQ(estimates[2].level, Level::kOpAndType);
  EXPECT_FALSE(estimates[2].flags.has(Flag::kFallback));
  EXPECT_FLOAT_EQ(estimates[3].dynamic.value(), 0.16e-6F);
  EXPECT_EQ(estimates[3].level, Level::kRoofline);
  EXPECT_TRUE(estimates[3].flags.has(Flag::kFallback));
  EXPECT_FLOAT_EQ(estimates[1].dynamic.value(), 1.5F * 6.16e-6F + 1e-6F);
  EXPECT_FLOAT_EQ(estimates[1].own.value(), 0.5F * 6.16e-6F + 1e-6F);
  EXPECT_EQ(estimates[1].level, Level::kOp);
  EXPECT_FLOAT_EQ(estimates[0].dynamic.value(), estimates[1].dynamic.value());
  EXPECT_EQ(estimates[0].own.value(), 0.0F);
  EXPECT_EQ(estimates[0].level, Level::kNone);
  EXPECT_TRUE(estimates[0].flags.has(Flag::kFallback)) << "a child's fallback reaches the root";
}

TEST(Predictor, IsDeterministicToTheBit) {
  const Bound first(rich_table(), random_graph(7, 300));
  const Bound second(rich_table(), random_graph(7, 300));
  const auto a = first.predict();
  const auto b = second.predict();
  const auto again = first.predict();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].dynamic.value(), b[i].dynamic.value());
    ASSERT_EQ(a[i].dynamic.value(), again[i].dynamic.value());
    ASSERT_EQ(a[i].flags.bits(), again[i].flags.bits());
  }
}

TEST(Predictor, OpsCostTheSameFromTheHook) {
  const wire::CoefficientTableT table = [] {
    wire::CoefficientTableT t = rich_table();
    t.engines[0]->last_level_bytes = 0;  // residency of weights needs the whole model
    return t;
  }();
  const Bound bound(table, random_graph(3, 200));
  const auto estimates = bound.predict();
  for (std::uint32_t node = 0; node < bound.graph().size(); ++node) {
    if (bound.graph().is_module_node(node)) continue;
    OpDescriptor op;
    op.kind = bound.graph().kind(node);
    op.data_type = bound.graph().data_type(node);
    op.facts = bound.graph().facts(node);
    const auto hook = bound.plan().estimate(op, {}, Confidence::k90);
    ASSERT_TRUE(hook.ok());
    EXPECT_EQ(hook->dynamic.value(), estimates[node].dynamic.value());
    EXPECT_EQ(hook->level, estimates[node].level);
    EXPECT_EQ(hook->flags.bits(), estimates[node].flags.bits());
    EXPECT_EQ(hook->interval.upper.value(), estimates[node].interval.upper.value());
  }
}

TEST(Predictor, AHundredThousandOpsUnderOneRootAddUp) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kRelu), {Feature::kOne, 1.0F, Unit::kMicrojoule});
  std::vector<NodeSpec> specs(100000, NodeSpec{.kind = OpKind::kRelu, .facts = elementwise_facts(1)});
  const auto estimates = Bound(table, graph_of(specs)).predict();
  EXPECT_NEAR(static_cast<double>(estimates[0].dynamic.value()), 0.1, 2e-8);
}

TEST(Predictor, NegativeOwnJoulesAreOverlapAndSaySo) {
  wire::CoefficientTableT table = sound_table();
  add_module_row(table, OpKind::kBranch, 0.75F);
  const auto estimates =
      Bound(table, graph_of({{.kind = OpKind::kBranch, .parent = 0},
                             {.kind = OpKind::kDense, .parent = 1, .facts = dense_facts(1, 1, 100, 100)}}))
          .predict();
  EXPECT_LT(estimates[1].own.value(), 0.0F);
  EXPECT_FLOAT_EQ(estimates[1].dynamic.value(), 0.75F * estimates[2].dynamic.value());
  EXPECT_TRUE(estimates[1].flags.has(Flag::kNegativeOwn));
  EXPECT_FALSE(estimates[2].flags.has(Flag::kNegativeOwn));
}

TEST(Predictor, FlagsWhatTheOpsAre) {
  const auto estimates = Bound(sound_table(), graph_of({{.kind = OpKind::kUnknown, .facts = elementwise_facts(10)},
                                                        {.kind = OpKind::kWhileLoop, .facts = elementwise_facts(10)},
                                                        {.kind = OpKind::kRelu, .facts = elementwise_facts(10)}}))
                             .predict();
  EXPECT_TRUE(estimates[1].flags.has(Flag::kUnknownOp));
  EXPECT_FALSE(estimates[1].flags.has(Flag::kBound));
  EXPECT_TRUE(estimates[2].flags.has(Flag::kBound));
  EXPECT_FALSE(estimates[3].flags.has(Flag::kUnknownOp));
  EXPECT_FALSE(estimates[3].flags.has(Flag::kBound));
  EXPECT_TRUE(estimates[0].flags.has(Flag::kUnknownOp) && estimates[0].flags.has(Flag::kBound));
}

TEST(Predictor, FlagsFeaturesOutsideTheFittedRange) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kRelu),
           {Feature::kOutputElements, 1.0F, Unit::kPicojoule, 10.0F, 100.0F});
  const auto estimates = Bound(table, graph_of({{.kind = OpKind::kRelu, .facts = elementwise_facts(9)},
                                                {.kind = OpKind::kRelu, .facts = elementwise_facts(10)},
                                                {.kind = OpKind::kRelu, .facts = elementwise_facts(100)},
                                                {.kind = OpKind::kRelu, .facts = elementwise_facts(101)}}))
                             .predict();
  EXPECT_TRUE(estimates[1].flags.has(Flag::kOutsideRange));
  EXPECT_FALSE(estimates[2].flags.has(Flag::kOutsideRange));
  EXPECT_FALSE(estimates[3].flags.has(Flag::kOutsideRange));
  EXPECT_TRUE(estimates[4].flags.has(Flag::kOutsideRange));
}

TEST(Predictor, ALogarithmOfNothingIsOutsideTheRange) {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kOp, OpKind::kRelu);
  row.form = wire::RowForm::log2;
  row.intercept = -20.0F;
  add_term(row, {Feature::kOutputElements, 1.0F, Unit::kRatio});
  const auto estimates = Bound(table, graph_of({{.kind = OpKind::kRelu, .facts = elementwise_facts(0)},
                                                {.kind = OpKind::kRelu, .facts = elementwise_facts(4)}}))
                             .predict();
  EXPECT_FLOAT_EQ(estimates[1].dynamic.value(), std::exp2(-20.0F));
  EXPECT_TRUE(estimates[1].flags.has(Flag::kOutsideRange));
  EXPECT_FLOAT_EQ(estimates[2].dynamic.value(), std::exp2(-18.0F));
  EXPECT_FALSE(estimates[2].flags.has(Flag::kOutsideRange));
}

TEST(Predictor, TermsOfANodeAddUpToItsOwnJoules) {
  const Bound bound(rich_table(), random_graph(11, 200));
  const auto estimates = bound.predict();
  for (std::uint32_t node = 0; node < bound.graph().size(); ++node) {
    TermShare terms[kMaxTermsPerRow];
    const auto count = bound.predictor().explain(node, {}, terms);
    ASSERT_TRUE(count.ok());
    const std::uint32_t row_index = bound.predictor().row_of(node);
    if (row_index == kNoRow) {
      EXPECT_EQ(*count, 0U);
      continue;
    }
    const RowView row = bound.table().row(row_index);
    const double repeats = static_cast<double>(bound.graph().facts(node)[Fact::kRepeats]);
    double sum = 0.0;
    double product = std::exp2(static_cast<double>(row.intercept())) * repeats;
    for (std::uint32_t i = 0; i < *count; ++i) {
      EXPECT_EQ(terms[i].term.feature, row.term(i).feature);
      sum += static_cast<double>(terms[i].contribution);
      product *= static_cast<double>(terms[i].contribution);
    }
    double expected = row.form() == RowForm::kLinear ? sum : product;
    if (row.children_gain() > 0.0F) {
      expected += (static_cast<double>(row.children_gain()) - 1.0) *
                  static_cast<double>((estimates[node].dynamic - estimates[node].own).value());
    }
    EXPECT_NEAR(static_cast<double>(estimates[node].own.value()), expected,
                3e-6 * std::max(1e-12, static_cast<double>(estimates[node].dynamic.value())));
  }
}

TEST(Predictor, RefusesWhatItCannotDo) {
  const Bound bound(sound_table(), random_graph(1, 20));
  std::vector<NodeEstimate> out(bound.graph().size());
  const auto error_of = [&](const PredictInputs& inputs, std::size_t slots) {
    return bound.predictor().predict(inputs, Span<NodeEstimate>(out.data(), slots)).error();
  };
  EXPECT_EQ(error_of({}, out.size() - 1), Error::kOutputTooSmall);
  PredictInputs inputs;
  const std::vector<RuntimeFacts> too_few(out.size() - 1);
  inputs.per_node = too_few;
  EXPECT_EQ(error_of(inputs, out.size()), Error::kShapeMismatch);
  for (const float ratio : {0.0F, -1.0F, NAN, INFINITY}) {
    inputs = {};
    inputs.batch_ratio = ratio;
    EXPECT_EQ(error_of(inputs, out.size()), Error::kInvalidArgument) << ratio;
  }
  inputs = {};
  inputs.time = Seconds(NAN);
  EXPECT_EQ(error_of(inputs, out.size()), Error::kInvalidArgument);
  inputs = {};
  inputs.confidence = static_cast<Confidence>(4);
  EXPECT_EQ(error_of(inputs, out.size()), Error::kInvalidArgument);
  std::vector<RuntimeFacts> unsound(out.size());
  inputs = {};
  inputs.per_node = unsound;
  unsound[3].utilisation = 1.5F;
  EXPECT_EQ(error_of(inputs, out.size()), Error::kInvalidArgument);
  unsound[3] = {};
  unsound[3].counter_energy = Joules(INFINITY);
  EXPECT_EQ(error_of(inputs, out.size()), Error::kInvalidArgument);

  TermShare terms[kMaxTermsPerRow];
  EXPECT_EQ(bound.predictor().explain(bound.graph().size(), {}, terms).error(), Error::kInvalidArgument);
  EXPECT_EQ(bound.predictor().explain(2, {}, Span<TermShare>(terms, 0)).error(), Error::kOutputTooSmall);
}

TEST(Predictor, TooManyJoulesAreAnErrorAndNoInfinity) {
  wire::CoefficientTableT table = sound_table();
  add_term(add_row(table, Level::kOp, OpKind::kRelu), {Feature::kOutputElements, 1e10F, Unit::kJoule});
  const auto bind = [](const wire::CoefficientTableT& t, const std::vector<NodeSpec>& specs) {
    const Prepared prepared(t);
    const files::FileBytes bytes = pack(graph_of(specs));
    const GraphView graph = Prepared::value(GraphView::open(bytes.span()), "graph");
    Workspace workspace(Predictor::required_bytes(prepared.plan(), graph));
    return Predictor::bind(prepared.plan(), graph, workspace.span());
  };
  const NodeSpec fits{.kind = OpKind::kRelu, .facts = elementwise_facts(9'000'000'000)};
  const NodeSpec does_not{.kind = OpKind::kRelu, .facts = elementwise_facts(20'000'000'000)};
  EXPECT_TRUE(bind(table, {fits}).ok());
  EXPECT_EQ(bind(table, {does_not}).error(), Error::kOverflow);

  const Bound two(table, graph_of({fits, fits}));
  std::vector<NodeEstimate> out(3);
  EXPECT_EQ(two.predictor().predict({}, out).error(), Error::kOverflow);
  OpDescriptor op;
  op.kind = OpKind::kRelu;
  op.facts = does_not.facts;
  EXPECT_EQ(two.plan().estimate(op, {}, Confidence::k90).error(), Error::kOverflow);
}

TEST(Predictor, EveryTooSmallWorkspaceIsRefused) {
  const Prepared prepared(rich_table());
  const files::FileBytes bytes = pack(random_graph(2, 12));
  const GraphView graph = Prepared::value(GraphView::open(bytes.span()), "graph");
  const std::size_t needed = Predictor::required_bytes(prepared.plan(), graph);
  Workspace workspace(needed);
  for (std::size_t size = 0; size < needed; ++size) {
    ASSERT_EQ(Predictor::bind(prepared.plan(), graph, workspace.span().first(size)).error(), Error::kWorkspaceTooSmall)
        << size;
  }
  EXPECT_TRUE(Predictor::bind(prepared.plan(), graph, workspace.span()).ok());
  Workspace larger(needed + 8);
  EXPECT_EQ(Predictor::bind(prepared.plan(), graph, larger.span().subspan(4, needed)).error(), Error::kMisaligned);
}

TEST(Predictor, RefusesAnEngineTheTableDoesNotHave) {
  const Prepared prepared(sound_table());
  const files::FileBytes bytes = pack(graph_of({{.kind = OpKind::kRelu, .facts = elementwise_facts(4), .engine = 1}}));
  const GraphView graph = Prepared::value(GraphView::open(bytes.span()), "graph");
  Workspace workspace(Predictor::required_bytes(prepared.plan(), graph));
  EXPECT_EQ(Predictor::bind(prepared.plan(), graph, workspace.span()).error(), Error::kUnknownEngine);
}

TEST(Predictor, NoticesThatItsPlanWasPreparedAnew) {
  wire::CoefficientTableT other = sound_table();
  other.rows[0]->terms[0]->coefficient = 5.0F;
  const files::FileBytes table_bytes = pack(sound_table());
  const files::FileBytes other_bytes = pack(other);
  const auto table = Prepared::value(CoefficientTable::open(table_bytes.span()), "open");
  const auto other_table = Prepared::value(CoefficientTable::open(other_bytes.span()), "open");
  Workspace workspace(TablePlan::required_bytes(table));
  const TablePlan plan = Prepared::value(TablePlan::prepare(table, {}, workspace.span()), "prepare");
  const files::FileBytes graph_bytes = pack(random_graph(1, 5));
  const GraphView graph = Prepared::value(GraphView::open(graph_bytes.span()), "graph");
  Workspace nodes(Predictor::required_bytes(plan, graph));
  const Predictor predictor = Prepared::value(Predictor::bind(plan, graph, nodes.span()), "bind");
  std::vector<NodeEstimate> out(graph.size());
  EXPECT_TRUE(predictor.predict({}, out).ok());

  ASSERT_TRUE(TablePlan::prepare(other_table, {}, workspace.span()).ok());
  EXPECT_EQ(predictor.predict({}, out).error(), Error::kStalePlan);
  EXPECT_EQ(plan.estimate({}, {}, Confidence::k90).error(), Error::kStalePlan);
  EXPECT_EQ(Predictor::bind(plan, graph, nodes.span()).error(), Error::kStalePlan);
  TermShare terms[kMaxTermsPerRow];
  EXPECT_EQ(predictor.explain(1, {}, terms).error(), Error::kStalePlan);
}

}  // namespace
}  // namespace edgejoule::test
