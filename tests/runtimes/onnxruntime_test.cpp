// A profile that ONNX Runtime really wrote, beside our own import of the same model.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "account/account.h"
#include "files/io.h"
#include "import/import.h"
#include "schemas/graph_generated.h"
#include "support/program.h"
#include "timeline/profiles.h"
#include "timeline/summary.h"
#include "unit/account/played_run.h"

namespace edgejoule {
namespace {

constexpr int kRuns = 5;
constexpr int kAccountedRuns = 400;

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

class OnnxRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const shared = std::getenv("EDGEJOULE_SHARED_DIR");
    model_ = std::filesystem::path(shared == nullptr ? "" : shared) / "models/onnx/light_squeezenet.onnx";
    if (!std::filesystem::exists(model_)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no models/onnx";
    if (!std::filesystem::exists(EDGEJOULE_ONNXRUNTIME_NODE "/node_modules/onnxruntime-node/package.json")) {
      GTEST_SKIP() << "no onnxruntime-node in build/runtimes: tools/check --tier runtimes installs it";
    }
  }

  // Runs the model and returns the profile's text.
  [[nodiscard]] std::string profile(const std::string& level, int runs = kRuns) const {
    const test::TemporaryFolder folder;
    const test::Outcome outcome =
        test::run_program(fmt::format("node {} {} {} {} {} {}", EDGEJOULE_RUN_ONNX, EDGEJOULE_ONNXRUNTIME_NODE,
                                      model_.string(), folder.file("run"), runs, level));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::vector<std::string> names = folder.names();
    return names.size() == 1 ? std::string(files::read_file(folder.file(names[0])).text()) : "";
  }

  // Op types of our own graph, by name.
  [[nodiscard]] std::map<std::string, std::string> graph_ops() const {
    const files::FileBytes bytes =
        import::import_model(model_, {.model_name = "", .module_tree = false, .bindings = {}});
    wire::ModelGraphT graph;
    flatbuffers::GetRoot<wire::ModelGraph>(bytes.span().data())->UnPackTo(&graph);
    std::map<std::string, std::string> ops;
    for (std::size_t i = 0; i < graph.names.size(); ++i) {
      if (graph.parents[i] != 0xFFFFFFFFU) ops[graph.names[i]] = graph.type_names[graph.type_name_index[i]];
    }
    return ops;
  }

  std::filesystem::path model_;
};

void expect_whole(const std::string& json, const timeline::TimelineSummary& summary) {
  EXPECT_EQ(summary.op_spans, occurrences(json, "_kernel_time\""));
  EXPECT_EQ(summary.inferences, static_cast<std::size_t>(kRuns));
  EXPECT_EQ(summary.ops_outside, 0U);
  EXPECT_EQ(summary.incomplete, 0U);
  EXPECT_GT(summary.ops_ns, 0);
  EXPECT_LE(summary.ops_ns, summary.inferences_ns);
  for (const timeline::OpSummary& op : summary.ops) {
    EXPECT_EQ(op.calls, static_cast<std::size_t>(kRuns)) << op.name;
    EXPECT_FALSE(op.type.empty()) << op.name;
  }
}

TEST_F(OnnxRuntime, WithoutOptimisationEveryNodeOfTheGraphIsAnOpOfItsName) {
  const std::string json = profile("disabled");
  const timeline::TimelineSummary summary = timeline::summarise(timeline::read_timeline(json, "run.json"));
  expect_whole(json, summary);
  std::map<std::string, std::string> ran;
  for (const timeline::OpSummary& op : summary.ops) ran[op.name] = op.type;
  const std::map<std::string, std::string> graph = graph_ops();
  EXPECT_GE(graph.size(), 60U);
  for (const auto& [name, type] : graph) EXPECT_EQ(ran[name], type) << name;
}

TEST_F(OnnxRuntime, WithOptimisationWhatIsNotInTheGraphIsFusedOrLaidOutAnew) {
  const std::string json = profile("all");
  const timeline::TimelineSummary summary = timeline::summarise(timeline::read_timeline(json, "run.json"));
  expect_whole(json, summary);
  const std::map<std::string, std::string> graph = graph_ops();
  std::size_t same = 0;
  for (const timeline::OpSummary& op : summary.ops) {
    const auto found = graph.find(op.name);
    if (found != graph.end()) {
      EXPECT_EQ(found->second, op.type) << op.name;
      ++same;
      continue;
    }
    fmt::print("not in the graph by name: {} ({}, node {})\n", op.name, op.type, op.node);
    EXPECT_TRUE(op.name.find("nchwc") != std::string::npos || op.type.starts_with("Reorder") ||
                op.type.starts_with("Fused"))
        << op.name << ' ' << op.type;
  }
  EXPECT_GT(same, 0U);
}

// The run is real, its power is made up: what each op of it takes is known, and comes back.
TEST_F(OnnxRuntime, ARunIsAccountedForAgainstAnEmulatedRail) {
  const wire::TimelineT timeline = timeline::read_timeline(profile("all", kAccountedRuns), "run.json");
  std::vector<double> watts;
  for (const std::string& type : timeline.threads.at(0)->types) watts.push_back(type == "Conv" ? 6.5 : 2.5);
  const account::PlayedRun run = account::follow(timeline, watts);
  const account::Account found = account::account(run.recordings, run.timeline);
  EXPECT_NEAR(found.total.joules / run.rail_joules, 1, 0.001);
  std::map<std::string, double> truth;
  for (std::size_t name = 0; name < watts.size(); ++name) {
    truth[timeline.threads.at(0)->names[name]] += run.op_joules[name];
  }
  double convolutions = 0, true_convolutions = 0, whole = 0, true_whole = 0;
  std::vector<double> errors;
  for (std::size_t i = 0; i < found.ops.size(); ++i) {
    const double is = truth.at(found.run.ops[i].name), says = found.ops[i].dynamic.joules;
    (found.run.ops[i].type == "Conv" ? true_convolutions : true_whole) += is;
    (found.run.ops[i].type == "Conv" ? convolutions : whole) += says;
    if (found.ops[i].is_resolved) errors.push_back(std::abs(says / is - 1));
  }
  whole += convolutions, true_whole += true_convolutions;
  std::sort(errors.begin(), errors.end());
  ASSERT_GT(errors.size(), 20U);
  fmt::print(
      "{} inferences of {} ops, {:.2f} s: model off by {:.2f} %, convolutions {:.2f} %, median op {:.1f} % of {}\n",
      found.inferences.size(), found.ops.size(), found.seconds, 100 * (whole / true_whole - 1),
      100 * (convolutions / true_convolutions - 1), 100 * errors[errors.size() / 2], errors.size());
  EXPECT_EQ(found.inferences.size(), static_cast<std::size_t>(kAccountedRuns));
  EXPECT_NEAR(whole / true_whole, 1, 0.01);
  EXPECT_NEAR(convolutions / true_convolutions, 1, 0.02);
  EXPECT_LT(errors[errors.size() / 2], 0.1);
}

}  // namespace
}  // namespace edgejoule
