#include "pricing/set_pricer.h"

#include <fmt/format.h>

#include <array>

#include "edgejoule/core/features.h"
#include "graph/graph_builder.h"
#include "pricing/op_sums.h"
#include "text/escape.h"

namespace edgejoule::pricing {
namespace {

Span<std::byte> as_bytes(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

template <class T>
T value_of(Result<T> result, const std::string& what) {
  if (!result.ok()) throw PricingError(fmt::format("{}: {}", what, error_text(result.error())));
  return *result;
}

double tensor_bytes(const GraphView& graph) {
  double bytes = 0;
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    if (graph.is_module_node(node)) continue;
    const Facts facts = graph.facts(node);
    const Result<OpQuantities> op = measure_op(graph.op_class(node), facts);
    if (!op.ok()) continue;
    bytes += static_cast<double>(facts[Fact::kRepeats]) *
             static_cast<double>(feature_value(Feature::kTensorBytes, *op, Tile{}, CacheState{}));
  }
  return bytes;
}

TablePlan prepared(const CoefficientTable& table, const std::string& operating_point,
                   std::vector<std::uint64_t>& workspace) {
  workspace.resize((TablePlan::required_bytes(table) + 7) / 8);
  PlanOptions options;
  options.operating_point = operating_point;
  return value_of(TablePlan::prepare(table, options, as_bytes(workspace)), "the table");
}

}  // namespace

struct SetPricer::Bound {
  MeasuredGraph measured;
  GraphView graph;
  Predictor predictor;
  PredictInputs inputs;
  std::vector<NodeEstimate> nodes;
};

SetPricer::SetPricer(const measurements::MeasurementSet& set, const files::FileBytes& table, PricerOptions options)
    : set_(set),
      bytes_(table),
      options_(std::move(options)),
      table_(value_of(CoefficientTable::open(bytes_.span()), "the table")),
      plan_(prepared(table_, options_.operating_point, plan_workspace_)) {}

SetPricer::Bound SetPricer::bind(std::size_t index) {
  MeasuredGraph measured = graph_of(set_, index);
  const std::string& origin = set_.measurements[index].origin;
  const GraphView graph = value_of(GraphView::open(measured.bytes.span()), text::printable(origin));
  const std::size_t words = (Predictor::required_bytes(plan_, graph) + 7) / 8;
  if (workspace_.size() < words) workspace_.resize(words);
  const Predictor predictor = value_of(Predictor::bind(plan_, graph, as_bytes(workspace_)), text::printable(origin));
  Bound bound{std::move(measured), graph, predictor, {}, std::vector<NodeEstimate>(graph.size())};
  bound.inputs.confidence = options_.confidence;
  if (options_.use_runtime_facts) bound.inputs.per_node = bound.measured.runtime;
  if (const Status status = predictor.predict(bound.inputs, bound.nodes); !status.ok()) {
    throw PricingError(fmt::format("{}: {}", text::printable(origin), error_text(status.error())));
  }
  return bound;
}

Priced SetPricer::priced(const Bound& bound, bool is_op) const {
  std::vector<NodeEstimate> nodes = bound.nodes;
  NodeEstimate& node = nodes[bound.measured.node];
  Interval interval;
  if (is_op && bound.measured.node == 0) {  // an op that was measured as parts is bounded as a sum of ops
    std::vector<std::uint32_t> ops;
    for (std::uint32_t i = 1; i < bound.graph.size(); ++i) ops.push_back(i);
    const Spread spread = sum_of(bound.predictor, bound.inputs, nodes, ops);
    interval = spread.interval;
    node.dynamic = spread.total;  // no row for modules has a say in it
    node.level = nodes.size() > 1 ? nodes[1].level : Level::kNone;
    node.flags |= spread.flags;
  } else {
    bound_modules_by_their_ops(bound.predictor, bound.inputs, nodes);
    interval = node.interval;
  }
  const double executions = bound.measured.executions;
  Priced result;
  result.joules = node.dynamic.value() / executions;
  result.lower = interval.lower.value() / executions;
  result.upper = interval.upper.value() / executions;
  result.level = node.level;
  result.flags = node.flags;
  result.tensor_bytes = tensor_bytes(bound.graph) / executions;
  if (!(result.joules > 0)) result.problem = "the table prices it at nothing";
  return result;
}

Priced SetPricer::price(std::size_t index) {
  Priced refused;
  try {
    return priced(bind(index), set_.measurements[index].level == measurements::NodeLevel::kOp);
  } catch (const PricingError& error) {
    refused.problem = error.what();
  } catch (const graph::GraphError& error) {
    refused.problem = error.what();
  }
  return refused;
}

std::vector<Contribution> SetPricer::contributions(std::size_t index) {
  const Bound bound = bind(index);
  std::vector<Contribution> all;
  std::vector<double> gain(bound.graph.size(), 1.0 / bound.measured.executions);  // of a node on the whole
  std::array<TermShare, kMaxTermsPerRow> shares;
  const bool is_op = set_.measurements[index].level == measurements::NodeLevel::kOp;
  for (std::uint32_t node = is_op ? 1 : 0; node < bound.graph.size(); ++node) {  // an op's root is not part of it
    const RuntimeFacts runtime = bound.inputs.per_node.empty() ? RuntimeFacts{} : bound.inputs.per_node[node];
    const std::uint32_t row_index = bound.predictor.row_of(node, runtime);
    const double outer = node == 0 ? gain[0] : gain[bound.graph.parent(node)];
    gain[node] = outer;
    if (row_index == kNoRow) continue;
    const NodeEstimate& estimate = bound.nodes[node];
    const double children = estimate.dynamic.value() - estimate.own.value();
    const RowView row = table_.row(row_index);
    double terms = estimate.own.value();
    if (row.form() == RowForm::kLog2) {
      if (row.children_gain() > 0) terms -= (row.children_gain() - 1) * children;
      all.push_back({row_index, Contribution::kWholeRow, outer * terms});
    } else {
      terms = 0;
      const std::uint32_t count = value_of(bound.predictor.explain(node, bound.inputs, shares), "a row");
      for (std::uint32_t t = 0; t < count; ++t) {
        terms += shares[t].contribution;
        if (shares[t].contribution != 0) all.push_back({row_index, t, outer * shares[t].contribution});
      }
    }
    // With the row's correction, as core has applied it.
    if (row.children_gain() > 0 && children > 0) gain[node] = outer * (estimate.dynamic.value() - terms) / children;
  }
  return all;
}

}  // namespace edgejoule::pricing
