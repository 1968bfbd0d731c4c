#include "scene.h"

#include <stdexcept>
#include <utility>

#include "edgejoule/core/op_kinds.h"
#include "graph/graph_builder.h"
#include "graph/ops.h"
#include "schemas/table_generated.h"
#include "zoo/zoo.h"

namespace edgejoule::benchmarks {
namespace {

template <class T>
T checked(Result<T> result) {
  if (!result) {
    throw std::runtime_error(error_text(result.error()));
  }
  return *result;
}

std::vector<std::uint64_t> words_for(std::size_t bytes) {
  return std::vector<std::uint64_t>((bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
}

Span<std::byte> bytes_of(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

graph::OpNode synthetic_op(std::uint32_t index) {
  graph::OpNode op;
  const OpKind kinds[] = {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kAdd, OpKind::kRelu, OpKind::kDense};
  op.kind = kinds[index % 5];
  op.data_type = index % 2 == 0 ? DataType::kFloat32 : DataType::kInt8;
  const std::uint64_t elements = 1024 + index % 7 * 512;
  op.facts.set(Fact::kInputElements, elements)
      .set(Fact::kOutputElements, elements)
      .set(Fact::kInputBytes, elements * 4)
      .set(Fact::kOutputBytes, elements * 4)
      .set(Fact::kAluPerOutput, 1);
  if (op.kind == OpKind::kConv2d || op.kind == OpKind::kDepthwiseConv2d) {
    const std::uint64_t channels = 32;
    op.facts.set(Fact::kInH, 14)
        .set(Fact::kInW, 14)
        .set(Fact::kInC, channels)
        .set(Fact::kOutH, 14)
        .set(Fact::kOutW, 14)
        .set(Fact::kOutC, channels)
        .set(Fact::kKernelH, 3)
        .set(Fact::kKernelW, 3)
        .set(Fact::kGroups, op.kind == OpKind::kConv2d ? 1 : channels)
        .set(Fact::kWeightBytes, 9 * channels * channels * 4)
        .set(Fact::kUniqueWeightBytes, 9 * channels * channels * 4);
  } else if (op.kind == OpKind::kDense) {
    op.facts.set(Fact::kColsN, 64).set(Fact::kDepthK, elements).set(Fact::kWeightBytes, elements * 256);
  }
  return op;
}

files::FileBytes synthetic_graph(std::uint32_t ops) {
  graph::GraphBuilder builder({"synthetic", "zoo", {}, {}, {}});
  graph::NodeId block = builder.root();
  for (std::uint32_t i = 0; i < ops; ++i) {
    if (i % 10 == 0) {
      block = builder.add_module(builder.root(), OpKind::kBlock, "block");
    }
    builder.add_op(block, synthetic_op(i));
  }
  return builder.finish();
}

std::unique_ptr<wire::TermT> term(wire::Feature feature, float coefficient, wire::Unit unit) {
  auto made = std::make_unique<wire::TermT>();
  made->feature = feature;
  made->coefficient = coefficient;
  made->unit = unit;
  return made;
}

std::unique_ptr<wire::ResidualT> residual() {
  auto made = std::make_unique<wire::ResidualT>();
  made->quantiles = std::make_unique<wire::Quantiles>(-0.5F, -0.4F, -0.3F, -0.1F, 0.0F, 0.1F, 0.3F, 0.4F, 0.5F);
  made->groups = 20;
  made->shared_sigma = 0.1F;
  made->independent_sigma = 0.2F;
  return made;
}

std::unique_ptr<wire::RowT> row(wire::Level level, wire::OpKind kind, wire::OpClass op_class, wire::DataType type) {
  auto made = std::make_unique<wire::RowT>();
  made->level = level;
  made->kind = kind;
  made->op_class = op_class;
  made->data_type = type;
  made->terms.push_back(term(wire::Feature::macs, 4.5F, wire::Unit::picojoule));
  made->terms.push_back(term(wire::Feature::dram_bytes, 90.0F, wire::Unit::picojoule));
  made->terms.push_back(term(wire::Feature::one, 1.5F, wire::Unit::microjoule));
  made->residual = residual();
  return made;
}

}  // namespace

files::FileBytes make_graph(std::string_view name) {
  constexpr std::string_view kSynthetic = "synthetic-";
  if (name.substr(0, kSynthetic.size()) == kSynthetic) {
    return synthetic_graph(static_cast<std::uint32_t>(std::stoul(std::string(name.substr(kSynthetic.size())))));
  }
  return zoo::build(name);
}

files::FileBytes make_table(std::uint32_t rows, bool timed) {
  wire::CoefficientTableT table;
  table.format_version = 1;
  table.name = "synthetic";
  table.boundary = std::make_unique<wire::BoundaryT>();
  table.boundary->kind = wire::BoundaryKind::rails;
  table.boundary->rails = {"VDD_TEST"};
  table.baseline = std::make_unique<wire::BaselineT>();
  table.baseline->kind = wire::BaselineKind::above_idle;
  table.board = std::make_unique<wire::BoardT>();
  table.board->name = "none";
  auto engine = std::make_unique<wire::EngineT>();
  engine->name = "cpu";
  engine->kind = wire::EngineKind::cpu;
  engine->last_level_bytes = 2U << 20U;
  table.engines.push_back(std::move(engine));
  table.statics.emplace_back(std::uint8_t{0}, std::uint8_t{255}, wire::EngineState::busy, 250.0F);

  table.rows.push_back(
      row(wire::Level::roofline, wire::OpKind::unknown, wire::OpClass::unknown, wire::DataType::unknown));
  auto block = row(wire::Level::op, wire::OpKind::block, wire::OpClass::module_node, wire::DataType::unknown);
  block->children_gain = 1.02F;
  block->terms.erase(block->terms.begin(), block->terms.end() - 1);
  table.rows.push_back(std::move(block));
  const wire::DataType types[] = {wire::DataType::float32, wire::DataType::int8, wire::DataType::float16};
  for (const wire::OpKind kind : wire::EnumValuesOpKind()) {
    const OpClass op_class = class_of(static_cast<OpKind>(kind));
    if (kind == wire::OpKind::unknown || op_class == OpClass::kModule) {
      continue;
    }
    for (const wire::DataType type : types) {
      if (table.rows.size() < rows) {
        table.rows.push_back(row(wire::Level::op_and_type, kind, static_cast<wire::OpClass>(op_class), type));
      }
    }
  }
  if (table.rows.size() != rows) {
    throw std::runtime_error("a table of this many rows cannot be made: there are not enough op kinds");
  }
  if (timed) {
    for (const auto& made : table.rows) {
      made->terms.back()->time_coefficient = 20.0F;
      made->terms.back()->time_unit = wire::Unit::microsecond;
      made->time_residual = residual();
    }
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(wire::CoefficientTable::Pack(builder, &table), wire::CoefficientTableIdentifier());
  return {builder.GetBufferPointer(), builder.GetSize()};
}

Scene::Scene(files::FileBytes table, files::FileBytes graph)
    : table_bytes_(std::move(table)),
      graph_bytes_(std::move(graph)),
      table_(open_table()),
      graph_(open_graph()),
      plan_words_(words_for(TablePlan::required_bytes(table_))),
      plan_(prepare()),
      predictor_words_(words_for(Predictor::required_bytes(plan_, graph_))),
      predictor_(bind()),
      estimates_(graph_.size()) {}

std::uint32_t Scene::op_count() const {
  std::uint32_t count = 0;
  for (std::uint32_t node = 0; node < graph_.size(); ++node) {
    count += graph_.is_module_node(node) ? 0U : 1U;
  }
  return count;
}

std::vector<RuntimeFacts> Scene::op_times() const {
  std::vector<RuntimeFacts> facts(graph_.size());
  for (std::uint32_t node = 0; node < graph_.size(); ++node) {
    if (!graph_.is_module_node(node)) {
      facts[node].time = Seconds(1e-4F);
    }
  }
  return facts;
}

CoefficientTable Scene::open_table() const {
  return checked(CoefficientTable::open(table_bytes_.span()));
}

GraphView Scene::open_graph() const {
  return checked(GraphView::open(graph_bytes_.span()));
}

TablePlan Scene::prepare() {
  return checked(TablePlan::prepare(table_, {}, bytes_of(plan_words_)));
}

Predictor Scene::bind() {
  return checked(Predictor::bind(plan_, graph_, bytes_of(predictor_words_)));
}

OpDescriptor hooked_convolution() {
  OpDescriptor op;
  op.kind = OpKind::kConv2d;
  op.data_type = DataType::kFloat32;
  op.facts = synthetic_op(0).facts;
  return op;
}

}  // namespace edgejoule::benchmarks
