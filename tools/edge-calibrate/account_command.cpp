// edge-calibrate account: where the energy of a run went.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "account/inferences.h"
#include "account_view.h"
#include "command.h"
#include "files/io.h"
#include "text/escape.h"
#include "text/quantity_text.h"
#include "text/terminal.h"
#include "timeline/timeline_file.h"

namespace edgejoule::calibrate {
namespace {

using account::Line;
using text::printable;

constexpr const char* kAccountFooter = R"(
Examples:
  edge-calibrate account run.ejp run.ejl
  edge-calibrate account run.ejp run.ejl --model net.tflite --by tree
  edge-calibrate account run.ejp run.ejl --model net.onnx --table board.ejt --html run.html
TRACE is what `edge-calibrate record -o` wrote while TIMELINE was recorded. Figures are of one inference, above the
power outside inferences, with intervals of 90 %. Behind a name: * ran beside other ops, ? is not in the model.
Exit codes: 0 done, 1 the run cannot be accounted (another run's trace, nothing measured), 2 usage,
3 a file cannot be read or is damaged.)";

struct AccountArguments {
  RunFiles files;
  std::string html, measured;
  std::string by = "op";
  bool csv = false, json = false;
};

// The whole run as the one measurement that `adapt` and `validate` read.
std::string measured_csv(const AccountView& view) {
  const account::Account& account = view.run.account();
  if (!account.has_idle || account.run.inferences.empty() || !view.whole.is_resolved) {
    throw account::AccountError(
        "--measured needs the energy of an inference above idle: record idle before or after the run, and a timeline "
        "that tells inferences");
  }
  std::string out = "# boundary: rails\n";
  for (const std::string& rail : account.rails) out += fmt::format("# rail: {}\n", printable(rail));
  out += fmt::format("# baseline: above_idle\n# board: {}\nmodel,energy_j,time_s\n", printable(account.board));
  const std::string& model = view.run.files().model;
  return out +
         fmt::format("{},{},{}\n",
                     text::csv_name(model.starts_with("zoo:") ? model : std::filesystem::absolute(model).string()),
                     text::exact(view.whole.dynamic.joules), text::exact(view.whole.seconds));
}

void hint_at_adapt(const AccountView& view, const std::string& measured) {
  std::size_t apart = 0;
  for (const Line& line : view.lines) apart += line.parts_from_table() ? 1 : 0;
  if (apart == 0 || view.run.account().run.inferences.empty()) return;
  fmt::print(stderr,
             "{} of {} lines lie outside both intervals (!). To bring the table to this board, {}adapt it to what was "
             "measured:\n  edge-calibrate adapt {} {} -o new.ejt\n",
             apart, view.lines.size(), measured.empty() ? "account with --measured run.csv and " : "",
             printable(view.run.files().table), measured.empty() ? "run.csv" : printable(measured));
}

void say_unresolved(const account::Account& account) {
  const auto unresolved =
      std::count_if(account.inferences.begin(), account.inferences.end(), [](const auto& i) { return !i.is_resolved; });
  if (unresolved == 0) return;
  fmt::print(
      stderr,
      "{} of {} inferences are not resolved by themselves: fewer than {} conversions of a sensor lie in each, or "
      "it averages over what was before, or inferences overlap. Their mean is known: see --by op\n",
      unresolved, account.inferences.size(), account::kFewestSamples);
}

int run_account(const AccountArguments& arguments, account::By by) {
  const AccountedRun run(arguments.files);
  AccountView view{run, {}, {}, account::whole_of(run.account(), run.model())};
  if (run.model() != nullptr) view.tree = account::lines_of(run.account(), run.model(), account::By::kTree);
  view.lines = account::lines_of(run.account(), run.model(), by);
  if (by == account::By::kInference) say_unresolved(run.account());
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
  if (!arguments.measured.empty()) {
    files::write_file(arguments.measured, measured_csv(view));
    fmt::print(stderr, "measured: {}\n", printable(arguments.measured));
  }
  hint_at_adapt(view, arguments.measured);
  return kExitOk;
}

}  // namespace

void add_account_command(CLI::App& program, Run& chosen) {
  CLI::App* const command = program.add_subcommand("account", "Say where the energy of a run went, op by op");
  command->footer(kAccountFooter);
  auto a = std::make_shared<AccountArguments>();
  command->add_option("trace", a->files.trace, "Power trace (.ejp)")->required();
  command->add_option("timeline", a->files.timeline, "What ran when (.ejl)")->required();
  auto* const model = command->add_option("--model", a->files.model, "The model that ran: a file, or zoo:NAME");
  auto* const table = command->add_option("--table", a->files.table, "Table that says what ops are expected to take");
  table->needs(model);
  command->add_option("--at", a->files.operating_point, "Operating point of the table")->needs(table);
  command->add_option("--by", a->by, "Lines: op, kind, module, tree, or inference: each by itself")
      ->check(CLI::IsMember({"op", "kind", "module", "tree", "inference"}));
  command->add_option("--rail", a->files.rails, "Rail to account, in place of the board's total (repeatable)");
  command->add_option("--offset-ns", a->files.offset_ns, "CLOCK_MONOTONIC less the timeline's clock")
      ->check(CLI::Range(-timeline::kLatestNs + 1, timeline::kLatestNs - 1));
  command->add_option("--html", a->html, "Also write a page");
  command->add_option("--measured", a->measured, "Also write the measured inference as CSV, for adapt and validate")
      ->needs(model);
  auto* const csv = command->add_flag("--csv", a->csv, "CSV to standard output");
  command->add_flag("--json", a->json, "JSON to standard output")->excludes(csv);
  command->callback([a, model, &chosen] {
    const account::By by = by_of(a->by, model->count() > 0);
    chosen = [a, by] { return run_account(*a, by); };
  });
}

}  // namespace edgejoule::calibrate
