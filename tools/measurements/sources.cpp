#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "files/io.h"
#include "files/json.h"
#include "measurements/csv.h"
#include "measurements/importers.h"
#include "measurements/irene_csv.h"
#include "measurements/measurement_file.h"
#include "measurements/mlperf_tiny_csv.h"
#include "measurements/models_csv.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

constexpr std::string_view kConv2dHeader = "data mean_power time forward_num";

// Of the files a folder's importer reads, in the order of their names.
std::string digest_of_folder(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::string digests;
  for (const std::string& file : files) digests += files::sha256(files::read_file(file).text());
  return files::sha256(digests);
}

const PartsOfModel& known(const PartsOfModel& parts_of, const std::string& path) {
  if (parts_of) return parts_of;
  throw MeasurementError(
      fmt::format("{} names models, not ops: make a set of it first with edge-calibrate import {} -o set.ejm",
                  text::printable(path), text::printable(path)));
}

MeasurementSet import_text(std::string_view text, const std::string& path, const SourceOptions& options) {
  if (text.starts_with(kConv2dHeader)) return import_conv2d_txt(text, path);
  const Csv csv(text, path);
  if (csv.column("J_per_sample")) return import_mlperf_edge(text, path, known(options.parts_of_mlperf_edge, path));
  if (csv.column("uJ_per_inference")) return import_mlperf_tiny(text, path, known(options.parts_of_mlperf_tiny, path));
  if (csv.column("model") && !csv.column("kind")) {
    return import_models_csv(text, path, options.stated, known(options.parts_of_model, path));
  }
  return import_csv(text, path, options.stated);
}

// A few names of many.
std::string listed(const std::set<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown == kMost) return text + fmt::format(", ... ({} in all)", names.size());
    text += (shown++ == 0 ? "" : ", ") + text::printable(name);
  }
  return text;
}

// What must be equal for joules to stand in one set, and how a person calls it.
struct Meaning {
  std::string_view what;
  std::string value;
};
std::vector<Meaning> meaning_of(const MeasurementSet& set) {
  return {{"boundary", boundary_text(set)}, {"baseline", baseline_text(set)}, {"board", set.board},
          {"runtime", set.runtime},         {"backend", set.backend},         {"engine", set.engine}};
}

}  // namespace

MeasurementSet import_measurements(const std::string& path, const SourceOptions& options) {
  MeasurementSet set;
  if (std::filesystem::is_directory(path)) {
    set = import_irene(path);
    set.sha256 = digest_of_folder(path);
  } else {
    const files::FileBytes bytes = files::read_file(path);
    if (files::kind_of(bytes.span()) || bytes.text().starts_with('{')) {
      set = read_measurements(files::load(path, files::FileKind::kMeasurements), path);
    } else {
      set = import_text(bytes.text(), path, options);
      set.sha256 = files::sha256(bytes.text());
    }
  }
  apply(options.stated, set, text::printable(path));
  return set;
}

MeasurementSet merged(std::vector<MeasurementSet> sets, const std::vector<std::string>& names) {
  MeasurementSet all = std::move(sets.front());
  const std::vector<Meaning> first = meaning_of(all);
  for (std::size_t s = 1; s < sets.size(); ++s) {
    MeasurementSet& set = sets[s];
    const std::vector<Meaning> other = meaning_of(set);
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i].value == other[i].value) continue;
      throw MeasurementError(
          fmt::format("{} and {} do not go into one set: the {} of one is '{}', of the other '{}'. Import them apart",
                      text::printable(names[0]), text::printable(names[s]), first[i].what,
                      text::printable(first[i].value), text::printable(other[i].value)));
    }
    const std::size_t before = all.measurements.size();
    for (Measurement& m : set.measurements) {
      for (Child& child : m.children) child.index += before;
      all.measurements.push_back(std::move(m));
    }
    all.excluded.insert(all.excluded.end(), set.excluded.begin(), set.excluded.end());
    if (set.idle_watts != all.idle_watts) all.idle_watts = -1;  // not one figure any more
    if (set.source != all.source) all.source += "; " + set.source;
    all.sha256 = files::sha256(all.sha256 + set.sha256);
  }
  return all;
}

MeasurementSet filtered(const MeasurementSet& set, const Filter& filter) {
  constexpr auto kNowhere = static_cast<std::size_t>(-1);
  std::set<std::string> devices, groups, kept;
  for (const Measurement& m : set.measurements) devices.insert(m.device), groups.insert(m.group);
  for (const auto* named : {&filter.groups, &filter.without_groups}) {
    for (const std::string& group : *named) {
      if (groups.contains(group)) continue;
      throw MeasurementError(
          fmt::format("there is no group '{}'; there are: {}", text::printable(group), listed(groups)));
    }
  }
  const auto contains = [](const std::vector<std::string>& list, const std::string& group) {
    return std::find(list.begin(), list.end(), group) != list.end();
  };
  MeasurementSet part = set;
  part.measurements.clear();
  std::vector<std::size_t> place(set.measurements.size(), kNowhere);
  for (std::size_t i = 0; i < set.measurements.size(); ++i) {
    Measurement m = set.measurements[i];
    if (m.device.find(filter.device) == std::string::npos || contains(filter.without_groups, m.group) ||
        !(filter.groups.empty() || contains(filter.groups, m.group))) {
      continue;
    }
    kept.insert(m.device);
    for (Child& child : m.children) {
      child.index = place[child.index];
      if (child.index != kNowhere) continue;
      throw MeasurementError(
          fmt::format("{}: what it is made of is left away by the filter", text::printable(m.origin)));
    }
    place[i] = part.measurements.size();
    part.measurements.push_back(std::move(m));
  }
  if (part.measurements.empty()) {
    throw MeasurementError(fmt::format("no measurement is left of devices with '{}' in their name; there are: {}",
                                       text::printable(filter.device), listed(devices)));
  }
  if (kept.size() == 1 && !kept.begin()->empty()) part.board = *kept.begin();
  part.sha256 = files::sha256(fmt::format("{}\n{}\n{}\n{}", set.sha256, filter.device, fmt::join(filter.groups, "\n"),
                                          fmt::join(filter.without_groups, "\n-")));
  return part;
}

}  // namespace edgejoule::measurements
