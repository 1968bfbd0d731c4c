#include "edgejoule/core/plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"

namespace edgejoule::test {
namespace {

OpDescriptor op_of(OpKind kind, DataType type = DataType::kFloat32, std::uint64_t elements = 100) {
  OpDescriptor op;
  op.kind = kind;
  op.data_type = type;
  op.facts = elementwise_facts(elements);
  return op;
}

Estimate price(const Prepared& prepared, const OpDescriptor& op, const RuntimeFacts& runtime = {},
               Confidence confidence = Confidence::k90) {
  return Prepared::value(prepared.plan().estimate(op, runtime, confidence), "estimate");
}

// One row per rung, each costing another number of microjoules.
wire::CoefficientTableT ladder(std::size_t rungs) {
  wire::CoefficientTableT table = sound_table();
  table.rows[0]->terms.clear();
  add_term(*table.rows[0], {Feature::kOne, 5.0F, Unit::kMicrojoule});
  const auto cost = [](wire::RowT& row, float microjoules) {
    add_term(row, {Feature::kOne, microjoules, Unit::kMicrojoule});
  };
  if (rungs > 1) cost(add_class_row(table, OpClass::kActivation), 4.0F);
  if (rungs > 2) cost(add_row(table, Level::kOp, OpKind::kRelu), 3.0F);
  if (rungs > 3) cost(add_row(table, Level::kOpAndType, OpKind::kRelu, DataType::kFloat32), 2.0F);
  if (rungs > 4) cost(add_row(table, Level::kExact, OpKind::kRelu, DataType::kFloat32), 1.0F);
  return table;
}

TEST(Ladder, TheMostSpecificRungPricesAndIsNamed) {
  const Level expected[] = {Level::kRoofline, Level::kClass, Level::kOp, Level::kOpAndType, Level::kExact};
  for (std::size_t rungs = 1; rungs <= 5; ++rungs) {
    const Estimate estimate = price(Prepared(ladder(rungs)), op_of(OpKind::kRelu));
    EXPECT_EQ(estimate.level, expected[rungs - 1]);
    EXPECT_FLOAT_EQ(estimate.dynamic.value(), static_cast<float>(6 - rungs) * 1e-6F);
    EXPECT_EQ(estimate.flags.has(Flag::kFallback), rungs <= 2);
  }
}

TEST(Ladder, FallsPastRowsOfAnotherTypeKindAndClass) {
  const Prepared prepared(ladder(5));
  EXPECT_EQ(price(prepared, op_of(OpKind::kRelu, DataType::kInt8)).level, Level::kOp);
  EXPECT_EQ(price(prepared, op_of(OpKind::kGelu)).level, Level::kClass);
  EXPECT_EQ(price(prepared, op_of(OpKind::kAdd)).level, Level::kRoofline);
}

TEST(Ladder, AnOldReaderFallsBackOnTheClassOfANewKind) {
  const Prepared prepared(ladder(5));
  OpDescriptor op = op_of(static_cast<OpKind>(3999));
  EXPECT_EQ(price(prepared, op).level, Level::kRoofline);
  op.op_class = OpClass::kActivation;
  EXPECT_EQ(price(prepared, op).level, Level::kClass);
}

TEST(Ladder, ConditionsAreHalfOpenAndTriedBeforeRowsWithout) {
  wire::CoefficientTableT table = ladder(1);
  add_term(add_row(table, Level::kOp, OpKind::kRelu), {Feature::kOne, 9.0F, Unit::kMicrojoule});
  wire::RowT& row = add_row(table, Level::kOp, OpKind::kRelu);
  add_term(row, {Feature::kOne, 1.0F, Unit::kMicrojoule});
  add_condition(row, Feature::kOutputElements, 10.0F, 20.0F);
  const Prepared prepared(table);
  const auto cost = [&](std::uint64_t elements) {
    return price(prepared, op_of(OpKind::kRelu, DataType::kFloat32, elements)).dynamic.value();
  };
  EXPECT_FLOAT_EQ(cost(9), 9e-6F);
  EXPECT_FLOAT_EQ(cost(10), 1e-6F);
  EXPECT_FLOAT_EQ(cost(19), 1e-6F);
  EXPECT_FLOAT_EQ(cost(20), 9e-6F);
}

TEST(Ladder, OfTwoRowsThatHoldTheFirstInTheFileWins) {
  wire::CoefficientTableT table = ladder(1);
  for (const float microjoules : {3.0F, 2.0F}) {
    wire::RowT& row = add_row(table, Level::kOp, OpKind::kRelu);
    add_term(row, {Feature::kOne, microjoules, Unit::kMicrojoule});
    add_condition(row, Feature::kOutputElements, microjoules, INFINITY);
  }
  EXPECT_FLOAT_EQ(price(Prepared(table), op_of(OpKind::kRelu)).dynamic.value(), 3e-6F);
}

TEST(Ladder, RowsOfAnEngineComeBeforeThoseOfAny) {
  wire::CoefficientTableT table = ladder(1);
  table.engines.push_back(std::make_unique<wire::EngineT>());
  add_term(add_row(table, Level::kOp, OpKind::kRelu), {Feature::kOne, 1.0F, Unit::kMicrojoule});
  wire::RowT& row = add_row(table, Level::kOp, OpKind::kRelu);
  row.engine = 1;
  add_term(row, {Feature::kOne, 2.0F, Unit::kMicrojoule});
  const Prepared prepared(table);
  OpDescriptor op = op_of(OpKind::kRelu);
  EXPECT_FLOAT_EQ(price(prepared, op).dynamic.value(), 1e-6F) << "any engine is engine 0";
  op.engine = 1;
  EXPECT_FLOAT_EQ(price(prepared, op).dynamic.value(), 2e-6F);
  op.engine = 2;
  EXPECT_EQ(prepared.plan().estimate(op, {}, Confidence::k90).error(), Error::kUnknownEngine);
}

TEST(Ladder, ModulesAreNeverPricedByTheRoofline) {
  const Estimate estimate = price(Prepared(ladder(1)), op_of(OpKind::kLayer));
  EXPECT_EQ(estimate.level, Level::kNone);
  EXPECT_EQ(estimate.dynamic.value(), 0.0F);
}

TEST(TablePlan, TakesTheOperatingPointAskedForOrTheFirst) {
  wire::CoefficientTableT table = ladder(1);
  for (const std::uint8_t point : {std::uint8_t{0}, std::uint8_t{1}}) {
    wire::RowT& row = add_row(table, Level::kOp, OpKind::kRelu);
    row.operating_point = point;
    add_term(row, {Feature::kOne, 1.0F + point, Unit::kMicrojoule});
  }
  const Prepared first(table);
  const Prepared second(table, at_point("30W"));
  EXPECT_EQ(first.plan().operating_point(), 0U);
  EXPECT_EQ(second.plan().operating_point(), 1U);
  EXPECT_FLOAT_EQ(price(first, op_of(OpKind::kRelu)).dynamic.value(), 1e-6F);
  EXPECT_FLOAT_EQ(price(second, op_of(OpKind::kRelu)).dynamic.value(), 2e-6F);
}

TEST(TablePlan, RefusesWhatItCannotPrepare) {
  const files::FileBytes bytes = pack(ladder(5));
  const auto table = Prepared::value(CoefficientTable::open(bytes.span()), "open");
  const std::size_t needed = TablePlan::required_bytes(table);
  Workspace workspace(needed + 8);
  for (std::size_t size = 0; size < needed; ++size) {
    ASSERT_EQ(TablePlan::prepare(table, {}, workspace.span().first(size)).error(), Error::kWorkspaceTooSmall) << size;
  }
  EXPECT_TRUE(TablePlan::prepare(table, {}, workspace.span().first(needed)).ok());
  EXPECT_EQ(TablePlan::prepare(table, {}, workspace.span().subspan(4, needed)).error(), Error::kMisaligned);
  PlanOptions options = at_point("MAXN");
  EXPECT_EQ(TablePlan::prepare(table, options, workspace.span()).error(), Error::kUnknownOperatingPoint);
  options = {};
  options.require_same_board = true;
  EXPECT_EQ(TablePlan::prepare(table, options, workspace.span()).error(), Error::kOtherBoard) << "board not known";
  options.board_compatible = "other,board";
  EXPECT_EQ(TablePlan::prepare(table, options, workspace.span()).error(), Error::kOtherBoard);
  options.board_compatible = "test,board";
  EXPECT_TRUE(TablePlan::prepare(table, options, workspace.span()).ok());
}

TEST(TablePlan, OtherBoardsAndRuntimesAreFlagged) {
  const auto flags = [](std::string_view board, std::string_view runtime) {
    PlanOptions options;
    options.board_compatible = board;
    options.runtime = runtime;
    return price(Prepared(ladder(1), options), op_of(OpKind::kRelu)).flags;
  };
  EXPECT_FALSE(flags("", "").has(Flag::kOtherBoard));
  EXPECT_FALSE(flags("test,board", "test runtime").has(Flag::kOtherBoard));
  EXPECT_FALSE(flags("test,board", "test runtime").has(Flag::kOtherRuntime));
  EXPECT_TRUE(flags("other,board", "").has(Flag::kOtherBoard));
  EXPECT_FALSE(flags("other,board", "").has(Flag::kOtherRuntime));
  EXPECT_TRUE(flags("", "other").has(Flag::kOtherRuntime));
}

TEST(TablePlan, EstimateRefusesUnsoundRequests) {
  const Prepared prepared(ladder(1));
  const auto error_of = [&](const OpDescriptor& op, const RuntimeFacts& runtime) {
    return prepared.plan().estimate(op, runtime, Confidence::k90).error();
  };
  RuntimeFacts runtime;
  runtime.time = Seconds(NAN);
  EXPECT_EQ(error_of(op_of(OpKind::kRelu), runtime), Error::kInvalidArgument);
  runtime = {};
  runtime.utilisation = NAN;
  EXPECT_EQ(error_of(op_of(OpKind::kRelu), runtime), Error::kInvalidArgument);
  EXPECT_EQ(prepared.plan().estimate(op_of(OpKind::kRelu), {}, static_cast<Confidence>(4)).error(),
            Error::kInvalidArgument);
  OpDescriptor op = op_of(OpKind::kConv2d);
  op.facts.set(Fact::kGroups, 0);
  EXPECT_EQ(error_of(op, {}), Error::kBadRange);
  op.facts.set(Fact::kGroups, 1).set(Fact::kOutH, ~0ULL).set(Fact::kOutW, 2);
  EXPECT_EQ(error_of(op, {}), Error::kOverflow);
}

TEST(Intervals, AreQuantilesOfTheRowAtEachConfidence) {
  wire::CoefficientTableT table = ladder(3);
  table.rows[2]->residual = residual(0.1F, 19);
  const Prepared prepared(table);
  const double offsets[] = {0.07, 0.13, 0.16, 0.20};
  for (int c = 0; c < 4; ++c) {
    const Estimate estimate = price(prepared, op_of(OpKind::kRelu), {}, static_cast<Confidence>(c));
    const double dynamic = static_cast<double>(estimate.dynamic.value());
    EXPECT_NEAR(static_cast<double>(estimate.interval.lower.value()), dynamic * std::exp(-offsets[c]), 1e-6 * dynamic);
    EXPECT_NEAR(static_cast<double>(estimate.interval.upper.value()), dynamic * std::exp(offsets[c]), 1e-6 * dynamic);
    EXPECT_FALSE(estimate.flags.has(Flag::kIntervalNotGuaranteed));
  }
}

TEST(Intervals, NeedEnoughGroupsToBeGuaranteed) {
  const struct {
    Confidence confidence;
    std::uint32_t needed;
  } cases[] = {{Confidence::k50, 1}, {Confidence::k80, 4}, {Confidence::k90, 9}, {Confidence::k95, 19}};
  for (const auto& [confidence, needed] : cases) {
    for (const std::uint32_t groups : {needed - 1, needed}) {
      wire::CoefficientTableT table = ladder(3);
      table.rows[2]->residual = residual(0.1F, groups);
      const Flags flags = price(Prepared(table), op_of(OpKind::kRelu), {}, confidence).flags;
      EXPECT_EQ(flags.has(Flag::kIntervalNotGuaranteed), groups < needed) << groups;
      EXPECT_FALSE(flags.has(Flag::kIntervalUnknown));
    }
  }
}

TEST(Intervals, FallBackOnTheResidualsOfAnyOpAndSayWhereThereAreNone) {
  wire::CoefficientTableT table = ladder(3);
  Estimate estimate = price(Prepared(table), op_of(OpKind::kRelu));
  EXPECT_TRUE(estimate.flags.has(Flag::kIntervalUnknown));
  EXPECT_TRUE(estimate.flags.has(Flag::kIntervalNotGuaranteed));
  EXPECT_EQ(estimate.interval.upper.value(), estimate.dynamic.value());
  table.op_residual = residual(0.5F, 100);
  estimate = price(Prepared(table), op_of(OpKind::kRelu));
  EXPECT_FALSE(estimate.flags.has(Flag::kIntervalUnknown));
  EXPECT_FLOAT_EQ(estimate.interval.upper.value(), estimate.dynamic.value() * std::exp(0.8F));
}

TEST(Intervals, ModulesAndModelsHaveResidualsOfTheirOwn) {
  wire::CoefficientTableT table = sound_table();
  table.op_residual = residual(0.4F, 100);
  table.module_residual = residual(0.2F, 100);
  table.model_residual = residual(0.1F, 100);
  add_module_row(table, OpKind::kLayer, 1.0F).residual = residual(0.3F, 100);
  const auto estimates = Bound(table, graph_of({{.kind = OpKind::kBlock, .parent = 0},
                                                {.kind = OpKind::kRelu, .parent = 1, .facts = elementwise_facts(10)},
                                                {.kind = OpKind::kLayer, .parent = 0},
                                                {.kind = OpKind::kRelu, .parent = 3, .facts = elementwise_facts(10)}}))
                             .predict();
  const float widths[] = {0.16F, 0.32F, 0.64F, 0.48F, 0.64F};  // model, any module, op, this module, op
  for (std::size_t node = 0; node < 5; ++node) {
    EXPECT_FLOAT_EQ(estimates[node].interval.upper / estimates[node].dynamic, std::exp(widths[node])) << node;
  }
}

TEST(Intervals, AChildsMissingGroupsAreNotItsParents) {
  wire::CoefficientTableT table = sound_table();
  table.model_residual = residual(0.1F, 100);
  const auto estimates =
      Bound(table, graph_of({{.kind = OpKind::kRelu, .parent = 0, .facts = elementwise_facts(10)}})).predict();
  EXPECT_TRUE(estimates[1].flags.has(Flag::kIntervalUnknown));
  EXPECT_FALSE(estimates[0].flags.has(Flag::kIntervalUnknown));
  EXPECT_FALSE(estimates[0].flags.has(Flag::kIntervalNotGuaranteed));
}

TEST(StaticJoules, ArePowerOfTheBusyEngineAndTheIdleOthersTimesTime) {
  wire::CoefficientTableT table = ladder(1);
  table.engines.push_back(std::make_unique<wire::EngineT>());
  add_static(table, 0, EngineState::kIdle, 100.0F);
  add_static(table, 0, EngineState::kBusy, 300.0F);
  add_static(table, 0, EngineState::kBusy, 500.0F, 1);  // at the second operating point
  add_static(table, 1, EngineState::kIdle, 40.0F);
  add_static(table, 1, EngineState::kGated, 1.0F);
  const Prepared prepared(table);
  EXPECT_FLOAT_EQ(prepared.plan().static_power(0).value(), 0.34F);
  EXPECT_FLOAT_EQ(prepared.plan().static_power(1).value(), 0.14F) << "busy not known: as idle";
  EXPECT_LT(prepared.plan().static_power(2).value(), 0.0F);
  EXPECT_FLOAT_EQ(Prepared(table, at_point("30W")).plan().static_power(0).value(), 0.54F);

  RuntimeFacts runtime;
  runtime.time = Seconds(2.0F);
  const Estimate timed = price(prepared, op_of(OpKind::kRelu), runtime);
  EXPECT_FLOAT_EQ(timed.static_part.value(), 0.68F);
  EXPECT_FALSE(timed.flags.has(Flag::kStaticUnknown));
  EXPECT_FLOAT_EQ(timed.total().value(), 0.68F + timed.dynamic.value());
  const Estimate untimed = price(prepared, op_of(OpKind::kRelu));
  EXPECT_EQ(untimed.static_part.value(), 0.0F);
  EXPECT_TRUE(untimed.flags.has(Flag::kStaticUnknown));
}

TEST(StaticJoules, AreUnknownWithoutStaticTermsAndInsideWhereTheBaselineIsTotal) {
  RuntimeFacts runtime;
  runtime.time = Seconds(2.0F);
  EXPECT_TRUE(price(Prepared(ladder(1)), op_of(OpKind::kRelu), runtime).flags.has(Flag::kStaticUnknown));
  wire::CoefficientTableT table = ladder(1);
  table.baseline->kind = wire::BaselineKind::total;
  add_static(table, 0, EngineState::kBusy, 300.0F);
  const Estimate estimate = price(Prepared(table), op_of(OpKind::kRelu), runtime);
  EXPECT_TRUE(estimate.flags.has(Flag::kStaticInDynamic));
  EXPECT_FALSE(estimate.flags.has(Flag::kStaticUnknown));
  EXPECT_EQ(estimate.static_part.value(), 0.0F);
}

}  // namespace
}  // namespace edgejoule::test
