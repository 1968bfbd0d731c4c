#include "compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "files/json.h"
#include "text/escape.h"

namespace edgejoule::predict {
namespace {

constexpr std::uint32_t kNoNode = 0xFFFFFFFFU;

std::vector<std::uint32_t> children_of(const GraphView& graph, std::optional<std::uint32_t> node) {
  std::vector<std::uint32_t> out;
  if (!node) return out;
  for (std::uint32_t i = *node + 1; i < graph.size() && graph.depth(i) > graph.depth(*node); ++i) {
    if (graph.parent(i) == *node) out.push_back(i);
  }
  return out;
}

// What a child is called among its siblings, and the how manyth of that name it is.
using Place = std::pair<std::string, std::uint32_t>;

std::vector<Place> places_of(const GraphView& graph, const std::vector<std::uint32_t>& children) {
  std::map<std::string, std::uint32_t> seen;
  std::vector<Place> out;
  for (const std::uint32_t child : children) {
    std::string name(graph.name(child));
    if (name.empty()) name = fmt::format("\n{}", name_of(graph.kind(child)));  // no name of a node
    out.emplace_back(name, seen[name]++);
  }
  return out;
}

class Merge {
 public:
  Merge(const Prediction& a, const Prediction& b, std::vector<ComparedNode>& nodes) : a_(a), b_(b), nodes_(nodes) {}

  void add(std::optional<std::uint32_t> a, std::optional<std::uint32_t> b, std::uint32_t parent, std::uint8_t depth) {
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    const Prediction& named = b ? b_ : a_;
    const std::uint32_t node = b ? *b : *a;
    ComparedNode made;
    made.a = a;
    made.b = b;
    made.in_a = a.has_value();
    made.in_b = b.has_value();
    made.parent = parent;
    made.depth = depth;
    made.is_module = named.graph().is_module_node(node);
    made.kind = named.graph().kind(node);
    made.name = named.name(node);
    made.path = depth < 2 ? made.name : nodes_[parent].path + "/" + made.name;
    made.joules_a = a ? a_.node(*a).dynamic.value() : 0.0F;
    made.joules_b = b ? b_.node(*b).dynamic.value() : 0.0F;
    nodes_.push_back(std::move(made));

    const std::vector<std::uint32_t> left = children_of(a_.graph(), a);
    const std::vector<std::uint32_t> right = children_of(b_.graph(), b);
    const std::vector<Place> left_places = places_of(a_.graph(), left);
    const std::vector<Place> right_places = places_of(b_.graph(), right);
    std::map<Place, std::uint32_t> of_b;
    for (std::size_t i = 0; i < right.size(); ++i) of_b[right_places[i]] = right[i];
    const auto below = static_cast<std::uint8_t>(depth + 1);
    for (std::size_t i = 0; i < left.size(); ++i) {
      const auto other = of_b.find(left_places[i]);
      std::optional<std::uint32_t> pair;
      if (other != of_b.end() && b_.graph().is_module_node(other->second) == a_.graph().is_module_node(left[i])) {
        pair = other->second;
        of_b.erase(other);
      }
      add(left[i], pair, index, below);
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
      const auto alone = of_b.find(right_places[i]);
      if (alone != of_b.end() && alone->second == right[i]) add(std::nullopt, right[i], index, below);
    }
    nodes_[index].end = static_cast<std::uint32_t>(nodes_.size());
  }

 private:
  const Prediction& a_;
  const Prediction& b_;
  std::vector<ComparedNode>& nodes_;
};

// Sums of weighted joules of both sides: over one table, or one for each.
class SignedSum {
 public:
  SignedSum(const Comparison& comparison) : c_(comparison), sums_a_(room(comparison.a)), sums_b_(room(comparison.b)) {}

  // The interval of the difference, and of the ratio, of these nodes' own joules.
  void bound(const std::vector<std::uint32_t>& nodes, Compared& sum) {
    const Spread difference = of(nodes, -1.0F, 1.0F);
    sum.lower = difference.interval.lower.value();
    sum.upper = difference.interval.upper.value();
    sum.flags = difference.flags;
    if (!sum.has_ratio()) return;
    // Relative errors: shared ones cancel where both sides consist of the same rows.
    const Spread relative = of(nodes, -1.0F / sum.joules_a, 1.0F / sum.joules_b);
    const float half = relative.interval.upper.value() - relative.total.value();
    sum.ratio_lower = sum.ratio() * std::exp(-half);
    sum.ratio_upper = sum.ratio() * std::exp(half);
    sum.flags |= relative.flags;
  }

 private:
  // Joules of a times `weight_a` and of b times `weight_b`.
  Spread of(const std::vector<std::uint32_t>& nodes, float weight_a, float weight_b) {
    SpreadAccumulator over_b = start(c_.b, sums_b_);
    SpreadAccumulator over_a = start(c_.a, sums_a_);
    for (const std::uint32_t i : nodes) {
      const ComparedNode& node = c_.nodes[i];
      const Part a = part(c_.a, node.a);
      const Part b = part(c_.b, node.b);
      if (c_.one_table && a.row == b.row && a.own == b.own) {
        over_b.add(b.row, b.own, weight_a + weight_b);
      } else {
        over_b.add(b.row, b.own, weight_b);
        (c_.one_table ? over_b : over_a).add(a.row, a.own, weight_a);
      }
    }
    const Confidence confidence = c_.b.request().confidence;
    Spread spread = finish(over_b, confidence);
    if (!c_.one_table) {
      const Spread other = finish(over_a, confidence);
      const float half_b = spread.interval.upper.value() - spread.total.value();
      const float half_a = other.interval.upper.value() - other.total.value();
      const Joules half(std::sqrt(half_a * half_a + half_b * half_b));
      spread.total += other.total;
      spread.interval = {spread.total - half, spread.total + half};
      spread.flags |= other.flags;
    }
    return spread;
  }

  struct Part {
    std::uint32_t row = kNoRow;
    Joules own;
  };

  static std::vector<float> room(const Prediction& p) {
    return std::vector<float>(SpreadAccumulator::required_sums(p.table()));
  }
  static SpreadAccumulator start(const Prediction& p, std::vector<float>& sums) {
    const Result<SpreadAccumulator> started = SpreadAccumulator::start(p.table(), sums);
    if (!started.ok()) throw CompareError(std::string(error_text(started.error())));
    return *started;
  }
  static Spread finish(const SpreadAccumulator& sum, Confidence confidence) {
    const Result<Spread> spread = sum.finish(confidence);
    if (!spread.ok()) throw CompareError(std::string(error_text(spread.error())));
    return *spread;
  }
  static Part part(const Prediction& p, std::optional<std::uint32_t> node) {
    return node ? Part{p.predictor().row_of(*node), p.node(*node).own} : Part{};
  }

  const Comparison& c_;
  std::vector<float> sums_a_;
  std::vector<float> sums_b_;
};

std::string joule_text(const CoefficientTable& table) {
  std::string out = fmt::format("{}, {}", name_of(table.boundary()), name_of(table.baseline()));
  std::set<std::string> rails;
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) rails.insert(text::printable(table.boundary_rail(i)));
  for (const std::string& rail : rails) out += " " + rail;
  return out;
}

bool same_bytes(const std::string& a, const std::string& b) {
  return a == b || files::load(a, files::FileKind::kTable).text() == files::load(b, files::FileKind::kTable).text();
}

}  // namespace

Comparison::Comparison(const Request& of_a, const Request& of_b)
    : a(of_a), b(of_b), one_table(same_bytes(of_a.table, of_b.table)) {
  if (joule_text(a.table()) != joule_text(b.table())) {
    throw CompareError(fmt::format(
        "table {} counts joules as {}, table {} as {}: these are never compared. Take tables that were "
        "measured at the same place.",
        text::printable(of_a.table), joule_text(a.table()), text::printable(of_b.table), joule_text(b.table())));
  }
  Merge(a, b, nodes).add(0, 0, kNoNode, 0);
  SignedSum sum(*this);
  std::map<OpKind, std::vector<std::uint32_t>> of_kind;
  std::vector<std::uint32_t> subtree;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    subtree.resize(nodes[i].end - i);
    std::iota(subtree.begin(), subtree.end(), i);
    sum.bound(subtree, nodes[i]);
    if (!nodes[i].is_module) of_kind[nodes[i].kind].push_back(i);
  }
  for (const auto& [kind, ops] : of_kind) {
    Compared& all = kinds.emplace_back();
    all.kind = kind;
    for (const std::uint32_t op : ops) {
      all.in_a = all.in_a || nodes[op].in_a;
      all.in_b = all.in_b || nodes[op].in_b;
      all.joules_a += nodes[op].joules_a;
      all.joules_b += nodes[op].joules_b;
    }
    sum.bound(ops, all);
  }
  std::stable_sort(kinds.begin(), kinds.end(), [](const Compared& x, const Compared& y) {
    return std::abs(x.difference()) > std::abs(y.difference());
  });
}

std::vector<std::uint32_t> Comparison::movers(bool modules) const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].is_module == modules) out.push_back(i);
  }
  std::stable_sort(out.begin(), out.end(), [&](std::uint32_t x, std::uint32_t y) {
    return std::abs(nodes[x].difference()) > std::abs(nodes[y].difference());
  });
  return out;
}

}  // namespace edgejoule::predict
