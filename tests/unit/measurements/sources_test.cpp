#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "files/io.h"
#include "files/json.h"
#include "measurements/importers.h"
#include "measurements/measurement_file.h"
#include "measurements/mlperf_tiny_csv.h"
#include "measurements/models_csv.h"
#include "measurements/whole_model.h"
#include "support/graph_fixture.h"
#include "support/temporary_folder.h"

namespace edgejoule::measurements {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Knows the model "net": two dense layers.
ModelParts net(std::string_view name) {
  if (name != "net") return {};
  ModelParts parts = parts_of_graph(test::layered_graph(2, 0), "net");
  parts.family = "nets";
  return parts;
}

std::string refusal_of(const std::function<void()>& import) {
  try {
    import();
  } catch (const MeasurementError& error) {
    return error.what();
  }
  return "no refusal";
}

constexpr std::string_view kWall = "# boundary: wall\n# baseline: total\n";

TEST(PartsOfGraph, AreItsOpsWithoutItsModules) {
  const ModelParts parts = parts_of_graph(test::layered_graph(5, 2), "m");
  ASSERT_EQ(parts.parts->size(), 5U);
  for (const Part& part : *parts.parts) EXPECT_NE(part.op_class, OpClass::kModule);
  EXPECT_EQ(parts.data_type, DataType::kFloat32);
  EXPECT_THAT(refusal_of([] { (void)parts_of_graph(test::layered_graph(0, 0), "empty"); }),
              HasSubstr("model empty has no ops"));
}

TEST(ImportMlperfTiny, ReadsMicrojoulesAndListsWhatIsNoModel) {
  const auto parts_of = [](std::string_view name) { return net(name == "ic" ? "net" : "?"); };
  const MeasurementSet set = import_mlperf_tiny(
      "round,division,submitter,board,model,uJ_per_inference,inferences_per_s\n"
      "v0.5,closed,reference,Nucleo,ic,29207.010,4\n"
      "v1.0,closed,OctoML,microtvm,NUCLEO_L4R5ZI,443.184,116\n"
      "v1.0,closed,a,b,ic,0,116\n",
      "r.csv", parts_of);
  ASSERT_EQ(set.measurements.size(), 1U);
  const Measurement& m = set.measurements[0];
  EXPECT_DOUBLE_EQ(m.energy_joules, 0.02920701);
  EXPECT_DOUBLE_EQ(m.time_seconds, 0.25);
  EXPECT_EQ(m.level, NodeLevel::kModel);
  EXPECT_EQ(m.device, "v0.5|reference|Nucleo");
  EXPECT_EQ(m.origin, "r.csv:2");
  EXPECT_EQ(m.family, "nets");
  EXPECT_EQ(m.parts->size(), 2U);
  EXPECT_GT(m.facts[Fact::kUniqueWeightBytes], 0U);
  EXPECT_EQ(set.boundary, BoundaryKind::kChipSupply);
  EXPECT_EQ(set.baseline, BaselineKind::kTotal);
  ASSERT_EQ(set.excluded.size(), 2U);
  EXPECT_THAT(set.excluded[0].reason, HasSubstr("'NUCLEO_L4R5ZI' is none of MLPerf Tiny's four"));
  EXPECT_THAT(set.excluded[1].reason, HasSubstr("0 J is not above zero"));
}

TEST(ImportModelsCsv, ReadsWholeModels) {
  const MeasurementSet set = import_models_csv(std::string(kWall) +
                                                   "model,energy_j,time_s,repetitions,group,device\n"
                                                   "net,0.5,0.1,100,g,d\nnet,0.25,,,,\n",
                                               "m.csv", {}, net);
  ASSERT_EQ(set.measurements.size(), 2U);
  EXPECT_EQ(set.measurements[0].group, "g");
  EXPECT_EQ(set.measurements[0].device, "d");
  EXPECT_EQ(set.measurements[0].repetitions, 100U);
  EXPECT_EQ(set.measurements[0].time_seconds, 0.1);
  EXPECT_EQ(set.measurements[1].group, "net") << "the model is the group";
  EXPECT_LT(set.measurements[1].time_seconds, 0);
  EXPECT_EQ(set.measurements[0].parts, set.measurements[1].parts);
}

TEST(ImportModelsCsv, NamesTheLineOfAModelThatCannotBeRead) {
  const auto failing = [](std::string_view) -> ModelParts { throw std::runtime_error("no such file"); };
  EXPECT_THAT(refusal_of([&] {
                (void)import_models_csv(std::string(kWall) + "model,energy_j\nx.tflite,1\n", "m.csv", {}, failing);
              }),
              HasSubstr("m.csv:4: no such file"));
}

TEST(Units, AreSaidToBeWrongWithTheFactor) {
  EXPECT_THAT(
      refusal_of([] { (void)import_models_csv(std::string(kWall) + "model,energy_mJ\nnet,1\n", "m.csv", {}, net); }),
      HasSubstr("'energy_mJ' is not in the unit of a set: write it as energy_j, times 1e-3"));
  EXPECT_THAT(refusal_of([] { (void)import_csv(std::string(kWall) + "kind,energy_j,time_ms\nadd,1,2\n", "m.csv"); }),
              HasSubstr("write it as time_s, times 1e-3"));
  EXPECT_THAT(refusal_of([] { (void)import_csv(std::string(kWall) + "kind,energy_j,time_s\nadd,1,-2\n", "m.csv"); }),
              HasSubstr("m.csv:4: time_s is '-2', which is below zero"));
}

TEST(Statement, FillsWhatTheSourceLeavesOpen) {
  Statement stated;
  stated.boundary = BoundaryKind::kRails;
  stated.rails = {"VDD_IN"};
  stated.baseline = BaselineKind::kAboveIdle;
  stated.idle_state = "screen off";
  stated.board = "My Board";
  const MeasurementSet set = import_csv("kind,energy_j\nadd,1\n", "m.csv", stated);
  EXPECT_EQ(set.boundary, BoundaryKind::kRails);
  EXPECT_THAT(set.rails, ::testing::ElementsAre("VDD_IN"));
  EXPECT_EQ(set.baseline, BaselineKind::kAboveIdle);
  EXPECT_EQ(set.idle_state, "screen off");
  EXPECT_EQ(set.board, "My Board");
}

TEST(Statement, CannotChangeWhatTheJoulesAre) {
  const auto stating = [](Statement stated) {
    return refusal_of([&] {
      (void)import_csv("# boundary: rails\n# rail: A\n# baseline: total\n# idle_state: off\nkind,energy_j\nadd,1\n",
                       "m.csv", stated);
    });
  };
  EXPECT_THAT(stating({.boundary = BoundaryKind::kWall}),
              HasSubstr("m.csv says that its boundary is rails: saying wall does not make it so"));
  EXPECT_THAT(stating({.rails = {"B"}}), HasSubstr("its boundary is rails A: saying B"));
  EXPECT_THAT(stating({.baseline = BaselineKind::kAboveIdle}), HasSubstr("its baseline is total"));
  EXPECT_THAT(stating({.idle_state = "on"}), HasSubstr("its idle state is off"));
  EXPECT_EQ(stating({.boundary = BoundaryKind::kRails, .rails = {"A"}, .baseline = BaselineKind::kTotal}),
            "no refusal");
}

TEST(Statement, RefusesTwoMeaningsInOneFile) {
  EXPECT_THAT(refusal_of([] {
                (void)import_csv("# boundary: wall\n# boundary: module_input\n# baseline: total\nkind,energy_j\n", "m");
              }),
              AllOf(HasSubstr("'# boundary: wall' and '# boundary: module_input'"), HasSubstr("one file of each")));
}

TEST(Merged, KeepsEverythingAndRefusesOtherJoules) {
  const MeasurementSet a = import_csv(std::string(kWall) + "kind,energy_j\nadd,1\nadd,0\n", "a.csv");
  MeasurementSet b = a;
  b.measurements.push_back(b.measurements[0]);
  b.measurements[1].children = {{0, 2}};
  const MeasurementSet both = merged({a, b}, {"a.csv", "b.csv"});
  ASSERT_EQ(both.measurements.size(), 3U);
  EXPECT_EQ(both.measurements[2].children[0].index, 1U) << "its own child, not the other set's";
  EXPECT_EQ(both.excluded.size(), 2U);
  const auto refused = [&](auto change) {
    MeasurementSet other = a;
    change(other);
    return refusal_of([&] { (void)merged({a, other}, {"a.csv", "b.csv"}); });
  };
  EXPECT_THAT(
      refused([](auto& s) { s.boundary = BoundaryKind::kModuleInput; }),
      AllOf(HasSubstr("a.csv and b.csv"), HasSubstr("the boundary of one is 'wall', of the other 'module input'")));
  EXPECT_THAT(refused([](auto& s) { s.baseline = BaselineKind::kAboveIdle; }), HasSubstr("the baseline"));
  EXPECT_THAT(refused([](auto& s) { s.rails = {"A"}; }), HasSubstr("the boundary"));
  EXPECT_THAT(refused([](auto& s) { s.board = "B"; }), HasSubstr("the board"));
  EXPECT_THAT(refused([](auto& s) { s.runtime = "B"; }), HasSubstr("the runtime"));
  EXPECT_NE(merged({a, b}, {"a", "b"}).sha256, merged({b, a, a}, {"b", "a", "a"}).sha256);
}

MeasurementSet of_two_devices() {
  MeasurementSet set = import_csv(std::string(kWall) + "kind,energy_j,group\nadd,1,x\nadd,2,y\nadd,3,z\n", "a.csv");
  set.sha256 = "00";
  for (std::size_t i = 0; i < 3; ++i) set.measurements[i].device = i == 0 ? "v1|rpi4" : "v1|orin";
  set.measurements[2].children = {{1, 1}};
  return set;
}

TEST(Filtered, KeepsOneDeviceAndItsStructure) {
  MeasurementSet set = of_two_devices();
  const MeasurementSet orin = filtered(set, {.device = "orin"});
  ASSERT_EQ(orin.measurements.size(), 2U);
  EXPECT_EQ(orin.measurements[1].children[0].index, 0U);
  EXPECT_EQ(orin.board, "v1|orin");
  EXPECT_NE(orin.sha256, set.sha256);
  EXPECT_NE(orin.sha256, filtered(set, {.device = "rpi4"}).sha256);
  EXPECT_THAT(refusal_of([&] { (void)filtered(set, {.device = "xavier"}); }),
              AllOf(HasSubstr("devices with 'xavier'"), HasSubstr("v1|orin, v1|rpi4")));
  set.measurements[2].children = {{0, 1}};
  EXPECT_THAT(refusal_of([&] { (void)filtered(set, {.device = "orin"}); }), HasSubstr("is left away by the filter"));
}

TEST(Filtered, PartsByGroup) {
  const MeasurementSet set = of_two_devices();
  const MeasurementSet without = filtered(set, {.without_groups = {"x"}});
  ASSERT_EQ(without.measurements.size(), 2U);
  EXPECT_EQ(without.measurements[0].group, "y");
  const MeasurementSet only = filtered(set, {.groups = {"x"}});
  ASSERT_EQ(only.measurements.size(), 1U);
  EXPECT_NE(only.sha256, without.sha256);
  EXPECT_THAT(refusal_of([&] { (void)filtered(set, {.groups = {"w"}}); }),
              HasSubstr("there is no group 'w'; there are: x, y, z"));
}

TEST(ImportMeasurements, SaysHowToImportWhatNamesModels) {
  const test::TemporaryFolder folder;
  for (const char* header : {"round,system,model,J_per_sample,mean_lat_ms",
                             "round,submitter,board,model,uJ_per_inference,inferences_per_s", "model,energy_j"}) {
    files::write_file(folder.file("m.csv"), std::string(kWall) + header + "\n");
    EXPECT_THAT(refusal_of([&] { (void)import_measurements(folder.file("m.csv")); }),
                AllOf(HasSubstr("names models, not ops"), HasSubstr("edge-calibrate import ")));
  }
}

// A set that was cut short must be refused, wherever the cut is.
TEST(ImportMeasurements, RefusesATruncatedSet) {
  const test::TemporaryFolder folder;
  const MeasurementSet set = import_csv(std::string(kWall) + "kind,energy_j\nadd,1\nadd,2\n", "a.csv");
  const files::FileBytes whole = write_measurements(set);
  for (std::size_t size = 1; size < whole.size(); size += 7) {
    files::write_file(folder.file("m.ejm"), whole.text().substr(0, size));
    EXPECT_THROW((void)import_measurements(folder.file("m.ejm")), std::runtime_error) << size;
  }
}

}  // namespace
}  // namespace edgejoule::measurements
