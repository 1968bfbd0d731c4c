#include "import/module_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace edgejoule::import {
namespace {

// Deeper scopes are cut: the tree is for people, and the graph format ends at 64.
constexpr std::size_t kMaxScopeDepth = 8;
constexpr std::size_t kMaxPeriod = 256;

struct KindRow {
  std::string_view part;  // of the lower-case scope name
  OpKind kind;
};

// First match wins: the longer names stand first.
constexpr KindRow kKindRows[] = {
    {"layernorm", OpKind::kModule},  // "attention_layernorm" is none
    {"layer_norm", OpKind::kModule},
    {"self_attention", OpKind::kSelfAttention},
    {"self_attn", OpKind::kSelfAttention},
    {"cross_attention", OpKind::kCrossAttention},
    {"cross_attn", OpKind::kCrossAttention},
    {"multi_head_attention", OpKind::kAttentionModule},
    {"attention", OpKind::kAttentionModule},
    {"attn", OpKind::kAttentionModule},
    {"feed_forward", OpKind::kFeedForward},
    {"feedforward", OpKind::kFeedForward},
    {"mlp", OpKind::kFeedForward},
    {"ffn", OpKind::kFeedForward},
    {"embeddings", OpKind::kEmbeddings},
    {"pooler", OpKind::kPooler},
    {"expanded_conv", OpKind::kInvertedResidual},
    {"inverted_residual", OpKind::kInvertedResidual},
    {"encoder", OpKind::kEncoder},
    {"decoder", OpKind::kDecoder},
    {"logits", OpKind::kHead},
    {"classifier", OpKind::kHead},
    {"stem", OpKind::kStem},
    {"stage", OpKind::kStage},
    {"branch", OpKind::kBranch},
    {"block", OpKind::kBlock},
    {"layer_", OpKind::kLayer},
    {"layer.", OpKind::kLayer},
    {"layers.", OpKind::kLayer},
};

bool is_converter_noise(std::string_view part) {
  return part.empty() || part.substr(0, 23) == "StatefulPartitionedCall" || part.substr(0, 15) == "PartitionedCall";
}

class ScopeTree {
 public:
  explicit ScopeTree(std::span<const TreeOp> ops) : ops_(ops) {}

  std::vector<TreeNode> build(std::size_t first, std::size_t last, std::size_t depth) {
    std::vector<TreeNode> out;
    std::set<std::string_view> closed;
    while (first < last) {
      std::size_t end = first + 1;
      if (!has_part(first, depth)) {
        out.push_back(leaf(first, depth));
        first = end;
        continue;
      }
      const std::string& part = ops_[first].scope[depth];
      while (end < last && has_part(end, depth) && ops_[end].scope[depth] == part) ++end;
      if (!closed.insert(part).second) ++split_scopes_;
      if (end == first + 1) {
        out.push_back(leaf(first, depth));
      } else {
        out.push_back(module(part, first, end, depth + 1));
      }
      first = end;
    }
    return out;
  }

  [[nodiscard]] std::size_t split_scopes() const { return split_scopes_; }

 private:
  [[nodiscard]] bool has_part(std::size_t op, std::size_t depth) const {
    return depth < std::min(ops_[op].scope.size(), kMaxScopeDepth);
  }

  [[nodiscard]] TreeNode leaf(std::size_t op, std::size_t depth) const {
    TreeNode out;
    out.op = op;
    for (std::size_t i = depth; i < ops_[op].scope.size(); ++i) {
      out.name += (out.name.empty() ? "" : "/") + ops_[op].scope[i];
    }
    return out;
  }

  TreeNode module(const std::string& name, std::size_t first, std::size_t last, std::size_t depth) {
    TreeNode out;
    out.children = build(first, last, depth);
    out.name = name;
    // A module that only holds one module says nothing that its name does not.
    if (out.children.size() == 1 && !out.children.front().is_op()) {
      TreeNode inner = std::move(out.children.front());
      inner.name = name + "/" + inner.name;
      out = std::move(inner);
    }
    out.kind = module_kind_of(out.name);
    return out;
  }

  std::span<const TreeOp> ops_;
  std::size_t split_scopes_ = 0;
};

std::size_t common_depth(std::span<const TreeOp> ops) {
  const TreeOp* longest = nullptr;
  std::size_t depth = 0;
  for (const TreeOp& op : ops) {
    if (op.scope.empty()) continue;
    if (longest == nullptr) {
      longest = &op;
      depth = op.scope.size() - 1;
    }
    std::size_t same = 0;
    while (same < std::min(depth, op.scope.size()) && op.scope[same] == longest->scope[same]) ++same;
    depth = same;
  }
  return depth;
}

std::size_t ops_in_modules(const std::vector<TreeNode>& nodes) {
  std::size_t count = 0;
  std::vector<const TreeNode*> open;
  for (const TreeNode& node : nodes) {
    if (!node.is_op()) open.push_back(&node);
  }
  while (!open.empty()) {
    const TreeNode* node = open.back();
    open.pop_back();
    for (const TreeNode& child : node->children) {
      if (child.is_op()) {
        ++count;
      } else {
        open.push_back(&child);
      }
    }
  }
  return count;
}

struct Repeat {
  std::size_t period = 0;
  std::size_t count = 0;
  [[nodiscard]] std::size_t ops() const { return period * count; }
};

// The repeat that starts at each op and covers the most ops; the shortest period
// among those that cover the same.
std::vector<Repeat> longest_repeats(std::span<const TreeOp> ops) {
  std::vector<Repeat> best(ops.size());
  for (std::size_t period = 2; period <= std::min(kMaxPeriod, ops.size() / 2); ++period) {
    std::size_t equal = 0;  // ops from here on that equal the one a period later
    for (std::size_t i = ops.size() - period; i-- > 0;) {
      equal = ops[i].signature == ops[i + period].signature ? equal + 1 : 0;
      const Repeat repeat{period, equal / period + 1};
      if (repeat.count > 1 && repeat.ops() > best[i].ops()) best[i] = repeat;
    }
  }
  return best;
}

bool all_alike(std::span<const TreeOp> ops) {
  return std::all_of(ops.begin(), ops.end(), [&](const TreeOp& op) { return op.signature == ops.front().signature; });
}

TreeNode plain_op(std::span<const TreeOp> ops, std::size_t op, std::size_t depth) {
  TreeNode out;
  out.op = op;
  for (std::size_t i = depth; i < ops[op].scope.size(); ++i)
    out.name += (out.name.empty() ? "" : "/") + ops[op].scope[i];
  return out;
}

// Where within the next period the repeat starts best: it covers the most ops, and
// among those that cover the same a block ends where branches join.
std::size_t best_start(std::span<const TreeOp> ops, const std::vector<Repeat>& repeats, std::size_t first) {
  const std::size_t end = std::min(ops.size(), first + repeats[first].period);
  std::size_t best = first;
  for (std::size_t i = first + 1; i < end; ++i) {
    const auto ends_in_join = [&](std::size_t start) { return ops[start + repeats[start].period - 1].joins; };
    if (repeats[i].ops() > repeats[best].ops() ||
        (repeats[i].ops() == repeats[best].ops() && ends_in_join(i) && !ends_in_join(best))) {
      best = i;
    }
  }
  return best;
}

std::vector<TreeNode> repeated_blocks(std::span<const TreeOp> ops, std::size_t depth) {
  const std::vector<Repeat> repeats = longest_repeats(ops);
  std::vector<TreeNode> out;
  std::size_t blocks = 0;
  for (std::size_t i = 0; i < ops.size();) {
    const Repeat& repeat = repeats[i];
    const bool worth_it = repeat.count > 1 && !all_alike(ops.subspan(i, repeat.period));
    // The stem in front of a longer or better aligned repeat is no block.
    if (!worth_it || best_start(ops, repeats, i) != i) {
      out.push_back(plain_op(ops, i++, depth));
      continue;
    }
    for (std::size_t b = 0; b < repeat.count; ++b) {
      TreeNode block;
      block.kind = OpKind::kBlock;
      block.name = fmt::format("block_{}", blocks++);
      for (std::size_t k = 0; k < repeat.period; ++k) block.children.push_back(plain_op(ops, i++, depth));
      out.push_back(std::move(block));
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> split_scope(std::string_view name) {
  std::vector<std::string> out;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    if (!is_converter_noise(part)) out.emplace_back(part);
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return out;
}

OpKind module_kind_of(std::string_view name) noexcept {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  // The innermost part that says something: "attention/self" is an attention.
  while (!name.empty()) {
    const std::size_t slash = name.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? name : name.substr(slash + 1);
    for (const KindRow& row : kKindRows) {
      if (std::search(part.begin(), part.end(), row.part.begin(), row.part.end(), same) != part.end()) return row.kind;
    }
    name = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
  }
  return OpKind::kModule;
}

ModuleTree find_modules(std::span<const TreeOp> ops) {
  ModuleTree out;
  ScopeTree scopes(ops);
  const std::size_t depth = common_depth(ops);
  out.roots = scopes.build(0, ops.size(), depth);
  out.split_scopes = scopes.split_scopes();
  if (2 * ops_in_modules(out.roots) >= ops.size()) return out;
  std::vector<TreeNode> blocks = repeated_blocks(ops, depth);
  if (ops_in_modules(blocks) <= ops_in_modules(out.roots)) return out;
  out.roots = std::move(blocks);
  out.split_scopes = 0;
  out.from_repeats = true;
  return out;
}

}  // namespace edgejoule::import
