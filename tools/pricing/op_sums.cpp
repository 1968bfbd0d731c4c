#include "pricing/op_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace edgejoule::pricing {
namespace {

RuntimeFacts facts_of(const PredictInputs& inputs, std::uint32_t node) {
  return inputs.per_node.empty() ? RuntimeFacts{} : inputs.per_node[node];
}

constexpr double kDeviations[] = {0.6745, 1.2816, 1.6449, 1.9600};  // of a normal distribution, by Confidence
constexpr std::uint32_t kGroupsNeeded[] = {1, 4, 9, 19};

// The same mean and spread as a log-normal distribution: what the mean is multiplied with,
// or divided by, at so many standard deviations.
double log_normal_width(double deviations, double relative_sigma) {
  return std::exp(deviations * std::sqrt(std::log1p(relative_sigma * relative_sigma)));
}

// Of predicted seconds, as SpreadAccumulator does for joules; stays as it is where a row
// has no figures.
void bound_time_by_ops(const Predictor& predictor, const PredictInputs& inputs, std::span<const NodeEstimate> nodes,
                       const std::vector<std::uint32_t>& ops, NodeEstimate& module) {
  const CoefficientTable& table = predictor.plan().table();
  std::map<std::uint32_t, double> shared;
  double variance = 0;
  std::uint32_t groups = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t op : ops) {
    if (!nodes[op].flags.has(Flag::kTimePredicted)) continue;  // measured
    const std::uint32_t at = predictor.row_of(op, facts_of(inputs, op));
    const RowView row = table.row(at);
    const Residual residual = row.has_time_residual() ? row.time_residual() : table.op_time_residual();
    if (!residual.has_quantiles) return;
    const double seconds = nodes[op].time.value();
    shared[at] += residual.shared_sigma * seconds;
    variance += std::pow(residual.independent_sigma * seconds, 2);
    groups = std::min(groups, residual.groups);
  }
  for (const auto& [row, sigma] : shared) variance += sigma * sigma;
  const auto confidence = static_cast<std::size_t>(inputs.confidence);
  const auto width = static_cast<float>(
      log_normal_width(kDeviations[confidence], std::sqrt(variance) / static_cast<double>(module.time.value())));
  module.time_interval = {module.time / width, module.time * width};
  if (groups >= kGroupsNeeded[confidence]) {
    module.flags = Flags(module.flags.bits() & ~static_cast<std::uint32_t>(Flag::kTimeIntervalNotGuaranteed));
  }
}

}  // namespace

Spread sum_of(const Predictor& predictor, const PredictInputs& inputs, std::span<const NodeEstimate> nodes,
              const std::vector<std::uint32_t>& ops) {
  const CoefficientTable& table = predictor.plan().table();
  std::vector<float> sums(SpreadAccumulator::required_sums(table));
  Result<SpreadAccumulator> accumulator = SpreadAccumulator::start(table, sums);
  if (!accumulator.ok()) throw PricingError(std::string(error_text(accumulator.error())));
  for (const std::uint32_t op : ops) accumulator->add(predictor.row_of(op, facts_of(inputs, op)), nodes[op].own);
  const Result<Spread> finished = accumulator->finish(inputs.confidence);
  if (!finished.ok()) throw PricingError(std::string(error_text(finished.error())));
  Spread spread = *finished;
  if (spread.total.value() > 0 && spread.sigma.value() > 0) {
    // A normal distribution would reach below zero.
    const auto width = static_cast<float>(
        log_normal_width((spread.interval.upper - spread.total) / spread.sigma, spread.sigma / spread.total));
    spread.interval = {spread.total / width, spread.total * width};
  }
  return spread;
}

void bound_modules_by_their_ops(const Predictor& predictor, const PredictInputs& inputs,
                                std::span<NodeEstimate> nodes) {
  constexpr auto kOwnFlags =
      static_cast<std::uint32_t>(Flag::kIntervalUnknown) | static_cast<std::uint32_t>(Flag::kIntervalNotGuaranteed);
  const GraphView& graph = predictor.graph();
  // Preorder backwards: each module finds its ops already gathered behind it.
  std::vector<std::vector<std::uint32_t>> ops(graph.size());
  for (std::uint32_t i = graph.size(); i-- > 0;) {
    if (!graph.is_module_node(i)) {
      ops[i].push_back(i);
    } else if (nodes[i].flags.has(Flag::kIntervalUnknown) && predictor.row_of(i, facts_of(inputs, i)) == kNoRow) {
      const Spread spread = sum_of(predictor, inputs, nodes, ops[i]);
      nodes[i].interval = spread.interval;
      nodes[i].flags = Flags(nodes[i].flags.bits() & ~kOwnFlags);
      nodes[i].flags |= spread.flags;
    }
    if (graph.is_module_node(i) && nodes[i].flags.has(Flag::kTimePredicted) && nodes[i].time.value() > 0 &&
        nodes[i].time_interval.lower == nodes[i].time_interval.upper) {
      bound_time_by_ops(predictor, inputs, nodes, ops[i], nodes[i]);
    }
    if (i == 0) break;
    std::vector<std::uint32_t>& above = ops[graph.parent(i)];
    above.insert(above.end(), ops[i].begin(), ops[i].end());
    ops[i] = {};
  }
}

}  // namespace edgejoule::pricing
