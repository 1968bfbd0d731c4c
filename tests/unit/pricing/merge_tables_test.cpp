#include "pricing/merge_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/graph_fixture.h"
#include "support/prepared.h"

namespace edgejoule::pricing {
namespace {

using ::testing::HasSubstr;

// A table as a run on one engine at one point makes it: a dense op costs so many joules.
NamedTable of(const std::string& engine, const std::string& point, float cpu_mhz, float joules) {
  wire::CoefficientTableT table = test::sound_table();
  table.name = engine + " at " + point;
  table.engines.resize(1);
  table.engines[0]->name = engine;
  table.operating_points.resize(1);
  table.operating_points[0]->name = point;
  table.operating_points[0]->cpu_mhz = cpu_mhz;
  wire::RowT& row = test::add_row(table, Level::kOp, OpKind::kDense);
  test::add_term(row, {.feature = Feature::kOne, .coefficient = joules, .unit = Unit::kJoule});
  test::add_static(table, 0, EngineState::kBusy, 1000 * joules);
  return {table.name, test::pack(table)};
}

struct Priced {
  float joules = 0;
  float watts = 0;
};

Priced price(const files::FileBytes& bytes, const std::string& point, std::uint8_t engine, OpKind kind) {
  const test::Prepared prepared(bytes, test::at_point(point));
  OpDescriptor op;
  op.kind = kind;
  op.engine = engine;
  op.facts = test::dense_facts(1, 4, 100, 200);
  return {prepared.plan().estimate(op, {}, Confidence::k90)->dynamic.value(),
          prepared.plan().static_power(engine).value()};
}

TEST(MergedTables, EachPointAnswersForItself) {
  const files::FileBytes both = merge({of("cpu", "15W", 1500, 1), of("cpu", "7W", 700, 0.25F)});
  EXPECT_EQ(price(both, "15W", 0, OpKind::kDense).joules, 1);
  EXPECT_EQ(price(both, "7W", 0, OpKind::kDense).joules, 0.25F);
  EXPECT_FLOAT_EQ(price(both, "7W", 0, OpKind::kDense).watts, 0.25F);
  const CoefficientTable table = *CoefficientTable::open(both.span());
  EXPECT_EQ(table.operating_point_count(), 2U);
  EXPECT_EQ(table.engine_count(), 1U);
  EXPECT_THAT(std::string(table.note(table.note_count() - 1)), HasSubstr("merged from 'cpu at 7W'"));
}

TEST(MergedTables, EachEngineAnswersForItself) {
  const files::FileBytes both = merge({of("cpu", "15W", 1500, 1), of("gpu", "15W", 1500, 3)});
  EXPECT_EQ(price(both, "15W", 0, OpKind::kDense).joules, 1);
  EXPECT_EQ(price(both, "15W", 1, OpKind::kDense).joules, 3);
  EXPECT_EQ(CoefficientTable::open(both.span())->operating_point_count(), 1U);
}

// Each run saw the same rails idle: the board does not idle twice because two engines were calibrated.
TEST(MergedTables, TheBoardIdlesOnce) {
  const auto idling = [](const std::string& engine, const std::string& point, float mhz, float milliwatts) {
    wire::CoefficientTableT table;
    wire::GetCoefficientTable(of(engine, point, mhz, 1).bytes.span().data())->UnPackTo(&table);
    table.statics.clear();
    test::add_static(table, 0, EngineState::kIdle, milliwatts);
    return NamedTable{engine + ".ejt", test::pack(table)};
  };
  const files::FileBytes all =
      merge({idling("cpu", "15W", 1500, 1950), idling("gpu", "15W", 1500, 1970), idling("gpu", "7W", 700, 1500)});
  for (const std::uint8_t engine : {std::uint8_t{0}, std::uint8_t{1}}) {
    EXPECT_FLOAT_EQ(price(all, "15W", engine, OpKind::kDense).watts, 1.95F) << int{engine};
  }
  EXPECT_FLOAT_EQ(price(all, "7W", 1, OpKind::kDense).watts, 1.5F);
  const CoefficientTable table = *CoefficientTable::open(all.span());
  EXPECT_EQ(table.note(table.note_count() - 1),
            "idle power at 15W is that of cpu.ejt, of all rails; gpu.ejt has 1.97 W for gpu");
}

TEST(MergedTables, EveryOpHasARoofline) {
  const files::FileBytes all = merge({of("cpu", "15W", 1500, 1), of("cpu", "7W", 700, 2), of("gpu", "15W", 1500, 3)});
  for (const char* point : {"15W", "7W"}) {
    for (const std::uint8_t engine : {std::uint8_t{0}, std::uint8_t{1}}) {
      EXPECT_GT(price(all, point, engine, OpKind::kRelu).joules, 0);
    }
  }
}

std::string refusal(const std::vector<NamedTable>& tables) {
  try {
    (void)merge(tables);
  } catch (const MergeError& error) {
    return error.what();
  }
  return "no refusal";
}

TEST(MergedTables, WhatDoesNotBelongTogetherIsRefused) {
  const NamedTable one = of("cpu", "15W", 1500, 1);
  EXPECT_THAT(refusal({one}), HasSubstr("two tables"));
  EXPECT_THAT(refusal({one, one}), HasSubstr("both have rows for any engine at any operating point"));
  EXPECT_THAT(refusal({one, of("gpu", "15W", 1400, 1)}), HasSubstr("other clocks"));
  wire::CoefficientTableT wall = test::sound_table();
  wall.boundary->kind = wire::BoundaryKind::wall;
  wall.boundary->rails.clear();
  EXPECT_THAT(refusal({one, {"wall.ejt", test::pack(wall)}}), HasSubstr("never put into one table"));
  wire::CoefficientTableT other = test::sound_table();
  other.board->compatible = "acme,board";
  EXPECT_THAT(refusal({one, {"acme.ejt", test::pack(other)}}), HasSubstr("one table is of one board"));
  EXPECT_THAT(refusal({one, {"torn.ejt", files::FileBytes(reinterpret_cast<const std::uint8_t*>("torn"), 4)}}),
              HasSubstr("torn.ejt"));
}

}  // namespace
}  // namespace edgejoule::pricing
