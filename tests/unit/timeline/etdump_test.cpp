// ETDumps as ExecuTorch's ETDumpGen lays them out: events in the order of their ends, the file's size in front.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "schemas/etdump_wire_generated.h"
#include "timeline/profiles.h"
#include "timeline/summary.h"

namespace edgejoule::timeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Event {
  std::string name;
  std::uint64_t begin = 0, end = 0;
  int instruction = -1;
  std::string step{};  // of a delegate
  int step_number = -1;
};

std::string dump(const std::vector<std::vector<Event>>& runs, bool sized = true) {
  etdump_wire::ETDumpT file;
  for (const std::vector<Event>& events : runs) {
    auto& run = file.run_data.emplace_back(std::make_unique<etdump_wire::RunDataT>());
    run->name = "Execute";
    run->events.push_back(std::make_unique<etdump_wire::EventT>());  // an allocation
    for (const Event& event : events) {
      auto profile = std::make_unique<etdump_wire::ProfileEventT>();
      profile->name = event.name;
      profile->start_time = event.begin;
      profile->end_time = event.end;
      profile->instruction_id = event.instruction;
      profile->delegate_debug_id_str = event.step;
      profile->delegate_debug_id_int = event.step_number;
      run->events.emplace_back(std::make_unique<etdump_wire::EventT>())->profile_event = std::move(profile);
    }
  }
  flatbuffers::FlatBufferBuilder builder;
  const auto root = etdump_wire::ETDump::Pack(builder, &file);
  sized ? etdump_wire::FinishSizePrefixedETDumpBuffer(builder, root) : etdump_wire::FinishETDumpBuffer(builder, root);
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::vector<Event> inference(std::uint64_t t) {
  return {{"native_call_convolution.out", t + 110, t + 490, 0},
          {"OPERATOR_CALL", t + 100, t + 500, 0},
          {"", t + 620, t + 700, 1, "conv_3", -1},
          {"", t + 700, t + 880, 1, "", 4},
          {"DELEGATE_CALL", t + 600, t + 900, 1},
          {"OPERATOR_CALL", t + 900, t + 950, 2},
          {"Method::execute", t, t + 1000}};
}

std::string failure(const std::string& file, double ns_per_tick = 1) {
  try {
    (void)read_timeline(file, "run.etdp", {.inference = "", .category = "", .ns_per_tick = ns_per_tick});
  } catch (const TimelineError& error) {
    return error.what();
  }
  return "no failure";
}

TEST(Etdump, InstructionsAreOpsAndStepsOfDelegatesAreInner) {
  for (const bool sized : {true, false}) {
    const wire::TimelineT timeline = read_timeline(dump({inference(5000), inference(7000)}, sized), "run.etdp");
    EXPECT_EQ(timeline.source, wire::TimelineSource::executorch_etdump);
    const TimelineSummary summary = summarise(timeline);
    EXPECT_EQ(summary.inferences, 2U);
    EXPECT_EQ(summary.inferences_ns, 2000);
    EXPECT_EQ(summary.op_spans, 6U);
    EXPECT_EQ(summary.inner_spans, 4U);
    EXPECT_EQ(summary.ops_outside, 0U);
    std::vector<std::string> ops;
    for (const OpSummary& op : summary.ops) {
      ops.push_back(op.name + " " + op.type + " " + std::to_string(op.node) + " " + std::to_string(op.total_ns));
    }
    EXPECT_THAT(ops, ElementsAre("convolution.out OPERATOR_CALL 0 800", "DELEGATE_CALL DELEGATE_CALL 1 600",
                                 "OPERATOR_CALL OPERATOR_CALL 2 100"));
  }
}

TEST(Etdump, TicksHaveTheLengthThatIsGiven) {
  const wire::TimelineT timeline =
      read_timeline(dump({inference(5000)}), "run.etdp", {.inference = "", .category = "", .ns_per_tick = 2.5});
  EXPECT_EQ(summarise(timeline).inferences_ns, 2500);
  EXPECT_THAT(timeline.notes, IsEmpty());
  EXPECT_THAT(read_timeline(dump({inference(5000)}), "run.etdp").notes.at(0), HasSubstr("taken for a nanosecond"));
}

TEST(Etdump, StepsOnAClockOfTheirOwnAreLeftOut) {
  const wire::TimelineT timeline = read_timeline(
      dump({{{"", 10, 20, 0, "dsp", -1}, {"DELEGATE_CALL", 5000, 6000, 0}, {"Method::execute", 4000, 7000}}}),
      "run.etdp");
  EXPECT_EQ(summarise(timeline).inner_spans, 0U);
  EXPECT_THAT(timeline.notes.at(0), HasSubstr("1 steps of delegates lie in no instruction"));
}

TEST(Etdump, WhatCannotBeUsedIsExplained) {
  const std::string whole = dump({inference(5000)});
  for (std::size_t size = 12; size < whole.size(); size += 7) {
    EXPECT_NE(failure(whole.substr(0, size)), "no failure") << size;
  }
  EXPECT_THAT(failure(whole.substr(0, whole.size() / 2)), HasSubstr("damaged or cut short"));
  EXPECT_THAT(failure(dump({{{"Method::execute", 0, 10}}})), HasSubstr("no instruction was profiled"));
  EXPECT_THAT(failure(dump({{{"OPERATOR_CALL", 20, 10, 0}}})), HasSubstr("'OPERATOR_CALL' ends before it begins"));
  EXPECT_THAT(failure(dump({{{"OPERATOR_CALL", 0, UINT64_MAX, 0}}})), HasSubstr("no instant that a clock shows"));
  EXPECT_THAT(failure(whole, 1e18), HasSubstr("no instant that a clock shows"));
}

}  // namespace
}  // namespace edgejoule::timeline
