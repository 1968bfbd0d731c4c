// edge-calibrate timeline as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/edge-calibrate/sample_sets.h"

namespace edgejoule {
namespace {

using test::edge_calibrate;
using test::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TimelineCommand : public test::FilesTest {};

constexpr const char* kProfile = R"json([
{"cat" : "Node","pid" :7,"tid" :7,"dur" :400,"ts" :50010,"ph" : "X","name" :"conv_kernel_time","args" : {"op_name" : "Conv","node_index" : "3"}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :80,"ts" :50420,"ph" : "X","name" :"top_kernel_time","args" : {"op_name" : "Softmax","node_index" : "4"}},
{"cat" : "Session","pid" :7,"tid" :7,"dur" :500,"ts" :50000,"ph" : "X","name" :"model_run","args" : {}}
]
)json";

TEST_F(TimelineCommand, ImportsAProfileAndShowsIt) {
  const std::string run = folder_.file("run.ejl");
  const Outcome imported =
      edge_calibrate("timeline " + write("run.json", kProfile) + " --model " + write("net.onnx", "abc") + " -o " + run);
  EXPECT_EQ(imported.code, 0) << imported.err;
  EXPECT_EQ(imported.out, "");
  EXPECT_THAT(imported.err, AllOf(HasSubstr("source    onnxruntime"), HasSubstr("model     net.onnx"),
                                  HasSubstr("2 ops, 2 executions"), HasSubstr("wrote     ")));
  const Outcome shown = edge_calibrate("timeline show " + run);
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("span      500 µs, 1 thread"), HasSubstr("inferences 1, 500 µs to 500 µs"),
                               HasSubstr("no op running 20.0 µs"), HasSubstr("gaps      0, 0 events lost"),
                               HasSubstr("400 µs  83.3 %      1   400 µs     3  Conv     conv")));
  const Outcome json = edge_calibrate("timeline " + folder_.file("run.json") + " -o -");
  EXPECT_EQ(json.code, 0);
  EXPECT_THAT(json.out, HasSubstr("\"onnxruntime\""));
}

TEST_F(TimelineCommand, TakesTheClockFromWhoKnowsIt) {
  const std::string profile = write("run.json", kProfile), run = folder_.file("run.ejl");
  EXPECT_EQ(edge_calibrate("timeline " + profile + " --offset-ns -1500 -o " + run).code, 0);
  EXPECT_THAT(edge_calibrate("timeline show " + run).out, HasSubstr("CLOCK_MONOTONIC less -1500 ns"));
  EXPECT_EQ(edge_calibrate("timeline " + profile + " --clock monotonic -o " + run).code, 0);
  EXPECT_THAT(edge_calibrate("timeline show " + run).out, HasSubstr("clock     monotonic"));
  EXPECT_EQ(edge_calibrate("timeline " + profile + " --clock sundial -o " + run).code, 2);
  EXPECT_EQ(edge_calibrate("timeline " + profile + " --offset-ns 9000000000000000000 -o " + run).code, 2);
}

TEST_F(TimelineCommand, ExitCodesTellUsageFromABadFile) {
  EXPECT_EQ(edge_calibrate("timeline").code, 2);
  EXPECT_EQ(edge_calibrate("timeline show").code, 2);
  const std::string profile = write("run.json", kProfile);
  EXPECT_EQ(edge_calibrate("timeline " + profile).code, 2);
  EXPECT_EQ(edge_calibrate("timeline show " + profile).code, 3);
  EXPECT_EQ(edge_calibrate("timeline " + profile + " -o " + folder_.file("no/run.ejl")).code, 1);
  const Outcome bad = edge_calibrate("timeline " + write("bad.json", "{}") + " -o " + folder_.file("run.ejl"));
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(bad.err, HasSubstr("it is no profile that is known"));
  const auto damaged = [&](const std::string& span) {
    return edge_calibrate("timeline show " + write("damaged.json", R"({"format_version": 1, "spans": [{)" + span +
                                                                       R"(, "node": 0, "name": 0,
"thread": 0, "part": 0, "kind": "op", "flags": 0, "depth": 0}]})"));
  };
  EXPECT_EQ(damaged(R"("begin_ns": 5, "end_ns": 5)").code, 0);
  const Outcome back = damaged(R"("begin_ns": 5, "end_ns": 4)");
  EXPECT_EQ(back.code, 3);
  EXPECT_THAT(back.err, HasSubstr("ends 1 ns before it begins"));
  EXPECT_EQ(damaged(R"("begin_ns": -9000000000000000000, "end_ns": 4)").code, 3);
}

}  // namespace
}  // namespace edgejoule
