#include "measurements/importers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "files/io.h"
#include "graph/ops.h"
#include "support/temporary_folder.h"

namespace edgejoule::measurements {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kPreamble = "# boundary: rails\n# rail: VDD_IN\n# rail: VDD_CPU\n# baseline: above_idle\n";

template <class Import>
std::string error_of(Import import) {
  try {
    (void)import();
  } catch (const MeasurementError& error) {
    return error.what();
  }
  return "no error";
}

std::string csv_error(const std::string& text) {
  return error_of([&] { return import_csv(text, "m.csv"); });
}

std::string conv2d_error(const std::string& line) {
  return error_of([&] { return import_conv2d_txt("data mean_power ...\n" + line + "\n", "c.txt"); });
}

TEST(ImportCsv, ReadsWhatTheJoulesMean) {
  const MeasurementSet set = import_csv(std::string(kPreamble) +
                                            "# board: My Board\n# idle_w: 1.25\n# engine: gpu\n# engine_kind: gpu\n"
                                            "kind,energy_j\nadd,0.5\n",
                                        "m.csv");
  EXPECT_EQ(set.boundary, BoundaryKind::kRails);
  EXPECT_THAT(set.rails, ::testing::ElementsAre("VDD_IN", "VDD_CPU"));
  EXPECT_EQ(set.baseline, BaselineKind::kAboveIdle);
  EXPECT_EQ(set.board, "My Board");
  EXPECT_EQ(set.idle_watts, 1.25);
  EXPECT_EQ(set.engine_kind, EngineKind::kGpu);
}

TEST(ImportCsv, CompletesConvolutionsAsTheImportersOfModelsDo) {
  const MeasurementSet set = import_csv(
      std::string(kPreamble) +
          "kind,data_type,energy_j,time_s,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w,groups\n"
          "conv_2d,int8,0.25,0.5,8,8,4,4,4,16,3,3,2,2,2\n",
      "m.csv");
  ASSERT_EQ(set.measurements.size(), 1U);
  const Measurement& m = set.measurements[0];
  graph::ConvolutionParams params;
  params.kind = OpKind::kConv2d;
  params.in_h = params.in_w = 8, params.in_c = 4;
  params.out_h = params.out_w = 4, params.out_c = 16;
  params.kernel_h = params.kernel_w = 3, params.stride_h = params.stride_w = 2, params.groups = 2;
  params.types = {.input = DataType::kInt8, .output = DataType::kInt8, .weight = DataType::kInt8};
  const graph::OpNode expected = graph::convolution({}, params);
  for (std::size_t i = 0; i < kFactCount; ++i) {
    const auto fact = static_cast<Fact>(i);
    EXPECT_EQ(m.facts[fact], expected.facts[fact]) << name_of(fact);
  }
  EXPECT_EQ(m.op_class, OpClass::kConvolution);
  EXPECT_EQ(m.data_type, DataType::kInt8);
  EXPECT_EQ(m.energy_joules, 0.25);
  EXPECT_EQ(m.time_seconds, 0.5);
  EXPECT_EQ(m.origin, "m.csv:6");
}

TEST(ImportCsv, TakesStatedFactsAsTheyAre) {
  const MeasurementSet set = import_csv(
      std::string(kPreamble) + "kind,energy_j,input_bytes,output_bytes,rows_m\ndense,1,100,200,7\n", "m.csv");
  EXPECT_EQ(set.measurements[0].facts[Fact::kInputBytes], 100U);
  EXPECT_EQ(set.measurements[0].facts[Fact::kRowsM], 7U);
  EXPECT_EQ(set.measurements[0].facts[Fact::kWeightBytes], 0U);
}

TEST(ImportCsv, KeepsRepeatsOfOneOpTogetherWhereNoGroupsAreNamed) {
  const MeasurementSet set = import_csv(
      std::string(kPreamble) + "kind,energy_j,input_bytes,#note\nadd,1,8,a\nadd,2,8,b\nadd,1,16,c\n", "m.csv");
  EXPECT_EQ(set.measurements[0].group, set.measurements[1].group);
  EXPECT_NE(set.measurements[0].group, set.measurements[2].group);
}

TEST(ImportCsv, LeavesOutEnergiesThatAreNotAboveZero) {
  const MeasurementSet set = import_csv(std::string(kPreamble) + "kind,energy_j\nadd,1\nadd,-0.5\nadd,0\n", "m.csv");
  EXPECT_EQ(set.measurements.size(), 1U);
  ASSERT_EQ(set.excluded.size(), 2U);
  EXPECT_EQ(set.excluded[0].origin, "m.csv:7");
  EXPECT_THAT(set.excluded[0].reason, HasSubstr("-0.5 J is not above zero"));
}

TEST(ImportCsv, RefusesJoulesOfUnknownMeaning) {
  EXPECT_THAT(csv_error("kind,energy_j\nadd,1\n"), AllOf(HasSubstr("# boundary:"), HasSubstr("# baseline:")));
  EXPECT_THAT(csv_error("# boundary: rails\n# baseline: total\nkind,energy_j\n"), HasSubstr("# rail: NAME"));
  EXPECT_THAT(csv_error("# boundary: roof\nkind,energy_j\n"), HasSubstr("no boundary called 'roof'"));
}

TEST(ImportCsv, NamesWhatItDoesNotKnow) {
  const std::string preamble(kPreamble);
  EXPECT_THAT(csv_error(preamble + "energy_j\n1\n"), HasSubstr("no column 'kind'"));
  EXPECT_THAT(csv_error(preamble + "kind\nadd\n"), HasSubstr("no column 'energy_j'"));
  EXPECT_THAT(csv_error(preamble + "kind,energy_j,colour\n"), HasSubstr("no column or fact called 'colour'"));
  EXPECT_THAT(csv_error(preamble + "kind,energy_j\nadd,1\nconv2d,1\n"),
              AllOf(HasSubstr("m.csv:7"), HasSubstr("no op kind called 'conv2d'")));
  EXPECT_THAT(csv_error(preamble + "kind,energy_j,data_type\nadd,1,int9\n"), HasSubstr("no data type called 'int9'"));
  EXPECT_THAT(csv_error(preamble + "kind,energy_j\nadd,nan\n"), HasSubstr("energy_j is 'nan'"));
  EXPECT_THAT(csv_error(preamble + "# moon: full\nkind,energy_j\n"), HasSubstr("'# moon:'"));
  EXPECT_THAT(csv_error(preamble + "kind,energy_j,in_c,out_c,groups\nconv_2d,1,3,4,2\n"), HasSubstr("m.csv:6"));
}

TEST(ImportConv2dTxt, ReadsAConvolution) {
  const MeasurementSet set = import_conv2d_txt(
      "data mean_power time forward_num energy silence_energy all_energy\n"
      "1.0,46.0,28.0,28.0,1.0,134.0,14.0,14.0,46.0,134.0,6.0,6.0,2.0,2.0,2.0,2.0,1.0,1.0,2.0 3.7 4 2000 0.004 0.0034 "
      "0.0074\n"
      "0 0 0 0 0 0 0\n",
      "c.txt");
  ASSERT_EQ(set.measurements.size(), 1U);
  const Measurement& m = set.measurements[0];
  EXPECT_EQ(m.kind, OpKind::kConv2d);
  EXPECT_EQ(m.data_type, DataType::kFloat32);
  const Result<WorkCounts> work = count_work(m.op_class, m.facts);
  ASSERT_TRUE(work.ok());
  EXPECT_EQ(work->macs, 14ULL * 14 * 134 * 23 * 36);
  EXPECT_EQ(m.facts[Fact::kWeightBytes], 4ULL * (134 * 23 * 36 + 134));
  EXPECT_DOUBLE_EQ(m.energy_joules, 0.004);
  EXPECT_DOUBLE_EQ(m.time_seconds, 0.002);
  EXPECT_DOUBLE_EQ(set.idle_watts, 1.7);
  ASSERT_EQ(set.excluded.size(), 1U);
  EXPECT_EQ(set.excluded[0].origin, "c.txt:3");
}

TEST(ImportConv2dTxt, NamesTheLineOfWhatIsWrong) {
  EXPECT_THAT(conv2d_error("1,2 3 4"), AllOf(HasSubstr("c.txt:2"), HasSubstr("7 are expected")));
  EXPECT_THAT(conv2d_error("1,2,3 3.7 4 2000 0.004 0.0034 0.0074"), HasSubstr("19 whole numbers"));
  EXPECT_THAT(conv2d_error("1,2,3 3.7 4 2000 nan 0.0034 0.0074"), HasSubstr("'nan'"));
  EXPECT_THAT(conv2d_error("1,46,28,28,1,134,14,14,46,134,6,6,2,2,2,2,1,1,5 3.7 4 2000 0.004 0.0034 0.0074"),
              HasSubstr("c.txt:2"));
}

TEST(ImportMeasurements, TellsTheFormsApartAndDigestsTheFile) {
  const test::TemporaryFolder folder;
  files::write_file(folder.file("m.csv"), std::string(kPreamble) + "kind,energy_j\nadd,1\n");
  const MeasurementSet set = import_measurements(folder.file("m.csv"));
  EXPECT_EQ(set.measurements.size(), 1U);
  EXPECT_EQ(set.sha256, files::sha256(files::read_file(folder.file("m.csv")).text()));

  const char* shared = std::getenv("EDGEJOULE_SHARED_DIR");
  const std::string real = std::string(shared == nullptr ? "" : shared) + "/data/jetson_conv2d/conv2d.txt";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "EDGEJOULE_SHARED_DIR has no data/jetson_conv2d/conv2d.txt";
  const MeasurementSet conv2d = import_measurements(real);
  EXPECT_EQ(conv2d.measurements.size(), 999U);
  EXPECT_EQ(conv2d.excluded.size(), 1U);
  EXPECT_NEAR(conv2d.idle_watts, 1.685, 0.001);
}

}  // namespace
}  // namespace edgejoule::measurements
