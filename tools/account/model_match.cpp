#include "account/model_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>

#include "edgejoule/core/plan.h"
#include "edgejoule/core/predictor.h"

namespace edgejoule::account {
namespace {

std::string_view leaf_of(std::string_view name) {
  const std::size_t cut = name.find_last_of("/;");
  return cut == std::string_view::npos ? name : name.substr(cut + 1);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "CONV_2D", "Conv2D" and "conv_2d" are one type.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

// What an op is called. "Conv_12" of a Conv numbered 12 is no name of its own: ONNX Runtime makes it up.
std::string_view called(const RunOp& op) {
  if (op.type.empty()) return op.name;
  const bool has_name = !op.name.empty() && op.name != fmt::format("{}_{}", op.type, op.node);
  return has_name ? op.name : op.type;
}

class Matcher {
 public:
  explicit Matcher(const GraphView& graph) : graph_(graph) {
    for (std::uint32_t node = 0; node < graph.size(); ++node) {
      if (graph.is_module_node(node)) continue;
      ops_.push_back(node);
      const std::string name(graph.name(node));
      if (name.empty()) continue;
      add(by_name_, name, node);
      add(by_name_, path_of(node), node);
      add(by_leaf_, std::string(leaf_of(name)), node);
    }
  }

  ModelMatch match(const std::vector<RunOp>& ops) {
    ModelMatch result;
    result.nodes.resize(ops.size());
    for (std::size_t i = 0; i < ops.size(); ++i) result.nodes[i] = by_name(ops[i].name);
    std::vector<bool> taken(graph_.size(), false);
    for (const auto& nodes : result.nodes) {
      for (const std::uint32_t node : nodes) taken[node] = true;
    }
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (!result.nodes[i].empty() || ops[i].node >= ops_.size() || ops[i].part != 0) continue;
      const std::uint32_t node = ops_[ops[i].node];
      if (taken[node] || !(called(ops[i]).empty() || is_type(called(ops[i]), node))) continue;
      result.nodes[i] = {node};
      taken[node] = true;
    }
    by_order(ops, taken, result);
    for (const auto& nodes : result.nodes) result.place.push_back(common_ancestor(nodes));
    for (const std::uint32_t node : ops_) {
      if (!taken[node]) result.without_op.push_back(node);
    }
    return result;
  }

 private:
  static constexpr std::uint32_t kSeveral = 0xFFFFFFFEU;
  using Names = std::map<std::string, std::uint32_t, std::less<>>;

  static void add(Names& names, const std::string& name, std::uint32_t node) {
    const auto [found, is_new] = names.try_emplace(name, node);
    if (!is_new && found->second != node) found->second = kSeveral;
  }
  static std::uint32_t find(const Names& names, std::string_view name) {
    const auto found = names.find(name);
    return found == names.end() || found->second == kSeveral ? kNoNode : found->second;
  }

  [[nodiscard]] std::string path_of(std::uint32_t node) const {
    std::string path(graph_.name(node));
    for (std::uint32_t up = graph_.parent(node); up != 0 && up != kNoParent; up = graph_.parent(up)) {
      path = std::string(graph_.name(up)) + "/" + path;
    }
    return path;
  }

  [[nodiscard]] bool is_type(std::string_view name, std::uint32_t node) const {
    const std::string own = plain(name);
    return own == plain(graph_.type_name(node)) || own == plain(name_of(graph_.kind(node)));
  }

  [[nodiscard]] std::uint32_t one(std::string_view name) const {
    const std::uint32_t exact = find(by_name_, name);
    if (exact != kNoNode) return exact;
    const std::uint32_t leaf = find(by_leaf_, name);
    if (leaf == kNoNode) return find(by_leaf_, leaf_of(name));
    return is_type(name, leaf) ? kNoNode : leaf;  // "relu" may be any of them: by order
  }

  // All parts of a fused name, or none: half of an op is not that op.
  [[nodiscard]] std::vector<std::uint32_t> by_name(std::string_view name) const {
    if (name.empty()) return {};
    const bool is_fused = name.find_first_of("+|") != std::string_view::npos;
    if (const std::uint32_t node = is_fused ? find(by_name_, name) : one(name); node != kNoNode) return {node};
    if (!is_fused) return {};
    std::vector<std::uint32_t> nodes;
    while (!name.empty()) {
      const std::size_t cut = std::min(name.find_first_of("+|"), name.size());
      const std::uint32_t node = one(trimmed(name.substr(0, cut)));
      if (node == kNoNode) return {};
      nodes.push_back(node);
      name.remove_prefix(std::min(cut + 1, name.size()));
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return nodes;
  }

  // Ops called by their type alone: where as many ran as the model has, the k-th is the k-th.
  void by_order(const std::vector<RunOp>& ops, std::vector<bool>& taken, ModelMatch& result) const {
    std::map<std::string, std::vector<std::size_t>> ran;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (result.nodes[i].empty() && !called(ops[i]).empty()) ran[std::string(called(ops[i]))].push_back(i);
    }
    for (const auto& [type, places] : ran) {
      std::vector<std::uint32_t> nodes;
      for (const std::uint32_t node : ops_) {
        if (!taken[node] && is_type(type, node)) nodes.push_back(node);
      }
      if (nodes.size() != places.size()) continue;
      for (std::size_t k = 0; k < nodes.size(); ++k) {
        result.nodes[places[k]] = {nodes[k]};
        taken[nodes[k]] = true;
      }
    }
  }

  [[nodiscard]] std::uint32_t common_ancestor(const std::vector<std::uint32_t>& nodes) const {
    if (nodes.empty()) return 0;
    std::uint32_t common = nodes.front();
    for (std::uint32_t other : nodes) {
      while (common != other) {
        if (graph_.depth(common) >= graph_.depth(other)) {
          common = graph_.parent(common);
        } else {
          other = graph_.parent(other);
        }
      }
    }
    return common;
  }

  const GraphView& graph_;
  std::vector<std::uint32_t> ops_;
  Names by_name_, by_leaf_;
};

Span<std::byte> as_bytes(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

template <class T>
T priced(const Result<T>& result, const char* what) {
  if (!result.ok())
    throw AccountError(fmt::format("the table cannot price the model ({}): {}", what, error_text(result.error())));
  return *result;
}

}  // namespace

ModelMatch match_ops(const GraphView& graph, const std::vector<RunOp>& ops) {
  return Matcher(graph).match(ops);
}

std::vector<ExpectedNode> price(const GraphView& graph, const files::FileBytes& bytes,
                                const std::string& operating_point) {
  const CoefficientTable table = priced(CoefficientTable::open(bytes.span()), "its bytes");
  std::vector<std::uint64_t> plan_memory((TablePlan::required_bytes(table) + 7) / 8);
  PlanOptions options;
  options.operating_point = operating_point;
  const TablePlan plan = priced(TablePlan::prepare(table, options, as_bytes(plan_memory)), "operating point");
  std::vector<std::uint64_t> memory((Predictor::required_bytes(plan, graph) + 7) / 8);
  const Predictor predictor = priced(Predictor::bind(plan, graph, as_bytes(memory)), "the graph");
  std::vector<NodeEstimate> estimates(graph.size());
  if (const Status status = predictor.predict({}, estimates); !status.ok()) {
    throw AccountError(fmt::format("the table cannot price the model: {}", error_text(status.error())));
  }
  std::vector<ExpectedNode> nodes;
  for (const NodeEstimate& node : estimates) {
    nodes.push_back({static_cast<double>(node.dynamic.value()), static_cast<double>(node.interval.lower.value()),
                     static_cast<double>(node.interval.upper.value())});
  }
  return nodes;
}

}  // namespace edgejoule::account
