// ONNX Runtime's library and edgejoule in one process: predicted before, marked during, accounted for after.
#include <gtest/gtest.h>

#ifndef EDGEJOULE_WITH_ONNXRUNTIME

TEST(OnnxRuntimeInProcess, IsPredictedMarkedAndAccountedFor) {
  GTEST_SKIP() << "no ONNX Runtime library to link (libonnxruntime-dev of Debian 13)";
}

#else

#include <fmt/format.h>
#include <onnxruntime_cxx_api.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "account/account.h"
#include "edgejoule/adapters/posix_clock.h"
#include "edgejoule/core/marker_ring.h"
#include "edgejoule/edgejoule.h"
#include "edgejoule/linux/timeline_writer.h"
#include "files/file_kinds.h"
#include "files/io.h"
#include "files/json.h"
#include "import/import.h"
#include "support/table_fixture.h"
#include "support/temporary_folder.h"
#include "timeline/profiles.h"
#include "timeline/summary.h"
#include "timeline/timeline_file.h"
#include "unit/account/played_run.h"

namespace edgejoule {
namespace {

constexpr int kRuns = 300;

// 64-bit words for `size` bytes.
std::vector<std::uint64_t> memory_of(std::size_t size) {
  return std::vector<std::uint64_t>(size / 8 + 1);
}
Span<std::byte> bytes_of(std::vector<std::uint64_t>& memory) {
  return {reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8};
}

// The session, with all that its C interface hands out.
class Runtime {
 public:
  Runtime(const std::filesystem::path& model, const std::string& profile_prefix)
      : session_(environment_, model.c_str(), options(profile_prefix)) {
    const Ort::TypeInfo type = session_.GetInputTypeInfo(0);
    shape_ = type.GetTensorTypeAndShapeInfo().GetShape();
    std::size_t count = 1;
    for (std::int64_t& size : shape_) size = std::max<std::int64_t>(size, 1), count *= static_cast<std::size_t>(size);
    values_.assign(count, 0.5F);
    input_name_ = session_.GetInputNameAllocated(0, allocator_).get();
    output_name_ = session_.GetOutputNameAllocated(0, allocator_).get();
  }
  void run() {
    const auto place = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const Ort::Value input =
        Ort::Value::CreateTensor<float>(place, values_.data(), values_.size(), shape_.data(), shape_.size());
    const char* const in = input_name_.c_str();
    const char* const out = output_name_.c_str();
    (void)session_.Run(Ort::RunOptions{nullptr}, &in, &input, 1, &out, 1);
  }
  // The profile's file.
  [[nodiscard]] std::string end_profile() { return session_.EndProfilingAllocated(allocator_).get(); }

 private:
  static Ort::SessionOptions options(const std::string& profile_prefix) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetInterOpNumThreads(1);
    options.EnableProfiling(profile_prefix.c_str());
    return options;
  }

  Ort::Env environment_{ORT_LOGGING_LEVEL_ERROR, "edgejoule"};
  Ort::AllocatorWithDefaultOptions allocator_;
  Ort::Session session_;
  std::vector<std::int64_t> shape_;
  std::vector<float> values_;
  std::string input_name_, output_name_;
};

TEST(OnnxRuntimeInProcess, IsPredictedMarkedAndAccountedFor) {
  const char* const shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::filesystem::path model =
      std::filesystem::path(shared == nullptr ? "" : shared) / "models/onnx/light_squeezenet.onnx";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no models/onnx";
  const test::TemporaryFolder folder;

  // Before: what the table says of the model.
  const files::FileBytes graph_bytes =
      import::import_model(model, {.model_name = "", .module_tree = false, .bindings = {}});
  const files::FileBytes table_bytes = test::pack(test::sound_table());
  edgejoule_table table;
  ASSERT_EQ(edgejoule_table_open(table_bytes.span().data(), table_bytes.span().size(), &table), EDGEJOULE_OK);
  std::vector<std::uint64_t> plan_memory = memory_of(edgejoule_plan_required_bytes(&table));
  edgejoule_plan plan;
  ASSERT_EQ(edgejoule_plan_prepare(&table, nullptr, plan_memory.data(), plan_memory.size() * 8, &plan), EDGEJOULE_OK);
  edgejoule_graph graph;
  ASSERT_EQ(edgejoule_graph_open(graph_bytes.span().data(), graph_bytes.span().size(), &graph), EDGEJOULE_OK);
  std::vector<std::uint64_t> predictor_memory = memory_of(edgejoule_predictor_required_bytes(&plan, &graph));
  edgejoule_predictor predictor;
  ASSERT_EQ(edgejoule_predictor_bind(&plan, &graph, predictor_memory.data(), predictor_memory.size() * 8, &predictor),
            EDGEJOULE_OK);
  std::vector<edgejoule_estimate> estimates(edgejoule_graph_size(&graph));
  ASSERT_EQ(edgejoule_predictor_predict(&predictor, nullptr, estimates.data(), estimates.size()), EDGEJOULE_OK);
  ASSERT_GT(estimates[0].dynamic_j, 0);

  // During: one call of the runtime is one op, the whole model's. Drained as it goes.
  std::vector<std::uint64_t> marker_memory = memory_of(edgejoule_markers_required_bytes(256, 256));
  edgejoule_markers markers;
  ASSERT_EQ(edgejoule_markers_create(marker_memory.data(), marker_memory.size() * 8, 256, &markers), EDGEJOULE_OK);
  edgejoule_hook_options options;
  edgejoule_hook_options_init(&options);
  options.clock = adapters::posix_clock;
  options.markers = &markers;
  options.estimates = estimates.data();
  options.estimate_count = estimates.size();
  const std::uint32_t whole_model = 0;
  options.graph_nodes = &whole_model;
  options.graph_node_count = 1;
  double predicted = 0;
  options.context = &predicted;
  options.on_inference = [](void* context, const edgejoule_priced_inference* inference) {
    *static_cast<double*>(context) += inference->dynamic_j;
  };
  edgejoule_hook hook;
  ASSERT_EQ(edgejoule_hook_init(&hook, &options), EDGEJOULE_OK);
  std::vector<std::uint64_t> writer_memory = memory_of(TimelineWriter::required_bytes(1));
  TimelineWriter writer;
  const std::string timeline_file = folder.file("run.ejl");
  ASSERT_TRUE(
      writer.open(timeline_file.c_str(), {"ONNX Runtime", "light_squeezenet", "", true}, bytes_of(writer_memory)));
  ASSERT_TRUE(writer.add_thread(*MarkerRing::open(bytes_of(marker_memory)), "main"));
  Runtime runtime(model, folder.file("profile"));
  for (int i = 0; i < kRuns; ++i) {
    const std::uint32_t inference = edgejoule_hook_begin_inference(&hook, "squeezenet");
    const std::uint32_t op = edgejoule_hook_begin_op(&hook, "Run", 0, 0);
    runtime.run();
    edgejoule_hook_end(&hook, op);
    edgejoule_hook_end(&hook, inference);
    if (i % 32 != 0) continue;
    ASSERT_TRUE(writer.drain());
  }
  ASSERT_TRUE(writer.close());
  EXPECT_NEAR(predicted / (kRuns * static_cast<double>(estimates[0].dynamic_j)), 1, 1e-5);

  // After: the markers and the runtime's own profile tell the same run.
  const wire::TimelineT marked =
      timeline::open_timeline(files::load(timeline_file, files::FileKind::kTimeline), timeline_file);
  const timeline::TimelineSummary marks = timeline::summarise(marked);
  const std::string profile_file = runtime.end_profile();
  const wire::TimelineT profile = timeline::read_timeline(files::read_file(profile_file).text(), profile_file);
  const timeline::TimelineSummary told = timeline::summarise(profile);
  EXPECT_EQ(marks.inferences, static_cast<std::size_t>(kRuns));
  EXPECT_EQ(marks.op_spans, static_cast<std::size_t>(kRuns));
  EXPECT_EQ(marks.incomplete, 0U);
  EXPECT_EQ(told.inferences, static_cast<std::size_t>(kRuns));
  EXPECT_LE(told.inferences_ns, marks.inferences_ns);
  EXPECT_GT(static_cast<double>(told.inferences_ns), 0.9 * static_cast<double>(marks.inferences_ns));

  // Both laid over a rail whose powers are known.
  const auto off_by = [](const wire::TimelineT& timeline, double watts) {
    const account::PlayedRun run =
        account::follow(timeline, std::vector<double>(timeline.threads.at(0)->names.size(), watts));
    const account::Account found = account::account(run.recordings, run.timeline);
    EXPECT_NEAR(found.total.joules / run.rail_joules, 1, 0.001);
    double truth = 0;
    for (const double joules : run.op_joules) truth += joules;
    return found.all_ops_dynamic.joules / truth - 1;
  };
  const double by_marks = off_by(marked, 5.5), by_profile = off_by(profile, 5.5);
  fmt::print("{} inferences, {:.2f} s: accounted by markers {:+.2f} %, by the profile {:+.2f} %\n", marks.inferences,
             1e-9 * static_cast<double>(marks.inferences_ns), 100 * by_marks, 100 * by_profile);
  EXPECT_NEAR(by_marks, 0, 0.01);
  EXPECT_NEAR(by_profile, 0, 0.01);
}

}  // namespace
}  // namespace edgejoule

#endif
