#include "import/onnx/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "import/module_tree.h"
#include "import/pieces.h"

namespace edgejoule::import {
namespace {

// Names are copied per step; a damaged file may have one of megabytes.
constexpr std::size_t kMaxNameBytes = 512;

using Path = std::vector<std::string>;

Path split_at_dots(std::string_view text) {
  Path out;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    if (dot > 0) out.emplace_back(text.substr(0, dot));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out;
}

// PyTorch counts the entries of its lists: "layer.0" is one module, not "0" in "layer".
Path join_list_entries(const Path& path) {
  Path out;
  for (const std::string& part : path) {
    const bool number = std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (number && !out.empty()) {
      out.back() += "." + part;
    } else {
      out.push_back(part);
    }
  }
  return out;
}

// "['', 'encoder', 'encoder.layer.0', 'add_1']": the last but one is the innermost module.
Path stated_module(std::string_view list) {
  std::vector<std::string_view> entries;
  while (true) {
    const std::size_t open = list.find('\'');
    if (open == std::string_view::npos) break;
    const std::size_t close = list.find('\'', open + 1);
    if (close == std::string_view::npos) break;
    entries.push_back(list.substr(open + 1, close - open - 1));
    list.remove_prefix(close + 1);
  }
  return entries.size() < 2 ? Path{} : join_list_entries(split_at_dots(entries[entries.size() - 2]));
}

// "…/query/MatMul_output_0" is what exporters call the first result of "…/query/MatMul".
std::string_view without_output_number(std::string_view name) {
  const std::size_t at = name.rfind("_output_");
  return at == std::string_view::npos ? name : name.substr(0, at);
}

OnnxName own_name(const OnnxStep& step, std::size_t index) {
  const OnnxNode& node = *step.node;
  OnnxName out;
  const std::string_view result = node.outputs.empty() ? std::string_view() : node.outputs.front();
  for (const std::string_view candidate : {node.name, without_output_number(result)}) {
    const std::string_view text = candidate.substr(0, kMaxNameBytes);
    if (text.find('/') == std::string_view::npos) continue;
    Path path = split_scope(text);
    if (path.empty()) continue;
    out.leaf = std::move(path.back());
    path.pop_back();
    out.scope = std::move(path);
    break;
  }
  if (Path module = stated_module(node.module_path.substr(0, 8 * kMaxNameBytes)); !module.empty()) {
    out.scope = std::move(module);
  }
  if (out.leaf.empty()) out.leaf = std::string(node.name.substr(0, kMaxNameBytes));
  if (out.leaf.empty()) {
    out.leaf = fmt::format("{}_{}", node.op_type.empty() ? "unknown" : lower_case(node.op_type.substr(0, 128)), index);
  }
  return out;
}

// The module that owns the weights a step reads, where their names are paths.
Path module_of_weights(const OnnxStep& step, const OnnxProgram& program) {
  for (const std::uint32_t input : step.inputs) {
    if (input == kNoValue) continue;
    const std::uint32_t stored = program.values[input].dequantised_from;
    const OnnxValue& value = program.values[stored == kNoValue ? input : stored];
    const std::string_view name = value.name.substr(0, kMaxNameBytes);
    if (!value.constant || name.find('.') == std::string_view::npos || name.find("::") != std::string_view::npos) {
      continue;
    }
    Path path = split_at_dots(name);
    if (path.size() < 2) continue;
    path.pop_back();  // weight, bias, gamma
    return join_list_entries(path);
  }
  return {};
}

// A linear layer is exported as a product and the sum with its bias; where the product's
// weights lost their name (they were transposed), the bias still has one.
void name_products_by_bias(const std::vector<OnnxStep>& steps, std::vector<OnnxName>& names) {
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const bool product = class_of(steps[i].row->kind) == OpClass::kMatrix && steps[i].output(0) != kNoValue;
    const bool sum = steps[i + 1].row->kind == OpKind::kAdd &&
                     (steps[i + 1].input(0) == steps[i].output(0) || steps[i + 1].input(1) == steps[i].output(0));
    if (product && sum && names[i].scope.empty()) names[i].scope = names[i + 1].scope;
  }
}

// Steps without weights stand between two that have some: in what both belong to.
void fill_between(std::vector<OnnxName>& names) {
  std::size_t last = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].scope.empty()) continue;
    if (last < i) {
      const Path& a = names[last].scope;
      const Path& b = names[i].scope;
      const auto common = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
      const Path shared(a.begin(), common);
      for (std::size_t k = last + 1; k < i; ++k) names[k].scope = shared;
    }
    last = i;
  }
}

}  // namespace

std::vector<OnnxName> onnx_names(const std::vector<OnnxStep>& steps, const OnnxProgram& program) {
  std::vector<OnnxName> out;
  std::size_t with_scope = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    out.push_back(own_name(steps[i], i));
    with_scope += out.back().scope.empty() ? 0U : 1U;
  }
  if (4 * with_scope < steps.size()) {
    std::vector<OnnxName> by_weights = out;
    std::size_t named = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      by_weights[i].scope = module_of_weights(steps[i], program);
      named += by_weights[i].scope.empty() ? 0U : 1U;
    }
    if (named > with_scope) {
      name_products_by_bias(steps, by_weights);
      fill_between(by_weights);
      out = std::move(by_weights);
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Path scope;
    for (const std::string& caller : steps[i].caller) {
      Path path = split_scope(caller);
      scope.insert(scope.end(), path.begin(), path.end());
    }
    scope.insert(scope.end(), out[i].scope.begin(), out[i].scope.end());
    out[i].scope = std::move(scope);
  }
  return out;
}

}  // namespace edgejoule::import
