#include "cost_reference.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

namespace edgejoule::test {
namespace {

using FactMap = std::map<wire::Fact, double>;

struct Node {
  wire::OpKind kind;
  wire::OpClass op_class;
  wire::DataType type;
  std::uint8_t engine;
  FactMap facts;
};

Node node_of(const wire::ModelGraphT& graph, std::size_t i) {
  Node node{graph.kinds[i], graph.classes[i], graph.data_types[i], graph.engines[i], {}};
  for (std::size_t c = 0; c < graph.fact_ids.size(); ++c) {
    node.facts[graph.fact_ids[c]] = static_cast<double>(graph.facts[i * graph.fact_ids.size() + c]);
  }
  return node;
}

struct Gemm {
  double b = 0, m = 0, n = 0, k = 0;
};

Gemm gemm_of(const Node& node) {
  const auto f = [&](wire::Fact fact) { return node.facts.at(fact); };
  const double kernel = f(wire::Fact::kernel_d) * f(wire::Fact::kernel_h) * f(wire::Fact::kernel_w);
  const double groups = f(wire::Fact::groups);
  switch (node.op_class) {
    case wire::OpClass::convolution:
      return {groups, f(wire::Fact::batch) * f(wire::Fact::out_d) * f(wire::Fact::out_h) * f(wire::Fact::out_w),
              f(wire::Fact::out_c) / groups, f(wire::Fact::in_c) / groups * kernel};
    case wire::OpClass::matrix:
      return {f(wire::Fact::batch), f(wire::Fact::rows_m), f(wire::Fact::cols_n), f(wire::Fact::depth_k)};
    default: return {};
  }
}

double up(double size, int tile) {
  return tile <= 1 ? size : std::ceil(size / tile) * tile;
}

// The feature at `ratio` times the batch of the facts.
double feature_of(wire::Feature feature, const Node& node, double ratio, const wire::TermT* tile, double last_level,
                  double model_weights, const ReferenceRuntime& runtime) {
  const auto f = [&](wire::Fact fact) { return node.facts.at(fact); };
  const Gemm g = gemm_of(node);
  const double macs = g.b * g.m * g.n * g.k + f(wire::Fact::stated_macs);
  const double activations = f(wire::Fact::input_bytes) + f(wire::Fact::output_bytes);
  const double constants = f(wire::Fact::weight_bytes) + f(wire::Fact::scale_bytes);
  switch (feature) {
    case wire::Feature::one: return 1.0;
    case wire::Feature::macs: return ratio * macs;
    case wire::Feature::alu_ops:
      return ratio * (f(wire::Fact::alu_per_input) * f(wire::Fact::input_elements) +
                      f(wire::Fact::alu_per_output) * f(wire::Fact::output_elements) + f(wire::Fact::stated_alu));
    case wire::Feature::input_bytes: return ratio * f(wire::Fact::input_bytes);
    case wire::Feature::output_bytes: return ratio * f(wire::Fact::output_bytes);
    case wire::Feature::activation_bytes: return ratio * activations;
    case wire::Feature::weight_bytes: return f(wire::Fact::weight_bytes);
    case wire::Feature::tensor_bytes: return ratio * activations + constants;
    case wire::Feature::dram_bytes:
      return (last_level == 0 || model_weights > last_level ? constants : 0.0) +
             (last_level == 0 || activations > last_level ? ratio * activations : 0.0);
    case wire::Feature::tiled_macs: return g.b * up(g.m, tile->tile_m) * up(g.n, tile->tile_n) * up(g.k, tile->tile_k);
    case wire::Feature::own_macs: return ratio * f(wire::Fact::own_macs);
    case wire::Feature::kernel_area: return f(wire::Fact::kernel_h) * f(wire::Fact::kernel_w) * f(wire::Fact::kernel_d);
    case wire::Feature::time: return runtime.time;
    case wire::Feature::counter_energy: return runtime.counter;
    case wire::Feature::utilisation_time: return runtime.utilisation * runtime.time;
    default: throw std::logic_error("the reference does not know this feature");
  }
}

double scale_of(wire::Unit unit) {
  switch (unit) {
    case wire::Unit::femtojoule: return 1e-15;
    case wire::Unit::picojoule: return 1e-12;
    case wire::Unit::nanojoule: return 1e-9;
    case wire::Unit::microjoule: return 1e-6;
    case wire::Unit::millijoule:
    case wire::Unit::milliwatt: return 1e-3;
    default: return 1.0;
  }
}

}  // namespace

std::vector<ReferenceCost> reference_costs(const wire::CoefficientTableT& table, const wire::ModelGraphT& graph,
                                           const ReferenceInputs& inputs) {
  const std::size_t size = graph.kinds.size();
  std::vector<Node> nodes;
  double model_weights = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    nodes.push_back(node_of(graph, i));
    model_weights += nodes.back().facts.at(wire::Fact::unique_weight_bytes);
  }
  std::vector<ReferenceCost> costs(size);
  for (std::size_t i = size; i-- > 0;) {
    const Node& node = nodes[i];
    const std::uint8_t engine = node.engine == 255 ? 0 : node.engine;
    const double last_level =
        engine < table.engines.size() ? static_cast<double>(table.engines[engine]->last_level_bytes) : 0.0;
    const ReferenceRuntime runtime = inputs.runtime.contains(static_cast<std::uint32_t>(i))
                                         ? inputs.runtime.at(static_cast<std::uint32_t>(i))
                                         : ReferenceRuntime{};
    const auto value = [&](wire::Feature feature, double ratio, const wire::TermT* tile) {
      return feature_of(feature, node, ratio, tile, last_level, model_weights, runtime);
    };
    // Every row that answers, ranked; the smallest rank wins.
    using Rank = std::tuple<int, int, bool, bool, bool, bool, int>;
    Rank best{99, 0, false, false, false, false, -1};
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      const wire::RowT& row = *table.rows[r];
      const bool is_module = node.op_class == wire::OpClass::module_node;
      if (row.level == wire::Level::roofline   ? is_module
          : row.level == wire::Level::op_class ? row.op_class != node.op_class
                                               : row.kind != node.kind) {
        continue;
      }
      if ((row.data_type != wire::DataType::unknown && row.data_type != node.type) ||
          (row.engine != 255 && row.engine != engine) ||
          (row.operating_point != 255 && row.operating_point != inputs.operating_point)) {
        continue;
      }
      bool holds = true;
      for (const auto& condition : row.conditions) {
        const double v = value(condition->feature, 1.0, nullptr);
        holds &= (!condition->min || v >= static_cast<double>(*condition->min)) &&
                 (!condition->max || v < static_cast<double>(*condition->max));
      }
      bool time = false, counter = false, utilisation = false;
      for (const auto& term : row.terms) {
        time |= term->feature == wire::Feature::time || term->feature == wire::Feature::utilisation_time;
        counter |= term->feature == wire::Feature::counter_energy;
        utilisation |= term->feature == wire::Feature::utilisation_time;
      }
      if (!holds || (time && runtime.time < 0) || (counter && runtime.counter < 0) ||
          (utilisation && runtime.utilisation < 0)) {
        continue;
      }
      const Rank rank{static_cast<int>(row.level),
                      -(static_cast<int>(time) + static_cast<int>(counter) + static_cast<int>(utilisation)),
                      row.data_type == wire::DataType::unknown,
                      row.engine == 255,
                      row.operating_point == 255,
                      row.conditions.empty(),
                      static_cast<int>(r)};
      best = std::min(best, rank);
    }
    ReferenceCost& cost = costs[i];
    cost.row = std::get<6>(best);
    double children = 0.0;
    for (std::size_t child = i + 1; child < size; ++child) {
      children += graph.parents[child] == i ? costs[child].dynamic : 0.0;
    }
    if (cost.row >= 0) {
      const wire::RowT& row = *table.rows[static_cast<std::size_t>(cost.row)];
      const double repeats = node.facts.at(wire::Fact::repeats);
      double log2_joules = static_cast<double>(row.intercept);
      for (const auto& term : row.terms) {
        const double coefficient = static_cast<double>(term->coefficient);
        const bool measured = term->feature >= wire::Feature::time;
        const double v = value(term->feature, inputs.batch_ratio, term.get());
        if (row.form == wire::RowForm::log2) {
          log2_joules += coefficient * std::log2(v);
        } else {
          cost.own += coefficient * scale_of(term->unit) * v * (measured ? 1.0 : repeats);
        }
      }
      if (row.form == wire::RowForm::log2) {
        cost.own = std::exp2(log2_joules) * repeats;
      }
      if (row.children_gain > 0.0F) {
        cost.own += (static_cast<double>(row.children_gain) - 1.0) * children;
      }
    }
    cost.dynamic = children + cost.own;
  }
  return costs;
}

}  // namespace edgejoule::test
