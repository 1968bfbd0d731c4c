#include "import/tflite/names.h"

#include <algorithm>
#include <cstddef>

#include "import/module_tree.h"

namespace edgejoule::import {
namespace {

// Names are copied per operator; a damaged file may share one of megabytes.
constexpr std::size_t kMaxTensorNameBytes = 2048;

using Path = std::vector<std::string>;

std::vector<Path> split_joined(std::string_view name) {
  std::vector<Path> out;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find(';'), name.size());
    if (Path path = split_scope(name.substr(0, end)); !path.empty()) out.push_back(std::move(path));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return out;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The layer of a path: without the operation, and without what stands below it.
Path layer_of(const Path& path) {
  const auto cut = std::find_if(path.begin(), path.end(), [](const std::string& part) {
    return starts_with(part, "BiasAdd") || starts_with(part, "ReadVariableOp") || starts_with(part, "BatchNorm_Fold");
  });
  if (cut != path.end()) return {path.begin(), cut};
  return {path.begin(), path.end() - 1};
}

// Weights that layers share leave foreign names behind: the layer named most often is
// the owner, the last one among equals.
std::size_t most_named(const std::vector<Path>& layers) {
  std::size_t best = 0;
  std::ptrdiff_t best_count = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto count = std::count(layers.begin(), layers.end(), layers[i]);
    if (count >= best_count) {
      best = i;
      best_count = count;
    }
  }
  return best;
}

}  // namespace

OperatorName operator_name(std::string_view tensor_name, OpKind kind, OpClass op_class) {
  const std::vector<Path> paths = split_joined(tensor_name.substr(0, kMaxTensorNameBytes));
  if (paths.empty()) return {};
  std::size_t owner = 0;
  if (op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution ||
      op_class == OpClass::kMatrix || op_class == OpClass::kRecurrent) {
    std::vector<Path> layers;
    for (const Path& path : paths) layers.push_back(layer_of(path));
    owner = most_named(layers);
  } else {
    const auto same = std::find_if(paths.begin(), paths.end(),
                                   [&](const Path& path) { return starts_with(path.back(), name_of(kind)); });
    if (same != paths.end()) owner = static_cast<std::size_t>(same - paths.begin());
  }
  return {layer_of(paths[owner]), paths[owner].back()};
}

}  // namespace edgejoule::import
