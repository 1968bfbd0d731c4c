#include "calibration/engine_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "edgejoule/core/graph.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::calibration {
namespace {

using graph::OpNode;

WorkCounts work_of(const OpNode& op) {
  const Result<WorkCounts> work = count_once(op.op_class, op.facts);
  if (!work) throw RuntimeError(fmt::format("op '{}': {}", op.name, error_text(work.error())));
  return *work;
}

void grow(Facts& facts, Fact fact, std::uint64_t amount) {
  facts.set(fact, facts[fact] + amount);
}

bool has_macs(const OpNode& op) {
  return work_of(op).macs != 0;
}

// What a layer reads beside its first op's inputs: inputs of later ops that no op of the
// layer made. Each later op takes one input from the op before it.
std::uint64_t other_input_bytes(const OpNode& before, const OpNode& op) {
  const std::uint64_t all = op.facts[Fact::kInputBytes];
  return all - std::min(all, before.facts[Fact::kOutputBytes]);
}

// Work and weights of `op` stated in `facts`.
void add_work(Facts& facts, const OpNode& op) {
  const WorkCounts work = work_of(op);
  grow(facts, Fact::kStatedMacs, work.macs);
  grow(facts, Fact::kStatedAlu, work.alu_ops);
  grow(facts, Fact::kStatedSpecial, work.special_ops);
  for (const Fact fact : {Fact::kWeightBytes, Fact::kUniqueWeightBytes, Fact::kParameters, Fact::kScaleBytes,
                          Fact::kTransistorOps, Fact::kSoftmaxBytes}) {
    grow(facts, fact, op.facts[fact]);
  }
}

OpNode subgraph_of(std::span<const OpNode> ops, const std::string& name) {
  OpNode out;
  out.kind = OpKind::kSubgraph;
  out.op_class = class_of(out.kind);
  out.data_type = ops.front().data_type;
  out.name = name;
  for (const OpNode& op : ops) {
    add_work(out.facts, op);
    for (const Fact fact : {Fact::kInputElements, Fact::kOutputElements, Fact::kInputBytes, Fact::kOutputBytes}) {
      grow(out.facts, fact, op.facts[fact]);
    }
  }
  return out;
}

bool is_element_work(const OpNode& op) {
  return op.op_class == OpClass::kElementwise || op.op_class == OpClass::kActivation;
}

}  // namespace

OpNode fuse(std::span<const OpNode> ops, const std::string& name) {
  if (ops.empty()) throw RuntimeError(fmt::format("layer '{}': nothing to fuse", text::printable(name)));
  OpNode out = ops.front();
  out.name = name;
  if (ops.size() == 1) return out;
  const bool rest_is_elements = std::all_of(ops.begin() + 1, ops.end(), is_element_work);
  if (!rest_is_elements || !(has_macs(ops.front()) || is_element_work(ops.front()))) return subgraph_of(ops, name);
  for (std::size_t i = 1; i < ops.size(); ++i) {
    add_work(out.facts, ops[i]);
    grow(out.facts, Fact::kInputBytes, other_input_bytes(ops[i - 1], ops[i]));
  }
  out.facts.set(Fact::kOutputBytes, ops.back().facts[Fact::kOutputBytes]);
  return out;
}

std::vector<Experiment> experiments_of(std::span<const workloads::Candidate> candidates,
                                       const RuntimeCommand& command) {
  std::vector<Experiment> out;
  std::set<std::string> seen;
  for (const workloads::Candidate& candidate : candidates) {
    const import::ExperimentOp op{.op = candidate.workload.op, .rows = candidate.workload.rows};
    if (!seen.insert(op.op.name).second || !import::can_write(command.format(), op)) continue;
    out.push_back({.name = op.op.name, .ops = {op}, .held_out = candidate.held_out});
    const bool is_product = op.op.op_class == OpClass::kConvolution || op.op.kind == OpKind::kDense;
    if (!is_product || op.op.data_type == DataType::kInt8 || !command.tells_layers()) continue;
    const graph::Tensor tensor{.elements = op.op.facts[Fact::kOutputElements], .type = op.op.data_type};
    const import::ExperimentOp relu{
        .op = graph::elementwise({.name = op.op.name + "-relu", .type_name = "RELU"},
                                 {.kind = OpKind::kRelu, .inputs = {tensor}, .output = tensor})};
    out.push_back({.name = relu.op.name, .ops = {op, relu}, .held_out = candidate.held_out});
  }
  return out;
}

Engine engine_of(const Experiment& experiment, const std::filesystem::path& model, const RuntimeProfile& profile) {
  const files::FileBytes bytes = import::import_model(model);
  const Result<GraphView> view = GraphView::open(bytes.span());
  if (!view) throw RuntimeError(fmt::format("{}: {}", model.string(), error_text(view.error())));
  std::vector<OpNode> ops;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < view->size(); ++i) {
    if (view->is_module_node(i)) continue;
    OpNode op;
    op.kind = view->kind(i);
    op.op_class = view->op_class(i);
    op.data_type = view->data_type(i);
    op.weight_type = view->weight_type(i);
    op.name = std::string(view->name(i));
    op.type_name = std::string(view->type_name(i));
    op.facts = view->facts(i);
    names.push_back(op.name);
    ops.push_back(std::move(op));
  }

  Engine out;
  out.name = experiment.name;
  const timeline::LayerNodes nodes = timeline::assign_nodes(profile.layers, names);
  for (std::size_t layer = 0; layer < profile.layers.size(); ++layer) {
    const timeline::EngineLayer& told = profile.layers[layer];
    if (nodes.of_layer[layer].empty()) {
      if (!told.is_reformat) {
        out.notes.push_back(
            fmt::format("layer '{}' names no op of the model: counted nowhere", text::printable(told.name)));
      }
      continue;
    }
    std::vector<OpNode> members;
    for (const std::size_t i : nodes.of_layer[layer]) members.push_back(ops[i]);
    EnginePart part{.op = told.is_subgraph ? subgraph_of(members, told.name) : fuse(members, told.name),
                    .layer = told.name};
    if (profile.profile) {
      for (const timeline::LayerTime& time : profile.profile->layers) {
        if (time.name == told.name) part.seconds = profile.profile->seconds_per_inference(time);
      }
    }
    out.parts.push_back(std::move(part));
  }
  for (const std::size_t i : nodes.nowhere) {
    if (!profile.layers.empty()) {
      out.notes.push_back(fmt::format("op '{}' is in no layer: counted as one of its own", text::printable(names[i])));
    }
    out.parts.push_back({.op = ops[i], .layer = {}});
  }
  return out;
}

InferenceEnergy per_inference(const RunEnergy& shorter, const RunEnergy& longer) {
  if (longer.inferences <= shorter.inferences) {
    throw RuntimeError(
        fmt::format("runs of {} and {} inferences tell nothing of one inference: the second must be longer",
                    shorter.inferences, longer.inferences));
  }
  const auto more = static_cast<double>(longer.inferences - shorter.inferences);
  const InferenceEnergy out{.joules = (longer.joules - shorter.joules) / more,
                            .seconds = (longer.seconds - shorter.seconds) / more};
  if (!(out.joules > 0) || !(out.seconds > 0)) {
    throw RuntimeError(
        fmt::format("{} inferences took {} in {}, {} of them {} in {}: more of them took no more, too little to see an "
                    "inference in; "
                    "check what {{iterations}} stands for in the command",
                    shorter.inferences, text::si(shorter.joules, "J"), text::si(shorter.seconds, "s"),
                    longer.inferences, text::si(longer.joules, "J"), text::si(longer.seconds, "s")));
  }
  return out;
}

measurements::Measurement measurement_of(const Engine& engine, const InferenceEnergy& energy) {
  measurements::Measurement out;
  out.energy_joules = energy.joules;
  out.time_seconds = energy.seconds;
  out.group = engine.name;
  out.origin = engine.name;
  if (engine.parts.size() == 1) {
    const OpNode& op = engine.parts.front().op;
    out.kind = op.kind;
    out.op_class = op.op_class;
    out.data_type = op.data_type;
    out.facts = op.facts;
    return out;
  }
  out.kind = OpKind::kModel;
  out.op_class = class_of(out.kind);
  out.level = measurements::NodeLevel::kModel;
  out.model = engine.name;
  out.data_type = engine.parts.empty() ? DataType::kUnknown : engine.parts.front().op.data_type;
  auto parts = std::make_shared<std::vector<measurements::Part>>();
  for (const EnginePart& part : engine.parts) {
    parts->push_back({part.op.kind, part.op.op_class, part.op.data_type, part.op.facts, 1});
  }
  out.parts = std::move(parts);
  return out;
}

}  // namespace edgejoule::calibration
