#include "zoo/zoo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "graph/graph_builder.h"
#include "zoo/families.h"

namespace edgejoule::zoo {
namespace {

constexpr std::string_view kPrefix = "zoo:";
constexpr std::size_t kCloseNames = 5;

std::vector<Family> families() {
  return {mobilenet_v1(), mobilenet_v2(), mobilenet_v3(), efficientnet_lite(), resnet(), mlperf_tiny(), bert(),
          gpt(),          llama(),        vit()};
}

Options options_of(const Family& family, const Preset& preset) {
  Options options(preset.name);
  family.declare(options);
  options.declare_common();
  options.set_all(preset.settings);
  return options;
}

// Every name of a family: its presets, and the family itself with its defaults.
std::vector<Preset> names_of(const Family& family) {
  std::vector<Preset> names = family.presets;
  const bool named_like_family =
      std::any_of(names.begin(), names.end(), [&](const Preset& preset) { return preset.name == family.name; });
  if (!named_like_family) {
    names.push_back({family.name, "", family.description});
  }
  return names;
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

[[noreturn]] void refuse_name(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string>> close;
  std::vector<std::string> family_names;
  const std::string_view compared = name.substr(0, 64);
  for (const Family& family : families()) {
    family_names.push_back(family.name);
    for (const Preset& preset : names_of(family)) {
      close.emplace_back(distance(compared, preset.name), preset.name);
    }
  }
  std::stable_sort(close.begin(), close.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  close.resize(std::min(close.size(), kCloseNames));
  std::vector<std::string> nearest;
  for (const auto& [edits, text] : close) {
    nearest.push_back(text);
  }
  throw ZooError(
      fmt::format("the zoo has no model '{}'; the closest names are {}; families are {}; example: "
                  "zoo:mobilenet_v2-1.0-224:dtype=int8",
                  name, fmt::join(nearest, ", "), fmt::join(family_names, ", ")));
}

}  // namespace

std::vector<ZooEntry> list() {
  std::vector<ZooEntry> entries;
  for (const Family& family : families()) {
    for (const Preset& preset : names_of(family)) {
      entries.push_back({preset.name, family.name, preset.description, options_of(family, preset).parameters()});
    }
  }
  return entries;
}

files::FileBytes build(std::string_view name) {
  if (name.substr(0, kPrefix.size()) == kPrefix) {
    name.remove_prefix(kPrefix.size());
  }
  const std::size_t colon = std::min(name.find(':'), name.size());
  const std::string_view base = name.substr(0, colon);
  const std::string_view settings = name.substr(std::min(colon + 1, name.size()));
  for (const Family& family : families()) {
    for (const Preset& preset : names_of(family)) {
      if (preset.name == base) {
        Options options = options_of(family, preset);
        options.set_all(settings);
        try {
          return family.build(options);
        } catch (const graph::GraphError& error) {
          throw ZooError(fmt::format("zoo model '{}' cannot be built with these parameters: {}", name, error.what()));
        }
      }
    }
  }
  refuse_name(base);
}

}  // namespace edgejoule::zoo
