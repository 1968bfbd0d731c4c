// The figures of a validation, on numbers that can be checked by hand.
#include "edge-calibrate/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/graph_fixture.h"
#include "support/table_fixture.h"

namespace edgejoule::calibrate {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The table prices `add` at 1 mJ.
files::FileBytes table_of_one_millijoule(bool with_residual = true) {
  wire::CoefficientTableT table = test::sound_table();
  wire::RowT& row = test::add_row(table, Level::kOp, OpKind::kAdd);
  test::add_term(row, {.feature = Feature::kOne, .coefficient = 1, .unit = Unit::kMillijoule});
  if (with_residual) row.residual = test::residual(0.1F, 50);  // 90 %: -0.16 to 0.16
  return test::pack(table);
}

MeasurementSet measured(const std::vector<std::pair<double, std::string>>& millijoules_and_group) {
  MeasurementSet set;
  set.boundary = BoundaryKind::kRails;
  set.rails = {"VDD_CPU"};
  set.baseline = BaselineKind::kAboveIdle;
  set.board = "Test Board";
  for (const auto& [millijoules, group] : millijoules_and_group) {
    Measurement m;
    m.kind = OpKind::kAdd;
    m.op_class = OpClass::kElementwise;
    m.energy_joules = millijoules * 1e-3;
    m.group = group;
    m.origin = "f:" + std::to_string(set.measurements.size() + 1);
    set.measurements.push_back(m);
  }
  return set;
}

TEST(Validation, ComputesErrorsBiasAndCoverage) {
  // Predicted / measured: 1, 2, 0.5, 0.8, 1.25.
  const Validation v =
      validate(table_of_one_millijoule(), measured({{1, "a"}, {0.5, "a"}, {2, "b"}, {1.25, "b"}, {0.8, "c"}}), {});
  ASSERT_EQ(v.rows.size(), 5U);
  EXPECT_NEAR(v.all.mean, (0 + 1 + 0.5 + 0.2 + 0.25) / 5, 1e-6);
  EXPECT_NEAR(v.all.median, 0.25, 1e-6);
  EXPECT_NEAR(v.all.p90, 1, 1e-6);
  EXPECT_NEAR(v.all.bias, 0, 1e-6) << "2 and 1/2, 0.8 and 1.25 cancel";
  EXPECT_EQ(v.all.groups, 3U);
  EXPECT_EQ(v.all.bounded, 5U);
  EXPECT_NEAR(v.all.inside, 0.2, 1e-9) << "only the exact one";
  EXPECT_EQ(v.worst.front(), 1U);
  ASSERT_EQ(v.by_group.size(), 3U);
  EXPECT_EQ(v.by_group[0].name, "a") << "largest mean error first";
  EXPECT_NEAR(v.by_group[0].bias, std::sqrt(2.0) - 1, 1e-6);
  EXPECT_THAT(v.warnings, IsEmpty());
}

TEST(Validation, WeighsMergedRows) {
  MeasurementSet set = measured({{1, "a"}, {0.5, "b"}});
  set.measurements[1].weight = 3;
  EXPECT_NEAR(validate(table_of_one_millijoule(), set, {}).all.mean, 0.75, 1e-6);
}

TEST(Validation, SaysWhereThereIsNoInterval) {
  const Validation v = validate(table_of_one_millijoule(false), measured({{1, "a"}, {2, "b"}}), {});
  EXPECT_EQ(v.all.bounded, 0U);
  EXPECT_FALSE(v.rows[0].has_interval);
  EXPECT_THAT(to_csv(v), HasSubstr(",,,"));
  EXPECT_THAT(v.by_group, IsEmpty()) << "every measurement is a group of its own";
}

TEST(Validation, RefusesWhatCannotBeCompared) {
  MeasurementSet set = measured({{1, "a"}});
  set.rails = {"VDD_GPU"};
  EXPECT_THROW((void)validate(table_of_one_millijoule(), set, {}), NotComparable);
  set.rails = {"VDD_CPU"};
  set.baseline = BaselineKind::kTotal;
  EXPECT_THROW((void)validate(table_of_one_millijoule(), set, {}), NotComparable);
  const Validation anyway =
      validate(table_of_one_millijoule(), set, {.operating_point = "", .use_runtime_facts = false, .anyway = true});
  ASSERT_EQ(anyway.warnings.size(), 1U);
  EXPECT_THAT(anyway.warnings[0], HasSubstr("baseline"));
}

TEST(Validation, WarnsOfTheSameSourceWithOtherRows) {
  wire::CoefficientTableT table = test::sound_table();
  table.provenance = std::make_unique<wire::ProvenanceT>();
  table.provenance->measurements_sha256 = "aa";
  table.provenance->data_source = "the lab";
  MeasurementSet set = measured({{1, "a"}});
  set.source = "the lab", set.sha256 = "bb";
  const Validation other = validate(test::pack(table), set, {});
  ASSERT_EQ(other.warnings.size(), 1U);
  EXPECT_THAT(other.warnings[0], HasSubstr("same source"));
  set.sha256 = "aa";
  EXPECT_THROW((void)validate(test::pack(table), set, {}), NotComparable);
}

TEST(Validation, ListsWhatCannotBePriced) {
  MeasurementSet set = measured({{1, "a"}, {1, "b"}});
  set.measurements[1].level = measurements::NodeLevel::kModule;
  const Validation v = validate(table_of_one_millijoule(), set, {});
  EXPECT_EQ(v.rows.size(), 1U);
  ASSERT_EQ(v.not_priced.size(), 1U);
  EXPECT_EQ(v.not_priced[0].origin, "f:2");
}

}  // namespace
}  // namespace edgejoule::calibrate
