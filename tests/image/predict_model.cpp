// The main path of a firmware; tests/size counts what it links.
#include "predict_model.h"

#include "edgejoule/core/graph.h"
#include "edgejoule/core/plan.h"
#include "edgejoule/core/table.h"

namespace firmware {
namespace {

alignas(8) std::byte plan_workspace[4096];
alignas(8) std::byte predictor_workspace[4096];

}  // namespace

edgejoule::Status predict_model(edgejoule::Span<const std::byte> table_bytes,
                                edgejoule::Span<const std::byte> graph_bytes, Prediction& prediction) noexcept {
  const auto table = edgejoule::CoefficientTable::open(table_bytes);
  if (!table) {
    return table.error();
  }
  const auto graph = edgejoule::GraphView::open(graph_bytes);
  if (!graph) {
    return graph.error();
  }
  edgejoule::PlanOptions options;
  options.board_compatible = "test,none";
  const auto plan = edgejoule::TablePlan::prepare(*table, options, plan_workspace);
  if (!plan) {
    return plan.error();
  }
  const auto predictor = edgejoule::Predictor::bind(*plan, *graph, predictor_workspace);
  if (!predictor) {
    return predictor.error();
  }
  edgejoule::PredictInputs inputs;
  inputs.time = edgejoule::Seconds(0.004F);
  const auto status = predictor->predict(inputs, prediction.nodes);
  if (!status) {
    return status;
  }
  prediction.node_count = graph->size();
  return {};
}

}  // namespace firmware
