#include "import/onnx/order.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace edgejoule::import {
namespace {

// Also of the graphs that hang on a node: they read what surrounds them, but for the
// names that they define themselves.
void names_read(const OnnxNode& node, const OnnxFile& model, std::vector<std::string_view>& out) {
  out.insert(out.end(), node.inputs.begin(), node.inputs.end());
  for (const OnnxAttribute& attribute : node.attributes) {
    if (!attribute.graph) continue;
    const OnnxGraph& graph = model.graphs[*attribute.graph];
    std::unordered_set<std::string_view> own;
    std::vector<std::string_view> read;
    for (const OnnxValueInfo& input : graph.inputs) own.insert(input.name);
    for (const OnnxTensor& tensor : graph.initializers) own.insert(tensor.name);
    for (const OnnxNode& inner : graph.nodes) {
      own.insert(inner.outputs.begin(), inner.outputs.end());
      names_read(inner, model, read);
    }
    for (const OnnxValueInfo& output : graph.outputs) read.push_back(output.name);
    std::copy_if(read.begin(), read.end(), std::back_inserter(out),
                 [&](std::string_view name) { return own.count(name) == 0; });
  }
}

}  // namespace

OnnxOrder order_of(const std::vector<OnnxNode>& nodes, const OnnxFile& model) {
  std::unordered_map<std::string_view, std::size_t> makers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (!output.empty()) makers.emplace(output, i);
    }
  }
  bool ordered = true;
  std::vector<std::vector<std::size_t>> readers(nodes.size());
  std::vector<std::size_t> missing(nodes.size(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::vector<std::string_view> names;
    names_read(nodes[i], model, names);
    std::set<std::size_t> needed;
    for (const std::string_view name : names) {
      if (const auto maker = makers.find(name); maker != makers.end()) needed.insert(maker->second);
    }
    for (const std::size_t maker : needed) {
      ordered = ordered && maker < i;
      readers[maker].push_back(i);
    }
    missing[i] = needed.size();
  }
  OnnxOrder out;
  if (ordered) {
    for (const OnnxNode& node : nodes) out.nodes.push_back(&node);
    return out;
  }
  out.sorted = true;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (missing[i] == 0) ready.push(i);
  }
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    out.nodes.push_back(&nodes[next]);
    for (const std::size_t reader : readers[next]) {
      if (--missing[reader] == 0) ready.push(reader);
    }
  }
  if (out.nodes.size() < nodes.size()) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](std::size_t m) { return m > 0; });
    out.stuck = &nodes[static_cast<std::size_t>(stuck - missing.begin())];
  }
  return out;
}

}  // namespace edgejoule::import
