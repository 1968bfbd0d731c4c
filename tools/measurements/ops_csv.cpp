#include <fmt/format.h>

#include <algorithm>

#include "graph/ops.h"
#include "measurements/csv.h"
#include "measurements/importers.h"
#include "measurements/names.h"
#include "measurements/whole_model.h"
#include "text/escape.h"

namespace edgejoule::measurements {
namespace {

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
    csv.refuse_unit(name);
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

MeasurementSet import_csv(std::string_view text, const std::string& file_name, const Statement& stated) {
  const Csv csv(text, file_name);
  const std::string file = text::printable(file_name);
  MeasurementSet set;
  set.source = file;
  describe(set, csv.preamble(), stated, file);
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
    if (columns.time && !row.cells[*columns.time].empty()) m.time_seconds = csv.amount(row, *columns.time);
    if (columns.repetitions && !row.cells[*columns.repetitions].empty()) {
      m.repetitions =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(csv.whole_number(row, *columns.repetitions), 0xFFFFFFFFU));
    }
    m.facts = facts_of(csv, row, columns, m.kind, m.data_type);
    m.group = columns.group ? row.cells[*columns.group] : "";
    // Without groups, repeats of one op stay together.
    if (m.group.empty()) m.group = fmt::format("{}/{}/{}", name_of(m.kind), name_of(m.data_type), facts_text(m.facts));
    take_if_above_zero(std::move(m), set);
  }
  return set;
}

std::string csv_form_help() {
  return std::string(R"(Ops as comma-separated text, one per row, a header row first:
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
with # is a remark.
)") + std::string(preamble_help());
}

}  // namespace edgejoule::measurements
