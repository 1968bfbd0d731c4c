#include "support/table_fixture.h"

#include <cmath>
#include <memory>

namespace edgejoule::test {

wire::CoefficientTableT sound_table() {
  wire::CoefficientTableT table;
  table.format_version = 1;
  table.name = "test table";
  table.boundary = std::make_unique<wire::BoundaryT>();
  table.boundary->kind = wire::BoundaryKind::rails;
  table.boundary->rails = {"VDD_CPU"};
  table.boundary->description = "the processor's rail";
  table.baseline = std::make_unique<wire::BaselineT>();
  table.baseline->kind = wire::BaselineKind::above_idle;
  table.baseline->idle_state = "all cores in WFI";
  table.board = std::make_unique<wire::BoardT>();
  table.board->name = "Test Board";
  table.board->compatible = "test,board";
  table.board->os_release = "Debian 12";
  table.runtime = "test runtime";
  table.backend = "cpu";
  auto engine = std::make_unique<wire::EngineT>();
  engine->name = "cpu";
  engine->kind = wire::EngineKind::cpu;
  engine->last_level_bytes = 2U << 20U;
  table.engines.push_back(std::move(engine));
  for (const char* name : {"15W", "30W"}) {
    auto point = std::make_unique<wire::OperatingPointT>();
    point->name = name;
    table.operating_points.push_back(std::move(point));
  }
  wire::RowT& roofline = add_row(table, Level::kRoofline, OpKind::kUnknown);
  add_term(roofline, {Feature::kMacs, 2.0F});
  add_term(roofline, {Feature::kTensorBytes, 10.0F});
  return table;
}

wire::RowT& add_row(wire::CoefficientTableT& table, Level level, OpKind kind, DataType data_type) {
  table.rows.push_back(std::make_unique<wire::RowT>());
  wire::RowT& row = *table.rows.back();
  row.level = static_cast<wire::Level>(level);
  row.kind = static_cast<wire::OpKind>(kind);
  row.op_class = static_cast<wire::OpClass>(class_of(kind));
  row.data_type = static_cast<wire::DataType>(data_type);
  return row;
}

wire::RowT& add_class_row(wire::CoefficientTableT& table, OpClass op_class) {
  wire::RowT& row = add_row(table, Level::kClass, OpKind::kUnknown);
  row.op_class = static_cast<wire::OpClass>(op_class);
  return row;
}

wire::RowT& add_module_row(wire::CoefficientTableT& table, OpKind kind, float children_gain) {
  wire::RowT& row = add_row(table, Level::kOp, kind);
  row.children_gain = children_gain;
  return row;
}

wire::TermT& add_term(wire::RowT& row, const TermSpec& spec) {
  auto term = std::make_unique<wire::TermT>();
  term->feature = static_cast<wire::Feature>(spec.feature);
  term->coefficient = spec.coefficient;
  term->unit = static_cast<wire::Unit>(spec.unit);
  if (!std::isinf(spec.min)) term->min = spec.min;
  if (!std::isinf(spec.max)) term->max = spec.max;
  term->tile_m = spec.tile.m;
  term->tile_n = spec.tile.n;
  term->tile_k = spec.tile.k;
  row.terms.push_back(std::move(term));
  return *row.terms.back();
}

void add_condition(wire::RowT& row, Feature feature, float min, float max) {
  auto condition = std::make_unique<wire::ConditionT>();
  condition->feature = static_cast<wire::Feature>(feature);
  if (!std::isinf(min)) condition->min = min;
  if (!std::isinf(max)) condition->max = max;
  row.conditions.push_back(std::move(condition));
}

std::unique_ptr<wire::ResidualT> residual(float s, std::uint32_t groups, float shared_sigma, float independent_sigma) {
  auto residual = std::make_unique<wire::ResidualT>();
  residual->quantiles = std::make_unique<wire::Quantiles>(-2.0F * s, -1.6F * s, -1.3F * s, -0.7F * s, 0.0F, 0.7F * s,
                                                          1.3F * s, 1.6F * s, 2.0F * s);
  residual->groups = groups;
  residual->shared_sigma = shared_sigma;
  residual->independent_sigma = independent_sigma;
  return residual;
}

void add_static(wire::CoefficientTableT& table, std::uint8_t engine, EngineState state, float milliwatts,
                std::uint8_t operating_point) {
  table.statics.emplace_back(engine, operating_point, static_cast<wire::EngineState>(state), milliwatts);
}

files::FileBytes pack(const wire::CoefficientTableT& table) {
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishCoefficientTableBuffer(builder, wire::CoefficientTable::Pack(builder, &table));
  return files::FileBytes(builder.GetBufferPointer(), builder.GetSize());
}

}  // namespace edgejoule::test
