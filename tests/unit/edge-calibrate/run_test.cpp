// edge-calibrate run, as a person runs it: on emulated boards, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "edgejoule/core/table.h"
#include "files/json.h"
#include "support/program.h"

namespace edgejoule {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

test::Outcome run(const std::string& arguments) {
  return test::run_program(EDGE_CALIBRATE " run " + arguments);
}

std::size_t blocks(const std::string& journal) {
  std::ifstream file(journal);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.starts_with("block\t") ? 1 : 0;
  return count;
}

// The built-in board has no file; this one is a plain board with a fault.
std::string board_with(const test::TemporaryFolder& folder, const std::string& more) {
  const std::string path = folder.file("board.law");
  std::ofstream(path) << "board bench\n"
                         "engine cpu threads=2 gmacs_per_s=10 wake_uj=300\n"
                         "memory idle_w=0.3\n"
                         "point 15W cpu_mhz=1500 memory_mhz=2000\n"
                         "point 7W cpu_mhz=900 memory_mhz=2000\n"
                         "noise watts=0.05\n"
                         "rail IN total of=engines,memory,soc,other loss=0.1\n"
                         "rail CPU of=engines\n"
                         "chip 0x40 ina3221 shunt_noise_uv=20 shunt_offset_uv=20\n"
                         "channel 0x40 1 trace=IN shunt_uohm=5000\n"
                         "channel 0x40 2 trace=CPU shunt_uohm=5000\n"
                      << more;
  return path;
}

TEST(CalibrateRun, WritesATableAJournalAndAPage) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt");
  const test::Outcome outcome =
      run("--emulate " + board_with(folder, "") + " --budget 60s -o " + table + " --report " + folder.file("t.html") +
          " --log " + folder.file("t.log") + " --measurements " + folder.file("t.ejm"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "") << "the table is the output";
  EXPECT_THAT(outcome.err, HasSubstr("emulated, in virtual time"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("\r"))) << "no live line in a pipe";
  const files::FileBytes bytes = files::load(table, files::FileKind::kTable);
  const auto opened = CoefficientTable::open(bytes.span());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->board(), "bench");
  EXPECT_EQ(opened->baseline(), BaselineKind::kAboveIdle);
  ASSERT_EQ(opened->boundary_rail_count(), 1U);
  EXPECT_EQ(opened->boundary_rail(0), "IN");
  ASSERT_EQ(opened->operating_point_count(), 1U);
  EXPECT_EQ(opened->operating_point(0).name, "15W");
  EXPECT_EQ(opened->sensor_count(), 2U);
  ASSERT_EQ(opened->static_term_count(), 1U);
  // 0.02 W of the engine, 0.3 of the memory, 0.5 each of the rest, and what the regulator loses of it.
  EXPECT_NEAR(opened->static_term(0).power.value(), 1.1 * 1.32, 0.08);
  EXPECT_GT(opened->engine(0).wake.value(), 100e-6F);
  EXPECT_GT(blocks(table + ".journal"), 40U);
  EXPECT_THAT(std::string(files::read_file(folder.file("t.html")).text()),
              ::testing::AllOf(HasSubstr("This board is emulated"), HasSubstr("What to measure next"),
                               HasSubstr("Power over time")));
  EXPECT_THAT(std::string(files::read_file(folder.file("t.log")).text()), HasSubstr("dense-float32"));
}

TEST(CalibrateRun, PlansWithoutMeasuring) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome = run("--emulate orin-nano --dry-run -o " + folder.file("t.ejt"));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("expected error"));
  EXPECT_THAT(outcome.out, HasSubstr("validation"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(CalibrateRun, GoesOnWithAJournalAndRefusesThatOfAnotherMode) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt"), law = board_with(folder, "");
  ASSERT_EQ(run("--emulate " + law + " --budget 30s -o " + table).code, 0);
  const std::size_t before = blocks(table + ".journal");
  const test::Outcome resumed = run("--emulate " + law + " --budget 60s --resume -o " + table);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed   " + std::to_string(before) + " blocks"));
  EXPECT_GT(blocks(table + ".journal"), before + 20);
  const test::Outcome refused = run("--emulate " + law + " --at 7W --resume -o " + table);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("mode is '15W', that of this machine '7W'"));
  const test::Outcome other = run("--emulate orin-nano --resume -o " + table);
  EXPECT_EQ(other.code, 3);
  EXPECT_THAT(other.err, HasSubstr("its board is 'bench'"));
}

TEST(CalibrateRun, AJournalThatCannotGrowCostsNothingThatWasMeasured) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt"), law = board_with(folder, "");
  // No file may exceed 8 KiB (16 in some shells), which a table stays below and a journal does not.
  const test::Outcome outcome = test::run_program("ulimit -f 16; trap '' XFSZ; " EDGE_CALIBRATE " run --emulate " +
                                                  law + " --budget 60s -o " + table);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("journal: File too large; free some space before the next run: what was measured "
                                     "until now is in it, the rest is kept in memory until the end"));
  const std::size_t kept = blocks(table + ".journal");
  const std::size_t at = outcome.err.find("measured  ");
  ASSERT_NE(at, std::string::npos) << outcome.err;
  EXPECT_GT(std::stoul(outcome.err.substr(at + 10)), kept + 10) << "blocks in the table";
  EXPECT_TRUE(CoefficientTable::open(files::load(table, files::FileKind::kTable).span()).ok());
  // The line that did not fit is torn; one goes on before it.
  const test::Outcome resumed = run("--emulate " + law + " --budget 60s --resume -o " + table);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed   "));
  EXPECT_GT(blocks(table + ".journal"), kept + 10);
}

struct FaultCase {
  const char* line;
  const char* says;
};

class CalibrateRunFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(CalibrateRunFault, IsSaidAndWhatWasMeasuredSurvives) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt");
  const test::Outcome outcome = run("--emulate " + board_with(folder, GetParam().line) + " --budget 120s -o " + table);
  EXPECT_EQ(outcome.code, 4) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
  EXPECT_THAT(outcome.err, HasSubstr("go on with: edge-calibrate run --resume"));
  EXPECT_GT(blocks(table + ".journal"), 40U);
  EXPECT_TRUE(CoefficientTable::open(files::load(table, files::FileKind::kTable).span()).ok())
      << "half the budget is enough for a table";
}

INSTANTIATE_TEST_SUITE_P(Faults, CalibrateRunFault,
                         ::testing::Values(FaultCase{"fault rail at_s=60\n", "rail IN has not answered"},
                                           FaultCase{"fault throttle at_s=60\n", "throttled"},
                                           FaultCase{"fault others at_s=60\n", "other programs"},
                                           FaultCase{"fault clock at_s=60\n", "CPU clock changed"}));

TEST(CalibrateRun, RepeatsWhatAPassingFaultSpoiled) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome =
      run("--emulate " + board_with(folder, "fault throttle at_s=20 for_s=0.3\nfault others at_s=30 for_s=0.4\n") +
          " --budget 60s -o " + folder.file("t.ejt"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("repeated  "));
  EXPECT_THAT(outcome.err, HasSubstr("0 stayed bad"));
}

TEST(CalibrateRun, ARailLostAtTheStartLeavesNoTable) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome =
      run("--emulate " + board_with(folder, "fault rail at_s=2\n") + " -o " + folder.file("t.ejt"));
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("no table"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("t.ejt")));
}

TEST(CalibrateRun, SaysWhatIsWrongWithItsInput) {
  const test::TemporaryFolder folder;
  const std::string output = " -o " + folder.file("t.ejt");
  EXPECT_EQ(run("--emulate orin-nano").code, 2) << "no output";
  EXPECT_EQ(run("--emulate orin-nano --budget soon" + output).code, 2);
  const test::Outcome missing = run("--emulate nowhere" + output);
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("no built-in emulated board of that name; there are: orin-nano"));
  const test::Outcome engine = run("--emulate orin-nano --engine npu" + output);
  EXPECT_EQ(engine.code, 1);
  EXPECT_THAT(engine.err, HasSubstr("there are: cpu, gpu"));
  const test::Outcome nowhere = run("--emulate orin-nano -o " + folder.file("no/t.ejt"));
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("t.ejt.journal"));
  const test::Outcome no_rail = run("--root " + folder.path().string() + output);
  EXPECT_EQ(no_rail.code, 1);
  EXPECT_THAT(no_rail.err, HasSubstr("--emulate orin-nano"));
}

TEST(CalibrateRun, AFullDiskCostsTheTableAndNotTheJournal) {
  const test::TemporaryFolder folder;
  const std::string journal = folder.file("j");
  const test::Outcome outcome =
      run("--emulate " + board_with(folder, "") + " --budget 30s --journal " + journal + " -o /dev/full");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/dev/full"));
  EXPECT_GT(blocks(journal), 20U);
  const test::Outcome again = run("--emulate " + board_with(folder, "") + " --budget 30s --resume --journal " +
                                  journal + " -o " + folder.file("t.ejt"));
  EXPECT_EQ(again.code, 0) << again.err;
}

TEST(CalibrateRun, CtrlCKeepsWhatWasMeasured) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt");
  const test::Outcome outcome = test::run_program(EDGE_CALIBRATE " run --emulate orin-nano --budget 2h -o " + table +
                                                  " & pid=$!; while ! grep -q ^block " + table +
                                                  ".journal; do sleep 0.01; done; kill -INT $pid; wait $pid");
  // It may have been done before the signal came.
  EXPECT_THAT(outcome.code, ::testing::AnyOf(4, 0)) << outcome.err;
  EXPECT_GT(blocks(table + ".journal"), 0U);
  EXPECT_EQ(run("--emulate orin-nano --budget 1h --resume -o " + table).code, 0);
}

}  // namespace
}  // namespace edgejoule
