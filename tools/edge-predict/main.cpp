// edge-predict: what a model costs in joules, op by op, before it runs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "bottlenecks.h"
#include "command_line/choice_option.h"
#include "compare_command.h"
#include "data_view.h"
#include "files/io.h"
#include "files/json.h"
#include "import/import.h"
#include "many.h"
#include "model_page.h"
#include "prediction.h"
#include "repeats.h"
#include "sweep.h"
#include "sweep_view.h"
#include "text/escape.h"
#include "text/quantity_text.h"
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

enum class By { kTree, kOp, kKind, kModule, kRepeat };

struct Arguments {
  predict::Request request;
  std::vector<std::string> models;
  By by = By::kTree;
  text::ColourChoice colour = text::ColourChoice::kAuto;
  std::optional<unsigned> depth;
  std::optional<unsigned> top;
  std::optional<std::string> explain;
  bool bottlenecks = false;
  int confidence = 90;
  double seconds = -1;
  bool csv = false;
  bool json = false;
  bool list_zoo = false;
  std::string graph_file;
  std::vector<std::string> bindings;
  std::string sweep;
  std::string largest;
  std::string cheapest;
  std::string under;
  std::string every;
  std::string html;

  void set(const std::string& key, const std::string& value) { request.settings.push_back({key, value}); }
};

// Options that change the model: keys of what_if.h.
const std::vector<std::pair<std::string, std::string>> kWhatIf = {
    {"batch", "inputs per inference; a file is scaled where that is exact"},
    {"seq", "tokens per input, of a zoo model"},
    {"resolution", "height and width of the image, of a zoo model"},
    {"dtype", "fp32, fp16, bf16, int8 or uint8: a zoo model is built so, a file's floating point rewritten"}};

constexpr const char* kFooter = R"(
Examples:
  edge-predict zoo:mobilenet_v2-1.0-224 --table jetson-nano.ejt
  edge-predict model.tflite --table board.json --by kind
  edge-predict model.tflite --table board.ejt --explain Conv_1
  edge-predict model.tflite --table board.ejt --bottlenecks
  edge-predict model.tflite --table board.ejt --html model.html
  edge-predict bert.onnx --bind sequence=128 --table board.ejt
  edge-predict model.ejg --table board.ejt --csv > ops.csv
  edge-predict zoo:kws --table board.ejt --every 20ms
  edge-predict model.tflite --write-graph model.ejg
  edge-predict models/*.tflite zoo:kws --table board.ejt
  edge-predict zoo:bert-base --table board.ejt --by repeat --depth 2
  edge-predict zoo:bert-base --table board.ejt --seq 384 --dtype int8
  edge-predict zoo:bert-base --table board.ejt --sweep seq=64:512:64
  edge-predict zoo:bert-base --table board.ejt --largest seq --under 2J
  edge-predict model.tflite --table board.ejt --sweep batch=1,2,4,8 --html batch.html
  edge-predict model.tflite --table board.ejt --cheapest at --under 50ms
  edge-predict compare zoo:bert-base zoo:albert --table board.ejt   (compare --help)

CSV columns: index, parent, depth, name, kind, type, data_type, macs, dynamic_j, own_j,
static_j (empty where no time is known), lower_j, upper_j, share, by, flags; time_s,
time_lower_s, time_upper_s, average_w, energy_delay_js (empty where no time is known). Of
several models: model, dynamic_j, lower_j, upper_j, ops, macs, weight_bytes, fallback_share,
flags, time_s, average_w, energy_delay_js, error.
JSON: schemas/report.fbs (EJR1).

stdout is data, stderr is talk. Exit codes: 0 done, 1 the job failed, 2 usage,
3 a file cannot be read or is damaged.)";

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("model", arguments.models,
                 "a .tflite, .onnx or .ejg file, or zoo:NAME (see --list-zoo); of several, one row each");
  app.add_option("-t,--table", arguments.request.table, "coefficient table: .ejt, or its JSON text");
  app.add_option(
      "--at", arguments.request.operating_point,
      "operating point of the table (default: its first), or clocks in MHz between calibrated ones: cpu=1200,gpu=600");
  app.add_option("--engine", arguments.request.engine,
                 "engine of the table that ops run on, unless the model says otherwise (default: its first)");
  command_line::choose<By>(
      app.add_option("--by", arguments.by,
                     "list by op, kind or module instead of the tree, or what repeats over the depth side by side"),
      {{"tree", By::kTree}, {"op", By::kOp}, {"kind", By::kKind}, {"module", By::kModule}, {"repeat", By::kRepeat}});
  app.add_option("--explain", arguments.explain,
                 "show each op whose path contains TEXT as a sum of named terms (no TEXT: every op)")
      ->expected(0, 1)
      ->type_name("TEXT");
  app.add_flag("--bottlenecks", arguments.bottlenecks,
               "where the energy goes by cause, and what would lower it by how much");
  app.add_option("--depth", arguments.depth, "levels of the tree to show");
  app.add_option("--top", arguments.top, "rows of a list to show");
  app.add_option("--confidence", arguments.confidence, "of the interval, in percent")
      ->check(CLI::IsMember({50, 80, 90, 95}))
      ->capture_default_str();
  app.add_option("--bind", arguments.bindings,
                 "what a dimension that an .onnx file leaves open is for this prediction (again for each)")
      ->type_name("NAME=SIZE")
      ->take_all();
  for (const auto& [key, meaning] : kWhatIf) {
    app.add_option_function<std::string>(
           "--" + key, [&arguments, key = key](const std::string& value) { arguments.set(key, value); }, meaning)
        ->type_name(key == "dtype" ? "TYPE" : "N");
  }
  app.add_option("--time", arguments.seconds, "seconds of one inference, for the static energy")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--every", arguments.every,
                 "of a streaming model: from one inference to the next, for joules per second")
      ->type_name("TIME");
  auto* csv = app.add_flag("--csv", arguments.csv, "one row per node");
  app.add_flag("--json", arguments.json, "EJR1 as JSON text (with --explain: terms too)")->excludes(csv);
  command_line::choose<text::ColourChoice>(
      app.add_option("--colour,--color", arguments.colour, "of the text on a terminal"),
      {{"auto", text::ColourChoice::kAuto},
       {"always", text::ColourChoice::kAlways},
       {"never", text::ColourChoice::kNever}});
  auto* sweep =
      app.add_option("--sweep", arguments.sweep, "price KEY=FROM:TO:STEP, KEY=VALUE,VALUE or at, one row each")
          ->type_name("KEY=VALUES");
  auto* largest = app.add_option("--largest", arguments.largest,
                                 "the largest KEY (searched) or KEY=FROM:TO:STEP that stays under --under")
                      ->excludes(sweep)
                      ->type_name("KEY");
  auto* cheapest = app.add_option("--cheapest", arguments.cheapest, "the cheapest of KEY=VALUES, or at")
                       ->excludes(sweep)
                       ->excludes(largest)
                       ->type_name("KEY");
  app.add_option("--under", arguments.under,
                 "limit of --largest or --cheapest: 2J, 500mJ; 50ms where the table knows time")
      ->type_name("LIMIT");
  app.add_option("--html", arguments.html,
                 "write one page instead: the tree to click through and what would help, or a sweep's chart")
      ->type_name("FILE");
  largest->needs("--under");
  for (auto* option : {sweep, largest, cheapest}) option->excludes("--explain")->excludes("--by");
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
  const predict::Request& request = arguments.request;
  const files::FileBytes graph = predict::load_model(request.model, request.bindings, request.settings);
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
  if (arguments.bottlenecks) return heading + predict::bottlenecks_text(prediction, options);
  if (arguments.explain) return heading + predict::explain_text(prediction, *arguments.explain, options);
  std::string body;
  switch (arguments.by) {
    case By::kTree: body = predict::tree_text(prediction, options); break;
    case By::kOp: body = predict::by_op_text(prediction, options); break;
    case By::kKind: body = predict::by_kind_text(prediction, options); break;
    case By::kModule: body = predict::by_module_text(prediction, options); break;
    case By::kRepeat: body = predict::repeats_text(prediction, options); break;
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

int run_sweep(const Arguments& arguments) {
  const predict::Request& request = arguments.request;
  const bool asks = !arguments.largest.empty() || !arguments.cheapest.empty();
  predict::SweepAnswer answer;
  std::string key;
  if (asks) {
    const predict::SweepSpec spec =
        predict::parse_sweep(arguments.largest.empty() ? arguments.cheapest : arguments.largest);
    key = spec.key;
    std::optional<predict::Limit> limit;
    if (!arguments.under.empty()) limit = predict::parse_limit(arguments.under);
    answer = arguments.largest.empty() ? predict::find_cheapest(request, spec, limit ? &*limit : nullptr)
                                       : predict::find_largest(request, spec, *limit);
    if (!answer.talk.empty()) fmt::print(stderr, "edge-predict: {}\n", answer.talk);
  } else {
    const predict::SweepSpec spec = predict::parse_sweep(arguments.sweep);
    key = spec.key;
    if (spec.values.empty() && !predict::is_of_table(key))
      throw predict::SettingError("--sweep needs values: KEY=FROM:TO:STEP");
    answer = {predict::price_sweep(request, spec), SIZE_MAX, ""};
  }
  const predict::SweepView view{request.model, request.table, key, request.confidence};
  if (!arguments.html.empty()) {
    files::write_file(arguments.html, predict::sweep_html(view, answer.points));
    fmt::print(stderr, "edge-predict: wrote {}\n", text::printable(arguments.html));
    return kExitOk;
  }
  if (arguments.csv) return print(predict::sweep_csv(view, answer.points));
  if (arguments.json) return print(predict::sweep_json(view, answer.points, answer.best));
  predict::TextOptions options;
  options.colour = text::use_colour(stdout, arguments.colour);
  options.width = text::terminal_width(stdout, 0);
  std::string output = predict::sweep_text(view, answer.points, answer.best, options);
  if (asks) {
    const predict::SweepPoint& best = answer.points[answer.best];
    output +=
        fmt::format("\n{} {}: {}={}, {}{} per inference{}\n", arguments.largest.empty() ? "cheapest" : "largest",
                    text::printable(key), text::printable(key), text::printable(best.value),
                    text::si(best.whole.dynamic), best.whole.time.value() < 0 ? "" : " in " + text::si(best.whole.time),
                    arguments.under.empty() ? "" : ", under " + text::printable(arguments.under));
  }
  return print(output);
}

// One row per model; those that cannot be priced are named, and the exit code says so.
int run_many(const Arguments& arguments) {
  const bool progress = text::is_terminal(stderr);
  const auto on_start = [&](std::size_t i) {
    if (!progress) return;
    fmt::print(stderr, "\r\x1b[K[{}/{}] {}", i + 1, arguments.models.size(),
               text::shorten(text::printable(arguments.models[i]), 60));
    std::fflush(stderr);
  };
  const std::vector<predict::PricedModel> models = predict::price_models(arguments.request, arguments.models, on_start);
  if (progress) fmt::print(stderr, "\r\x1b[K");
  int code = kExitOk;
  for (const predict::PricedModel& model : models) {
    if (!model.error.empty()) code = fail(kExitBadFile, text::printable(model.error));
  }
  predict::TextOptions options;
  options.colour = text::use_colour(stdout, arguments.colour);
  options.width = text::terminal_width(stdout, 0);
  const int printed = print(arguments.csv    ? predict::models_csv(models)
                            : arguments.json ? predict::models_json(models, arguments.request)
                                             : predict::models_text(models, arguments.request, options));
  return printed == kExitOk ? code : printed;
}

int run(Arguments& arguments) {
  if (!arguments.models.empty()) arguments.request.model = arguments.models.front();
  if (arguments.list_zoo || arguments.request.model == "zoo:") return print(predict::zoo_text());
  for (const std::string& text : arguments.bindings) {
    if (const std::string wrong = bind(text, arguments.request.bindings); !wrong.empty())
      return fail(kExitUsage, wrong);
  }
  if (arguments.request.model.empty()) return fail(kExitUsage, "no model given: name a file or zoo:NAME (see --help)");
  if (!arguments.graph_file.empty()) {
    if (arguments.models.size() > 1) return fail(kExitUsage, "--write-graph writes one model");
    return write_graph(arguments);
  }
  if (arguments.request.table.empty()) return fail(kExitUsage, "no table given: pass --table FILE (see --help)");
  arguments.request.confidence = confidence_of(arguments.confidence);
  arguments.request.time = Seconds(static_cast<float>(arguments.seconds));

  if (!arguments.every.empty()) {
    const predict::Limit period = predict::parse_limit(arguments.every);
    if (period.kind != predict::Limit::Kind::kTime) {
      return fail(kExitUsage,
                  fmt::format("--every {} is no time; write for example 20ms", text::printable(arguments.every)));
    }
    arguments.request.period = Seconds(period.value);
  }
  if (arguments.models.size() > 1) {
    const bool of_one = !arguments.sweep.empty() || !arguments.largest.empty() || !arguments.cheapest.empty() ||
                        arguments.explain || arguments.bottlenecks || arguments.by != By::kTree ||
                        !arguments.html.empty();
    if (of_one) return fail(kExitUsage, "that is asked of one model; of several, only one row each is printed");
    return run_many(arguments);
  }
  if (!arguments.sweep.empty() || !arguments.largest.empty() || !arguments.cheapest.empty())
    return run_sweep(arguments);
  if (!arguments.under.empty()) return fail(kExitUsage, "--under is a limit of --largest or --cheapest");

  const predict::Prediction prediction(arguments.request);
  if (!arguments.html.empty()) {
    files::write_file(arguments.html, predict::model_html(prediction));
    fmt::print(stderr, "edge-predict: wrote {}\n", text::printable(arguments.html));
    return kExitOk;
  }
  return print(output_of(prediction, arguments));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"edge-predict: joules per op, module and model, from a model file and a coefficient table"};
  Arguments arguments;
  add_options(app, arguments);
  const predict::CompareCommand compare(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  try {
    return compare.wanted() ? print(compare.run()) : run(arguments);
  } catch (const predict::PredictionError& error) {
    return fail(kExitBadFile, error.what());
  } catch (const import::ImportError& error) {
    return fail(kExitBadFile, text::printable(error.what()));  // names are the file's own
  } catch (const files::FileError& error) {
    return fail(kExitBadFile, error.what());
  } catch (const predict::SettingError& error) {
    return fail(kExitUsage, error.what());
  } catch (const zoo::ZooError& error) {
    return fail(kExitUsage, error.what());
  } catch (const std::exception& error) {
    return fail(kExitFailed, error.what());
  }
}
