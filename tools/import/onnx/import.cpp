#include "import/onnx/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "edgejoule/core/graph.h"
#include "graph/graph_builder.h"
#include "import/module_tree.h"
#include "import/onnx/complaints.h"
#include "import/onnx/facts.h"
#include "import/onnx/file.h"
#include "import/onnx/graph.h"
#include "import/onnx/library.h"
#include "import/onnx/names.h"
#include "import/onnx/quantised.h"
#include "import/pieces.h"

namespace edgejoule::import {
namespace {

class OnnxImport {
 public:
  OnnxImport(const OnnxFile& model, std::string_view file, const ImportOptions& options)
      : model_(model),
        file_(file),
        options_(options),
        program_(lower_onnx(model, file, options.bindings)),
        reads_(count_reads(program_)) {}

  files::FileBytes run() {
    const std::vector<Piece> pieces = expand(program_.steps, 1);
    graph::GraphInfo info;
    info.model_name =
        options_.model_name.empty() ? std::string(model_.graphs.front().name.substr(0, 128)) : options_.model_name;
    info.format = "onnx";
    info.file = std::string(file_);
    graph::GraphBuilder builder(std::move(info));
    emit(builder, builder.root(), pieces);
    write_notes(builder, static_cast<double>(weight_of(pieces).bytes));
    return builder.finish();
  }

 private:
  static std::string full_name(const OnnxName& name) {
    std::string out;
    for (const std::string& part : name.scope) out += part + "/";
    return out + name.leaf;
  }

  std::vector<Piece> expand(const std::vector<OnnxStep>& steps, std::uint64_t repeats) {
    std::vector<OnnxName> names = onnx_names(steps, program_);
    const OnnxFolding folding = fold_quantisation(steps, program_, reads_);
    OnnxFacts facts(program_, folding, seen_, observations_);
    std::vector<Piece> pieces;
    std::vector<TreeOp> tree_ops;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const OnnxStep& step = steps[i];
      if (step.at_load || folding.absorbed[i]) {
        ++(step.at_load ? observations_.load_time_ops : observations_.folded_ops);
        continue;
      }
      std::vector<graph::OpNode> nodes = facts.nodes(step, i, full_name(names[i]));
      const std::uint64_t signature = signature_of(nodes.front());
      Piece piece;
      if (nodes.size() == 1) {
        nodes.front().name = names[i].leaf;
        repeat(nodes.front(), repeats);
        piece.op = std::move(nodes.front());
      } else {
        piece.name = names[i].leaf;
        piece.module = module_kind_of(names[i].leaf);
        if (step.row->kind == OpKind::kAttention) piece.module = OpKind::kAttentionModule;
        if (step.row->rule == OnnxRule::kEmbedNormalisation) piece.module = OpKind::kEmbeddings;
        for (graph::OpNode& node : nodes) {
          repeat(node, repeats);
          Piece part;
          part.op = std::move(node);
          piece.children.push_back(std::move(part));
        }
      }
      if (!step.bodies.empty()) add_bodies(piece, step, repeats);
      tree_ops.push_back({std::move(names[i].scope), signature, joins(step)});
      pieces.push_back(std::move(piece));
    }
    if (!options_.module_tree) return pieces;
    const ModuleTree tree = find_modules(tree_ops);
    split_scopes_ += tree.split_scopes;
    from_repeats_ = from_repeats_ || tree.from_repeats;
    return arrange(pieces, tree.roots);
  }

  bool joins(const OnnxStep& step) const {
    return std::count_if(step.inputs.begin(), step.inputs.end(), [&](std::uint32_t input) {
             return input != kNoValue && !program_.values[input].constant;
           }) > 1;
  }

  // Turns a control operator into a module of itself and what it runs.
  void add_bodies(Piece& piece, const OnnxStep& step, std::uint64_t repeats) {
    const std::string label = piece.op.name;
    std::optional<Piece> kept;
    if (step.row->rule == OnnxRule::kIf) {
      std::optional<std::set<std::uint32_t>> kept_seen;
      const std::set<std::uint32_t> seen_before = seen_;
      for (const OnnxBody& body : step.bodies) {
        seen_ = seen_before;
        Piece branch = body_piece(body, OpKind::kBranch, repeats);
        if (!kept || weight_of(kept->children) < weight_of(branch.children)) {
          kept = std::move(branch);
          kept_seen = seen_;
        }
      }
      if (kept_seen) seen_ = std::move(*kept_seen);
      if (step.bodies.size() > 1) {
        notes_.push_back(fmt::format("of the branches of '{}' only the costliest, '{}', is counted: an upper bound.",
                                     label, kept->name));
      }
    } else {
      note_trips(step, label);
      std::uint64_t runs = 0;
      if (__builtin_mul_overflow(repeats, step.trips, &runs)) {
        throw ImportError(fmt::format("{}: loop '{}'", file_, label), "nested loops run more than 2^64 times",
                          kDamaged);
      }
      // A body that never runs has no place in the tree.
      if (step.trips > 0) kept = body_piece(step.bodies.front(), OpKind::kLoopBody, runs);
    }
    if (!kept || kept->children.empty()) return;
    Piece module;
    module.name = label;
    module.module = OpKind::kModule;
    module.children.push_back(std::move(piece));
    module.children.push_back(std::move(*kept));
    piece = std::move(module);
  }

  void note_trips(const OnnxStep& step, const std::string& label) {
    if (!step.trips_known) {
      notes_.push_back(fmt::format("how often loop '{}' runs is decided at run time: one pass is counted.", label));
    } else if (step.may_end_early) {
      notes_.push_back(
          fmt::format("loop '{}' runs at most {} times per inference: an upper bound.", label, step.trips));
    } else {
      notes_.push_back(fmt::format("loop '{}' runs {} times per inference.", label, step.trips));
    }
  }

  Piece body_piece(const OnnxBody& body, OpKind kind, std::uint64_t repeats) {
    Piece out;
    out.name = body.name;
    out.module = kind;
    out.children = expand(body.steps, repeats);
    return out;
  }

  void write_notes(graph::GraphBuilder& builder, double total_bytes) {
    const OnnxObservations& seen = observations_;
    for (const auto& [name, value] : program_.assumed) {
      builder.add_note(fmt::format("the file leaves dimension '{}' open: {} is assumed (--bind '{}=N').",
                                   name.substr(0, 80), value, name.substr(0, 80)));
    }
    for (const auto& [name, value] : program_.bound) {
      builder.add_note(fmt::format("dimension '{}' is bound to {}.", name.substr(0, 80), value));
    }
    note_opset(builder);
    for (const std::string& note : notes_) builder.add_note(note);
    for (const auto& [type, count] : seen.unknown_ops) {
      const auto bytes = seen.unknown_bytes.find(type);
      const double share =
          bytes == seen.unknown_bytes.end() || total_bytes <= 0 ? 0 : static_cast<double>(bytes->second) / total_bytes;
      builder.add_note(
          fmt::format("{} op{} of type '{}' {} unknown: only the bytes are counted ({:.1f} % of the model's), by class "
                      "opaque.",
                      count, plural(count), type, count == 1 ? "is" : "are", 100 * share));
    }
    if (seen.uncounted_graphs > 0) {
      builder.add_note(fmt::format("{} graph{} inside unknown ops {} not counted: a lower bound.",
                                   seen.uncounted_graphs, plural(seen.uncounted_graphs),
                                   seen.uncounted_graphs == 1 ? "is" : "are"));
    }
    if (seen.unknown_shapes > 0) {
      builder.add_note(fmt::format("{} op{} could not be counted for want of shapes (the first: {}): a lower bound.",
                                   seen.unknown_shapes, plural(seen.unknown_shapes), seen.first_unknown_shape));
    }
    if (program_.bounded_results > 0) {
      builder.add_note(fmt::format(
          "{} result{} whose size is decided at run time {} counted at the largest: an upper "
          "bound.",
          program_.bounded_results, plural(program_.bounded_results), program_.bounded_results == 1 ? "is" : "are"));
    }
    if (seen.quantised_ops > 0) {
      builder.add_note(fmt::format(
          "{} op{} between DequantizeLinear and QuantizeLinear {} counted as integer "
          "arithmetic; {} of those two are part of them.",
          seen.quantised_ops, plural(seen.quantised_ops), seen.quantised_ops == 1 ? "is" : "are", seen.folded_ops));
    }
    if (seen.dequantised_ops > 0) {
      builder.add_note(
          fmt::format("{} op{} with narrow weights on float activations: the weights are read as stored "
                      "and made floats where they are used.",
                      seen.dequantised_ops, plural(seen.dequantised_ops)));
    }
    if (seen.load_time_ops > 0) {
      builder.add_note(
          fmt::format("{} op{} that work{} on constants and shapes alone run{} once at load: no work per "
                      "inference.",
                      seen.load_time_ops, plural(seen.load_time_ops), seen.load_time_ops == 1 ? "s" : "",
                      seen.load_time_ops == 1 ? "s" : ""));
    }
    if (program_.inlined_calls > 0) {
      builder.add_note(fmt::format("{} call{} of the file's own functions {} inlined.", program_.inlined_calls,
                                   plural(program_.inlined_calls), program_.inlined_calls == 1 ? "is" : "are"));
    }
    if (program_.sorted) builder.add_note("the file's nodes stood in no order of execution and were sorted.");
    if (model_.external_tensors > 0) {
      builder.add_note(fmt::format("{} tensor{} in other files: counted by shape and type.", model_.external_tensors,
                                   plural(model_.external_tensors)));
    }
    if (model_.has_training) builder.add_note("the file holds a training graph too: not counted.");
    if (split_scopes_ > 0) {
      builder.add_note(fmt::format("{} scope{} not contiguous in execution order: split into several modules.",
                                   split_scopes_, plural(split_scopes_)));
    }
    if (from_repeats_) builder.add_note("node names give no modules: blocks are repeated sequences of ops.");
  }

  void note_opset(graph::GraphBuilder& builder) const {
    const std::int64_t opset = opset_of(model_.opsets, "");
    if (opset > newest_opset_of_library()) {
      builder.add_note(
          fmt::format("the file is of opset {}, newer than this build's ONNX library ({}): edgejoule's own rules gave "
                      "the shapes.",
                      opset, newest_opset_of_library()));
    }
  }

  const OnnxFile& model_;
  std::string_view file_;
  const ImportOptions& options_;
  OnnxProgram program_;
  std::vector<std::uint32_t> reads_;
  std::set<std::uint32_t> seen_;
  OnnxObservations observations_;
  std::vector<std::string> notes_;
  std::size_t split_scopes_ = 0;
  bool from_repeats_ = false;
};

}  // namespace

files::FileBytes import_onnx(Span<const std::byte> bytes, std::string_view file, const ImportOptions& options) {
  const OnnxFile model = OnnxFile::open(bytes, file);
  return checked_graph(file, kDamaged, [&] { return OnnxImport(model, file, options).run(); });
}

}  // namespace edgejoule::import
