#include "pricing/op_sums.h"

#include <cmath>
#include <string>

namespace edgejoule::pricing {
namespace {

RuntimeFacts facts_of(const PredictInputs& inputs, std::uint32_t node) {
  return inputs.per_node.empty() ? RuntimeFacts{} : inputs.per_node[node];
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
    // The same mean and spread as a log-normal distribution, where a normal one would
    // reach below zero.
    const float deviations = (spread.interval.upper - spread.total) / spread.sigma;
    const float ratio = spread.sigma / spread.total;
    const float width = std::exp(deviations * std::sqrt(std::log1p(ratio * ratio)));
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
    if (i == 0) break;
    std::vector<std::uint32_t>& above = ops[graph.parent(i)];
    above.insert(above.end(), ops[i].begin(), ops[i].end());
    ops[i] = {};
  }
}

}  // namespace edgejoule::pricing
