#include "pricing/measured_graph.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "graph/graph_builder.h"
#include "pricing/op_sums.h"
#include "text/escape.h"

namespace edgejoule::pricing {
namespace {

using graph::GraphBuilder;
using graph::NodeId;
using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using measurements::Part;

constexpr double kMostExecutions = 64;
constexpr double kLargestCount = 1e9;
constexpr std::size_t kMostNodes = 100'000;

std::optional<std::uint64_t> whole(double count) {
  const double rounded = std::round(count);
  if (!(rounded >= 0 && rounded <= kLargestCount) || std::abs(count - rounded) > 1e-6) return std::nullopt;
  return static_cast<std::uint64_t>(rounded);
}

// How often an op must run for all of its parts to run whole times.
double executions_of(const Measurement& m) {
  for (double executions = 1; m.parts != nullptr && executions <= kMostExecutions; ++executions) {
    bool all = true;
    for (const Part& part : *m.parts) all = all && whole(part.count * executions).has_value();
    if (all) return executions;
  }
  return 1;
}

RuntimeFacts facts_of(const Measurement& m, double count) {
  RuntimeFacts runtime;
  if (m.time_seconds >= 0) runtime.time = Seconds(static_cast<float>(m.time_seconds * count));
  if (m.counter_joules >= 0) runtime.counter_energy = Joules(static_cast<float>(m.counter_joules * count));
  if (m.utilisation >= 0) runtime.utilisation = static_cast<float>(std::min(m.utilisation, 1.0));
  return runtime;
}

class Writer {
 public:
  Writer(const MeasurementSet& set, MeasuredGraph& graph, GraphBuilder& builder)
      : set_(set), graph_(graph), builder_(builder) {}

  void add_content(NodeId module, const Measurement& m) {
    if (!m.children.empty()) {
      for (const measurements::Child& child : m.children) add(module, set_.measurements[child.index], child.count);
    } else if (m.parts != nullptr && !m.parts->empty()) {
      add_parts(module, m, 1);
    } else {
      throw PricingError(fmt::format("{}: it does not say what it is made of", text::printable(m.origin)));
    }
  }

  void add(NodeId parent, const Measurement& m, double count) {
    if (m.level == NodeLevel::kOp) {
      if (m.parts != nullptr) {
        add_parts(parent, m, count);
      } else {
        add_op(parent, m, count, m, facts_of(m, count));
      }
      return;
    }
    const std::uint64_t copies = counted(m, count);
    for (std::uint64_t i = 0; i < copies; ++i) {
      const NodeId module = builder_.add_module(parent, is_module(m.kind) ? m.kind : OpKind::kModule, m.origin);
      note_node(facts_of(m, 1));
      builder_.set_module_facts(module, m.facts);
      add_content(module, m);
    }
  }

 private:
  void add_parts(NodeId parent, const Measurement& m, double count) {
    for (const Part& part : *m.parts) add_op(parent, part, count * part.count, m, {});
  }

  template <class Op>  // Measurement or Part
  void add_op(NodeId parent, const Op& op, double count, const Measurement& m, const RuntimeFacts& runtime) {
    const std::uint64_t times = counted(m, count);
    if (times == 0) return;
    graph::OpNode node;
    node.kind = op.kind;
    node.op_class = op.op_class;
    node.data_type = op.data_type;
    node.name = m.origin;
    node.facts = op.facts;
    node.facts.set(Fact::kRepeats, op.facts[Fact::kRepeats] * times);
    builder_.add_op(parent, std::move(node));
    note_node(runtime);
  }

  [[nodiscard]] static std::uint64_t counted(const Measurement& m, double count) {
    if (const auto times = whole(count)) return *times;
    throw PricingError(
        fmt::format("{}: a part of it ran {} times, which is not a whole number", text::printable(m.origin), count));
  }

  void note_node(const RuntimeFacts& runtime) {
    graph_.runtime.push_back(runtime);
    if (graph_.runtime.size() > kMostNodes) throw PricingError("a measured module has more than 100 000 parts");
  }

  const MeasurementSet& set_;
  MeasuredGraph& graph_;
  GraphBuilder& builder_;
};

}  // namespace

MeasuredGraph graph_of(const MeasurementSet& set, std::size_t index) {
  const Measurement& m = set.measurements[index];
  MeasuredGraph graph;
  const bool is_op = m.level == NodeLevel::kOp;
  GraphBuilder builder({.model_name = m.origin}, !is_op && is_module(m.kind) ? m.kind : OpKind::kModel);
  graph.runtime.push_back(is_op ? RuntimeFacts{} : facts_of(m, 1));
  Writer writer(set, graph, builder);
  if (is_op) {
    graph.executions = executions_of(m);
    graph.node = m.parts == nullptr ? 1 : 0;
    writer.add(builder.root(), m, graph.executions);
  } else {
    builder.set_module_facts(builder.root(), m.facts);
    writer.add_content(builder.root(), m);
  }
  graph.bytes = builder.finish();
  return graph;
}

}  // namespace edgejoule::pricing
