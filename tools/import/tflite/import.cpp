#include "import/tflite/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "edgejoule/core/graph.h"
#include "graph/graph_builder.h"
#include "import/module_tree.h"
#include "import/pieces.h"
#include "import/tflite/calls.h"
#include "import/tflite/facts.h"
#include "import/tflite/file.h"
#include "import/tflite/loops.h"
#include "import/tflite/names.h"
#include "import/tflite/ops.h"
#include "import/tflite/shapes.h"

namespace edgejoule::import {
namespace {

constexpr const char* kFromNoConverter =
    "the file is damaged or was not written by a TFLite converter: export it again";

class TfliteImport {
 public:
  TfliteImport(const TfliteFile& model, std::string_view file, const ImportOptions& options)
      : model_(model), file_(file), options_(options), referenced_(model.subgraphs.size()) {}

  files::FileBytes run() {
    const TfliteSubgraph& main = model_.subgraphs.front();
    if (!main.inputs.empty() && main.inputs[0] >= 0) {
      const auto& dims = main.tensors[static_cast<std::size_t>(main.inputs[0])].dims;
      if (dims && dims->size() > 1 && dims->front() > 0) model_batch_ = static_cast<std::uint64_t>(dims->front());
    }
    const std::vector<Piece> pieces = expand(0, 1, {});
    graph::GraphInfo info;
    info.model_name = options_.model_name.empty() ? std::string(main.name.substr(0, 128)) : options_.model_name;
    info.format = "tflite";
    info.file = std::string(file_);
    graph::GraphBuilder builder(std::move(info));
    emit(builder, builder.root(), pieces);
    write_notes(builder);
    return builder.finish();
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what, const char* next) const {
    throw ImportError(fmt::format("{}: {}", file_, where), what, next);
  }

  // The operators of a subgraph, as often as `repeats` says, as pieces of the tree.
  // Ends, and within bounds: check_calls has said so.
  std::vector<Piece> expand(std::uint32_t index, std::uint64_t repeats,
                            const std::vector<std::optional<Dims>>& arguments) {
    const TfliteSubgraph& graph = model_.subgraphs[index];
    referenced_[index] = true;
    const TfliteShapes shapes = infer_shapes(graph, arguments);
    observe_open_dims(graph, index);
    TfliteFacts facts(graph, shapes, model_batch_, seen_buffers_, observations_);
    std::vector<Piece> pieces;
    std::vector<TreeOp> tree_ops;
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
      const TfliteOperator& op = graph.operators[i];
      const TfliteOp& row = tflite_op(op.code, op.custom_code);
      OperatorName name = operator_name(result_name(graph, op), row.kind, class_of(row.kind));
      std::string label = name.leaf;
      if (label.empty()) label = fmt::format("{}_{}", lower_case(row.name.empty() ? "unknown" : row.name), i);
      graph::OpNode node = facts.node(op, full_name(name, label));
      repeat(node, repeats);
      tree_ops.push_back({std::move(name.scope), signature_of(node), joins(op, graph)});
      Piece piece;
      piece.op = std::move(node);
      piece.op.name = std::move(label);
      if (row.rule == TfliteRule::kControl) add_callees(piece, op, shapes, repeats);
      pieces.push_back(std::move(piece));
    }
    return arrange(std::move(pieces), tree_ops);
  }

  static std::string_view result_name(const TfliteSubgraph& graph, const TfliteOperator& op) {
    return op.outputs.empty() || op.outputs[0] < 0 ? std::string_view()
                                                   : graph.tensors[static_cast<std::size_t>(op.outputs[0])].name;
  }
  static std::string full_name(const OperatorName& name, const std::string& label) {
    std::string out;
    for (const std::string& part : name.scope) out += part + "/";
    return out + label;
  }

  static bool joins(const TfliteOperator& op, const TfliteSubgraph& graph) {
    return std::count_if(op.inputs.begin(), op.inputs.end(), [&](std::int32_t index) {
             return index >= 0 && !graph.tensors[static_cast<std::size_t>(index)].constant;
           }) > 1;
  }

  std::vector<Piece> arrange(std::vector<Piece> pieces, const std::vector<TreeOp>& tree_ops) {
    if (!options_.module_tree) return pieces;
    const ModuleTree tree = find_modules(tree_ops);
    split_scopes_ += tree.split_scopes;
    from_repeats_ = from_repeats_ || tree.from_repeats;
    return import::arrange(pieces, tree.roots);
  }

  // Turns a control operator into a module of itself and what it runs.
  void add_callees(Piece& piece, const TfliteOperator& op, const TfliteShapes& shapes, std::uint64_t repeats) {
    const std::string label = piece.op.name;
    std::uint64_t trips = 1;
    const std::vector<SubgraphReference> references = subgraphs_of(op);
    const bool loops = std::any_of(references.begin(), references.end(),
                                   [](const SubgraphReference& r) { return r.use == SubgraphUse::kBody; });
    if (loops) {
      const auto counted = trip_count(model_, op, shapes);
      trips = counted.value_or(1);
      notes_.push_back(
          counted ? fmt::format("loop '{}' runs {} times per inference, read from its counter.", label, trips)
                  : fmt::format("how often loop '{}' runs is decided at run time: one pass is counted.", label));
    }
    std::vector<Piece> callees;
    std::optional<Piece> branch;
    std::set<std::uint32_t> branch_seen;
    const std::set<std::uint32_t> seen_before = seen_buffers_;
    for (const SubgraphReference& reference : references) {
      switch (reference.use) {
        case SubgraphUse::kOnce:
          referenced_[reference.subgraph] = true;
          notes_.push_back(fmt::format("'{}' runs subgraph {} at the first inference only: not counted.", label,
                                       reference.subgraph));
          break;
        case SubgraphUse::kElement: referenced_[reference.subgraph] = true; break;
        case SubgraphUse::kCall:
          callees.push_back(callee(reference, OpKind::kModule, repeats, arguments(op, shapes, 0)));
          break;
        case SubgraphUse::kCondition:
          callees.push_back(
              callee(reference, OpKind::kModule, product(repeats, trips, true, label), arguments(op, shapes, 0)));
          break;
        case SubgraphUse::kBody:
          // A body that never runs has no place in the tree.
          if (trips == 0) {
            referenced_[reference.subgraph] = true;
            break;
          }
          callees.push_back(
              callee(reference, OpKind::kLoopBody, product(repeats, trips, false, label), arguments(op, shapes, 0)));
          break;
        case SubgraphUse::kBranch: {
          seen_buffers_ = seen_before;
          const std::size_t first = op.inputs.empty() ? 0 : 1;  // input 0 chooses
          Piece other = callee(reference, OpKind::kBranch, repeats, arguments(op, shapes, first));
          if (!branch || weight_of(branch->children) < weight_of(other.children)) {
            branch = std::move(other);
            branch_seen = seen_buffers_;
          }
          break;
        }
      }
    }
    if (branch) {
      seen_buffers_ = std::move(branch_seen);
      notes_.push_back(fmt::format("of the branches of '{}' only the costliest, '{}', is counted: an upper bound.",
                                   label, branch->name));
      callees.push_back(std::move(*branch));
    }
    if (callees.empty()) return;
    Piece module;
    module.name = label;
    module.module = OpKind::kModule;
    module.children.push_back(std::move(piece));
    std::move(callees.begin(), callees.end(), std::back_inserter(module.children));
    piece = std::move(module);
  }

  Piece callee(const SubgraphReference& reference, OpKind kind, std::uint64_t repeats,
               const std::vector<std::optional<Dims>>& arguments) {
    Piece out;
    const std::string_view name = model_.subgraphs[reference.subgraph].name;
    out.name = name.empty() ? fmt::format("subgraph_{}", reference.subgraph) : std::string(name.substr(0, 128));
    out.module = kind;
    out.children = expand(reference.subgraph, repeats, arguments);
    return out;
  }

  static std::vector<std::optional<Dims>> arguments(const TfliteOperator& op, const TfliteShapes& shapes,
                                                    std::size_t first) {
    std::vector<std::optional<Dims>> out;
    for (std::size_t i = first; i < op.inputs.size(); ++i) {
      out.push_back(op.inputs[i] < 0 ? std::nullopt : shapes.dims[static_cast<std::size_t>(op.inputs[i])]);
    }
    return out;
  }

  // The condition is tested once more than the body runs.
  std::uint64_t product(std::uint64_t repeats, std::uint64_t trips, bool once_more, const std::string& label) const {
    std::uint64_t out = 0;
    if (__builtin_mul_overflow(repeats, trips + (once_more ? 1 : 0), &out)) {
      fail(fmt::format("loop '{}'", label), "nested loops run more than 2^64 times", kFromNoConverter);
    }
    return out;
  }

  void observe_open_dims(const TfliteSubgraph& graph, std::uint32_t index) {
    if (index != 0) return;
    for (const std::int32_t input : graph.inputs) {
      if (input < 0) continue;
      const TfliteTensor& tensor = graph.tensors[static_cast<std::size_t>(input)];
      open_batch_ = open_batch_ || tensor.batch_open;
      const std::uint32_t others = tensor.open_dims - (tensor.batch_open ? 1 : 0);
      if (others > 0) {
        notes_.push_back(
            fmt::format("{} dimension{} of input '{}' beside the batch {} open and taken as stated or 1: "
                        "for another length export the model with that shape.",
                        others, plural(others), tensor.name.substr(0, 80), others == 1 ? "is" : "are"));
      }
      if (!tensor.dims) {
        notes_.push_back(fmt::format("input '{}' has no shape.", tensor.name.substr(0, 80)));
      }
    }
  }

  void write_notes(graph::GraphBuilder& builder) {
    const TfliteObservations& seen = observations_;
    if (open_batch_) builder.add_note("the file leaves the batch open: batch 1 is assumed.");
    for (const std::string& note : notes_) builder.add_note(note);
    for (const auto& [type, count] : seen.unknown_ops) {
      builder.add_note(fmt::format("{} op{} of type '{}' {} unknown: only the bytes are counted, by class opaque.",
                                   count, plural(count), type, count == 1 ? "is" : "are"));
    }
    if (seen.unknown_shapes > 0) {
      builder.add_note(fmt::format("{} op{} could not be counted for want of shapes (the first: {}): a lower bound.",
                                   seen.unknown_shapes, plural(seen.unknown_shapes), seen.first_unknown_shape));
    }
    if (seen.hybrid_ops > 0) {
      builder.add_note(
          fmt::format("{} op{} with integer weights on float activations: counted as int8 arithmetic after "
                      "quantising the activations.",
                      seen.hybrid_ops, plural(seen.hybrid_ops)));
    }
    if (seen.load_time_ops > 0) {
      builder.add_note(fmt::format("{} op{} on constants alone run{} once at load: no work per inference.",
                                   seen.load_time_ops, plural(seen.load_time_ops), seen.load_time_ops == 1 ? "s" : ""));
    }
    if (seen.sparse_weights > 0) {
      builder.add_note(fmt::format("{} sparse weight tensor{} counted as dense: an upper bound.", seen.sparse_weights,
                                   plural(seen.sparse_weights)));
    }
    if (seen.diagonal_recurrent > 0) {
      builder.add_note(fmt::format("{} LSTM{} with diagonal recurrent weights counted as full: an upper bound.",
                                   seen.diagonal_recurrent, plural(seen.diagonal_recurrent)));
    }
    if (model_.external_tensors > 0) {
      builder.add_note(fmt::format("{} constant{} in other files: counted by shape.", model_.external_tensors,
                                   plural(model_.external_tensors)));
    }
    for (const std::uint32_t entry : model_.entry_points) {
      if (entry != 0 && !referenced_[entry]) {
        builder.add_note(fmt::format("subgraph {} is a signature of its own and not part of this inference.", entry));
        referenced_[entry] = true;
      }
    }
    const auto unused = static_cast<std::uint64_t>(std::count(referenced_.begin(), referenced_.end(), false));
    if (unused > 0) {
      builder.add_note(fmt::format("{} subgraph{} that nothing refers to: not counted.", unused, plural(unused)));
    }
    if (split_scopes_ > 0) {
      builder.add_note(fmt::format("{} scope{} not contiguous in execution order: split into several modules.",
                                   split_scopes_, plural(split_scopes_)));
    }
    if (from_repeats_) builder.add_note("tensor names give no modules: blocks are repeated sequences of ops.");
  }

  const TfliteFile& model_;
  std::string_view file_;
  const ImportOptions& options_;
  std::vector<bool> referenced_;
  std::set<std::uint32_t> seen_buffers_;
  TfliteObservations observations_;
  std::vector<std::string> notes_;
  std::uint64_t model_batch_ = 1;
  std::size_t split_scopes_ = 0;
  bool open_batch_ = false;
  bool from_repeats_ = false;
};

}  // namespace

files::FileBytes import_tflite(Span<const std::byte> bytes, std::string_view file, const ImportOptions& options) {
  const TfliteFile model = TfliteFile::open(bytes, file);
  check_calls(model, file);
  return checked_graph(file, kFromNoConverter, [&] { return TfliteImport(model, file, options).run(); });
}

}  // namespace edgejoule::import
