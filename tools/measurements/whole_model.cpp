#include "measurements/whole_model.h"

#include <fmt/format.h>

#include "edgejoule/core/graph.h"
#include "text/escape.h"

namespace edgejoule::measurements {

ModelParts parts_of_graph(const files::FileBytes& graph, const std::string& name) {
  const Result<GraphView> view = GraphView::open(graph.span());
  if (!view) throw MeasurementError(fmt::format("model {}: {}", text::printable(name), error_text(view.error())));
  ModelParts result;
  auto parts = std::make_shared<std::vector<Part>>();
  bool one_type = true;
  for (std::uint32_t node = 0; node < view->size(); ++node) {
    if (view->is_module_node(node)) continue;
    parts->push_back({view->kind(node), view->op_class(node), view->data_type(node), view->facts(node), 1});
    one_type = one_type && parts->back().data_type == parts->front().data_type;
  }
  if (parts->empty()) throw MeasurementError(fmt::format("model {} has no ops", text::printable(name)));
  if (one_type) result.data_type = parts->front().data_type;
  result.family = view->model_name();
  result.parts = std::move(parts);
  return result;
}

const ModelParts& ModelCache::find(const std::string& name) {
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  return known_.emplace(name, parts_of_(name)).first->second;
}

Measurement whole_model(const ModelParts& parts, const std::string& name) {
  Measurement m;
  m.kind = OpKind::kModel;
  m.op_class = OpClass::kModule;
  m.level = NodeLevel::kModel;
  m.data_type = parts.data_type;
  m.group = m.model = name;
  m.family = parts.family;
  m.parts = parts.parts;
  std::uint64_t weights = 0;
  for (const Part& part : *parts.parts) weights += part.facts[Fact::kUniqueWeightBytes];
  m.facts.set(Fact::kUniqueWeightBytes, weights);
  return m;
}

void take_if_above_zero(Measurement m, MeasurementSet& set) {
  if (m.energy_joules > 0) {
    set.measurements.push_back(std::move(m));
  } else {
    set.excluded.push_back({m.origin, fmt::format("energy {} J is not above zero", m.energy_joules)});
  }
}

}  // namespace edgejoule::measurements
