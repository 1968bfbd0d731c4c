#include "account/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "text/escape.h"

namespace edgejoule::account {
namespace {

std::string rails_text(const Account& account) {
  std::string out;
  for (const std::string& rail : account.rails) out += (out.empty() ? "" : " + ") + text::printable(rail);
  return out;
}

void require_same_joules(const Account& a, const Account& b) {
  std::vector<std::string> rails_a = a.rails, rails_b = b.rails;
  std::sort(rails_a.begin(), rails_a.end());
  std::sort(rails_b.begin(), rails_b.end());
  if (rails_a != rails_b) {
    throw AccountError(
        fmt::format("the first run's joules are those of {}, the second's those of {}: these are never compared. Name "
                    "rails that both traces have with --rail",
                    rails_text(a), rails_text(b)));
  }
  if (a.run.inferences.empty() != b.run.inferences.empty()) {
    throw AccountError(
        fmt::format("the {} run's timeline tells no inferences, the other's does: a whole run cannot stand beside one "
                    "inference. Record both with inferences (the adapters' markers; timeline --inference)",
                    a.run.inferences.empty() ? "first" : "second"));
  }
}

// What a line is called among its siblings, and the how manyth of that name it is.
using Place = std::pair<std::string, std::size_t>;

class Merge {
 public:
  Merge(const std::vector<Line>& a, const std::vector<Line>& b, bool dynamic)
      : a_(a), b_(b), dynamic_(dynamic), below_a_(children_of(a)), below_b_(children_of(b)) {}

  std::vector<ComparedLine> list() {
    add_all(below_a_.back(), below_b_.back(), kNoNode, 0);
    return std::move(out_);
  }

  // The roots belong together whatever their names.
  std::vector<ComparedLine> tree() {
    add(&a_.front(), &b_.front(), kNoNode, 0);
    return std::move(out_);
  }

  static ComparedLine pair(const Line* a, const Line* b, bool dynamic) {
    ComparedLine line;
    line.name = (b != nullptr ? b : a)->name;
    if (a != nullptr) line.a = side_of(*a, dynamic);
    if (b != nullptr) line.b = side_of(*b, dynamic);
    return line;
  }

 private:
  using Children = std::vector<std::vector<const Line*>>;

  static ComparedSide side_of(const Line& line, bool dynamic) {
    ComparedSide side{line.seconds, std::nullopt};
    if (line.is_resolved) side.energy = dynamic ? line.dynamic : line.total;
    return side;
  }

  // By line; the last: of nobody.
  static Children children_of(const std::vector<Line>& lines) {
    Children children(lines.size() + 1);
    for (const Line& line : lines) {
      children[line.parent == kNoNode ? lines.size() : line.parent].push_back(&line);
    }
    // Lists come sorted by their energy: which comes first among those of a name does not hang on that.
    for (auto& siblings : children) {
      std::stable_sort(siblings.begin(), siblings.end(),
                       [](const Line* x, const Line* y) { return x->order < y->order; });
    }
    return children;
  }

  static std::vector<Place> places_of(const std::vector<const Line*>& siblings) {
    std::map<std::string, std::size_t> seen;
    std::vector<Place> places;
    for (const Line* line : siblings) places.emplace_back(line->plain_name, seen[line->plain_name]++);
    return places;
  }

  void add_all(const std::vector<const Line*>& left, const std::vector<const Line*>& right, std::uint32_t parent,
               std::uint32_t depth) {
    const std::vector<Place> left_places = places_of(left), right_places = places_of(right);
    std::map<Place, const Line*> of_b;
    for (std::size_t i = 0; i < right.size(); ++i) of_b[right_places[i]] = right[i];
    for (std::size_t i = 0; i < left.size(); ++i) {
      const auto other = of_b.find(left_places[i]);
      const Line* const pair = other == of_b.end() ? nullptr : other->second;
      if (pair != nullptr) of_b.erase(other);
      add(left[i], pair, parent, depth);
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
      if (of_b.count(right_places[i]) > 0) add(nullptr, right[i], parent, depth);
    }
  }

  void add(const Line* a, const Line* b, std::uint32_t parent, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.size());
    out_.push_back(pair(a, b, dynamic_));
    out_.back().parent = parent;
    out_.back().depth = depth;
    static const std::vector<const Line*> none;
    add_all(a != nullptr ? below_a_[static_cast<std::size_t>(a - a_.data())] : none,
            b != nullptr ? below_b_[static_cast<std::size_t>(b - b_.data())] : none, index, depth + 1);
  }

  const std::vector<Line>& a_;
  const std::vector<Line>& b_;
  bool dynamic_;
  Children below_a_, below_b_;
  std::vector<ComparedLine> out_;
};

// All but the root, each by its path.
std::vector<ComparedLine> list_of(std::vector<ComparedLine> tree) {
  for (ComparedLine& line : tree) {
    if (line.depth > 1) line.name = tree[line.parent].name + "/" + line.name;
  }
  tree.erase(tree.begin());
  for (ComparedLine& line : tree) line.parent = kNoNode, line.depth = 0;
  return tree;
}

}  // namespace

std::optional<Energy> ComparedLine::difference() const {
  if ((a && !a->energy) || (b && !b->energy)) return std::nullopt;
  const Energy before = a ? *a->energy : Energy(), after = b ? *b->energy : Energy();
  return Energy{after.joules - before.joules, std::hypot(before.standard_error, after.standard_error)};
}

std::optional<Ratio> ComparedLine::ratio() const {
  if (!a || !b || !a->energy || !b->energy) return std::nullopt;
  for (const Energy* energy : {&*a->energy, &*b->energy}) {
    if (energy->joules <= kInterval90 * energy->standard_error) return std::nullopt;
  }
  const double value = b->energy->joules / a->energy->joules;
  const double half = kInterval90 * std::hypot(a->energy->standard_error / a->energy->joules,
                                               b->energy->standard_error / b->energy->joules);
  return Ratio{value, value * std::exp(-half), value * std::exp(half)};
}

RunComparison compare(const RunOfModel& a, const RunOfModel& b, By by) {
  require_same_joules(a.account, b.account);
  RunComparison result;
  result.is_dynamic = a.account.has_idle && b.account.has_idle;
  result.per_inference = !a.account.run.inferences.empty();
  if (!result.is_dynamic) {
    result.notes.push_back(
        "one of the runs was measured without idle before, between or after inferences: total joules are compared, "
        "with what the board takes anyway");
  }
  if (!result.per_inference) {
    result.notes.push_back("neither timeline tells inferences: whole runs are compared, however often ops ran in each");
  }
  if (a.account.board != b.account.board) {
    result.notes.push_back(fmt::format("the runs are of different boards: {} and {}", text::printable(a.account.board),
                                       text::printable(b.account.board)));
  }
  const Line whole_a = whole_of(a.account, a.model), whole_b = whole_of(b.account, b.model);
  result.whole = Merge::pair(&whole_a, &whole_b, result.is_dynamic);
  const std::vector<Line> lines_a = lines_of(a.account, a.model, by), lines_b = lines_of(b.account, b.model, by);
  Merge merge(lines_a, lines_b, result.is_dynamic);
  if (by == By::kTree) {
    result.lines = merge.tree();
    return result;
  }
  result.lines = by == By::kModule ? list_of(merge.tree()) : merge.list();
  std::stable_sort(result.lines.begin(), result.lines.end(), [](const ComparedLine& x, const ComparedLine& y) {
    const std::optional<Energy> left = x.difference(), right = y.difference();
    if (!left || !right) return left.has_value() && !right.has_value();
    return std::abs(left->joules) > std::abs(right->joules);
  });
  return result;
}

}  // namespace edgejoule::account
