#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "files/io.h"
#include "files/json.h"
#include "graph/ops.h"
#include "measurements/csv.h"
#include "measurements/importers.h"
#include "measurements/measurement_file.h"
#include "measurements/names.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

constexpr std::string_view kConv2dHeader = "data mean_power time forward_num";

template <class Enumeration>
Enumeration named(std::string_view value, std::string_view what, const std::string& place) {
  if (const auto found = find_named<Enumeration>(value)) return *found;
  throw MeasurementError(fmt::format("{}: there is no {} called '{}' (see edge-calibrate fit --help)", place, what,
                                     text::printable(value)));
}

// The lines above the header: what the joules mean and where they come from.
void read_preamble(const Csv& csv, const std::string& file, MeasurementSet& set) {
  const std::map<std::string, std::function<void(const std::string&)>> readers = {
      {"boundary", [&](auto& v) { set.boundary = named<BoundaryKind>(v, "boundary", file); }},
      {"boundary_description", [&](auto& v) { set.boundary_description = v; }},
      {"rail", [&](auto& v) { set.rails.push_back(v); }},
      {"baseline", [&](auto& v) { set.baseline = named<BaselineKind>(v, "baseline", file); }},
      {"idle_state", [&](auto& v) { set.idle_state = v; }},
      {"idle_w",
       [&](auto& v) {
         const auto watts = finite_number(v);
         if (!watts || *watts < 0) throw MeasurementError(fmt::format("{}: idle_w must be watts", file));
         set.idle_watts = *watts;
       }},
      {"board", [&](auto& v) { set.board = v; }},
      {"compatible", [&](auto& v) { set.board_compatible = v; }},
      {"os_release", [&](auto& v) { set.os_release = v; }},
      {"runtime", [&](auto& v) { set.runtime = v; }},
      {"backend", [&](auto& v) { set.backend = v; }},
      {"engine", [&](auto& v) { set.engine = v; }},
      {"engine_kind", [&](auto& v) { set.engine_kind = named<EngineKind>(v, "engine kind", file); }},
      {"last_level_bytes",
       [&](auto& v) {
         const auto bytes = finite_number(v);
         if (!bytes || *bytes < 0) throw MeasurementError(fmt::format("{}: last_level_bytes must be bytes", file));
         set.last_level_bytes = static_cast<std::uint64_t>(*bytes);
       }},
      {"source", [&](auto& v) { set.source = v; }},
      {"licence", [&](auto& v) { set.licence = v; }},
      {"protocol", [&](auto& v) { set.protocol = v; }},
  };
  for (const auto& [key, value] : csv.preamble()) {
    const auto reader = readers.find(key);
    if (reader == readers.end()) {
      throw MeasurementError(fmt::format("{}: '# {}:' is not known above a header (see edge-calibrate fit --help)",
                                         file, text::printable(key)));
    }
    reader->second(value);
  }
  if (set.boundary == BoundaryKind::kUnknown || set.baseline == BaselineKind::kUnknown) {
    throw MeasurementError(
        fmt::format("{} does not say what its joules are of: put '# boundary: rails' (or "
                    "module_input, wall, chip_supply, whole_machine) and '# baseline: total' (or "
                    "above_idle) above the header",
                    file));
  }
  if (set.boundary == BoundaryKind::kRails && set.rails.empty()) {
    throw MeasurementError(fmt::format("{}: '# boundary: rails' needs '# rail: NAME'", file));
  }
}

struct FactColumn {
  std::size_t column;
  Fact fact;
};

struct Columns {
  std::size_t kind, energy;
  std::optional<std::size_t> op_class, data_type, time, repetitions, group;
  std::vector<FactColumn> facts;
};

Columns find_columns(const Csv& csv, const std::string& file) {
  Columns columns{.kind = csv.required_column("kind"),
                  .energy = csv.required_column("energy_j"),
                  .op_class = csv.column("class"),
                  .data_type = csv.column("data_type"),
                  .time = csv.column("time_s"),
                  .repetitions = csv.column("repetitions"),
                  .group = csv.column("group"),
                  .facts = {}};
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    const std::string& name = csv.header()[i];
    if (i == columns.kind || i == columns.energy || i == columns.op_class || i == columns.data_type ||
        i == columns.time || i == columns.repetitions || i == columns.group || name.starts_with('#')) {
      continue;
    }
    columns.facts.push_back({i, named<Fact>(name, "column or fact", file)});
  }
  return columns;
}

// Where only dimensions are stated, elements, bytes and element work follow from them.
graph::OpNode completed(OpKind kind, DataType type, const Facts& f) {
  graph::OpContext context;
  context.batch = f[Fact::kBatch];
  const graph::OpTypes types{.input = type, .output = type, .weight = type};
  const OpClass op_class = class_of(kind);
  if (op_class == OpClass::kConvolution || op_class == OpClass::kTransposedConvolution) {
    graph::ConvolutionParams p;
    p.kind = kind;
    p.in_d = f[Fact::kInD], p.in_h = f[Fact::kInH], p.in_w = f[Fact::kInW], p.in_c = f[Fact::kInC];
    p.out_d = f[Fact::kOutD], p.out_h = f[Fact::kOutH], p.out_w = f[Fact::kOutW], p.out_c = f[Fact::kOutC];
    p.kernel_d = f[Fact::kKernelD], p.kernel_h = f[Fact::kKernelH], p.kernel_w = f[Fact::kKernelW];
    p.stride_d = f[Fact::kStrideD], p.stride_h = f[Fact::kStrideH], p.stride_w = f[Fact::kStrideW];
    p.dilation_h = f[Fact::kDilationH], p.dilation_w = f[Fact::kDilationW];
    p.groups = f[Fact::kGroups];
    p.types = types;
    return op_class == OpClass::kConvolution ? graph::convolution(context, p)
                                             : graph::transposed_convolution(context, p);
  }
  if (kind == OpKind::kDense) {
    graph::DenseParams p;
    p.m = f[Fact::kRowsM], p.k = f[Fact::kDepthK], p.n = f[Fact::kColsN];
    p.types = types;
    return graph::dense(context, p);
  }
  graph::OpNode node;
  node.kind = kind;
  node.op_class = op_class;
  node.facts = f;
  return node;
}

Facts facts_of(const Csv& csv, const Csv::Row& row, const Columns& columns, OpKind kind, DataType type) {
  Facts stated;
  bool has_bytes = false;
  for (const FactColumn& fact : columns.facts) {
    if (row.cells[fact.column].empty()) continue;
    stated.set(fact.fact, csv.whole_number(row, fact.column));
    has_bytes = has_bytes || fact.fact == Fact::kInputBytes || fact.fact == Fact::kOutputBytes;
  }
  if (has_bytes) return stated;
  try {
    Facts facts = completed(kind, type, stated).facts;
    for (const FactColumn& fact : columns.facts) {
      if (!row.cells[fact.column].empty()) facts.set(fact.fact, stated[fact.fact]);
    }
    return facts;
  } catch (const graph::GraphError& error) {
    throw MeasurementError(fmt::format("{}: {}", csv.place(row), error.what()));
  }
}

std::string facts_text(const Facts& facts) {
  std::string text;
  for (std::size_t i = 0; i < kFactCount; ++i) text += fmt::format("{},", facts[static_cast<Fact>(i)]);
  return text;
}

}  // namespace

MeasurementSet import_csv(std::string_view text, const std::string& file_name) {
  const Csv csv(text, file_name);
  const std::string file = text::printable(file_name);
  MeasurementSet set;
  set.source = file;
  read_preamble(csv, file, set);
  const Columns columns = find_columns(csv, file);
  for (const Csv::Row& row : csv.rows()) {
    const std::string place = csv.place(row);
    Measurement m;
    m.origin = place;
    m.kind = named<OpKind>(row.cells[columns.kind], "op kind", place);
    m.op_class = columns.op_class && !row.cells[*columns.op_class].empty()
                     ? named<OpClass>(row.cells[*columns.op_class], "op class", place)
                     : class_of(m.kind);
    if (columns.data_type && !row.cells[*columns.data_type].empty()) {
      m.data_type = named<DataType>(row.cells[*columns.data_type], "data type", place);
    }
    m.energy_joules = csv.number(row, columns.energy);
    if (columns.time && !row.cells[*columns.time].empty()) m.time_seconds = csv.number(row, *columns.time);
    if (columns.repetitions && !row.cells[*columns.repetitions].empty()) {
      m.repetitions =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(csv.whole_number(row, *columns.repetitions), 0xFFFFFFFFU));
    }
    m.facts = facts_of(csv, row, columns, m.kind, m.data_type);
    m.group = columns.group ? row.cells[*columns.group] : "";
    // Without groups, repeats of one op stay together.
    if (m.group.empty()) m.group = fmt::format("{}/{}/{}", name_of(m.kind), name_of(m.data_type), facts_text(m.facts));
    if (m.energy_joules <= 0) {
      set.excluded.push_back({place, fmt::format("energy {} J is not above zero", m.energy_joules)});
      continue;
    }
    set.measurements.push_back(std::move(m));
  }
  return set;
}

std::string_view csv_form_help() {
  return R"(Measurements as comma-separated text, one op per row, a header row first:
  kind       name of the op: conv_2d, depthwise_conv_2d, dense, softmax, add, ...
  energy_j   joules of one execution
  data_type  float32, float16, int8, ...           (may be absent or empty)
  time_s     seconds of one execution              (may be absent or empty)
  repetitions  executions behind energy_j          (may be absent or empty)
  group      what must not be split between fitting and testing: the model, the
             family, the board; repeats of one op are one group where it is absent
  class      of a kind this version does not know: convolution, matrix, elementwise, ...
and any fact by its name: batch in_h in_w in_c out_h out_w out_c kernel_h kernel_w
  stride_h stride_w dilation_h dilation_w groups rows_m cols_n depth_k heads context
  input_elements output_elements input_bytes output_bytes weight_bytes ...
Of convolutions and dense ops the dimensions are enough. A column whose name starts
with # is a remark. Lines above the header say what the joules are:
  # boundary: rails | module_input | wall | chip_supply | whole_machine   (required)
  # rail: NAME                                                            (of rails)
  # baseline: total | above_idle                                         (required)
and may say: boundary_description, idle_state, idle_w, board, compatible, os_release,
  runtime, backend, engine, engine_kind, last_level_bytes, source, licence, protocol.
)";
}

MeasurementSet import_measurements(const std::string& path) {
  const files::FileBytes bytes = files::read_file(path);
  const bool is_file = files::kind_of(bytes.span()) || bytes.text().starts_with('{');
  if (is_file) return read_measurements(files::load(path, files::FileKind::kMeasurements), path);
  MeasurementSet set =
      bytes.text().starts_with(kConv2dHeader) ? import_conv2d_txt(bytes.text(), path) : import_csv(bytes.text(), path);
  set.sha256 = files::sha256(bytes.text());
  return set;
}

}  // namespace edgejoule::measurements
