// edge-calibrate compare: two accounted runs side by side.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "account_compare_view.h"
#include "command.h"
#include "files/io.h"
#include "text/escape.h"
#include "text/terminal.h"
#include "timeline/timeline_file.h"

namespace edgejoule::calibrate {
namespace {

constexpr const char* kAccountCompareFooter = R"(
Examples:
  edge-calibrate compare before.ejp before.ejl after.ejp after.ejl
  edge-calibrate compare 15w.ejp 15w.ejl maxn.ejp maxn.ejl --model net.onnx --by module
  edge-calibrate compare bert.ejp bert.ejl albert.ejp albert.ejl --model-a bert.onnx --model-b albert.onnx \
    --by tree --html difference.html
Lines belong together by name, and by place among those of one name. Intervals are of 90 %; the runs share no errors.
CSV columns: name, depth, in (both, a, b), a_j, a_se_j, b_j, b_se_j, difference_j, difference_se_j (standard errors),
ratio, ratio_lower, ratio_upper (of 90 %), a_s, b_s (seconds); empty where a side is missing or not resolved.
Exit codes: 0 done, 1 a run cannot be accounted or the two cannot be compared, 2 usage, 3 a file cannot be read or is
damaged.)";

struct AccountCompareArguments {
  RunFiles a, b;
  std::string model, html;
  std::string by = "op";
  std::size_t top = 20;
  std::vector<std::string> rails;
  bool csv = false, json = false;
};

int run_compare(AccountCompareArguments arguments, account::By by) {
  for (RunFiles* const files : {&arguments.a, &arguments.b}) {
    if (!arguments.model.empty()) files->model = arguments.model;
    files->rails = arguments.rails;
  }
  const AccountedRun a(arguments.a), b(arguments.b);
  const RunsView view{a, b, account::compare({a.account(), a.model()}, {b.account(), b.model()}, by)};
  for (const std::string& note : view.comparison.notes) fmt::print(stderr, "note: {}\n", note);
  if (arguments.csv) {
    fmt::print("{}", runs_csv(view));
  } else if (arguments.json) {
    fmt::print("{}", runs_json(view));
  } else {
    fmt::print("{}", runs_text(view, arguments.top, text::use_colour(stdout, text::ColourChoice::kAuto),
                               text::terminal_width(stdout, 0)));
  }
  if (!arguments.html.empty()) {
    files::write_file(arguments.html, runs_html(view));
    fmt::print(stderr, "page: {}\n", text::printable(arguments.html));
  }
  return kExitOk;
}

}  // namespace

void add_compare_command(CLI::App& program, Run& chosen) {
  CLI::App* const command =
      program.add_subcommand("compare", "Two accounted runs side by side, the biggest movers first");
  command->footer(kAccountCompareFooter);
  auto arguments = std::make_shared<AccountCompareArguments>();
  command->add_option("trace-a", arguments->a.trace, "Power trace of the first run (.ejp)")->required();
  command->add_option("timeline-a", arguments->a.timeline, "What ran when in it (.ejl)")->required();
  command->add_option("trace-b", arguments->b.trace, "Power trace of the run it is compared with")->required();
  command->add_option("timeline-b", arguments->b.timeline, "What ran when in that")->required();
  auto* const model =
      command->add_option("--model", arguments->model, "The model that ran in both: a file or zoo:NAME");
  auto* const model_a = command->add_option("--model-a", arguments->a.model, "Of the first, where they differ");
  auto* const model_b = command->add_option("--model-b", arguments->b.model, "Of the second");
  model_a->excludes(model)->needs(model_b);
  model_b->excludes(model)->needs(model_a);
  command->add_option("--by", arguments->by, "Lines: op, kind, module or tree")
      ->check(CLI::IsMember({"op", "kind", "module", "tree"}));
  command->add_option("--top", arguments->top, "Rows to show, of all but the tree")->capture_default_str();
  command->add_option("--rail", arguments->rails, "Rail to account, in place of the board's total (repeatable)");
  command->add_option("--offset-ns-a", arguments->a.offset_ns, "CLOCK_MONOTONIC less the first timeline's clock")
      ->check(CLI::Range(-timeline::kLatestNs + 1, timeline::kLatestNs - 1));
  command->add_option("--offset-ns-b", arguments->b.offset_ns, "Likewise, of the second")
      ->check(CLI::Range(-timeline::kLatestNs + 1, timeline::kLatestNs - 1));
  command->add_option("--html", arguments->html, "Also write a page");
  auto* const csv = command->add_flag("--csv", arguments->csv, "CSV to standard output");
  command->add_flag("--json", arguments->json, "JSON to standard output")->excludes(csv);
  command->callback([arguments, model, model_a, &chosen] {
    const account::By by = by_of(arguments->by, model->count() + model_a->count() > 0);
    chosen = [arguments, by] { return run_compare(*arguments, by); };
  });
}

}  // namespace edgejoule::calibrate
