#include "data_view.h"

#include <fmt/format.h>

#include "explain.h"
#include "files/json.h"
#include "schemas/report_generated.h"
#include "text/escape.h"
#include "text/flag_text.h"
#include "text/quantity_text.h"

namespace edgejoule::predict {
namespace {

std::vector<std::unique_ptr<wire::TermReportT>> terms_report(const Prediction& prediction, std::uint32_t node) {
  std::vector<std::unique_ptr<wire::TermReportT>> out;
  for (const TermShare& share : terms_of(prediction, node)) {
    auto term = std::make_unique<wire::TermReportT>();
    term->feature = static_cast<wire::Feature>(share.term.feature);
    term->tile_m = share.term.tile.m;
    term->tile_n = share.term.tile.n;
    term->tile_k = share.term.tile.k;
    term->value = share.value;
    term->coefficient = share.term.coefficient;
    term->unit = static_cast<wire::Unit>(share.term.unit);
    term->contribution = share.contribution;
    term->outside_range = !share.inside;
    term->time_coefficient = share.term.time_coefficient;
    term->time_unit = static_cast<wire::Unit>(share.term.time_unit);
    term->seconds = share.seconds;
    out.push_back(std::move(term));
  }
  return out;
}

std::string time_columns(const NodeEstimate& node) {
  const std::optional<Pace> pace = pace_of(node);
  if (node.time.value() < 0) return ",,,,";
  return fmt::format("{},{},{},{},{}", text::exact(node.time.value()), text::exact(node.time_interval.lower.value()),
                     text::exact(node.time_interval.upper.value()),
                     pace ? text::exact(pace->average_power.value()) : std::string(),
                     pace ? text::exact(pace->energy_delay) : std::string());
}

bool static_known(const NodeEstimate& node) {
  return !node.flags.has(Flag::kStaticUnknown);
}

}  // namespace

std::string to_csv(const Prediction& prediction) {
  const GraphView& graph = prediction.graph();
  std::string out =
      "index,parent,depth,name,kind,type,data_type,macs,dynamic_j,own_j,static_j,lower_j,upper_j,share,by,flags,"
      "time_s,time_lower_s,time_upper_s,average_w,energy_delay_js\n";
  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    const NodeEstimate& node = prediction.node(i);
    const std::uint32_t parent = graph.parent(i);
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", i,
                       parent == kNoParent ? std::string() : fmt::format("{}", parent), graph.depth(i),
                       text::csv_name(graph.name(i)), name_of(graph.kind(i)), text::csv_name(graph.type_name(i)),
                       name_of(graph.data_type(i)), prediction.macs(i), text::exact(node.dynamic.value()),
                       text::exact(node.own.value()),
                       static_known(node) ? text::exact(node.static_part.value()) : std::string(),
                       text::exact(node.interval.lower.value()), text::exact(node.interval.upper.value()),
                       text::exact(static_cast<float>(prediction.share(i))), text::level_text(node.level),
                       text::flag_names(node.flags, " "), time_columns(node));
  }
  return out;
}

std::string to_json(const Prediction& prediction, bool terms) {
  const GraphView& graph = prediction.graph();
  const CoefficientTable& table = prediction.table();
  wire::ReportT report;
  report.format_version = 1;
  report.tool_version = EDGEJOULE_VERSION;
  report.prediction = std::make_unique<wire::PredictionReportT>();
  wire::PredictionReportT& out = *report.prediction;
  out.model = text::valid_utf8(graph.model_name());
  for (std::uint32_t i = 0; i < graph.note_count(); ++i) out.model_notes.push_back(text::valid_utf8(graph.note(i)));
  out.table_name = text::valid_utf8(table.name());
  out.board = text::valid_utf8(table.board());
  out.runtime = text::valid_utf8(table.runtime());
  if (const std::uint8_t point = prediction.plan().operating_point(); point != kAnyOperatingPoint) {
    out.operating_point = text::valid_utf8(table.operating_point_name(point));
  }
  out.boundary = std::make_unique<wire::BoundaryT>();
  out.boundary->kind = static_cast<wire::BoundaryKind>(table.boundary());
  out.boundary->description = text::valid_utf8(table.boundary_description());
  for (std::uint32_t i = 0; i < table.boundary_rail_count(); ++i) {
    out.boundary->rails.push_back(text::valid_utf8(table.boundary_rail(i)));
  }
  out.baseline = std::make_unique<wire::BaselineT>();
  out.baseline->kind = static_cast<wire::BaselineKind>(table.baseline());
  out.baseline->idle_state = text::valid_utf8(table.idle_state());
  out.confidence = text::fraction_of(prediction.request().confidence);
  out.batch_ratio = prediction.inputs().batch_ratio;

  for (std::uint32_t i = 0; i < prediction.size(); ++i) {
    const NodeEstimate& node = prediction.node(i);
    auto entry = std::make_unique<wire::NodeReportT>();
    entry->parent = graph.parent(i);
    entry->name = text::valid_utf8(graph.name(i));
    entry->kind = static_cast<wire::OpKind>(graph.kind(i));
    entry->type_name = text::valid_utf8(graph.type_name(i));
    entry->data_type = static_cast<wire::DataType>(graph.data_type(i));
    entry->macs = prediction.macs(i);
    entry->dynamic_joules = node.dynamic.value();
    entry->own_joules = node.own.value();
    if (static_known(node)) entry->static_joules = node.static_part.value();
    entry->lower_joules = node.interval.lower.value();
    entry->upper_joules = node.interval.upper.value();
    entry->share = static_cast<float>(prediction.share(i));
    if (node.level != Level::kNone) entry->level = static_cast<wire::Level>(node.level);
    for (const text::FlagText& row : text::flag_texts()) {
      if (node.flags.has(row.flag)) entry->flags.emplace_back(row.short_name);
    }
    if (node.time.value() >= 0) {
      entry->time_seconds = node.time.value();
      entry->lower_seconds = node.time_interval.lower.value();
      entry->upper_seconds = node.time_interval.upper.value();
    }
    if (const std::optional<Pace> pace = pace_of(node)) {
      entry->average_watts = pace->average_power.value();
      entry->energy_delay_joule_seconds = pace->energy_delay;
    }
    if (terms) entry->terms = terms_report(prediction, i);
    out.nodes.push_back(std::move(entry));
  }
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishReportBuffer(builder, wire::Report::Pack(builder, &report));
  const files::FileBytes bytes(builder.GetBufferPointer(), builder.GetSize());
  return files::to_json(bytes.span(), files::FileKind::kReport, "the report") + "\n";
}

}  // namespace edgejoule::predict
