#include "account/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "text/escape.h"

namespace edgejoule::account {
namespace {

// What is summed before its energy and its error are asked for.
struct Sum {
  std::map<std::size_t, double> times;
  double seconds = 0;
  bool is_shared = false;
  std::optional<ExpectedNode> expected;

  void expect(const ExpectedNode& node) {
    if (!expected) expected.emplace();
    expected->joules += node.joules;
    expected->lower += node.lower;
    expected->upper += node.upper;
  }
};

class Lines {
 public:
  Lines(const Account& account, const Model* model) : account_(account), model_(model) {
    per_run_ = account.run.inferences.empty();
    for (const RunOp& op : account.run.ops) ++named_[op.name];
    if (model == nullptr) return;
    for (std::uint32_t node = 0; node < model->graph.size(); ++node) {
      if (!model->graph.is_module_node(node)) ++nodes_named_[std::string(model->graph.name(node))];
    }
  }

  void add_op(Sum& sum, std::size_t op, bool with_expected = true) const {
    const OpAccount& own = account_.ops[op];
    for (const auto& [activity, s] : per_run_ ? own.by_activity : account_.per_inference(op)) sum.times[activity] += s;
    sum.seconds += own.seconds * (per_run_ ? 1 : own.per_inference);
    sum.is_shared = sum.is_shared || own.is_shared;
    if (!with_expected || model_ == nullptr || model_->expected.empty() || per_run_) return;
    for (const std::uint32_t node : model_->match.nodes[op]) sum.expect(model_->expected[node]);
  }
  void add_between(Sum& sum) const {
    const double seconds =
        account_.activity_seconds[kBetweenOps] / (per_run_ ? 1.0 : static_cast<double>(account_.run.inferences.size()));
    sum.times[kBetweenOps] += seconds;
    sum.seconds += seconds;
  }

  [[nodiscard]] Line line(std::string name, const Sum& sum) const {
    Line line;
    line.name = line.plain_name = std::move(name);
    line.seconds = sum.seconds;
    const ActivitySeconds times(sum.times.begin(), sum.times.end());
    line.total = account_.energy_of(times, false);
    line.dynamic = account_.energy_of(times, true);
    line.is_shared = sum.is_shared;
    line.expected = sum.expected;
    const Energy& own = account_.has_idle ? line.dynamic : line.total;
    line.is_resolved = !times.empty() && kInterval90 * own.standard_error <= 0.5 * std::abs(own.joules);
    return line;
  }

  // As the model calls it, else as the runtime does.
  [[nodiscard]] std::string plain_name(std::size_t i) const {
    if (model_ != nullptr && model_->match.nodes[i].size() == 1) {
      const std::uint32_t node = model_->match.nodes[i].front();
      const std::string name(model_->graph.name(node));
      if (!name.empty()) return nodes_named_.at(name) > 1 ? path_of(node) : text::printable(name);
    }
    const std::string& name = account_.run.ops[i].name;
    return name.empty() ? "op" : text::printable(name);
  }

  [[nodiscard]] std::string op_name(std::size_t i) const {
    const RunOp& op = account_.run.ops[i];
    const std::string name = plain_name(i);
    if (op.node != kNoNode && named_.at(op.name) > 1) return fmt::format("{} #{}", name, op.node);
    return op.occurrence > 0 ? fmt::format("{} ({})", name, op.occurrence + 1) : name;
  }

  [[nodiscard]] std::string kind_of(std::size_t i) const {
    if (model_ == nullptr || model_->match.nodes[i].empty()) {
      return account_.run.ops[i].name.empty() ? "op" : text::printable(account_.run.ops[i].name);
    }
    return std::string(name_of(model_->graph.kind(model_->match.nodes[i].front())));
  }

  [[nodiscard]] bool is_matched(std::size_t i) const { return model_ == nullptr || !model_->match.nodes[i].empty(); }

  std::vector<Line> ops() const {
    std::vector<Line> lines;
    for (std::size_t i = 0; i < account_.ops.size(); ++i) {
      Sum sum;
      add_op(sum, i);
      lines.push_back(line(op_name(i), sum));
      lines.back().plain_name = plain_name(i);
      lines.back().order = static_cast<std::uint32_t>(i);
      lines.back().op = lines.back().order;
      lines.back().is_resolved = account_.ops[i].is_resolved;
      lines.back().is_matched = is_matched(i);
    }
    return lines;
  }

  std::vector<Line> kinds() const {
    std::map<std::string, Sum> sums;
    for (std::size_t i = 0; i < account_.ops.size(); ++i) add_op(sums[kind_of(i)], i);
    std::vector<Line> lines;
    for (const auto& [name, sum] : sums) lines.push_back(line(name, sum));
    return lines;
  }

  std::vector<Line> inferences() const {
    std::vector<Line> lines;
    bool any = false;
    for (std::size_t i = 0; i < account_.inferences.size(); ++i) {
      const InferenceAccount& own = account_.inferences[i];
      const TimeSpan& time = account_.run.inferences[i];
      Line& line = lines.emplace_back();
      const TimeSpan since{account_.run.inferences.front().begin_ns, time.begin_ns};
      line.name = fmt::format("{}, {:.3f} s after the first", i + 1, since.seconds());
      line.plain_name = fmt::format("{}", i + 1);
      line.order = static_cast<std::uint32_t>(i);
      line.seconds = time.seconds();
      line.total = own.total;
      line.dynamic = own.dynamic;
      line.is_resolved = own.is_resolved;
      if (model_ != nullptr && !model_->expected.empty()) line.expected = model_->expected.front();
      any = any || own.is_resolved;
    }
    return any ? lines : std::vector<Line>();
  }

  std::vector<Line> tree(bool with_ops) const {
    const GraphView& graph = model_->graph;
    std::vector<Sum> sums(graph.size());
    std::vector<bool> has(graph.size(), false);
    for (std::size_t i = 0; i < account_.ops.size(); ++i) {
      for (std::uint32_t at = model_->match.place[i];; at = graph.parent(at)) {
        add_op(sums[at], i, false);
        has[at] = true;
        if (at == 0) break;
      }
    }
    add_between(sums[0]);
    std::vector<Line> lines;
    std::vector<std::uint32_t> line_of(graph.size(), kNoNode);
    for (std::uint32_t node = 0; node < graph.size(); ++node) {
      if (!has[node] || (!with_ops && !graph.is_module_node(node))) continue;
      if (!model_->expected.empty() && !per_run_) sums[node].expected = model_->expected[node];
      const std::string name(graph.name(node));
      line_of[node] = static_cast<std::uint32_t>(lines.size());
      Line made = line(name.empty() ? fmt::format("{} #{}", name_of(graph.kind(node)), node) : text::printable(name),
                       sums[node]);
      if (name.empty()) made.plain_name = std::string(name_of(graph.kind(node)));
      made.order = node;
      made.depth = graph.depth(node);
      if (node != 0) made.parent = line_of[graph.parent(node)];
      lines.push_back(std::move(made));
    }
    return lines;
  }

 private:
  [[nodiscard]] std::string path_of(std::uint32_t node) const {
    const GraphView& graph = model_->graph;
    std::string path = text::printable(graph.name(node));
    for (std::uint32_t up = graph.parent(node); up != 0; up = graph.parent(up)) {
      if (!graph.name(up).empty()) path = text::printable(graph.name(up)) + "/" + path;
    }
    return path;
  }

  const Account& account_;
  const Model* model_;
  bool per_run_;
  std::map<std::string, int> named_;        // how many ops of the run
  std::map<std::string, int> nodes_named_;  // of the model
};

}  // namespace

bool Line::parts_from_table() const {
  if (!expected || !is_resolved || expected->joules <= 0) return false;
  const double least = dynamic.joules - kInterval90 * dynamic.standard_error;
  const double most = dynamic.joules + kInterval90 * dynamic.standard_error;
  const double lower = expected->lower > 0 ? expected->lower : 0.9 * expected->joules;
  const double upper = expected->upper > 0 ? expected->upper : 1.1 * expected->joules;
  return least > upper || most < lower;
}

std::vector<Line> lines_of(const Account& account, const Model* model, By by) {
  if (model == nullptr && (by == By::kModule || by == By::kTree)) {
    throw AccountError("modules and trees are the model's: give it with --model");
  }
  const Lines lines(account, model);
  if (by == By::kModule || by == By::kTree) return lines.tree(by == By::kTree);
  if (by == By::kInference) return lines.inferences();
  std::vector<Line> out = by == By::kOp ? lines.ops() : lines.kinds();
  std::stable_sort(out.begin(), out.end(), [&](const Line& a, const Line& b) {
    return account.has_idle ? a.dynamic.joules > b.dynamic.joules : a.total.joules > b.total.joules;
  });
  Sum between;
  lines.add_between(between);
  out.push_back(lines.line("(between ops)", between));
  return out;
}

Line whole_of(const Account& account, const Model* model) {
  const Lines lines(account, model);
  Sum sum;
  for (std::size_t i = 0; i < account.ops.size(); ++i) lines.add_op(sum, i);
  lines.add_between(sum);
  return lines.line("whole", sum);
}

}  // namespace edgejoule::account
