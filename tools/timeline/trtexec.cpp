#include "timeline/trtexec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "timeline/foreign_json.h"

namespace edgejoule::timeline {
namespace {

constexpr double kSecondsPerMs = 1e-3;

std::string next_of(std::string_view option) {
  return fmt::format("let trtexec write it again with {}, and let it end by itself", option);
}

std::string at(std::size_t i) {
  return fmt::format("[{}]", i);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Parts of `text` at `separator` outside brackets of any kind.
std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' || text[i] == '[' || text[i] == '{' ? 1 : 0;
    depth -= text[i] == ')' || text[i] == ']' || text[i] == '}' ? 1 : 0;
    if (depth == 0 && text.substr(i).starts_with(separator)) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + separator.size();
      i = begin - 1;
    }
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

void add_names(std::string_view text, std::vector<std::string>& out) {
  constexpr std::string_view kPointwise = "PWN(";
  for (const std::string_view part : split(text, " + ")) {
    if (part.starts_with(kPointwise) && part.ends_with(')')) {
      const std::string_view inside = part.substr(kPointwise.size(), part.size() - kPointwise.size() - 1);
      for (const std::string_view name : split(inside, ",")) add_names(name, out);
    } else if (!part.empty()) {
      out.emplace_back(part);
    }
  }
}

// "[ONNX Layer: a]", with control characters between several.
std::vector<std::string> names_of_metadata(std::string_view metadata) {
  constexpr std::string_view kMark = "[ONNX Layer: ";
  std::vector<std::string> names;
  for (std::size_t begin = metadata.find(kMark); begin != std::string_view::npos;
       begin = metadata.find(kMark, begin + 1)) {
    // Names may hold brackets of their own: up to the one before the next entry.
    const std::size_t next = metadata.find(kMark, begin + 1);
    const std::size_t end = metadata.rfind(']', next == std::string_view::npos ? next : next - 1);
    const std::size_t from = begin + kMark.size();
    if (end == std::string_view::npos || end < from) break;
    names.emplace_back(metadata.substr(from, end - from));
  }
  return names;
}

}  // namespace

std::vector<InferenceTime> read_times(std::string_view json, const std::string& file_name) {
  const ForeignJson file(json, file_name, next_of("--exportTimes"));
  if (!file.root().IsVector() || file.root().IsMap()) file.damaged("", "it is no array of inferences");
  const flexbuffers::Vector entries = file.root().AsVector();
  if (entries.size() == 0) file.damaged("", "no inference is in it");
  std::vector<InferenceTime> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].IsMap()) file.damaged(at(i), "it is no object");
    const flexbuffers::Map entry = entries[i].AsMap();
    InferenceTime time;
    time.compute_begin = file.number(entry, "startComputeMs", at(i)) * kSecondsPerMs;
    time.compute_end = file.number(entry, "endComputeMs", at(i)) * kSecondsPerMs;
    time.latency = file.number(entry, "latencyMs", at(i)) * kSecondsPerMs;
    if (time.compute_end < time.compute_begin) file.damaged(at(i), "it ends before it begins");
    if (!out.empty() && time.compute_begin < out.back().compute_begin) {
      file.damaged(at(i), "it begins before the one above it");
    }
    out.push_back(time);
  }
  return out;
}

LayerProfile read_profile(std::string_view json, const std::string& file_name) {
  const ForeignJson file(json, file_name, next_of("--exportProfile --separateProfileRun"));
  if (!file.root().IsVector() || file.root().IsMap()) file.damaged("", "it is no array of layers");
  const flexbuffers::Vector entries = file.root().AsVector();
  LayerProfile out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].IsMap()) file.damaged(at(i), "it is no object");
    const flexbuffers::Map entry = entries[i].AsMap();
    if (i == 0) {
      const double count = file.number(entry, "count", at(i));
      if (count < 1 || count != std::floor(count)) file.damaged(at(i), "'count' is no number of inferences");
      out.inferences = static_cast<std::uint64_t>(count);
      continue;
    }
    out.layers.push_back({file.text(entry, "name", at(i)), file.number(entry, "timeMs", at(i)) * kSecondsPerMs});
  }
  if (out.layers.empty()) file.damaged("", "no layer is in it");
  return out;
}

std::vector<EngineLayer> read_layers(std::string_view json, const std::string& file_name) {
  const ForeignJson file(json, file_name, next_of("--exportLayerInfo --profilingVerbosity=detailed"));
  if (!file.root().IsMap() || !file.root().AsMap()["Layers"].IsVector()) {
    file.damaged("", "it has no array 'Layers'");
  }
  const flexbuffers::Vector entries = file.root().AsMap()["Layers"].AsVector();
  if (entries.size() == 0) file.damaged("Layers", "no layer is in it");
  std::vector<EngineLayer> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string place = "Layers" + at(i);
    if (entries[i].IsString()) {
      out.push_back(layer_of_name(entries[i].AsString().str()));
      continue;
    }
    if (!entries[i].IsMap()) file.damaged(place, "it is neither a name nor an object");
    const flexbuffers::Map entry = entries[i].AsMap();
    EngineLayer layer = layer_of_name(file.text(entry, "Name", place));
    if (entry["LayerType"].IsString()) layer.type = entry["LayerType"].AsString().str();
    if (entry["Metadata"].IsString() && !layer.is_reformat) {
      std::vector<std::string> nodes = names_of_metadata(entry["Metadata"].AsString().str());
      if (!nodes.empty()) {
        layer.nodes = std::move(nodes);
        layer.is_range = false;
      }
    }
    out.push_back(std::move(layer));
  }
  return out;
}

EngineLayer layer_of_name(const std::string& name) {
  constexpr std::string_view kForeign = "{ForeignNode[";
  constexpr std::string_view kForeignEnd = "]}";
  constexpr std::string_view kDots = "...";
  EngineLayer out{.name = name};
  const std::string_view text = trimmed(out.name);
  if (text.starts_with("Reformatting CopyNode")) {
    out.is_reformat = true;
  } else if (text.starts_with(kForeign) && text.ends_with(kForeignEnd)) {
    const std::string_view range = text.substr(kForeign.size(), text.size() - kForeign.size() - kForeignEnd.size());
    const std::size_t dots = range.find(kDots);
    out.is_subgraph = true;
    out.is_range = dots != std::string_view::npos;
    out.nodes.emplace_back(range.substr(0, dots));
    if (out.is_range) out.nodes.emplace_back(range.substr(dots + kDots.size()));
  } else {
    add_names(text, out.nodes);
  }
  return out;
}

LayerNodes assign_nodes(std::span<const EngineLayer> layers, std::span<const std::string> nodes) {
  LayerNodes out;
  std::vector<bool> taken(nodes.size(), false);
  const auto place_of = [&nodes](const std::string& name) {
    return static_cast<std::size_t>(std::find(nodes.begin(), nodes.end(), name) - nodes.begin());
  };
  for (const EngineLayer& layer : layers) {
    std::vector<std::size_t> members;
    std::vector<std::size_t> named;
    for (const std::string& name : layer.nodes) {
      const std::size_t place = place_of(name);
      if (place == nodes.size()) {
        out.unknown.push_back(name);
      } else {
        named.push_back(place);
      }
    }
    if (layer.is_range && named.size() == 2) {
      const auto [first, last] = std::minmax(named[0], named[1]);
      for (std::size_t i = first; i <= last; ++i) members.push_back(i);
    } else {
      members = named;
    }
    std::erase_if(members, [&taken](std::size_t i) { return taken[i]; });
    for (const std::size_t i : members) taken[i] = true;
    out.of_layer.push_back(std::move(members));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!taken[i]) out.nowhere.push_back(i);
  }
  return out;
}

}  // namespace edgejoule::timeline
