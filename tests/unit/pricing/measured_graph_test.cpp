#include "pricing/measured_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pricing/op_sums.h"

namespace edgejoule::pricing {
namespace {

using measurements::Measurement;
using measurements::MeasurementSet;
using measurements::NodeLevel;
using measurements::Part;
using ::testing::HasSubstr;

Measurement op(OpKind kind, std::uint64_t bytes) {
  Measurement m;
  m.kind = kind;
  m.op_class = class_of(kind);
  m.facts.set(Fact::kInputBytes, bytes);
  m.energy_joules = 1;
  m.origin = "f:1";
  return m;
}

Measurement module(std::vector<measurements::Child> children, NodeLevel level = NodeLevel::kModule) {
  Measurement m = op(level == NodeLevel::kModel ? OpKind::kModel : OpKind::kModule, 0);
  m.op_class = OpClass::kModule;
  m.level = level;
  m.children = std::move(children);
  return m;
}

Measurement of_parts(std::vector<Part> parts) {
  Measurement m = op(OpKind::kBatchMatmul, 0);
  m.parts = std::make_shared<std::vector<Part>>(std::move(parts));
  return m;
}

Part part(std::uint64_t bytes, double count) {
  Part p;
  p.kind = OpKind::kAdd;
  p.op_class = OpClass::kElementwise;
  p.facts.set(Fact::kInputBytes, bytes);
  p.count = count;
  return p;
}

// Opens what graph_of wrote.
struct Opened {
  explicit Opened(const MeasurementSet& set, std::size_t index)
      : measured(graph_of(set, index)), view(*GraphView::open(measured.bytes.span())) {}
  MeasuredGraph measured;
  GraphView view;
};

TEST(MeasuredGraph, HoldsAnOpAlone) {
  MeasurementSet set;
  set.measurements = {op(OpKind::kAdd, 64)};
  set.measurements[0].time_seconds = 0.5;
  const Opened graph(set, 0);
  ASSERT_EQ(graph.view.size(), 2U);
  EXPECT_EQ(graph.measured.node, 1U);
  EXPECT_EQ(graph.view.kind(1), OpKind::kAdd);
  EXPECT_EQ(graph.view.facts(1)[Fact::kInputBytes], 64U);
  ASSERT_EQ(graph.measured.runtime.size(), 2U);
  EXPECT_EQ(graph.measured.runtime[1].time.value(), 0.5F);
  EXPECT_LT(graph.measured.runtime[0].time.value(), 0);
}

TEST(MeasuredGraph, KeepsTheMeasuredStructureAndItsCounts) {
  MeasurementSet set;
  set.measurements = {op(OpKind::kAdd, 8), module({{0, 3}}), module({{0, 1}, {1, 2}}, NodeLevel::kModel)};
  set.measurements[1].facts.set(Fact::kOwnBytes, 77);
  const Opened graph(set, 2);
  // model, add, module, add x 3, module, add x 3
  ASSERT_EQ(graph.view.size(), 6U);
  EXPECT_EQ(graph.measured.node, 0U);
  EXPECT_EQ(graph.view.kind(0), OpKind::kModel);
  EXPECT_EQ(graph.view.kind(2), OpKind::kModule);
  EXPECT_EQ(graph.view.facts(2)[Fact::kOwnBytes], 77U);
  EXPECT_EQ(graph.view.facts(3)[Fact::kRepeats], 3U);
  EXPECT_EQ(graph.view.parent(3), 2U);
  EXPECT_EQ(graph.view.parent(5), 4U);
  EXPECT_EQ(graph.view.facts(1)[Fact::kRepeats], 1U);
  EXPECT_EQ(graph.measured.runtime.size(), 6U);
}

TEST(MeasuredGraph, RunsAnOpOftenEnoughForHalfParts) {
  MeasurementSet set;
  set.measurements = {of_parts({part(10, 0.5), part(20, 1.5)})};
  const Opened graph(set, 0);
  EXPECT_EQ(graph.measured.executions, 2);
  ASSERT_EQ(graph.view.size(), 3U);
  EXPECT_EQ(graph.view.facts(1)[Fact::kRepeats], 1U);
  EXPECT_EQ(graph.view.facts(2)[Fact::kRepeats], 3U);
}

TEST(MeasuredGraph, AddsUpHalfPartsInsideAModule) {
  MeasurementSet set;
  set.measurements = {of_parts({part(10, 0.5)}), module({{0, 2}})};
  const Opened graph(set, 1);
  EXPECT_EQ(graph.measured.executions, 1);
  EXPECT_EQ(graph.view.facts(1)[Fact::kRepeats], 1U);
}

TEST(MeasuredGraph, SaysWhatItCannotPutTogether) {
  const auto refusal = [](MeasurementSet set) {
    try {
      (void)graph_of(set, set.measurements.size() - 1);
    } catch (const PricingError& error) {
      return std::string(error.what());
    }
    return std::string("no refusal");
  };
  MeasurementSet set;
  set.measurements = {module({})};
  EXPECT_THAT(refusal(set), HasSubstr("f:1: it does not say what it is made of"));
  set.measurements = {op(OpKind::kAdd, 8), module({{0, 0.3}})};
  EXPECT_THAT(refusal(set), HasSubstr("ran 0.3 times"));
  set.measurements = {op(OpKind::kAdd, 8), module({{0, 1000}}), module({{1, 999'999'999}})};
  EXPECT_THAT(refusal(set), HasSubstr("more than 100 000 parts"));
}

}  // namespace
}  // namespace edgejoule::pricing
