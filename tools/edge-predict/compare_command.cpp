#include "compare_command.h"

#include <fmt/format.h>

#include "command_line/choice_option.h"
#include "compare.h"
#include "compare_page.h"
#include "files/io.h"
#include "text/escape.h"
#include "text/terminal.h"

namespace edgejoule::predict {
namespace {

constexpr const char* kFooter = R"(
Examples:
  edge-predict compare zoo:bert-base zoo:albert --table board.ejt
  edge-predict compare model.tflite model.tflite --set-b batch=8 --table board.ejt
  edge-predict compare zoo:resnet50 zoo:resnet50 --set-b dtype=int8 --table board.ejt --by op
  edge-predict compare zoo:bert-base zoo:albert --table board.ejt --html difference.html
  edge-predict compare model.onnx model.onnx --table-a 10w.ejt --table-b maxn.ejt --csv

CSV columns: index, parent, depth, path, kind, in (both, a, b), a_j, b_j, difference_j,
lower_j, upper_j, ratio, ratio_lower, ratio_upper (empty where a side is missing), flags.

Exit codes: 0 done, 1 the two cannot be compared, 2 usage, 3 a file cannot be read.)";

Confidence confidence_of(int percent) {
  switch (percent) {
    case 50: return Confidence::k50;
    case 80: return Confidence::k80;
    case 95: return Confidence::k95;
    default: return Confidence::k90;
  }
}

Request request_of(const std::string& model, const std::string& table, const std::string& settings, int confidence) {
  Request request;
  request.model = model;
  request.table = table;
  request.confidence = confidence_of(confidence);
  for (Setting& setting : parse_settings(settings)) {
    if (setting.key == "at") {
      request.operating_point = setting.value;
    } else if (setting.key == "engine") {
      request.engine = setting.value;
    } else {
      request.settings.push_back(std::move(setting));
    }
  }
  return request;
}

}  // namespace

CompareCommand::CompareCommand(CLI::App& app)
    : command_(app.add_subcommand("compare", "two models, tables or settings side by side, biggest movers first")) {
  command_->add_option("a", model_a_, "a model: a file or zoo:NAME")->required();
  command_->add_option("b", model_b_, "the model it is compared with")->required();
  auto* table = command_->add_option("-t,--table", table_, "coefficient table of both");
  command_->add_option("--table-a", table_a_, "of the first, where they differ")->excludes(table);
  command_->add_option("--table-b", table_b_, "of the second")->excludes(table);
  command_->add_option("--set-a", set_a_, "settings of the first: batch, seq, resolution, dtype, at, engine, ...")
      ->type_name("KEY=VALUE,...");
  command_->add_option("--set-b", set_b_, "of the second")->type_name("KEY=VALUE,...");
  command_line::choose<CompareBy>(
      command_->add_option("--by", by_,
                           "list modules, ops or kinds of op (the biggest movers first), or the merged tree (module)"),
      {{"module", CompareBy::kModule}, {"op", CompareBy::kOp}, {"kind", CompareBy::kKind}, {"tree", CompareBy::kTree}});
  command_->add_option("--top", top_, "rows to show (20)");
  command_->add_option("--depth", depth_, "levels of the tree to show");
  command_->add_option("--confidence", confidence_, "of the intervals, in percent")
      ->check(CLI::IsMember({50, 80, 90, 95}))
      ->capture_default_str();
  auto* csv = command_->add_flag("--csv", csv_, "one row per node of both trees");
  command_->add_flag("--json", json_, "the same as JSON")->excludes(csv);
  command_->add_option("--html", html_, "write one page: the merged tree to click through, and tables")
      ->type_name("FILE");
  command_->footer(kFooter);
}

std::string CompareCommand::run() const {
  const std::string& table_a = table_.empty() ? table_a_ : table_;
  const std::string& table_b = table_.empty() ? table_b_ : table_;
  if (table_a.empty() || table_b.empty()) {
    throw SettingError("no table given: pass --table FILE, or --table-a and --table-b (see compare --help)");
  }
  const Comparison comparison(request_of(model_a_, table_a, set_a_, confidence_),
                              request_of(model_b_, table_b, set_b_, confidence_));
  if (!html_.empty()) {
    files::write_file(html_, compare_html(comparison));
    fmt::print(stderr, "edge-predict: wrote {}\n", text::printable(html_));
    return "";
  }
  if (csv_) return compare_csv(comparison);
  if (json_) return compare_json(comparison);
  TextOptions options;
  options.colour = text::use_colour(stdout, text::ColourChoice::kAuto);
  options.width = text::terminal_width(stdout, 0);
  options.top = top_;
  options.depth = depth_;
  return compare_text(comparison, by_, options);
}

}  // namespace edgejoule::predict
