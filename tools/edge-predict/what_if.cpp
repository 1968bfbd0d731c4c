#include "what_if.h"

#include <fmt/format.h>

#include <charconv>

#include "edgejoule/core/graph.h"
#include "graph_change.h"
#include "text/escape.h"
#include "zoo/zoo.h"

namespace edgejoule::predict {
namespace {

constexpr std::string_view kZooPrefix = "zoo:";
constexpr std::uint64_t kMaxBatch = 65536;  // as the zoo's

std::uint64_t batch_of(const std::string& value) {
  std::uint64_t batch = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, batch);
  if (error != std::errc() || stop != end || batch == 0 || batch > kMaxBatch) {
    throw SettingError(fmt::format("batch={} is not a whole number from 1 to {}", text::printable(value), kMaxBatch));
  }
  return batch;
}

DataType data_type_of(const std::string& value) {
  if (value == "fp32") return DataType::kFloat32;
  if (value == "fp16") return DataType::kFloat16;
  if (value == "bf16") return DataType::kBfloat16;
  if (value == "int8") return DataType::kInt8;
  if (value == "uint8") return DataType::kUint8;
  throw SettingError(fmt::format("dtype={} is not one of fp32, fp16, bf16, int8, uint8", text::printable(value)));
}

// A graph written from the zoo can be built anew, larger or smaller, under its name.
std::string zoo_origin(const files::FileBytes& graph) {
  const Result<GraphView> view = GraphView::open(graph.span());
  return view.ok() && view->source_format() == "zoo" ? std::string(view->source_file()) : std::string();
}

GraphChange change_of(const std::string& model, const files::FileBytes& graph, const std::vector<Setting>& settings) {
  GraphChange change;
  for (const Setting& setting : settings) {
    if (setting.key == "batch") {
      change.batch = batch_of(setting.value);
    } else if (setting.key == "dtype") {
      change.data_type = data_type_of(setting.value);
    } else {
      const std::string origin = zoo_origin(graph);
      throw ChangeError(fmt::format(
          "model {}: {} cannot be changed in a file, where its sizes are fixed; batch and dtype can. {}",
          text::printable(model), text::printable(setting.key),
          origin.empty()
              ? "Export the model at that size, --bind the dimension where an .onnx leaves it open, or take one of the "
                "zoo (--list-zoo)."
              : fmt::format("It was written from {}: give that name instead.", text::printable(origin))));
    }
  }
  return change;
}

}  // namespace

std::vector<Setting> parse_settings(std::string_view text) {
  std::vector<Setting> settings;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == pair.size()) {
      throw SettingError(
          fmt::format("'{}' is not KEY=VALUE; write for example seq=128,dtype=int8", text::printable(pair)));
    }
    settings.push_back({std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))});
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return settings;
}

std::string settings_text(const std::vector<Setting>& settings) {
  std::string out;
  for (const Setting& setting : settings) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", setting.key, setting.value);
  }
  return text::printable(out);
}

files::FileBytes load_model(const std::string& model, const import::Bindings& bindings,
                            const std::vector<Setting>& settings) {
  if (model.starts_with(kZooPrefix)) {
    if (!bindings.empty()) throw SettingError("a model of the zoo has no open dimensions: leave out --bind");
    std::string name = model.substr(kZooPrefix.size());
    bool has_settings = name.find(':') != std::string::npos;
    for (const Setting& setting : settings) {
      name += fmt::format("{}{}={}", has_settings ? ',' : ':', setting.key, setting.value);
      has_settings = true;
    }
    return zoo::build(name);
  }
  import::ImportOptions options;
  options.bindings = bindings;
  files::FileBytes graph = import::import_model(model, options);
  if (settings.empty()) return graph;
  return change_graph(graph, change_of(model, graph, settings), model);
}

}  // namespace edgejoule::predict
