#include "model_sources.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "import/import.h"
#include "measurements/whole_model.h"
#include "text/escape.h"
#include "zoo/mlperf_names.h"
#include "zoo/zoo.h"

namespace edgejoule::calibrate {
namespace {

using measurements::ModelParts;

ModelParts parts_of_zoo(const std::optional<zoo::MlperfModel>& model) {
  if (!model) return {};
  ModelParts parts = measurements::parts_of_graph(zoo::build(model->zoo), model->zoo);
  parts.family = model->family;
  parts.data_type = model->data_type;
  return parts;
}

ModelParts parts_of_file(std::string_view name, const std::filesystem::path& folder) {
  constexpr std::string_view kZoo = "zoo:";
  if (name.starts_with(kZoo)) {
    return measurements::parts_of_graph(zoo::build(name.substr(kZoo.size())), std::string(name));
  }
  const std::string path = (folder / name).string();
  return measurements::parts_of_graph(import::import_model(path, {}), path);
}

}  // namespace

measurements::SourceOptions source_options(const measurements::Statement& stated, const std::string& source) {
  const std::filesystem::path folder = std::filesystem::path(source).parent_path();
  return {.stated = stated,
          .parts_of_model = [folder](std::string_view name) { return parts_of_file(name, folder); },
          .parts_of_mlperf_edge = [](std::string_view name) { return parts_of_zoo(zoo::find_mlperf_edge(name)); },
          .parts_of_mlperf_tiny = [](std::string_view name) { return parts_of_zoo(zoo::find_mlperf_tiny(name)); }};
}

void require_measurements(const measurements::MeasurementSet& set, const std::string& source) {
  if (!set.measurements.empty()) return;
  const std::string why =
      set.excluded.empty()
          ? "it has no rows"
          : fmt::format("all {} rows were left out, the first, {}, because: {}", set.excluded.size(),
                        text::printable(set.excluded.front().origin), text::printable(set.excluded.front().reason));
  throw measurements::MeasurementError(
      fmt::format("{} holds no measurement that can be used: {}", text::printable(source), why));
}

measurements::MeasurementSet read_set(const std::string& source, const measurements::Filter& filter) {
  measurements::MeasurementSet set = measurements::import_measurements(source, source_options({}, source));
  require_measurements(set, source);
  return filter.is_empty() ? set : measurements::filtered(set, filter);
}

}  // namespace edgejoule::calibrate
