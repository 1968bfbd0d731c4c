#include "pricing/set_pricer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pricing/op_sums.h"
#include "support/graph_fixture.h"
#include "support/prepared.h"

namespace edgejoule::pricing {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using ::testing::HasSubstr;

Measurement dense(std::uint64_t width) {
  Measurement m;
  m.kind = OpKind::kDense;
  m.op_class = OpClass::kMatrix;
  m.data_type = DataType::kFloat32;
  m.facts = test::dense_facts(1, 1, 1000, width);
  m.energy_joules = 1;
  m.origin = "f:1";
  return m;
}

// A set of two ops, a module of both and a model of two such modules.
MeasurementSet nested() {
  MeasurementSet set;
  Measurement module;
  module.kind = OpKind::kModule;
  module.op_class = OpClass::kModule;
  module.level = NodeLevel::kModule;
  module.energy_joules = 1;
  module.children = {{0, 1}, {1, 2}};
  Measurement model = module;
  model.kind = OpKind::kModel;
  model.level = NodeLevel::kModel;
  model.children = {{2, 2}};
  set.measurements = {dense(10), dense(500), module, model};
  return set;
}

// The joules of an op by hook, which is another way through core.
double by_hook(const files::FileBytes& bytes, const Measurement& m) {
  const test::Prepared prepared(bytes);
  OpDescriptor op;
  op.kind = m.kind, op.op_class = m.op_class, op.data_type = m.data_type, op.facts = m.facts;
  return prepared.plan().estimate(op, {}, Confidence::k90)->dynamic.value();
}

double sum_of_contributions(SetPricer& pricer, std::size_t index) {
  double sum = 0;
  for (const Contribution& part : pricer.contributions(index)) sum += part.joules;
  return sum;
}

TEST(SetPricer, PricesOpsAsTheHookDoes) {
  const files::FileBytes table = test::pack(test::sound_table());
  const MeasurementSet set = nested();
  SetPricer pricer(set, table, {});
  for (const std::size_t i : {0U, 1U}) {
    const Priced priced = pricer.price(i);
    EXPECT_EQ(priced.problem, "");
    EXPECT_FLOAT_EQ(static_cast<float>(priced.joules), static_cast<float>(by_hook(table, set.measurements[i])));
    EXPECT_EQ(priced.level, Level::kRoofline);
  }
}

TEST(SetPricer, SumsModulesAndModels) {
  const MeasurementSet set = nested();
  SetPricer pricer(set, test::pack(test::sound_table()), {});
  const double module = pricer.price(0).joules + 2 * pricer.price(1).joules;
  EXPECT_NEAR(pricer.price(2).joules, module, 1e-6 * module);
  EXPECT_NEAR(pricer.price(3).joules, 2 * module, 1e-6 * module);
  EXPECT_GT(pricer.price(3).tensor_bytes, 2 * pricer.price(1).tensor_bytes);
}

TEST(SetPricer, ContributionsAddUpThroughModuleRowsLogRowsAndCommittees) {
  auto table = test::sound_table();
  wire::RowT& module = test::add_module_row(table, OpKind::kModule, 1.25F);
  test::add_term(module, {.feature = Feature::kOne, .coefficient = 3, .unit = Unit::kMicrojoule});
  wire::RowT& log = test::add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  test::add_condition(log, Feature::kMacs, -INFINITY, 20000);
  log.form = wire::RowForm::log2;
  log.intercept = -20;
  test::add_term(log, {.feature = Feature::kMacs, .coefficient = 0.5F, .unit = Unit::kRatio});
  wire::CorrectionT correction;
  correction.axes = {wire::Feature::one};
  correction.length_octaves = 1;
  correction.positions = {0};
  correction.heights = {0.5F};
  table.rows[1]->correction = std::make_unique<wire::CorrectionT>(correction);
  for (int member = 1; member <= 3; ++member) {
    wire::RowT& row = test::add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
    test::add_condition(row, Feature::kMacs, 20000, INFINITY);
    row.member = static_cast<std::uint8_t>(member);
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = static_cast<float>(member)});
  }
  const MeasurementSet set = nested();
  SetPricer pricer(set, test::pack(table), {});
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    const Priced priced = pricer.price(i);
    ASSERT_EQ(priced.problem, "");
    EXPECT_NEAR(sum_of_contributions(pricer, i), priced.joules, 1e-5 * priced.joules) << i;
  }
  EXPECT_EQ(pricer.contributions(0).at(0).term, Contribution::kWholeRow);
  EXPECT_EQ(table.rows[pricer.contributions(1).at(0).row]->member, 2) << "the member in the middle";
  EXPECT_EQ(pricer.contributions(2).at(0).term, 0U) << "the module's own term";
}

// An op measured as parts is no module: rows for modules have no say in it.
TEST(SetPricer, PricesPartsOfAnOpWithoutModuleRows) {
  auto table = test::sound_table();
  const MeasurementSet plain = nested();
  MeasurementSet set = plain;
  measurements::Part part;
  part.kind = OpKind::kDense, part.op_class = OpClass::kMatrix, part.data_type = DataType::kFloat32;
  part.facts = plain.measurements[0].facts;
  part.count = 0.5;
  set.measurements[0].parts = std::make_shared<std::vector<measurements::Part>>(std::vector{part, part});
  const double expected = SetPricer(plain, test::pack(table), {}).price(0).joules;
  wire::RowT& model = test::add_module_row(table, OpKind::kModel, 2);
  test::add_term(model, {.feature = Feature::kOne, .coefficient = 1, .unit = Unit::kJoule});
  SetPricer pricer(set, test::pack(table), {});
  EXPECT_NEAR(pricer.price(0).joules, expected, 1e-6 * expected);
  EXPECT_NEAR(sum_of_contributions(pricer, 0), expected, 1e-6 * expected);
  EXPECT_NEAR(sum_of_contributions(pricer, 1), pricer.price(1).joules, 1e-6 * expected);
}

TEST(SetPricer, HandsRuntimeFactsOverOnlyWhenAsked) {
  auto table = test::sound_table();
  wire::RowT& row = test::add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
  test::add_term(row, {.feature = Feature::kTime, .coefficient = 4, .unit = Unit::kWatt});
  MeasurementSet set = nested();
  set.measurements[0].time_seconds = 0.25;
  SetPricer without(set, test::pack(table), {});
  EXPECT_EQ(without.price(0).level, Level::kRoofline);
  SetPricer with(set, test::pack(table), {.operating_point = "", .use_runtime_facts = true});
  EXPECT_FLOAT_EQ(static_cast<float>(with.price(0).joules), 1.0F);
  EXPECT_EQ(with.price(0).level, Level::kOpAndType);
}

TEST(SetPricer, SaysWhatItCannotPrice) {
  MeasurementSet set = nested();
  set.measurements[0].facts.set(Fact::kColsN, ~0ULL).set(Fact::kDepthK, ~0ULL);
  set.measurements[2].children.clear();
  SetPricer pricer(set, test::pack(test::sound_table()), {});
  EXPECT_THAT(pricer.price(0).problem, HasSubstr("f:1"));
  EXPECT_THAT(pricer.price(2).problem, HasSubstr("what it is made of"));
  EXPECT_THROW(SetPricer(set, test::pack(test::sound_table()), {.operating_point = "5W"}), PricingError);
}

}  // namespace
}  // namespace edgejoule::pricing
