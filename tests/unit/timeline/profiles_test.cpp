#include "timeline/profiles.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "timeline/summary.h"
#include "timeline/timeline_builder.h"

namespace edgejoule::timeline {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string node(const std::string& name, const std::string& type, int index, long begin, long duration,
                 const std::string& thread = "7") {
  return fmt::format(
      R"({{"cat" : "Node","pid" :7,"tid" :{},"dur" :{},"ts" :{},"ph" : "X","name" :"{}","args" : {{"op_name" : "{}","provider" : "CPUExecutionProvider","node_index" : "{}","input_type_shape" : [{{"float":[1,8]}}]}}}})",
      thread, duration, begin, name, type, index);
}

std::string session(const std::string& name, long begin, long duration, const std::string& process = "7") {
  return fmt::format(
      R"({{"cat" : "Session","pid" :{},"tid" :7,"dur" :{},"ts" :{},"ph" : "X","name" :"{}","args" : {{}}}})", process,
      duration, begin, name);
}

std::string array(const std::vector<std::string>& events) {
  return fmt::format("[\n{}\n]\n", fmt::join(events, ",\n"));
}

// Two runs of Conv and Softmax, as ONNX Runtime lays them out: at their ends, cut to microseconds.
std::vector<std::string> two_runs() {
  return {session("model_loading_uri", 3, 1257),
          session("session_initialization", 1292, 41060),
          node("r1_nchwc_kernel_time", "Conv", 131, 50010, 400),
          node("n65_kernel_time", "Softmax", 104, 50420, 81),
          session("SequentialExecutor::Execute", 50005, 495),
          session("model_run", 50000, 500),
          node("r1_nchwc_kernel_time", "Conv", 131, 51010, 300),
          node("n65_kernel_time", "Softmax", 104, 51310, 0),
          session("SequentialExecutor::Execute", 51005, 305),
          session("model_run", 51000, 310)};
}

std::string failure(const std::string& json, const ProfileOptions& options = {}) {
  try {
    static_cast<void>(read_timeline(json, "run.json", options));
  } catch (const TimelineError& error) {
    return error.what();
  }
  return "";
}

// "name begin end kind depth", in order.
std::vector<std::string> lines(const wire::TimelineT& timeline) {
  std::vector<std::string> out;
  for (const wire::Span& span : timeline.spans) {
    out.push_back(fmt::format("{} {} {} {} {}{}{}", timeline.threads[span.thread()]->names[span.name()],
                              span.begin_ns(), span.end_ns(), wire::EnumNameSpanKind(span.kind()), span.depth(),
                              (span.flags() & kBeginMissing) != 0 ? " no begin" : "",
                              (span.flags() & kEndMissing) != 0 ? " no end" : ""));
  }
  return out;
}

TEST(OnnxRuntimeProfile, NodesAreOpsAndModelRunsAreInferences) {
  const wire::TimelineT timeline = read_timeline(array(two_runs()), "run.json");
  EXPECT_EQ(timeline.kind, wire::TimelineKind::instants);
  EXPECT_EQ(timeline.source, wire::TimelineSource::onnxruntime);
  EXPECT_EQ(timeline.clock, wire::TimelineClock::unknown);
  EXPECT_EQ(timeline.resolution_ns, 1000U);
  EXPECT_EQ(timeline.process, 7U);
  // The first run's end was cut before its last op's.
  EXPECT_THAT(lines(timeline), ElementsAre("r1_nchwc 50010000 50410000 op 1", "n65 50420000 50501000 op 1",
                                           "model_run 50000000 50501000 inference 0", "r1_nchwc 51010000 51310000 op 1",
                                           "n65 51310000 51310000 op 1", "model_run 51000000 51310000 inference 0"));
  ASSERT_EQ(timeline.threads.size(), 1U);
  EXPECT_THAT(timeline.threads[0]->types, ElementsAre("", "Conv", "Softmax", ""));
  EXPECT_EQ(timeline.spans[0].node(), 131U);
  EXPECT_EQ(timeline.spans[2].node(), kNoNode);
  EXPECT_THAT(timeline.notes, ElementsAre(HasSubstr("2 events of loading, 42.317 ms")));
}

TEST(OnnxRuntimeProfile, ExecutorsAreRunsWhereNothingElseIs) {
  const std::string json =
      array({node("inner_kernel_time", "Add", 1, 120, 10), session("SequentialExecutor::Execute", 115, 30),
             node("loop_kernel_time", "Loop", 0, 110, 50), session("SequentialExecutor::Execute", 100, 70)});
  EXPECT_THAT(lines(read_timeline(json, "run.json")),
              ElementsAre("inner 120000 130000 op 2", "loop 110000 160000 op 1",
                          "SequentialExecutor::Execute 100000 170000 inference 0"));
}

TEST(OnnxRuntimeProfile, FencesAreTimeBetweenOpsAndKernelsAThreadOfTheirOwn) {
  std::vector<std::string> events = two_runs();
  events.insert(events.begin() + 2, node("r1_nchwc_fence_before", "Conv", 131, 50001, 8));
  std::string kernel = node("gemm", "", 0, 50020, 2000);
  events.push_back(kernel.replace(kernel.find("Node"), 4, "Kernel"));
  const wire::TimelineT timeline = read_timeline(array(events), "run.json");
  EXPECT_EQ(summarise(timeline).op_spans, 4U);
  EXPECT_EQ(summarise(timeline).inner_spans, 1U);
  ASSERT_EQ(timeline.threads.size(), 2U);
  EXPECT_EQ(timeline.threads[1]->name, "kernels of 7");
  EXPECT_THAT(timeline.notes, Contains(HasSubstr("1 events are waits between devices, 0.008 ms")));
}

TEST(OnnxRuntimeProfile, AnArrayWithoutItsEndIsClosedAndSaid) {
  const std::string whole = array(two_runs());
  const std::size_t cut = whole.rfind("\"dur\"");
  const wire::TimelineT timeline = read_timeline(whole.substr(0, cut), "run.json");
  EXPECT_EQ(summarise(timeline).op_spans, 4U);
  EXPECT_EQ(summarise(timeline).inferences, 1U);
  EXPECT_EQ(summarise(timeline).ops_outside, 2U);
  EXPECT_THAT(timeline.notes, Contains(HasSubstr("the file has no end")));
  EXPECT_THAT(read_timeline(whole, "run.json").notes, ::testing::Not(Contains(HasSubstr("no end"))));
  EXPECT_THAT(failure(whole.substr(0, 20)), HasSubstr("it ends in the middle"));
}

TEST(OnnxRuntimeProfile, TwoClocksOrTwoRunsInOneFileAreRefused) {
  std::vector<std::string> events = two_runs();
  events.push_back(session("model_run", 50300, 400));
  EXPECT_THAT(failure(array(events)), HasSubstr("overlap and neither lies in the other: two clocks"));
  events.back() = session("model_run", 90000, 400, "8");
  EXPECT_THAT(failure(array(events)), HasSubstr("it has events of 2 processes"));
  EXPECT_THAT(failure(array({session("model_run", 1, 2)})), HasSubstr("run.json: no op is in it"));
}

TEST(OnnxRuntimeProfile, NumbersThatNoClockHasAreRefused) {
  std::string event = node("a_kernel_time", "Conv", 1, 1, 2);
  EXPECT_THAT(failure(array({event.replace(event.find("\"ts\" :1"), 7, "\"ts\" :18446744073709551616")})),
              HasSubstr("needs more than 64 bits"));
  event = node("a_kernel_time", "Conv", 1, 1, 2);
  EXPECT_THAT(failure(array({event.replace(event.find("\"ts\" :1"), 7, "\"ts\" :9223372036854775807")})),
              HasSubstr("event [0]: 'ts' is"));
  EXPECT_THAT(failure(array({node("a_kernel_time", "Conv", 1, 5, -1)})), HasSubstr("'dur' is -1"));
}

TEST(OnnxRuntimeProfile, ASummaryOfItAddsUp) {
  const TimelineSummary summary = summarise(read_timeline(array(two_runs()), "run.json"));
  ASSERT_EQ(summary.ops.size(), 2U);
  EXPECT_EQ(summary.ops[0].name, "r1_nchwc");
  EXPECT_EQ(summary.ops[0].type, "Conv");
  EXPECT_EQ(summary.ops[0].calls, 2U);
  EXPECT_EQ(summary.ops[0].total_ns, 700'000);
  EXPECT_EQ(summary.inferences, 2U);
  EXPECT_EQ(summary.inferences_ns, 811'000);
  EXPECT_EQ(summary.shortest_inference_ns, 310'000);
  EXPECT_EQ(summary.longest_inference_ns, 501'000);
  EXPECT_EQ(summary.ops_ns, 781'000);
  EXPECT_EQ(summary.between_ops_ns, 30'000);
  EXPECT_EQ(summary.ops_outside, 0U);
  EXPECT_EQ(summary.last_ns - summary.first_ns, 1'310'000);
}

constexpr const char* kTrace = R"json({"displayTimeUnit": "ns", "traceEvents": [
{"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "runner"}},
{"ph": "B", "pid": 1, "tid": 2, "ts": 1.25, "name": "invoke", "cat": "run"},
{"ph": "X", "pid": 1, "tid": 2, "ts": 2, "dur": 3.5, "name": "CONV_2D", "cat": "op"},
{"ph": "X", "pid": 1, "tid": 2, "ts": 2.5, "dur": 1, "name": "im2col", "cat": "op"},
{"ph": "X", "pid": 1, "tid": "worker", "ts": 2.5, "dur": 1, "name": "copy", "cat": "dma"},
{"ph": "C", "pid": 1, "ts": 4, "name": "memory", "args": {"bytes": 1}},
{"ph": "E", "pid": 1, "tid": 2, "ts": 9, "name": "invoke"},
{"ph": "B", "pid": 1, "tid": 2, "ts": 10, "name": "late"},
{"ph": "B", "pid": 1, "tid": 2, "ts": 11, "name": "later"},
{"ph": "E", "pid": 1, "tid": 2, "ts": 12, "name": "late"},
{"ph": "E", "pid": 1, "tid": 2, "ts": 13, "name": "never"},
{"ph": "X", "pid": 1, "tid": 2, "ts": 14, "name": "endless"}
]})json";

TEST(ChromeTrace, OutermostEventsAreOpsAndMissingEndsAreTold) {
  const wire::TimelineT timeline = read_timeline(kTrace, "run.json", {.inference = "inv*", .category = ""});
  EXPECT_EQ(timeline.source, wire::TimelineSource::chrome_trace);
  EXPECT_EQ(timeline.resolution_ns, 1U);
  ASSERT_EQ(timeline.threads.size(), 2U);
  EXPECT_EQ(timeline.threads[0]->name, "runner");
  EXPECT_EQ(timeline.threads[1]->name, "worker");
  EXPECT_THAT(timeline.threads[0]->types, IsEmpty());
  EXPECT_THAT(lines(timeline),
              ElementsAre("im2col 2500 3500 inner 2", "CONV_2D 2000 5500 op 1", "invoke 1250 9000 inference 0",
                          "later 11000 11000 inner 1 no end", "late 10000 12000 op 0",
                          "never 13000 13000 op 0 no begin", "endless 14000 14000 op 0 no end", "copy 2500 3500 op 0"));
  EXPECT_THAT(timeline.notes, Contains("1 ends have no beginning"));
  EXPECT_THAT(timeline.notes, Contains("2 beginnings have no end"));
  EXPECT_THAT(timeline.notes, Contains(HasSubstr("1 events of phases other than")));
}

TEST(ChromeTrace, WhatIsNotSaidIsNotGuessed) {
  const wire::TimelineT plain = read_timeline(kTrace, "run.json");
  EXPECT_EQ(summarise(plain).inferences, 0U);
  EXPECT_THAT(plain.notes, Contains(HasSubstr("was not said")));
  const wire::TimelineT ops = read_timeline(kTrace, "run.json", {.inference = "invoke", .category = "op"});
  EXPECT_EQ(summarise(ops).op_spans, 1U);
  EXPECT_EQ(summarise(ops).inferences, 1U);
  EXPECT_THAT(failure(kTrace, {.inference = "nobody", .category = ""}), HasSubstr("no event is called 'nobody'"));
  EXPECT_THAT(failure(kTrace, {.inference = "", .category = "gpu"}), HasSubstr("no event of the category 'gpu'"));
  EXPECT_THAT(failure("[{\"ph\":\"i\",\"ts\":1,\"name\":\"a\"}]"), HasSubstr("no op is in it"));
  EXPECT_THAT(failure("[{\"ph\":\"X\",\"name\":\"a\"}]"), HasSubstr("event [0]: 'ts' is missing"));
}

// As Arm NN prints them: keys carry ids, every measurement a number per inference.
std::string measurement(const std::string& name, int id, const std::string& raw) {
  return fmt::format(R"("{}_#{}": {{"type": "Measurement", "raw": [{}], "unit": "us"}})", name, id, raw);
}

std::string event(const std::string& name, int id, const std::string& start, const std::string& stop,
                  const std::string& children = "") {
  return fmt::format(R"("{}_#{}": {{"type": "Event", {}, {}, {}{}{}}})", name, id,
                     measurement("Wall clock time", id, "1.000000, 1.000000"),
                     measurement("Wall clock time (Start)", id, start), measurement("Wall clock time (Stop)", id, stop),
                     children.empty() ? "" : ", ", children);
}

std::string armnn(const std::string& stop_of_conv) {
  const std::string conv = event("NeonConvolution2dWorkload_Execute", 5, "110.500000, 210.500000", stop_of_conv);
  const std::string input = event("CopyMemGeneric_Execute", 3, "102.000000, 202.000000", "103.000000, 203.000000");
  const std::string run = event("Execute", 4, "104.000000, 204.000000", "150.000000, 250.000000", conv);
  return fmt::format(
      "{{\"ArmNN\": {{{}}}}}\n",
      event("inference_measurements", 2, "100.000000, 200.000000", "160.000000, 260.000000",
            event("EnqueueInput", 1, "101.000000, 201.000000", "103.500000, 203.500000", input) + ", " + run));
}

TEST(ArmNnProfile, InnermostEventsAreOpsAndEachNumberIsAnInference) {
  const wire::TimelineT timeline = read_timeline(armnn("140.250000, 240.250000"), "run.json");
  EXPECT_EQ(timeline.source, wire::TimelineSource::armnn);
  EXPECT_THAT(
      lines(timeline),
      ElementsAre("CopyMemGeneric_Execute 102000 103000 op 1", "NeonConvolution2dWorkload_Execute 110500 140250 op 1",
                  "inference_measurements 100000 160000 inference 0", "CopyMemGeneric_Execute 202000 203000 op 1",
                  "NeonConvolution2dWorkload_Execute 210500 240250 op 1",
                  "inference_measurements 200000 260000 inference 0"));
  EXPECT_EQ(timeline.spans[1].node(), 5U);
}

TEST(ArmNnProfile, MissingEndsAndDamageAreTold) {
  const wire::TimelineT timeline = read_timeline(armnn("140.250000"), "run.json");
  EXPECT_EQ(summarise(timeline).incomplete, 1U);
  EXPECT_THAT(timeline.notes, Contains("1 beginnings have no end"));
  EXPECT_THAT(failure(armnn("100.000000, 240.000000")), HasSubstr("inference 0 ends before it begins"));
  EXPECT_THAT(failure(armnn("100.000000, \"x\"")), HasSubstr("raw[1] is no instant"));
  EXPECT_THAT(failure(armnn("140.0, 240.0, 340.0")), HasSubstr("has more numbers than"));
  EXPECT_THAT(failure(armnn("300.0, 400.0")), HasSubstr("overlap and neither lies in the other"));
  EXPECT_THAT(failure("{\"ArmNN\": {}}"), HasSubstr("no inference with workloads is in it"));
}

TEST(Profile, OtherFilesAreNamedWithWhatToDo) {
  EXPECT_THAT(failure("[{\"count\": 3}]"), HasSubstr("trtexec tells how long"));
  EXPECT_THAT(failure("{\"a\": 1}"), HasSubstr("it is no profile that is known"));
  EXPECT_THAT(failure(std::string("\0\0\0\0EJL1\0", 9)), HasSubstr("it is a timeline already"));
  EXPECT_THAT(failure(""), HasSubstr("run.json: it is empty"));
}

// Every prefix and every changed byte is read or refused, never more.
// What a fuzzer found.
TEST(Profile, ANumberWhereANameBelongsIsItsName) {
  const wire::TimelineT timeline =
      read_timeline(R"([{"ph":"X","name":66666666666666666666666666.5,"pid":1.0,"tid":2,"ts":1,"dur":2}])", "run.json");
  EXPECT_EQ(timeline.threads.at(0)->names.back(), "6.666666666666667e+25");
}

TEST(Profile, AnyDamageIsReadOrRefused) {
  for (const std::string& whole : {array(two_runs()), std::string(kTrace), armnn("140.250000, 240.250000")}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 7)));
      static_cast<void>(failure(whole.substr(0, i)));
      static_cast<void>(failure(changed, {.inference = "invoke", .category = ""}));
    }
  }
}

}  // namespace
}  // namespace edgejoule::timeline
