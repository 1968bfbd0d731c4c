#include "fit/adapt_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "pricing/set_pricer.h"
#include "support/graph_fixture.h"
#include "support/table_fixture.h"

namespace edgejoule::fit {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using ::testing::HasSubstr;

// Dense ops in a committee, softmax in a logarithmic row, the rest by the roofline.
files::FileBytes donor() {
  wire::CoefficientTableT table = test::sound_table();
  for (int member = 1; member <= 3; ++member) {
    wire::RowT& row = test::add_row(table, Level::kOpAndType, OpKind::kDense, DataType::kFloat32);
    row.member = static_cast<std::uint8_t>(member);
    test::add_term(row, {.feature = Feature::kMacs, .coefficient = static_cast<float>(member)}).time_coefficient = 1;
    row.time_residual = test::residual(0.1F, 40);
    row.residual = test::residual(0.1F, 40);
  }
  wire::RowT& log = test::add_row(table, Level::kOp, OpKind::kSoftmax);
  log.form = wire::RowForm::log2;
  log.intercept = -20;
  test::add_term(log, {.feature = Feature::kInputBytes, .coefficient = 0.5F, .unit = Unit::kRatio});
  test::add_static(table, 0, EngineState::kIdle, 500);
  return test::pack(table);
}

Measurement op(OpKind kind, std::uint64_t size) {
  Measurement m;
  m.kind = kind;
  m.op_class = class_of(kind);
  m.data_type = DataType::kFloat32;
  m.facts = kind == OpKind::kDense ? test::dense_facts(1, 1, 100, size) : test::elementwise_facts(size);
  m.energy_joules = 1;
  m.group = m.origin = std::string(name_of(kind)) + std::to_string(size);
  return m;
}

// Measured joules are the donor's times `factor`.
MeasurementSet measured(const std::vector<OpKind>& kinds, double factor) {
  MeasurementSet set;
  set.boundary = BoundaryKind::kRails;
  set.rails = {"VDD_OTHER"};
  set.baseline = BaselineKind::kAboveIdle;
  set.board = "New Board";
  set.sha256 = "ab";
  for (const OpKind kind : kinds) {
    for (std::uint64_t size = 100; size <= 600; size += 100) set.measurements.push_back(op(kind, size));
  }
  pricing::SetPricer pricer(set, donor(), {});
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    set.measurements[i].energy_joules = factor * pricer.price(i).joules;
  }
  return set;
}

TEST(AdaptTable, CarriesEveryKindOfRowToTheNewBoard) {
  const MeasurementSet all = measured({OpKind::kDense, OpKind::kSoftmax, OpKind::kAdd}, 2.5);
  // Softmax and add are not measured on the new board.
  const AdaptedTable adapted = adapt_table(donor(), measured({OpKind::kDense}, 2.5), "", {"new", "2026-01-31", "test"});
  EXPECT_NEAR(adapted.factor, 2.5, 1e-4);
  EXPECT_FALSE(adapted.is_worse);
  EXPECT_LT(adapted.adapted.mean, 0.01);
  EXPECT_NEAR(adapted.donor.mean, 60, 0.01);
  pricing::SetPricer pricer(all, adapted.bytes, {});
  for (std::size_t i = 0; i < all.measurements.size(); ++i) {
    EXPECT_NEAR(pricer.price(i).joules, all.measurements[i].energy_joules, 1e-4 * all.measurements[i].energy_joules)
        << all.measurements[i].origin;
  }
}

TEST(AdaptTable, SaysWhatItIsAndPromisesNothingItHasNotSeen) {
  const AdaptedTable adapted = adapt_table(donor(), measured({OpKind::kDense}, 2), "", {"new", "2026-01-31", "test"});
  const CoefficientTable table = *CoefficientTable::open(adapted.bytes.span());
  EXPECT_EQ(table.board(), "New Board");
  EXPECT_EQ(table.boundary_rail(0), "VDD_OTHER");
  EXPECT_EQ(table.provenance().measurements_sha256, "ab");
  EXPECT_THAT(std::string(table.note(0)), HasSubstr("adapted from the table 'test table'"));
  EXPECT_EQ(table.static_term_count(), 0U) << "the donor's idle power is not this board's";
  EXPECT_EQ(table.op_residual().groups, 6U);
  for (std::uint32_t i = 0; i < table.row_count(); ++i) {
    EXPECT_FALSE(table.row(i).has_residual());
    EXPECT_FALSE(table.row(i).has_time()) << "the donor's time is not this board's";
    EXPECT_FALSE(table.row(i).has_time_residual());
  }

  MeasurementSet one = measured({OpKind::kDense}, 2);
  one.measurements.resize(1);
  const AdaptedTable untested = adapt_table(donor(), one, "", {"new", "2026-01-31", "test"});
  EXPECT_FALSE(untested.is_tested);
  const CoefficientTable few = *CoefficientTable::open(untested.bytes.span());
  for (std::uint32_t i = 0; i < few.row_count(); ++i) {
    EXPECT_LE(few.row(i).residual().groups, 1U);
  }
}

TEST(AdaptTable, RefusesWhereNothingCanBePriced) {
  MeasurementSet set = measured({OpKind::kDense}, 1);
  for (Measurement& m : set.measurements) m.level = measurements::NodeLevel::kModule;
  EXPECT_THROW((void)adapt_table(donor(), set, "", {"n", "d", "t"}), measurements::MeasurementError);
}

}  // namespace
}  // namespace edgejoule::fit
