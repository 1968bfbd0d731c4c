#include "accounted_run.h"

#include <fmt/format.h>

#include <cstdio>

#include "capture/trace_reader.h"
#include "command.h"
#include "comparable.h"
#include "edgejoule/core/table.h"
#include "files/json.h"
#include "import/import.h"
#include "text/escape.h"
#include "timeline/timeline_file.h"
#include "zoo/zoo.h"

namespace edgejoule::calibrate {

using text::printable;

AccountedRun::AccountedRun(const RunFiles& files) : files_(files) {
  const capture::Trace trace = reading([&] { return capture::read_trace(files.trace); });
  const wire::TimelineT timeline = reading(
      [&] { return timeline::open_timeline(files::load(files.timeline, files::FileKind::kTimeline), files.timeline); });
  if (trace.damaged_bytes > 0 || trace.missing_frames > 0) {
    fmt::print(stderr, "{}: {} bytes are damaged and {} frames missing; what was in them belongs to nothing\n",
               printable(files.trace), trace.damaged_bytes, trace.missing_frames);
  }
  if (!files.model.empty()) load_model();
  if (!files.table.empty()) load_table();
  account::AccountOptions options;
  options.rails = files.rails;
  options.offset_ns = files.offset_ns;
  if (model_ && !model_->expected.empty()) {
    options.expected_joules = [&](const std::vector<account::RunOp>& ops) {
      const account::ModelMatch match = account::match_ops(model_->graph, ops);
      std::vector<double> joules;
      for (const auto& nodes : match.nodes) {
        double sum = nodes.empty() ? -1 : 0;
        for (const std::uint32_t node : nodes) sum += model_->expected[node].joules;
        joules.push_back(sum);
      }
      return joules;
    };
  }
  account_ = account::account(trace.recordings, timeline, options);
  if (!files.table.empty()) require_table_of_these_rails();
  for (const std::string& note : account_.notes) {
    fmt::print(stderr, "{}: note: {}\n", printable(files.timeline), note);
  }
  if (!model_) return;
  model_->match = account::match_ops(model_->graph, account_.run.ops);
  say_unmatched();
}

void AccountedRun::load_model() {
  graph_bytes_ = reading([&] {
    return files_.model.starts_with("zoo:") ? zoo::build(files_.model) : import::import_model(files_.model, {});
  });
  const Result<GraphView> graph = GraphView::open(graph_bytes_.span());
  if (!graph.ok()) throw BadFile(fmt::format("{}: {}", printable(files_.model), error_text(graph.error())));
  model_.emplace(account::Model{*graph, {}, {}});
}

void AccountedRun::load_table() {
  table_bytes_ = reading([&] { return files::load(files_.table, files::FileKind::kTable); });
  model_->expected = account::price(model_->graph, table_bytes_, files_.operating_point);
}

void AccountedRun::require_table_of_these_rails() const {
  measurements::MeasurementSet measured;
  measured.boundary = BoundaryKind::kRails;
  measured.rails = account_.rails;
  measured.baseline = BaselineKind::kAboveIdle;
  measured.board = account_.board;
  const Comparison comparison = compare_meaning(*CoefficientTable::open(table_bytes_.span()), measured);
  if (!comparison.contradictions.empty()) {
    throw account::AccountError(fmt::format(
        "{} cannot stand beside this run, nor share its energy: {}. Take a table of these rails above idle (or other "
        "rails with --rail), or leave out --table",
        printable(files_.table), comparison.contradictions.front()));
  }
  for (const std::string& remark : comparison.remarks) fmt::print(stderr, "note: {}\n", remark);
}

void AccountedRun::say_unmatched() const {
  std::string names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < account_.ops.size(); ++i) {
    if (!model_->match.nodes[i].empty()) continue;
    const std::string& name = account_.run.ops[i].name;
    if (++count <= 5) names += (names.empty() ? "" : ", ") + printable(name.empty() ? "(no name)" : name);
  }
  if (count > 0) {
    fmt::print(stderr, "{}: {} of {} ops of the run are not in the model: {}{}\n", printable(files_.timeline), count,
               account_.ops.size(), names, count > 5 ? ", ..." : "");
  }
  if (!model_->match.without_op.empty()) {
    fmt::print(stderr, "{} ops of the model have no op of their own in the run (fused, or not run), the first: {}\n",
               model_->match.without_op.size(), printable(model_->graph.name(model_->match.without_op.front())));
  }
  if (count == account_.ops.size()) {
    throw account::AccountError(fmt::format("no op of the run is in {}: it is another model; give the model that ran",
                                            printable(files_.model)));
  }
}

account::By by_of(const std::string& name, bool has_model) {
  using account::By;
  if (name == "op") return By::kOp;
  if (name == "kind") return By::kKind;
  if (name == "inference") return By::kInference;
  if (!has_model) throw CLI::ValidationError("--by " + name, "modules are the model's: give --model");
  return name == "tree" ? By::kTree : By::kModule;
}

}  // namespace edgejoule::calibrate
