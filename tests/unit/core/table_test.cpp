#include "edgejoule/core/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "fixture.h"
#include "hostile_bytes.h"
#include "support/touch.h"

namespace edgejoule::test {
namespace {

wire::CoefficientTableT full_table() {
  wire::CoefficientTableT table = sound_table();
  wire::RowT& row = add_row(table, Level::kExact, OpKind::kConv2d, DataType::kFloat32);
  add_term(row, {Feature::kTiledMacs, 1.5F, Unit::kPicojoule, 1.0F, 1e9F, Tile{8, 12, 4}});
  add_condition(row, Feature::kKernelArea, 2.0F, INFINITY);
  row.engine = 0;
  row.operating_point = 1;
  row.residual = residual(0.1F, 12, 0.05F, 0.07F);
  row.residual->median_error_percent = 6.5F;
  row.reason = "three by three kernels";
  wire::RowT& log_row = add_row(table, Level::kOp, OpKind::kAdd);
  log_row.form = wire::RowForm::log2;
  log_row.intercept = -30.0F;
  add_term(log_row, {Feature::kActivationBytes, -0.5F, Unit::kRatio});
  add_term(add_row(table, Level::kOp, OpKind::kDense), {Feature::kTime, 3.0F, Unit::kWatt});
  add_module_row(table, OpKind::kLayer, 1.1F);
  add_static(table, 0, EngineState::kIdle, 200.0F);
  table.engines[0]->wake_microjoules = 40.0F;
  table.op_residual = residual(0.2F, 30);
  table.model_residual = residual(0.1F, 6);
  table.provenance = std::make_unique<wire::ProvenanceT>();
  table.provenance->date = "2025-11-21";
  table.provenance->data_source = "a bench";
  table.provenance->notes = {"one note"};
  auto sensor = std::make_unique<wire::SensorT>();
  sensor->rail = "VDD_CPU";
  sensor->chip = "ina3221";
  sensor->shunt_uohm = 5000;
  table.sensors.push_back(std::move(sensor));
  return table;
}

Error error_of(const files::FileBytes& bytes) {
  const auto opened = CoefficientTable::open(bytes.span());
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

Error error_after(const std::function<void(wire::CoefficientTableT&)>& change) {
  wire::CoefficientTableT table = full_table();
  change(table);
  return error_of(pack(table));
}

wire::StaticTerm idle_term(float milliwatts) {
  return {0, 255, wire::EngineState::idle, milliwatts};
}

void set_quantile(wire::CoefficientTableT& table, std::size_t index, float value) {
  wire::Quantiles& quantiles = *table.op_residual->quantiles;
  std::memcpy(reinterpret_cast<char*>(&quantiles) + index * sizeof value, &value, sizeof value);
}

TEST(CoefficientTable, GivesBackWhatTheFileSays) {
  const files::FileBytes bytes = pack(full_table());
  const auto opened = CoefficientTable::open(bytes.span());
  ASSERT_TRUE(opened.ok()) << error_text(opened.error());
  const CoefficientTable& table = *opened;
  EXPECT_EQ(table.name(), "test table");
  EXPECT_EQ(table.boundary(), BoundaryKind::kRails);
  ASSERT_EQ(table.boundary_rail_count(), 1U);
  EXPECT_EQ(table.boundary_rail(0), "VDD_CPU");
  EXPECT_EQ(table.baseline(), BaselineKind::kAboveIdle);
  EXPECT_EQ(table.idle_state(), "all cores in WFI");
  EXPECT_EQ(table.board_compatible(), "test,board");
  EXPECT_EQ(table.os_release(), "Debian 12");
  EXPECT_EQ(table.runtime(), "test runtime");
  EXPECT_EQ(table.backend(), "cpu");
  ASSERT_EQ(table.engine_count(), 1U);
  EXPECT_EQ(table.engine(0).kind, EngineKind::kCpu);
  EXPECT_FLOAT_EQ(table.engine(0).wake.value(), 40e-6F);
  EXPECT_EQ(table.last_level_bytes(0), 2U << 20U);
  ASSERT_EQ(table.operating_point_count(), 2U);
  EXPECT_EQ(*table.find_operating_point("30W"), 1U);
  EXPECT_EQ(table.find_operating_point("MAXN").error(), Error::kUnknownOperatingPoint);
  ASSERT_EQ(table.static_term_count(), 1U);
  EXPECT_FLOAT_EQ(table.static_term(0).power.value(), 0.2F);
  EXPECT_EQ(table.static_term(0).state, EngineState::kIdle);
  ASSERT_EQ(table.sensor_count(), 1U);
  EXPECT_EQ(table.sensor(0).shunt_uohm, 5000U);
  EXPECT_EQ(table.provenance().date, "2025-11-21");
  EXPECT_EQ(table.provenance().licence, "");
  ASSERT_EQ(table.note_count(), 1U);
  EXPECT_EQ(table.note(0), "one note");
  EXPECT_TRUE(table.op_residual().has_quantiles);
  EXPECT_EQ(table.model_residual().groups, 6U);
  EXPECT_FALSE(table.module_residual().has_quantiles);

  ASSERT_EQ(table.row_count(), 5U);
  const RowView row = table.row(1);
  EXPECT_EQ(row.level(), Level::kExact);
  EXPECT_EQ(row.kind(), OpKind::kConv2d);
  EXPECT_EQ(row.op_class(), OpClass::kConvolution);
  EXPECT_EQ(row.data_type(), DataType::kFloat32);
  EXPECT_EQ(row.engine(), 0U);
  EXPECT_EQ(row.operating_point(), 1U);
  EXPECT_EQ(row.reason(), "three by three kernels");
  ASSERT_EQ(row.term_count(), 1U);
  EXPECT_EQ(row.term(0).feature, Feature::kTiledMacs);
  EXPECT_EQ(row.term(0).coefficient, 1.5F);
  EXPECT_EQ(row.term(0).unit, Unit::kPicojoule);
  EXPECT_EQ(row.term(0).min, 1.0F);
  EXPECT_EQ(row.term(0).max, 1e9F);
  EXPECT_EQ(row.term(0).tile.n, 12U);
  ASSERT_EQ(row.condition_count(), 1U);
  EXPECT_EQ(row.condition(0).min, 2.0F);
  EXPECT_TRUE(std::isinf(row.condition(0).max)) << "an open bound is infinite";
  EXPECT_FLOAT_EQ(row.residual().median_error_percent, 6.5F);
  EXPECT_EQ(table.row(2).form(), RowForm::kLog2);
  EXPECT_EQ(table.row(2).intercept(), -30.0F);
  EXPECT_EQ(table.row(4).children_gain(), 1.1F);
  EXPECT_FALSE(table.row(4).has_residual());
}

TEST(CoefficientTable, ATableSaysWhatItsJoulesAreOf) {
  EXPECT_EQ(error_after([](auto& t) { t.boundary.reset(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.boundary->kind = wire::BoundaryKind::unknown; }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.boundary->rails.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.baseline.reset(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.baseline->kind = wire::BaselineKind::unknown; }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.boundary->kind = static_cast<wire::BoundaryKind>(6); }), Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.baseline->kind = static_cast<wire::BaselineKind>(3); }), Error::kUnknownValue);
}

TEST(CoefficientTable, RejectsAnotherVersionAndAMissingRoofline) {
  EXPECT_EQ(error_after([](auto& t) { t.format_version = 0; }), Error::kUnsupportedVersion);
  EXPECT_EQ(error_after([](auto& t) { t.format_version = 2; }), Error::kUnsupportedVersion);
  EXPECT_EQ(error_after([](auto& t) { t.rows.clear(); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { t.rows.erase(t.rows.begin()); }), Error::kMissingRoofline);
  // A roofline that does not answer every op leaves some unpriced.
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->data_type = wire::DataType::int8; }), Error::kMissingRoofline);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->engine = 0; }), Error::kMissingRoofline);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->operating_point = 0; }), Error::kMissingRoofline);
  EXPECT_EQ(error_after([](auto& t) { add_condition(*t.rows[0], Feature::kMacs, 1.0F, INFINITY); }),
            Error::kMissingRoofline);
  EXPECT_EQ(error_after([](auto& t) {
              add_term(*t.rows[0], {Feature::kTime, 1.0F, Unit::kWatt});
            }),
            Error::kMissingRoofline);
}

TEST(CoefficientTable, KeysFitTheirLevels) {
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kExact, OpKind::kRelu); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kOpAndType, OpKind::kRelu); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kOp, OpKind::kUnknown); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { add_class_row(t, OpClass::kUnknown); }), Error::kMissingField);
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kOp, OpKind::kRelu, DataType::kInt8); }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->level = static_cast<wire::Level>(5); }), Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->form = static_cast<wire::RowForm>(2); }), Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->engine = 1; }), Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->operating_point = 2; }), Error::kBadIndex);
}

TEST(CoefficientTable, ChildrenGainBelongsToModules) {
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->children_gain = 1.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->children_gain = 1.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[4]->children_gain = 0.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[4]->children_gain = 1.0F / 128.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[4]->children_gain = 65.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[4]->children_gain = -1.0F; }), Error::kNegative);
  EXPECT_EQ(error_after([](auto& t) { t.rows[4]->children_gain = NAN; }), Error::kNotFinite);
}

TEST(CoefficientTable, NumbersAreFiniteAndNotNegative) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[0]->terms[0]->coefficient = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[2]->terms[0]->coefficient = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[0]->terms[0]->min = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[0]->terms[0]->max = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[1]->conditions[0]->max = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[2]->intercept = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.rows[1]->residual->shared_sigma = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.engines[0]->wake_microjoules = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.operating_points[1]->gpu_mhz = bad; }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { t.statics[0] = idle_term(bad); }), Error::kNotFinite);
    EXPECT_EQ(error_after([bad](auto& t) { set_quantile(t, 1, bad); }), Error::kNotFinite);
  }
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->coefficient = -1.0F; }), Error::kNegative);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->residual->independent_sigma = -1.0F; }), Error::kNegative);
  EXPECT_EQ(error_after([](auto& t) { t.engines[0]->wake_microjoules = -1.0F; }), Error::kNegative);
  EXPECT_EQ(error_after([](auto& t) { t.operating_points[0]->core_millivolts = -1.0F; }), Error::kNegative);
  EXPECT_EQ(error_after([](auto& t) { t.statics[0] = idle_term(-1.0F); }), Error::kNegative);
}

TEST(CoefficientTable, UnitsFitTheirFeatures) {
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->unit = wire::Unit::watt; }), Error::kBadUnit);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->unit = wire::Unit::ratio; }), Error::kBadUnit);
  EXPECT_EQ(error_after([](auto& t) { t.rows[3]->terms[0]->unit = wire::Unit::joule; }), Error::kBadUnit);
  EXPECT_EQ(error_after([](auto& t) {
              add_term(*t.rows[3], {Feature::kCounterEnergy, 1.0F, Unit::kJoule});
            }),
            Error::kBadUnit);
  EXPECT_EQ(error_after([](auto& t) { t.rows[2]->terms[0]->unit = wire::Unit::picojoule; }), Error::kBadUnit);
  EXPECT_EQ(error_after([](auto& t) {
              add_term(*t.rows[2], {Feature::kCounterEnergy, 1.0F, Unit::kRatio});
            }),
            Error::kBadUnit)
      << "a logarithm of what is known only while running";
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->unit = static_cast<wire::Unit>(14); }),
            Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->feature = static_cast<wire::Feature>(63); }),
            Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->terms[0]->feature = static_cast<wire::Feature>(67); }),
            Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->conditions[0]->feature = wire::Feature::time; }),
            Error::kUnknownValue);
  EXPECT_EQ(error_after([](auto& t) { t.statics[0] = wire::StaticTerm(0, 255, static_cast<wire::EngineState>(3), 1); }),
            Error::kUnknownValue);
}

TEST(CoefficientTable, RangesAndQuantilesAscend) {
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->terms[0]->max = 0.5F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->conditions[0]->max = 1.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[1]->conditions[0]->max = 2.0F; }), Error::kBadRange)
      << "half open: it would never hold";
  EXPECT_EQ(error_after([](auto& t) { set_quantile(t, 6, -1.0F); }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { set_quantile(t, 8, 33.0F); }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.model_residual->shared_sigma = 33.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[2]->terms[0]->coefficient = 17.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[2]->intercept = 127.0F; }), Error::kBadRange);
  EXPECT_EQ(error_after([](auto& t) { t.rows[0]->intercept = 1.0F; }), Error::kBadRange)
      << "a linear row has no intercept but the feature one";
}

TEST(CoefficientTable, IndicesStayInsideAndNamesAreNeeded) {
  EXPECT_EQ(error_after([](auto& t) { t.statics[0] = wire::StaticTerm(1, 255, wire::EngineState::idle, 1.0F); }),
            Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& t) { t.statics[0] = wire::StaticTerm(0, 2, wire::EngineState::idle, 1.0F); }),
            Error::kBadIndex);
  EXPECT_EQ(error_after([](auto& t) { t.operating_points[0]->name.clear(); }), Error::kMissingField);
}

TEST(CoefficientTable, DuplicatesAreFoundWhereverTheyStand) {
  EXPECT_EQ(error_after([](auto& t) { add_static(t, 0, EngineState::kIdle, 100.0F); }), Error::kDuplicateRow);
  EXPECT_EQ(error_after([](auto& t) { t.operating_points[1]->name = "15W"; }), Error::kDuplicateRow);
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kRoofline, OpKind::kDense); }), Error::kDuplicateRow)
      << "a roofline's kind means nothing";
  EXPECT_EQ(error_after([](auto& t) { add_row(t, Level::kOp, OpKind::kAdd); }), Error::kDuplicateRow);
  EXPECT_EQ(error_after([](auto& t) {
              for (int twice = 0; twice < 2; ++twice) {
                wire::RowT& row = add_row(t, Level::kOp, OpKind::kRelu);
                // The same two conditions, in either order.
                add_condition(row, twice == 0 ? Feature::kMacs : Feature::kBatch, 1.0F, 2.0F);
                add_condition(row, twice == 0 ? Feature::kBatch : Feature::kMacs, 1.0F, 2.0F);
              }
            }),
            Error::kDuplicateRow);

  // Not duplicates: other conditions, another type, engine, point, or run-time facts.
  wire::CoefficientTableT table = full_table();
  for (const float min : {1.0F, 2.0F, 3.0F}) {
    add_condition(add_row(table, Level::kOp, OpKind::kRelu), Feature::kMacs, min, 10.0F);
  }
  add_row(table, Level::kOpAndType, OpKind::kAdd, DataType::kInt8);
  add_row(table, Level::kOp, OpKind::kAdd).engine = 0;
  add_row(table, Level::kOp, OpKind::kAdd).operating_point = 0;
  add_term(add_row(table, Level::kOp, OpKind::kAdd), {Feature::kTime, 1.0F, Unit::kWatt});
  EXPECT_TRUE(CoefficientTable::open(pack(table).span()).ok());
}

TEST(CoefficientTable, AFullTableOpensAndOneRowMoreDoesNot) {
  wire::CoefficientTableT table = sound_table();
  for (std::uint32_t i = 1; i < kMaxRows; ++i) {
    // Kinds newer than this build, twice each: once for any type, once for one.
    const auto kind = static_cast<OpKind>(300 + i / 2);
    i % 2 == 0 ? add_row(table, Level::kOp, kind) : add_row(table, Level::kOpAndType, kind, DataType::kInt8);
  }
  EXPECT_TRUE(CoefficientTable::open(pack(table).span()).ok());
  wire::CoefficientTableT duplicate = table;
  duplicate.rows.back()->kind = static_cast<wire::OpKind>(301);  // far from the row it repeats
  EXPECT_EQ(error_of(pack(duplicate)), Error::kDuplicateRow);
  add_row(table, Level::kOp, OpKind::kRelu);
  EXPECT_EQ(error_of(pack(table)), Error::kTooLarge);
}

TEST(CoefficientTable, LimitsAreNamed) {
  EXPECT_EQ(error_after([](auto& t) {
              while (t.rows[0]->terms.size() <= kMaxTermsPerRow) add_term(*t.rows[0], {Feature::kOne, 1.0F});
            }),
            Error::kTooLarge);
  EXPECT_EQ(error_after([](auto& t) {
              while (t.rows[1]->conditions.size() <= kMaxConditionsPerRow) {
                add_condition(*t.rows[1], Feature::kOne, 0.0F, 2.0F);
              }
            }),
            Error::kTooLarge);
  EXPECT_EQ(error_after([](auto& t) {
              while (t.engines.size() <= kMaxEngines) t.engines.push_back(std::make_unique<wire::EngineT>());
            }),
            Error::kTooLarge);
  EXPECT_EQ(error_after([](auto& t) {
              while (t.operating_points.size() <= kMaxOperatingPoints) {
                t.operating_points.push_back(std::make_unique<wire::OperatingPointT>());
              }
            }),
            Error::kTooLarge);
}

TEST(CoefficientTable, BytesMustBeAlignedAndOfItsKind) {
  const files::FileBytes bytes = pack(full_table());
  files::FileBytes shifted(bytes.size() + 8);
  std::memcpy(shifted.data() + 4, bytes.span().data(), bytes.size());
  EXPECT_EQ(CoefficientTable::open({shifted.data() + 4, bytes.size()}).error(), Error::kMisaligned);
  EXPECT_EQ(error_of(pack(graph_of({}))), Error::kWrongIdentifier);
}

TEST(CoefficientTable, EveryTruncationIsNamed) {
  expect_every_truncation_named(pack(full_table()),
                                [](Span<const std::byte> bytes) { return open_error<CoefficientTable>(bytes); });
}

TEST(CoefficientTable, EveryFlippedBitIsHarmless) {
  const files::FileBytes bytes = pack(full_table());
  const files::FileBytes graph_bytes = pack(graph_of({{.kind = OpKind::kConv2d, .facts = conv_facts(1, 8, 8, 4, 8, 3)},
                                                      {.kind = OpKind::kAdd, .facts = elementwise_facts(9)}}));
  const GraphView graph = Prepared::value(GraphView::open(graph_bytes.span()), "graph");
  for_every_flipped_bit(bytes, [&](const files::FileBytes& flipped) {
    const auto table = CoefficientTable::open(flipped.span());
    if (!table.ok()) {
      ASSERT_STRNE(error_text(table.error()), "unknown error");
      return;
    }
    touch_everything(*table);
    Workspace workspace(TablePlan::required_bytes(*table));
    const auto plan = TablePlan::prepare(*table, {}, workspace.span());
    ASSERT_TRUE(plan.ok()) << error_text(plan.error());
    Workspace nodes(Predictor::required_bytes(*plan, graph));
    const auto predictor = Predictor::bind(*plan, graph, nodes.span());
    if (!predictor.ok()) {
      ASSERT_EQ(predictor.error(), Error::kOverflow);
      return;
    }
    NodeEstimate out[3];
    const Status status = predictor->predict({}, out);
    ASSERT_TRUE(status.ok() || status.error() == Error::kOverflow);
    for (const NodeEstimate& estimate : out) {
      ASSERT_TRUE(!status.ok() || (std::isfinite(estimate.dynamic.value()) && estimate.dynamic.value() >= 0.0F));
    }
  });
}

TEST(ErrorText, EveryCodeHasASentenceOfItsOwn) {
  std::vector<std::string> texts;
  for (int code = 1; code < 128; ++code) {
    const std::string text = error_text(static_cast<Error>(code));
    if (text != "unknown error") texts.push_back(text);
  }
  EXPECT_GE(texts.size(), 45U) << "codes are appended, never removed";
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::unique(texts.begin(), texts.end()), texts.end());
}

}  // namespace
}  // namespace edgejoule::test
