#include <fmt/format.h>

#include <array>
#include <sstream>
#include <vector>

#include "graph/ops.h"
#include "measurements/csv.h"
#include "measurements/importers.h"
#include "measurements/median.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

constexpr std::size_t kDimensions = 19;
constexpr std::size_t kColumns = 7;

enum Column : std::size_t { kData, kMeanPower, kTime, kForwards, kEnergy, kIdleEnergy, kAllEnergy };

std::array<std::uint64_t, kDimensions> dimensions(std::string_view cell, const std::string& place) {
  std::array<std::uint64_t, kDimensions> values{};
  for (std::size_t i = 0; i < kDimensions; ++i) {
    const std::size_t comma = cell.find(',');
    const auto value = finite_number(cell.substr(0, comma));
    const bool last = i + 1 == kDimensions;
    if (!value || *value < 0 || *value > 1e9 || *value != static_cast<double>(static_cast<std::uint64_t>(*value)) ||
        (comma == std::string_view::npos) != last) {
      throw MeasurementError(
          fmt::format("{}: the first column must hold {} whole numbers with commas between them", place, kDimensions));
    }
    values[i] = static_cast<std::uint64_t>(*value);
    cell.remove_prefix(last ? cell.size() : comma + 1);
  }
  return values;
}

graph::OpNode convolution_of(const std::array<std::uint64_t, kDimensions>& d, const std::string& name) {
  graph::OpContext context;
  context.name = name;
  context.batch = d[0];
  graph::ConvolutionParams params;
  params.in_c = d[1], params.in_h = d[2], params.in_w = d[3];
  params.out_c = d[5], params.out_h = d[6], params.out_w = d[7];
  params.kernel_h = d[10], params.kernel_w = d[11];
  params.stride_h = d[12], params.stride_w = d[13];
  params.dilation_h = d[16], params.dilation_w = d[17];
  params.groups = d[18];
  return graph::convolution(context, params);
}

}  // namespace

MeasurementSet import_conv2d_txt(std::string_view text, const std::string& file_name) {
  const std::string name = text::printable(file_name);
  MeasurementSet set;
  set.boundary = BoundaryKind::kModuleInput;
  set.boundary_description = "external meter on the board's supply";
  set.baseline = BaselineKind::kAboveIdle;
  set.idle_state = "board on, nothing running";
  set.board = "Jetson Nano class board";
  set.runtime = "PyTorch";
  set.backend = "cuda";
  set.engine = "gpu";
  set.engine_kind = EngineKind::kGpu;
  set.source = "NEUSoftGreenAI/NeurstrucEnergy, commit 94c5c2f, data/dataset/conv2d.txt";
  set.licence = "MIT";
  set.protocol = "each convolution run back to back for about four seconds; energy above idle per forward";

  std::vector<double> idle_watts;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const std::string place = fmt::format("{}:{}", name, number);
    std::istringstream words(line);
    std::vector<std::string> cells;
    for (std::string word; words >> word;) cells.push_back(word);
    if (cells.empty() || number == 1) continue;
    if (cells.size() != kColumns) {
      throw MeasurementError(fmt::format("{}: {} columns, {} are expected", place, cells.size(), kColumns));
    }
    std::array<double, kColumns> values{};
    for (std::size_t c = kMeanPower; c < kColumns; ++c) {
      const auto value = finite_number(cells[c]);
      if (!value) {
        throw MeasurementError(
            fmt::format("{}: column {} is '{}', a finite number is expected", place, c + 1, text::printable(cells[c])));
      }
      values[c] = *value;
    }
    if (values[kForwards] <= 0 || values[kEnergy] <= 0) {
      set.excluded.push_back({place, "no forwards or no energy above idle"});
      continue;
    }
    const auto d = dimensions(cells[kData], place);
    Measurement measurement;
    try {
      const graph::OpNode op = convolution_of(d, place);
      measurement.kind = op.kind;
      measurement.op_class = op.op_class;
      measurement.facts = op.facts;
    } catch (const graph::GraphError& error) {
      throw MeasurementError(fmt::format("{}: {}", place, error.what()));
    }
    measurement.data_type = DataType::kFloat32;
    measurement.energy_joules = values[kEnergy];
    measurement.time_seconds = values[kTime] / values[kForwards];
    measurement.group = cells[kData];  // repeats of one convolution stay together
    measurement.origin = place;
    measurement.repetitions = static_cast<std::uint32_t>(std::min(values[kForwards], 4e9));
    idle_watts.push_back(values[kIdleEnergy] / measurement.time_seconds);
    set.measurements.push_back(std::move(measurement));
  }
  if (!idle_watts.empty()) set.idle_watts = median(idle_watts);
  return set;
}

}  // namespace edgejoule::measurements
