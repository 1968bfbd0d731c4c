#include "import/pieces.h"

#include <cctype>
#include <limits>
#include <utility>

#include "edgejoule/core/facts.h"
#include "edgejoule/core/graph.h"
#include "import/import.h"

namespace edgejoule::import {
namespace {

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

void emit_below(graph::GraphBuilder& builder, graph::NodeId parent, const std::vector<Piece>& pieces,
                std::uint32_t depth) {
  for (const Piece& piece : pieces) {
    if (piece.module == OpKind::kUnknown) {
      builder.add_op(parent, piece.op);
    } else if (depth + 1 >= kMaxDepth) {
      emit_below(builder, parent, piece.children, depth);
    } else {
      emit_below(builder, builder.add_module(parent, piece.module, piece.name), piece.children, depth + 1);
    }
  }
}

}  // namespace

PieceWeight weight_of(const std::vector<Piece>& pieces) {
  PieceWeight out;
  for (const Piece& piece : pieces) {
    PieceWeight one;
    if (piece.module != OpKind::kUnknown) {
      one = weight_of(piece.children);
    } else {
      const Facts& facts = piece.op.facts;
      if (const Result<WorkCounts> work = count_work(piece.op.op_class, facts)) one.macs = work->macs;
      one.bytes = saturating_add(saturating_add(facts[Fact::kInputBytes], facts[Fact::kOutputBytes]),
                                 facts[Fact::kWeightBytes]);
    }
    out.macs = saturating_add(out.macs, one.macs);
    out.bytes = saturating_add(out.bytes, one.bytes);
  }
  return out;
}

std::uint64_t signature_of(const graph::OpNode& node) {
  const bool pointwise = node.facts[Fact::kKernelH] == 1 && node.facts[Fact::kKernelW] == 1;
  return static_cast<std::uint64_t>(node.kind) * 2 + (pointwise ? 1 : 0);
}

void repeat(graph::OpNode& op, std::uint64_t times) {
  if (op.facts[Fact::kRepeats] != 0) op.facts.set(Fact::kRepeats, times);
}

std::vector<Piece> arrange(std::vector<Piece>& pieces, const std::vector<TreeNode>& nodes) {
  std::vector<Piece> out;
  for (const TreeNode& node : nodes) {
    if (node.is_op()) {
      Piece piece = std::move(pieces[node.op]);
      // Within its module a layer's name says more than the operation it ends in.
      if (!node.name.empty()) (piece.module == OpKind::kUnknown ? piece.op.name : piece.name) = node.name;
      out.push_back(std::move(piece));
    } else {
      Piece module;
      module.name = node.name;
      module.module = node.kind;
      module.children = arrange(pieces, node.children);
      out.push_back(std::move(module));
    }
  }
  return out;
}

void emit(graph::GraphBuilder& builder, graph::NodeId parent, const std::vector<Piece>& pieces) {
  emit_below(builder, parent, pieces, 0);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

const char* plural(std::uint64_t count) {
  return count == 1 ? "" : "s";
}

files::FileBytes checked_graph(std::string_view file, std::string_view advice,
                               const std::function<files::FileBytes()>& build) {
  files::FileBytes out;
  try {
    out = build();
  } catch (const graph::GraphError& error) {
    throw ImportError(file, error.what(), advice);
  }
  if (const Result<GraphView> graph = GraphView::open(out.span()); !graph) {
    throw ImportError(file, error_text(graph.error()), advice);
  }
  return out;
}

}  // namespace edgejoule::import
