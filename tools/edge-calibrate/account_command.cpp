// edge-calibrate account: where the energy of a run went.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "account_view.h"
#include "capture/trace_reader.h"
#include "command.h"
#include "edgejoule/core/table.h"
#include "files/io.h"
#include "files/json.h"
#include "import/import.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"
#include "zoo/zoo.h"

namespace edgejoule::calibrate {
namespace {

using account::By;
using account::Line;
using text::printable;

constexpr const char* kFooter = R"(
Examples:
  edge-calibrate account run.ejp run.ejl
  edge-calibrate account run.ejp run.ejl --model net.tflite --by tree
  edge-calibrate account run.ejp run.ejl --model net.onnx --table board.ejt --html run.html
TRACE is what `edge-calibrate record -o` wrote while TIMELINE was recorded. Figures are of one inference, above the
power outside inferences, with intervals of 90 %. Behind a name: * ran beside other ops, ? is not in the model.
Exit codes: 0 done, 1 the run cannot be accounted (another run's trace, nothing measured), 2 usage,
3 a file cannot be read or is damaged.)";

struct Arguments {
  std::string trace, timeline, model, table, operating_point, html;
  std::string by = "op";
  std::vector<std::string> rails;
  std::optional<std::int64_t> offset_ns;
  bool csv = false, json = false;
};

By by_of(const std::string& name) {
  if (name == "kind") return By::kKind;
  if (name == "module") return By::kModule;
  return name == "tree" ? By::kTree : By::kOp;
}

files::FileBytes load_graph(const std::string& model) {
  if (model.starts_with("zoo:")) return zoo::build(model);
  return import::import_model(model, {});
}

void say_unmatched(const account::Account& account, const account::Model& model) {
  std::string names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < account.ops.size(); ++i) {
    if (!model.match.nodes[i].empty()) continue;
    const std::string& name = account.run.ops[i].name;
    if (++count <= 5) names += (names.empty() ? "" : ", ") + printable(name.empty() ? "(no name)" : name);
  }
  if (count > 0) {
    fmt::print(stderr, "{} of {} ops of the run are not in the model: {}{}\n", count, account.ops.size(), names,
               count > 5 ? ", ..." : "");
  }
  if (!model.match.without_op.empty()) {
    fmt::print(stderr, "{} ops of the model have no op of their own in the run (fused, or not run), the first: {}\n",
               model.match.without_op.size(), printable(model.graph.name(model.match.without_op.front())));
  }
  if (count == account.ops.size()) {
    throw account::AccountError("no op of the run is in the model: it is another one; give the model that ran");
  }
}

void hint_at_adapt(const AccountView& view) {
  if (view.table.empty() || !view.account.has_idle || view.account.run.inferences.empty()) return;
  std::size_t apart = 0;
  for (const Line& line : view.lines) apart += line.parts_from_table() ? 1 : 0;
  if (apart == 0) return;
  fmt::print(
      stderr,
      "{} of {} lines lie outside both intervals (!). To bring the table to this board, write what was measured "
      "and adapt it:\n"
      "  printf '# boundary: rails\\n# baseline: above_idle\\n# board: NAME\\nmodel,energy_j\\n%s,%s\\n' {} {:.6g} "
      "> run.csv\n"
      "  edge-calibrate adapt {} run.csv -o new.ejt\n",
      apart, view.lines.size(), printable(view.model), view.whole.dynamic.joules, printable(view.table));
}

int run_account(const Arguments& arguments) {
  const capture::Trace trace = reading([&] { return capture::read_trace(arguments.trace); });
  const files::FileBytes bytes = reading([&] { return files::load(arguments.timeline, files::FileKind::kTimeline); });
  wire::TimelineT timeline;
  wire::GetTimeline(bytes.span().data())->UnPackTo(&timeline);
  if (trace.damaged_bytes > 0 || trace.missing_frames > 0) {
    fmt::print(stderr, "{}: {} bytes are damaged and {} frames missing; what was in them belongs to nothing\n",
               printable(arguments.trace), trace.damaged_bytes, trace.missing_frames);
  }
  files::FileBytes graph_bytes, table_bytes;
  std::optional<account::Model> model;
  if (!arguments.model.empty()) {
    graph_bytes = reading([&] { return load_graph(arguments.model); });
    const Result<GraphView> graph = GraphView::open(graph_bytes.span());
    if (!graph.ok()) throw BadFile(fmt::format("{}: {}", printable(arguments.model), error_text(graph.error())));
    model.emplace(account::Model{*graph, {}, {}});
    if (!arguments.table.empty()) {
      table_bytes = reading([&] { return files::load(arguments.table, files::FileKind::kTable); });
      const Result<CoefficientTable> table = CoefficientTable::open(table_bytes.span());
      if (table.ok() && table->baseline() != BaselineKind::kAboveIdle) {
        throw account::AccountError(
            fmt::format("{} states joules {}, not above idle: they cannot stand beside dynamic energy, nor share it. "
                        "Take a table above idle, or leave out --table",
                        printable(arguments.table), name_of(table->baseline())));
      }
      model->expected = account::price(model->graph, table_bytes, arguments.operating_point);
    }
  }
  account::AccountOptions options;
  options.rails = arguments.rails;
  options.offset_ns = arguments.offset_ns;
  if (model && !model->expected.empty()) {
    options.expected_joules = [&](const std::vector<account::RunOp>& ops) {
      const account::ModelMatch match = account::match_ops(model->graph, ops);
      std::vector<double> joules;
      for (const auto& nodes : match.nodes) {
        double sum = nodes.empty() ? -1 : 0;
        for (const std::uint32_t node : nodes) sum += model->expected[node].joules;
        joules.push_back(sum);
      }
      return joules;
    };
  }
  AccountView view;
  view.trace = arguments.trace, view.timeline = arguments.timeline;
  view.model = arguments.model, view.table = arguments.table;
  view.account = account::account(trace.recordings, timeline, options);
  if (model) {
    model->match = account::match_ops(model->graph, view.account.run.ops);
    say_unmatched(view.account, *model);
    view.tree = account::lines_of(view.account, &*model, By::kTree);
  }
  const account::Model* const known = model ? &*model : nullptr;
  view.lines = account::lines_of(view.account, known, by_of(arguments.by));
  view.whole = account::whole_of(view.account, known);
  for (const std::string& note : view.account.notes) fmt::print(stderr, "note: {}\n", note);
  if (arguments.csv) {
    fmt::print("{}", account_csv(view));
  } else if (arguments.json) {
    fmt::print("{}", account_json(view));
  } else {
    fmt::print("{}", account_text(view, text::use_colour(stdout, text::ColourChoice::kAuto), 0));
  }
  if (!arguments.html.empty()) {
    files::write_file(arguments.html, account_html(view));
    fmt::print(stderr, "page: {}\n", printable(arguments.html));
  }
  hint_at_adapt(view);
  return kExitOk;
}

}  // namespace

void add_account_command(CLI::App& program, Run& chosen) {
  CLI::App* const command = program.add_subcommand("account", "Say where the energy of a run went, op by op");
  command->footer(kFooter);
  auto a = std::make_shared<Arguments>();
  command->add_option("trace", a->trace, "Power trace (.ejp)")->required();
  command->add_option("timeline", a->timeline, "What ran when (.ejl)")->required();
  auto* const model = command->add_option("--model", a->model, "The model that ran: a file, or zoo:NAME");
  auto* const table = command->add_option("--table", a->table, "Table that says what ops are expected to take");
  table->needs(model);
  command->add_option("--at", a->operating_point, "Operating point of the table")->needs(table);
  command->add_option("--by", a->by, "Lines: op, kind, module or tree")
      ->check(CLI::IsMember({"op", "kind", "module", "tree"}));
  command->add_option("--rail", a->rails, "Rail to account, in place of the board's total (repeatable)");
  command->add_option("--offset-ns", a->offset_ns, "CLOCK_MONOTONIC less the timeline's clock");
  command->add_option("--html", a->html, "Also write a page");
  auto* const csv = command->add_flag("--csv", a->csv, "CSV to standard output");
  command->add_flag("--json", a->json, "JSON to standard output")->excludes(csv);
  command->callback([a, model, &chosen] {
    if ((a->by == "module" || a->by == "tree") && model->count() == 0) {
      throw CLI::ValidationError("--by " + a->by, "modules are the model's: give --model");
    }
    chosen = [a] { return run_account(*a); };
  });
}

}  // namespace edgejoule::calibrate
