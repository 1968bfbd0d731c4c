#include "repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "text/columns.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

using text::Align;
using text::Style;

// Behind the last node of each node's subtree.
std::vector<std::uint32_t> subtree_ends(const GraphView& graph) {
  std::vector<std::uint32_t> ends(graph.size());
  for (std::uint32_t i = graph.size(); i-- > 0;) {
    ends[i] = std::max(ends[i], i + 1);
    if (i != 0) ends[graph.parent(i)] = std::max(ends[graph.parent(i)], ends[i]);
  }
  return ends;
}

// Kinds and depths of a subtree.
std::string shape_of(const GraphView& graph, std::uint32_t node, std::uint32_t end) {
  std::string shape;
  for (std::uint32_t i = node; i < end; ++i) {
    shape += fmt::format("{}.{} ", static_cast<unsigned>(graph.kind(i)), graph.depth(i) - graph.depth(node));
  }
  return shape;
}

// One mark per value; of more than fit, per so many neighbours, their mean.
std::string bars(const std::vector<float>& values) {
  constexpr std::array kHeights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::size_t kMostMarks = 48;
  const std::size_t each = (values.size() + kMostMarks - 1) / kMostMarks;
  const float most = *std::max_element(values.begin(), values.end());
  std::string out;
  for (std::size_t from = 0; from < values.size(); from += each) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(from + each, values.size()));
    const float mean = std::accumulate(begin, end, 0.0F) / static_cast<float>(end - begin);
    const float part = most > 0 ? mean / most : 0;
    out += kHeights[static_cast<std::size_t>(std::clamp(part * 7.999F, 0.0F, 7.0F))];
  }
  return out;
}

std::string name_within(const Prediction& prediction, std::uint32_t module, std::uint32_t offset) {
  if (offset == 0) return "all of it";
  const auto depth = static_cast<std::size_t>(prediction.graph().depth(module + offset)) -
                     static_cast<std::size_t>(prediction.graph().depth(module));
  return std::string(2 * depth, ' ') + prediction.name(module + offset);
}

}  // namespace

std::vector<Repeat> repeats_of(const GraphView& graph) {
  const std::vector<std::uint32_t> ends = subtree_ends(graph);
  std::vector<std::vector<std::uint32_t>> modules_below(graph.size());
  for (std::uint32_t i = 1; i < graph.size(); ++i) {
    if (graph.is_module_node(i)) modules_below[graph.parent(i)].push_back(i);
  }
  std::vector<Repeat> out;
  for (std::uint32_t i = 0; i < graph.size();) {
    std::uint32_t next = i + 1;
    std::map<std::string, std::vector<std::uint32_t>> alike;
    for (const std::uint32_t module : modules_below[i]) alike[shape_of(graph, module, ends[module])].push_back(module);
    std::vector<Repeat> here;
    for (auto& [shape, modules] : alike) {
      if (modules.size() > 1) here.push_back({modules, ends[modules.front()] - modules.front()});
    }
    std::sort(here.begin(), here.end(), [](const Repeat& a, const Repeat& b) { return a.modules < b.modules; });
    if (!here.empty()) next = ends[i];  // what lies inside is shown as a part
    out.insert(out.end(), here.begin(), here.end());
    i = next;
  }
  return out;
}

std::string repeats_text(const Prediction& prediction, const TextOptions& options) {
  const GraphView& graph = prediction.graph();
  std::string out;
  for (const Repeat& repeat : repeats_of(graph)) {
    const std::uint32_t first = repeat.modules.front();
    const std::string title =
        text::styled(fmt::format("{} x {}: {} .. {}\n", repeat.modules.size(), name_of(graph.kind(first)),
                                 prediction.path(first), prediction.path(repeat.modules.back())),
                     Style::kBold, options.colour);
    text::Columns columns({"mean", "least", "most", "share of all", "part", "over the depth"},
                          {Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
    for (std::uint32_t k = 0; k < repeat.nodes; ++k) {
      if (options.depth && graph.depth(first + k) > graph.depth(first) + *options.depth) continue;
      std::vector<float> joules;
      double sum = 0;
      for (const std::uint32_t module : repeat.modules) {
        joules.push_back(prediction.node(module + k).dynamic.value());
        sum += joules.back();
      }
      const auto [least, most] = std::minmax_element(joules.begin(), joules.end());
      columns.add({{text::si(sum / static_cast<double>(joules.size()), "J"), k == 0 ? Style::kBold : Style::kPlain},
                   {text::si(*least, "J"), Style::kDim},
                   {text::si(*most, "J"), Style::kDim},
                   {text::percent(prediction.share(Joules(static_cast<float>(sum))))},
                   {name_within(prediction, first, k)},
                   {bars(joules), Style::kCyan}});
    }
    out += (out.empty() ? "" : "\n") + title + columns.render(options.colour, options.width, 4);
  }
  if (out.empty()) out = "no module of this model repeats: --by module lists those it has\n";
  return out;
}

}  // namespace edgejoule::predict
