#include "graph_change.h"

#include <fmt/format.h>

#include "edgejoule/core/graph.h"
#include "edgejoule/core/table.h"
#include "graph/data_types.h"
#include "graph/exact.h"
#include "graph/graph_builder.h"
#include "retyped_op.h"
#include "text/escape.h"

namespace edgejoule::predict {
namespace {

std::string in_quotes(std::string_view name) {
  return "'" + text::printable(name) + "'";
}

bool multiplies_by_batch(OpClass op_class, OpKind kind) {
  return op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution ||
         op_class == OpClass::kRecurrent || op_class == OpClass::kPooling || kind == OpKind::kDense;
}

// What the ops say about the batch that the file was exported with.
std::uint64_t stated_batch(const GraphView& graph, const std::string& file) {
  std::uint64_t batch = 0;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (!multiplies_by_batch(graph.op_class(i), graph.kind(i))) continue;
    const std::uint64_t own = graph.facts(i)[Fact::kBatch];
    if (batch != 0 && own != batch) {
      throw ChangeError(
          fmt::format("model {}: op {} works on a batch of {}, others on {}, so --batch cannot scale it. "
                      "Export the model with the batch you want.",
                      text::printable(file), in_quotes(graph.name(i)), own, batch));
    }
    batch = own;
  }
  if (batch == 0) {
    throw ChangeError(
        fmt::format("model {}: no op says what the batch is, so --batch cannot scale it. "
                    "Export the model with the batch you want.",
                    text::printable(file)));
  }
  return batch;
}

// An exact multiple of what a graph states.
class BatchScale {
 public:
  BatchScale(std::uint64_t now, std::uint64_t stated, std::string file)
      : now_(now), stated_(stated), file_(std::move(file)) {}

  void apply(graph::OpNode& op) const {
    if (op.op_class == OpClass::kModule) {
      if (op.facts[Fact::kOwnBytes] != 0 || op.facts[Fact::kOwnMacs] != 0) {
        throw ChangeError(
            fmt::format("model {}: module {} has work of its own whose dependence on the batch is not "
                        "known. Export the model with the batch you want.",
                        text::printable(file_), in_quotes(op.name)));
      }
    }
    if (states_batch(op)) scale(op, Fact::kBatch, 0);
    for (const Fact fact :
         {Fact::kTokens, Fact::kInputElements, Fact::kInputBytes, Fact::kOutputElements, Fact::kOutputBytes,
          Fact::kSoftmaxBytes, Fact::kAttentionBytes, Fact::kStatedMacs, Fact::kStatedSpecial}) {
      scale(op, fact, 0);
    }
    if (op.op_class == OpClass::kLookup) {
      scale(op, Fact::kWeightBytes, 0);
      scale(op, Fact::kScaleBytes, 0);
    }
    // Weights are unpacked once, whatever the batch.
    const UnpackingWork unpacking = op.op_class == OpClass::kLookup ? UnpackingWork{} : unpacking_work(op);
    scale(op, Fact::kStatedAlu, unpacking.alu);
    scale(op, Fact::kTransistorOps, unpacking.transistor_ops);
  }

 private:
  // A batch of one is also what stands where nobody stated any.
  [[nodiscard]] bool states_batch(const graph::OpNode& op) const {
    if (op.facts[Fact::kBatch] != 1) return true;
    return stated_ == 1 && (op.op_class != OpClass::kModule || op.facts[Fact::kTokens] != 0);
  }

  void scale(graph::OpNode& op, Fact fact, std::uint64_t constant) const {
    const graph::Exact exact(op.name);
    const std::uint64_t grown = exact.mul(op.facts[fact] - constant, now_);
    if (grown % stated_ != 0) {
      throw ChangeError(
          fmt::format("model {}: it was exported with a batch of {}, and {} of op {} cannot be scaled "
                      "to {}. Take a multiple of {}.",
                      text::printable(file_), stated_, name_of(fact), in_quotes(op.name), now_, stated_));
    }
    op.facts.set(fact, exact.add(grown / stated_, constant));
  }

  std::uint64_t now_;
  std::uint64_t stated_;
  std::string file_;
};

graph::OpNode node_of(const GraphView& graph, std::uint32_t i) {
  graph::OpNode op;
  op.kind = graph.kind(i);
  op.op_class = graph.op_class(i);
  op.data_type = graph.data_type(i);
  op.weight_type = graph.weight_type(i);
  op.engine = graph.engine(i);
  op.name = graph.name(i);
  op.type_name = graph.type_name(i);
  op.facts = graph.facts(i);
  return op;
}

graph::GraphInfo info_of(const GraphView& graph) {
  graph::GraphInfo info;
  info.model_name = graph.model_name();
  info.format = graph.source_format();
  info.file = graph.source_file();
  info.sha256 = graph.source_sha256();
  for (std::uint32_t i = 0; i < graph.note_count(); ++i) info.notes.emplace_back(graph.note(i));
  return info;
}

// A module repeats how large the scores of its attention are: as its softmax says now.
void retype_scores(const GraphView& graph, std::vector<graph::OpNode>& nodes) {
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    const std::uint64_t scores = nodes[i].facts[Fact::kSoftmaxBytes];
    if (!graph.is_module_node(i) || scores == 0) continue;
    const std::uint64_t stated = graph.facts(i)[Fact::kSoftmaxBytes];
    for (std::uint32_t below = i + 1; below < graph.size() && graph.depth(below) > graph.depth(i); ++below) {
      if (!graph.is_module_node(below) && graph.facts(below)[Fact::kSoftmaxBytes] == stated) {
        nodes[i].facts.set(Fact::kSoftmaxBytes, nodes[below].facts[Fact::kSoftmaxBytes]);
        break;
      }
    }
  }
}

void refuse_quantised(const GraphView& graph, DataType wanted, const std::string& file) {
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (graph.is_module_node(i) || graph.data_type(i) == wanted || graph::is_float(graph.data_type(i)) ||
        !has_multiply_accumulates(graph.op_class(i))) {
      continue;
    }
    throw ChangeError(
        fmt::format("model {}: op {} computes in {}, so the file is quantised already and --dtype {} "
                    "cannot undo that. Give the floating-point original.",
                    text::printable(file), in_quotes(graph.name(i)), name_of(graph.data_type(i)), name_of(wanted)));
  }
}

}  // namespace

files::FileBytes change_graph(const files::FileBytes& bytes, const GraphChange& change, const std::string& file) {
  const Result<GraphView> opened = GraphView::open(bytes.span());
  if (!opened.ok()) {
    throw ChangeError(fmt::format("model {}: {}.", text::printable(file), error_text(opened.error())));
  }
  const GraphView& graph = *opened;
  graph::GraphInfo info = info_of(graph);
  std::optional<BatchScale> scale;
  if (change.batch) {
    const std::uint64_t stated = stated_batch(graph, file);
    scale.emplace(*change.batch, stated, file);
    info.notes.push_back(fmt::format("the batch was changed from {} to {}", stated, *change.batch));
  }
  if (change.data_type) refuse_quantised(graph, *change.data_type, file);

  std::uint32_t approximate = 0;  // ops whose transistor operations could not be counted anew
  std::vector<graph::OpNode> nodes;
  nodes.reserve(graph.size());
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    graph::OpNode op = node_of(graph, i);
    if (scale) scale->apply(op);
    if (change.data_type && !retype(op, *change.data_type)) ++approximate;
    if (change.engine && op.engine == kAnyEngine) op.engine = *change.engine;
    nodes.push_back(std::move(op));
  }
  if (change.data_type) {
    retype_scores(graph, nodes);
    info.notes.push_back(
        fmt::format("floating-point tensors and arithmetic were changed to {}; a real conversion may "
                    "leave some ops as they were",
                    name_of(*change.data_type)));
  }
  if (approximate > 0) {
    info.notes.push_back(fmt::format("transistor operations of {} op{} were scaled like a multiply-accumulate",
                                     approximate, approximate == 1 ? "" : "s"));
  }

  graph::GraphBuilder builder(std::move(info), nodes.front().kind);
  std::vector<graph::NodeId> ids{builder.root()};
  builder.set_module_facts(builder.root(), nodes.front().facts);
  for (std::uint32_t i = 1; i < graph.size(); ++i) {
    const graph::NodeId parent = ids[graph.parent(i)];
    if (graph.is_module_node(i)) {
      ids.push_back(builder.add_module(parent, nodes[i].kind, nodes[i].name));
      builder.set_module_facts(ids.back(), nodes[i].facts);
    } else {
      ids.push_back(builder.add_op(parent, std::move(nodes[i])));
    }
  }
  return builder.finish();
}

}  // namespace edgejoule::predict
