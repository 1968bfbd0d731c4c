// edge-predict: what a model costs in joules, op by op, before it runs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "data_view.h"
#include "files/io.h"
#include "files/json.h"
#include "import/import.h"
#include "prediction.h"
#include "text/escape.h"
#include "text/terminal.h"
#include "text_view.h"
#include "zoo/zoo.h"
#include "zoo_view.h"

namespace {

using namespace edgejoule;

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitBadFile = 3;

enum class By { kTree, kOp, kKind, kModule };

struct Arguments {
  predict::Request request;
  By by = By::kTree;
  text::ColourChoice colour = text::ColourChoice::kAuto;
  std::optional<unsigned> depth;
  std::optional<unsigned> top;
  std::optional<std::string> explain;
  int confidence = 90;
  double batch = 1;
  double seconds = -1;
  bool csv = false;
  bool json = false;
  bool list_zoo = false;
  std::string graph_file;
  std::vector<std::string> bindings;
};

constexpr const char* kFooter = R"(
Examples:
  edge-predict zoo:mobilenet_v2-1.0-224 --table jetson-nano.ejt
  edge-predict model.tflite --table board.json --by kind
  edge-predict model.tflite --table board.ejt --explain Conv_1
  edge-predict bert.onnx --bind sequence=128 --table board.ejt
  edge-predict model.ejg --table board.ejt --csv > ops.csv
  edge-predict model.tflite --write-graph model.ejg

CSV columns: index, parent, depth, name, kind, type, data_type, macs, dynamic_j, own_j,
static_j (empty where no time is known), lower_j, upper_j, share, by, flags.
JSON: schemas/report.fbs (EJR1).

stdout is data, stderr is talk. Exit codes: 0 done, 1 the job failed, 2 usage,
3 a file cannot be read or is damaged.)";

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("model", arguments.request.model, "a .tflite, .onnx or .ejg file, or zoo:NAME (see --list-zoo)");
  app.add_option("-t,--table", arguments.request.table, "coefficient table: .ejt, or its JSON text");
  app.add_option("--at", arguments.request.operating_point, "operating point of the table (default: its first)");
  app.add_option("--by", arguments.by, "list by op, kind or module instead of the tree")
      ->transform(CLI::CheckedTransformer(std::map<std::string, By>{
          {"tree", By::kTree}, {"op", By::kOp}, {"kind", By::kKind}, {"module", By::kModule}}));
  app.add_option("--explain", arguments.explain,
                 "show each op whose path contains TEXT as a sum of named terms (no TEXT: every op)")
      ->expected(0, 1)
      ->type_name("TEXT");
  app.add_option("--depth", arguments.depth, "levels of the tree to show");
  app.add_option("--top", arguments.top, "rows of a list to show");
  app.add_option("--confidence", arguments.confidence, "of the interval, in percent")
      ->check(CLI::IsMember({50, 80, 90, 95}))
      ->capture_default_str();
  app.add_option("--bind", arguments.bindings,
                 "what a dimension that an .onnx file leaves open is for this prediction (again for each)")
      ->type_name("NAME=SIZE")
      ->take_all();
  app.add_option("--batch", arguments.batch, "times the batch that the model states")->check(CLI::PositiveNumber);
  app.add_option("--time", arguments.seconds, "seconds of one inference, for the static energy")
      ->check(CLI::NonNegativeNumber);
  auto* csv = app.add_flag("--csv", arguments.csv, "one row per node");
  app.add_flag("--json", arguments.json, "EJR1 as JSON text (with --explain: terms too)")->excludes(csv);
  app.add_option("--colour,--color", arguments.colour, "auto, always or never")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, text::ColourChoice>{{"auto", text::ColourChoice::kAuto},
                                                                            {"always", text::ColourChoice::kAlways},
                                                                            {"never", text::ColourChoice::kNever}}));
  app.add_option("--write-graph", arguments.graph_file,
                 "write the model as a graph for the device (.ejg, or .json to read it) and stop; needs no table");
  app.add_flag("--list-zoo", arguments.list_zoo,
               "models that zoo: builds, with their parameters (zoo: alone does the same)");
  app.set_version_flag("--version", EDGEJOULE_VERSION);
  app.footer(kFooter);
}

Confidence confidence_of(int percent) {
  switch (percent) {
    case 50: return Confidence::k50;
    case 80: return Confidence::k80;
    case 95: return Confidence::k95;
    default: return Confidence::k90;
  }
}

int write_graph(const Arguments& arguments) {
  const files::FileBytes graph = predict::load_model(arguments.request.model, arguments.request.bindings);
  files::save(arguments.graph_file, graph.span(), files::FileKind::kGraph);
  fmt::print(stderr, "edge-predict: wrote {} ({} bytes)\n", text::printable(arguments.graph_file), graph.size());
  return kExitOk;
}

std::string output_of(const predict::Prediction& prediction, const Arguments& arguments) {
  if (arguments.csv) return predict::to_csv(prediction);
  if (arguments.json) return predict::to_json(prediction, arguments.explain.has_value());

  predict::TextOptions options;
  options.colour = text::use_colour(stdout, arguments.colour);
  options.width = text::terminal_width(stdout, 0);
  options.depth = arguments.depth;
  options.top = arguments.top;
  const std::string heading = predict::heading_text(prediction, options) + "\n";
  if (arguments.explain) return heading + predict::explain_text(prediction, *arguments.explain, options);
  std::string body;
  switch (arguments.by) {
    case By::kTree: body = predict::tree_text(prediction, options); break;
    case By::kOp: body = predict::by_op_text(prediction, options); break;
    case By::kKind: body = predict::by_kind_text(prediction, options); break;
    case By::kModule: body = predict::by_module_text(prediction, options); break;
  }
  return heading + body + "\n" + predict::summary_text(prediction, options);
}

int fail(int code, std::string_view message) {
  fmt::print(stderr, "edge-predict: {}\n", message);
  return code;
}

int print(std::string_view output) {
  if (std::fwrite(output.data(), 1, output.size(), stdout) != output.size() || std::fflush(stdout) != 0) {
    return fail(kExitFailed, "the output could not be written (is the disk full, or the reader gone?)");
  }
  return kExitOk;
}

// NAME=SIZE; a name may hold '=' itself. What is wrong with it, "" where nothing is.
std::string bind(const std::string& text, import::Bindings& bindings) {
  const std::size_t equals = text.rfind('=');
  const std::string size = equals == std::string::npos ? "" : text.substr(equals + 1);
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
  if (equals == 0 || error != std::errc() || end != size.data() + size.size() || value < 0) {
    return fmt::format("--bind {}: not NAME=SIZE with a whole size (see --help)", text::printable(text));
  }
  if (!bindings.emplace(text.substr(0, equals), value).second) {
    return fmt::format("--bind {}: the dimension is bound twice", text::printable(text));
  }
  return "";
}

int run(Arguments& arguments) {
  if (arguments.list_zoo || arguments.request.model == "zoo:") return print(predict::zoo_text());
  for (const std::string& text : arguments.bindings) {
    if (const std::string wrong = bind(text, arguments.request.bindings); !wrong.empty())
      return fail(kExitUsage, wrong);
  }
  if (arguments.request.model.empty()) return fail(kExitUsage, "no model given: name a file or zoo:NAME (see --help)");
  if (!arguments.graph_file.empty()) return write_graph(arguments);
  if (arguments.request.table.empty()) return fail(kExitUsage, "no table given: pass --table FILE (see --help)");
  arguments.request.confidence = confidence_of(arguments.confidence);
  arguments.request.batch_ratio = static_cast<float>(arguments.batch);
  arguments.request.time = Seconds(static_cast<float>(arguments.seconds));

  const predict::Prediction prediction(arguments.request);
  return print(output_of(prediction, arguments));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"edge-predict: joules per op, module and model, from a model file and a coefficient table"};
  Arguments arguments;
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  try {
    return run(arguments);
  } catch (const predict::PredictionError& error) {
    return fail(kExitBadFile, error.what());
  } catch (const import::ImportError& error) {
    return fail(kExitBadFile, text::printable(error.what()));  // names are the file's own
  } catch (const files::FileError& error) {
    return fail(kExitBadFile, error.what());
  } catch (const zoo::ZooError& error) {
    return fail(kExitUsage, error.what());
  } catch (const std::exception& error) {
    return fail(kExitFailed, error.what());
  }
}
