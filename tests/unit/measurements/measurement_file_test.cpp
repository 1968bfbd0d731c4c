#include "measurements/measurement_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "files/json.h"
#include "measurements/importers.h"
#include "support/temporary_folder.h"

namespace edgejoule::measurements {
namespace {

using ::testing::HasSubstr;

Part part(OpKind kind, std::uint64_t bytes, double count) {
  Part op;
  op.kind = kind;
  op.op_class = class_of(kind);
  op.data_type = DataType::kInt8;
  op.facts.set(Fact::kInputBytes, bytes);
  op.count = count;
  return op;
}

MeasurementSet sample() {
  MeasurementSet set;
  set.boundary = BoundaryKind::kRails;
  set.rails = {"VDD_IN", "VDD_CPU"};
  set.boundary_description = "two rails";
  set.baseline = BaselineKind::kAboveIdle;
  set.idle_state = "idle";
  set.board = "board", set.board_compatible = "vendor,board", set.os_release = "R36";
  set.runtime = "runtime", set.backend = "backend", set.engine = "gpu", set.engine_kind = EngineKind::kGpu;
  set.last_level_bytes = 1234;
  set.idle_watts = 0;
  set.source = "source", set.licence = "MIT", set.protocol = "protocol", set.sha256 = "00ff";
  Measurement op;
  op.kind = OpKind::kAdd;
  op.op_class = OpClass::kElementwise;
  op.data_type = DataType::kFloat16;
  op.facts.set(Fact::kInputBytes, 0xFFFFFFFFFFFFFFFFULL).set(Fact::kRepeats, 3);
  op.energy_joules = 0.1;
  op.time_seconds = 0;
  op.repetitions = 77;
  op.weight = 2.5;
  op.group = "g", op.origin = "f:1", op.model = "m", op.family = "fam", op.device = "dev";
  op.counter_joules = 0.05, op.utilisation = 1, op.memory_utilisation = 0.5;
  set.measurements.push_back(op);
  Measurement model;
  model.kind = OpKind::kModel;
  model.op_class = OpClass::kModule;
  model.level = NodeLevel::kModel;
  model.energy_joules = 3;
  model.children = {{0, 12}};
  model.parts =
      std::make_shared<std::vector<Part>>(std::vector<Part>{part(OpKind::kAdd, 4, 1), part(OpKind::kConv2d, 9, 16)});
  set.measurements.push_back(model);
  set.measurements.push_back(model);
  set.excluded.push_back({"f:9", "why"});
  return set;
}

void expect_same_op(const OpKind a_kind, const Facts& a, const OpKind b_kind, const Facts& b) {
  EXPECT_EQ(a_kind, b_kind);
  for (std::size_t i = 0; i < kFactCount; ++i) EXPECT_EQ(a[static_cast<Fact>(i)], b[static_cast<Fact>(i)]);
}

TEST(MeasurementFile, KeepsEverything) {
  const MeasurementSet before = sample();
  const MeasurementSet after = read_measurements(write_measurements(before), "m.ejm");
  EXPECT_EQ(after.boundary, before.boundary);
  EXPECT_EQ(after.rails, before.rails);
  EXPECT_EQ(after.boundary_description, before.boundary_description);
  EXPECT_EQ(after.baseline, before.baseline);
  EXPECT_EQ(after.idle_state, before.idle_state);
  EXPECT_EQ(after.board, before.board);
  EXPECT_EQ(after.board_compatible, before.board_compatible);
  EXPECT_EQ(after.os_release, before.os_release);
  EXPECT_EQ(after.runtime, before.runtime);
  EXPECT_EQ(after.backend, before.backend);
  EXPECT_EQ(after.engine, before.engine);
  EXPECT_EQ(after.engine_kind, before.engine_kind);
  EXPECT_EQ(after.last_level_bytes, before.last_level_bytes);
  EXPECT_EQ(after.idle_watts, 0);
  EXPECT_EQ(after.source + after.licence + after.protocol + after.sha256, "sourceMITprotocol00ff");
  ASSERT_EQ(after.measurements.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const Measurement &a = after.measurements[i], &b = before.measurements[i];
    expect_same_op(a.kind, a.facts, b.kind, b.facts);
    EXPECT_EQ(a.op_class, b.op_class);
    EXPECT_EQ(a.data_type, b.data_type);
    EXPECT_EQ(a.level, b.level);
    EXPECT_EQ(a.energy_joules, b.energy_joules);
    EXPECT_EQ(a.time_seconds, b.time_seconds);
    EXPECT_EQ(a.counter_joules, b.counter_joules);
    EXPECT_EQ(a.utilisation, b.utilisation);
    EXPECT_EQ(a.memory_utilisation, b.memory_utilisation);
    EXPECT_EQ(a.repetitions, b.repetitions);
    EXPECT_EQ(a.weight, b.weight);
    EXPECT_EQ(a.group + a.model + a.family + a.device + a.origin, b.group + b.model + b.family + b.device + b.origin);
    EXPECT_EQ(a.children.size(), b.children.size());
    ASSERT_EQ(a.parts == nullptr, b.parts == nullptr);
  }
  const Measurement& model = after.measurements[1];
  EXPECT_EQ(model.children[0].index, 0U);
  EXPECT_EQ(model.children[0].count, 12);
  EXPECT_EQ(model.parts, after.measurements[2].parts) << "shared parts are stored once";
  ASSERT_EQ(model.parts->size(), 2U);
  expect_same_op((*model.parts)[1].kind, (*model.parts)[1].facts, OpKind::kConv2d, part(OpKind::kConv2d, 9, 16).facts);
  EXPECT_EQ((*model.parts)[1].count, 16);
  ASSERT_EQ(after.excluded.size(), 1U);
  EXPECT_EQ(after.excluded[0].origin + after.excluded[0].reason, "f:9why");
}

TEST(MeasurementFile, IsReadAsBinaryAndAsText) {
  const test::TemporaryFolder folder;
  const files::FileBytes bytes = write_measurements(sample());
  files::save(folder.file("m.ejm"), bytes.span(), files::FileKind::kMeasurements);
  files::save(folder.file("m.json"), bytes.span(), files::FileKind::kMeasurements);
  EXPECT_EQ(import_measurements(folder.file("m.ejm")).measurements.size(), 3U);
  EXPECT_EQ(import_measurements(folder.file("m.json")).measurements[0].energy_joules, 0.1);
}

// "module" is a keyword of C++20, and flatc names its enumerator otherwise there.
TEST(MeasurementFile, KeepsModulesAsText) {
  MeasurementSet set = sample();
  set.measurements[1].level = NodeLevel::kModule;
  const std::string json = files::to_json(write_measurements(set).span(), files::FileKind::kMeasurements, "m");
  EXPECT_THAT(json, HasSubstr("\"level\": \"module\""));
  const MeasurementSet after =
      read_measurements(files::from_json(json, files::FileKind::kMeasurements, "m.json"), "m.json");
  EXPECT_EQ(after.measurements[1].level, NodeLevel::kModule);
}

// Text with one place changed, read again.
std::string refusal(const std::string& find, const std::string& replace) {
  std::string json = files::to_json(write_measurements(sample()).span(), files::FileKind::kMeasurements, "m");
  const std::size_t at = json.find(find);
  EXPECT_NE(at, std::string::npos) << find << " in\n" << json;
  json.replace(at, find.size(), replace);
  try {
    (void)read_measurements(files::from_json(json, files::FileKind::kMeasurements, "m.json"), "m.json");
  } catch (const MeasurementError& error) {
    return error.what();
  }
  return "no refusal";
}

TEST(MeasurementFile, RefusesWhatMakesNoSense) {
  EXPECT_THAT(refusal("\"format_version\": 1", "\"format_version\": 9"), HasSubstr("format version 9"));
  EXPECT_THAT(refusal("\"kind\": \"rails\"", "\"kind\": \"unknown\""), HasSubstr("boundary and the baseline"));
  EXPECT_THAT(refusal("\"energy_joules\": 0.1", "\"energy_joules\": -0.1"), HasSubstr("f:1 has -0.1 J"));
  EXPECT_THAT(refusal("\"weight\": 2.5", "\"weight\": -2.5"), HasSubstr("a weight is -2.5"));
  EXPECT_THAT(refusal("\"children\": [0]", "\"children\": [1]"), HasSubstr("stand behind its children"));
  EXPECT_THAT(refusal("\"child_counts\": [12]", "\"child_counts\": []"), HasSubstr("count per child"));
  EXPECT_THAT(refusal("\"op\": 1", "\"op\": 99"), HasSubstr("op 99 is not one of its"));
  EXPECT_THAT(refusal("\"parts\": 0", "\"parts\": 7"), HasSubstr("parts that are not there"));
  EXPECT_THAT(refusal("\"data_types\": [\"float16\", ", "\"data_types\": ["), HasSubstr("one entry per op"));
  EXPECT_THAT(refusal("\"level\": \"model\"", "\"level\": 9"), HasSubstr("level 9"));
}

}  // namespace
}  // namespace edgejoule::measurements
