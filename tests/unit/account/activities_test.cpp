#include "account/activities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace edgejoule::account {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint8_t kNoBegin = 1, kNoEnd = 2;

class Activities : public ::testing::Test {
 protected:
  Activities() {
    for (int i = 0; i < 2; ++i) {
      timeline_.threads.push_back(std::make_unique<wire::TimelineThreadT>());
      timeline_.threads.back()->names = {"", "conv", "relu", "if"};
    }
    timeline_.clock = wire::TimelineClock::monotonic;
  }
  void span(std::int64_t begin_ms, std::int64_t end_ms, std::uint32_t node, std::uint32_t name, int depth = 1,
            wire::SpanKind kind = wire::SpanKind::op, std::uint8_t flags = 0, std::uint16_t thread = 0) {
    timeline_.spans.emplace_back(begin_ms * kMs, end_ms * kMs, node, name, thread, 0, kind, flags,
                                 static_cast<std::uint8_t>(depth));
  }
  void inference(std::int64_t begin_ms, std::int64_t end_ms) {
    span(begin_ms, end_ms, kNoNode, 0, 0, wire::SpanKind::inference);
  }
  // "0-10 idle", "10-12 conv+relu"
  std::vector<std::string> text(std::int64_t end_ms = 100) {
    run_ = activities_of(timeline_, 0, {0, end_ms * kMs});
    std::vector<std::string> out;
    for (const align::ActivitySpan& s : run_.spans) {
      constexpr const char* kNames[] = {"idle", "pause", "between", "lost"};
      std::string what = s.activity < kRests ? kNames[s.activity] : "";
      for (const std::uint32_t op : run_.sets[s.activity]) what += (what.empty() ? "" : "+") + run_.ops[op].name;
      out.push_back(std::to_string(s.begin_ns / kMs) + "-" + std::to_string(s.end_ns / kMs) + " " + what);
    }
    return out;
  }

  wire::TimelineT timeline_;
  RunActivities run_;
};

TEST_F(Activities, CoverTheTraceWithoutAHole) {
  span(32, 40, 0, 1);
  span(40, 45, 1, 2);
  inference(30, 50);
  inference(52, 60);
  EXPECT_THAT(text(), ElementsAre("0-30 idle", "30-32 between", "32-40 conv", "40-45 relu", "45-50 between",
                                  "50-52 pause", "52-60 between", "60-100 idle"));
  EXPECT_EQ(run_.inferences.size(), 2U);
}

TEST_F(Activities, TheInnermostOpCountsAndThreadsMakeSets) {
  span(30, 50, 0, 3, 0);
  span(35, 40, 1, 1, 1);
  span(38, 60, 2, 2, 0, wire::SpanKind::op, 0, 1);
  span(36, 37, 9, 2, 2, wire::SpanKind::inner);
  EXPECT_THAT(text(), ElementsAre("0-30 idle", "30-35 if", "35-38 conv", "38-40 conv+relu", "40-50 if+relu",
                                  "50-60 relu", "60-100 idle"));
}

TEST_F(Activities, WithoutNodesOpsAreToldApartByTheirPlaceInAnInference) {
  for (const std::int64_t t : {30, 50}) {
    span(t, t + 2, kNoNode, 1);
    span(t + 2, t + 5, kNoNode, 1);
    inference(t, t + 5);
  }
  (void)text();
  ASSERT_EQ(run_.ops.size(), 2U);
  EXPECT_EQ(run_.ops[0].occurrence, 0U);
  EXPECT_EQ(run_.ops[1].occurrence, 1U);
  EXPECT_EQ(run_.ops[1].calls, 2U);
  EXPECT_FALSE(run_.by_name_only);
}

TEST_F(Activities, MissingEndsAndGapsBelongToNoOp) {
  span(30, 30, 0, 1, 1, wire::SpanKind::op, kNoEnd);
  span(34, 40, 1, 2);
  span(47, 47, 0, 1, 1, wire::SpanKind::op, kNoBegin);
  span(47, 50, 1, 2);
  span(55, 60, 12, 0, 0, wire::SpanKind::gap);
  EXPECT_THAT(text(), ElementsAre("0-30 idle", "30-34 lost", "34-40 relu", "40-47 lost", "47-50 relu", "50-55 pause",
                                  "55-60 lost", "60-100 idle"));
  EXPECT_EQ(run_.incomplete, 2U);
  EXPECT_EQ(run_.lost_events, 12U);
  ASSERT_EQ(run_.ops.size(), 1U);
  EXPECT_EQ(run_.ops[0].calls, 2U);
}

TEST_F(Activities, WhatTheTraceCutIsNotCounted) {
  span(90, 105, 0, 1);
  span(80, 85, 0, 1);
  inference(90, 106);
  inference(79, 86);
  EXPECT_THAT(text(),
              ElementsAre("0-79 idle", "79-80 between", "80-85 conv", "85-86 between", "86-90 pause", "90-100 lost"));
  EXPECT_EQ(run_.ops[0].calls, 1U);
  EXPECT_EQ(run_.inferences_outside, 1U);
}

TEST_F(Activities, CountsClocksThatCross) {
  span(30, 40, 0, 1);
  span(35, 45, 1, 2);
  (void)text();
  EXPECT_EQ(run_.crossing, 1U);
}

TEST_F(Activities, RefusesDurationsDamageAndNothing) {
  const auto refusal = [&] {
    try {
      if (timeline_.spans.empty()) (void)extent_of(timeline_);
      (void)activities_of(timeline_, 0, {0, kMs});
    } catch (const AccountError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(), HasSubstr("no op and no inference"));
  span(40, 30, 0, 1);
  EXPECT_THAT(refusal(), HasSubstr("before it begins"));
  timeline_.kind = wire::TimelineKind::durations;
  EXPECT_THAT(refusal(), HasSubstr("how long ops took (0 of them) but not when"));
}

}  // namespace
}  // namespace edgejoule::account
