#include "prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "files/json.h"
#include "graph_change.h"
#include "pricing/op_sums.h"
#include "pricing/operating_points.h"
#include "text/escape.h"

namespace edgejoule::predict {
namespace {

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

Span<std::byte> as_bytes(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

std::vector<std::uint64_t> workspace_of(std::size_t bytes) {
  return std::vector<std::uint64_t>((bytes + 7) / 8);
}

std::optional<pricing::Clocks> clocks_of(const std::string& operating_point) {
  try {
    return pricing::parse_clocks(operating_point);
  } catch (const pricing::OperatingPointError& error) {
    throw SettingError(error.what());
  }
}

template <class T>
T value_or_throw(Result<T> result, std::string_view what, const std::string& where, std::string_view next) {
  if (!result.ok()) {
    throw PredictionError(fmt::format("{} {}: {}. {}", what, text::printable(where), error_text(result.error()), next));
  }
  return *result;
}

[[noreturn]] void refuse_name(const std::string& table, std::string_view what, const std::string& name,
                              const std::vector<std::string>& known, std::string_view option) {
  std::string has = "It has none: leave out " + std::string(option);
  for (std::size_t i = 0; i < known.size(); ++i) has = (i == 0 ? "It has: " : has + ", ") + text::printable(known[i]);
  throw PredictionError(
      fmt::format("table {}: no {} is called \"{}\". {}.", text::printable(table), what, text::printable(name), has));
}

std::uint8_t engine_called(const std::string& name, const CoefficientTable& table, const std::string& file) {
  const std::vector<std::string> known = engine_names(table);
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) refuse_name(file, "engine", name, known, "--engine");
  return static_cast<std::uint8_t>(found - known.begin());
}

}  // namespace

std::vector<std::string> engine_names(const CoefficientTable& table) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < table.engine_count(); ++i) names.emplace_back(table.engine_name(i));
  return names;
}

std::vector<std::string> operating_point_names(const CoefficientTable& table) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < table.operating_point_count(); ++i) names.emplace_back(table.operating_point_name(i));
  return names;
}

std::optional<Pace> pace_of(const NodeEstimate& node) {
  if (!(node.time.value() > 0)) return std::nullopt;
  Pace pace;
  pace.with_static = node.static_part.value() > 0;
  const Joules joules = node.dynamic + node.static_part;
  pace.average_power = joules / node.time;
  pace.energy_delay = joules.value() * node.time.value();
  return pace;
}

Prediction::Prediction(Request request) : request_(std::move(request)) {
  graph_bytes_ = load_model(request_.model, request_.bindings, request_.settings);
  table_bytes_ = files::load(request_.table, files::FileKind::kTable);
  if (const auto clocks = clocks_of(request_.operating_point)) {
    try {
      pricing::InterpolatedTable between = pricing::interpolate(table_bytes_, *clocks, request_.operating_point);
      table_bytes_ = std::move(between.bytes);
      request_.operating_point = between.point;
    } catch (const pricing::OperatingPointError& error) {
      throw PredictionError(fmt::format("table {}: {}", text::printable(request_.table), error.what()));
    }
  }
  const CoefficientTable table = value_or_throw(CoefficientTable::open(table_bytes_.span()), "table", request_.table,
                                                "Fit it again with edge-calibrate fit, or copy the file anew.");
  if (!request_.engine.empty()) {
    const std::uint8_t engine = engine_called(request_.engine, table, request_.table);
    graph_bytes_ = change_graph(graph_bytes_, {.batch = {}, .data_type = {}, .engine = engine}, request_.model);
  }
  const GraphView graph = value_or_throw(GraphView::open(graph_bytes_.span()), "model", request_.model,
                                         "Import the model again, or copy the file anew.");
  plan_workspace_ = workspace_of(TablePlan::required_bytes(table));
  PlanOptions options;
  options.operating_point = request_.operating_point;
  const Result<TablePlan> plan = TablePlan::prepare(table, options, as_bytes(plan_workspace_));
  if (!plan.ok() && plan.error() == Error::kUnknownOperatingPoint) {
    refuse_name(request_.table, "operating point", request_.operating_point, operating_point_names(table), "--at");
  }
  const TablePlan prepared = value_or_throw(plan, "table", request_.table, "Fit it again with edge-calibrate fit.");
  predictor_workspace_ = workspace_of(Predictor::required_bytes(prepared, graph));
  const Predictor bound = value_or_throw(Predictor::bind(prepared, graph, as_bytes(predictor_workspace_)), "model",
                                         request_.model, "Some op's dimensions are beyond what can be counted.");
  core_ = std::make_unique<Core>(Core{graph, table, prepared, bound});

  nodes_.resize(graph.size());
  inputs_.confidence = request_.confidence;
  inputs_.time = request_.time;
  if (const Status status = core_->predictor.predict(inputs_, nodes_); !status.ok()) {
    throw PredictionError(fmt::format("model {}: {}.", text::printable(request_.model), error_text(status.error())));
  }

  knows_time_ =
      std::any_of(nodes_.begin(), nodes_.end(), [](const NodeEstimate& node) { return node.time.value() >= 0; });
  pricing::bound_modules_by_their_ops(core_->predictor, inputs_, nodes_);
  shares_.resize(graph.size());
  if (const Status status = allocate_shares(graph, nodes_, shares_); !status.ok()) {
    throw PredictionError(fmt::format("model {}: {}.", text::printable(request_.model), error_text(status.error())));
  }

  macs_.resize(graph.size());
  for (std::uint32_t i = graph.size(); i-- > 0;) {
    if (!graph.is_module_node(i)) {
      const Result<WorkCounts> work = count_work(graph.op_class(i), graph.facts(i));
      macs_[i] = work.ok() ? work->macs : 0;
    }
    if (graph.parent(i) != kNoParent) macs_[graph.parent(i)] = saturating_add(macs_[graph.parent(i)], macs_[i]);
  }
}

Spread Prediction::sum_of(const std::vector<std::uint32_t>& ops) const {
  return pricing::sum_of(predictor(), inputs_, nodes_, ops);
}

double Prediction::share(Joules sum) const {
  const double whole = nodes_[0].dynamic.value();
  return whole > 0 ? sum.value() / whole : 0;
}

std::vector<std::uint32_t> Prediction::ops_by_energy() const {
  std::vector<std::uint32_t> ops;
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (!graph().is_module_node(i)) ops.push_back(i);
  }
  std::stable_sort(ops.begin(), ops.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return nodes_[a].dynamic > nodes_[b].dynamic; });
  return ops;
}

std::uint64_t Prediction::batch() const {
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (graph().op_class(i) != OpClass::kConvolution && graph().kind(i) != OpKind::kDense) continue;
    return std::max<std::uint64_t>(1, graph().facts(i)[Fact::kBatch]);
  }
  return 1;
}

Joules Prediction::wake() const {
  std::set<std::uint8_t> engines;
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (!graph().is_module_node(i))
      engines.insert(graph().engine(i) == kAnyEngine ? std::uint8_t{0} : graph().engine(i));
  }
  Joules sum;
  for (const std::uint8_t engine : engines) {
    if (engine < table().engine_count()) sum += table().engine(engine).wake;
  }
  return sum;
}

std::string Prediction::name(std::uint32_t i) const {
  const std::string_view own = graph().name(i);
  return own.empty() ? fmt::format("{} #{}", name_of(graph().kind(i)), i) : text::printable(own);
}

std::string Prediction::path(std::uint32_t i) const {
  std::string out = name(i);
  if (i == 0) return out;
  for (std::uint32_t up = graph().parent(i); up != 0; up = graph().parent(up)) out = name(up) + "/" + out;
  return out;
}

}  // namespace edgejoule::predict
