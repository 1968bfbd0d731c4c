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

// A power mode or a thread count each, and one table that answers for all of them.
TEST(CalibrateRun, TablesOfThreadCountsAndPowerModesBecomeOne) {
  const test::TemporaryFolder folder;
  const std::string emulate = "--emulate " + board_with(folder, "") + " --budget 60s -o ";
  ASSERT_EQ(run(emulate + folder.file("all.ejt")).code, 0);
  ASSERT_EQ(run(emulate + folder.file("slow.ejt") + " --at 7W").code, 0);
  ASSERT_EQ(run(emulate + folder.file("one.ejt") + " --threads 1").code, 0);
  const std::string merged = folder.file("board.ejt");
  const test::Outcome outcome =
      test::run_program(EDGE_CALIBRATE " table merge " + folder.file("all.ejt") + " " + folder.file("slow.ejt") + " " +
                        folder.file("one.ejt") + " -o " + merged);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const files::FileBytes bytes = files::load(merged, files::FileKind::kTable);
  const CoefficientTable table = *CoefficientTable::open(bytes.span());
  ASSERT_EQ(table.engine_count(), 2U);
  EXPECT_EQ(table.engine_name(0), "cpu");
  EXPECT_EQ(table.engine_name(1), "cpu-1-thread");
  ASSERT_EQ(table.operating_point_count(), 2U);
  EXPECT_EQ(table.operating_point_name(1), "7W");
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
  EXPECT_THAT(outcome.err, HasSubstr("journal: File too large; free some space: what was measured until now is in it, "
                                     "the rest waits in memory"));
  const std::size_t kept = blocks(table + ".journal");
  const std::size_t at = outcome.err.find("measured  ");
  ASSERT_NE(at, std::string::npos) << outcome.err;
  EXPECT_GT(std::stoul(outcome.err.substr(at + 10)), kept + 10) << "blocks in the table";
  EXPECT_TRUE(CoefficientTable::open(files::load(table, files::FileKind::kTable).span()).ok());
  const test::Outcome resumed = run("--emulate " + law + " --budget 60s --resume -o " + table);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed   "));
  EXPECT_GT(blocks(table + ".journal"), kept + 10);
}

TEST(CalibrateRun, AFullDiskForJournalAndTableLosesNothing) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt"), law = board_with(folder, "");
  // Less than a table needs, and less than a journal.
  const test::Outcome outcome =
      test::run_program("export TMPDIR=/nowhere; ulimit -f 2; trap '' XFSZ; " EDGE_CALIBRATE " run --emulate " + law +
                        " --budget 60s --journal " + folder.file("j") + " -o " + table + " 2>/dev/stdout | cat");
  EXPECT_THAT(outcome.out, HasSubstr("cannot write " + table));
  EXPECT_THAT(outcome.out, HasSubstr("lost      what the journal had no room for")) << "here nothing takes it";
  const test::Outcome full = run("--emulate " + law + " --budget 60s --journal /dev/full -o " + table);
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("/dev/full: No space left on device; free some space, or choose another place"));
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
  EXPECT_THAT(outcome.err, HasSubstr("go on with: "));
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
  const test::Outcome real = run("--at 7W" + output);
  EXPECT_EQ(real.code, 2) << "the mode of a real board is not chosen here";
  EXPECT_THAT(real.err, HasSubstr("--at requires --emulate"));
  EXPECT_THAT(run("--emulate orin-nano --i2c 1:0x40:ina226:10m" + output).err, HasSubstr("excludes --emulate"));
  EXPECT_THAT(run("--emulate orin-nano --threads 0" + output).err, ::testing::ContainsRegex("not in range .*1024"));
  const test::Outcome missing = run("--emulate nowhere" + output);
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("no built-in emulated board of that name; there are: orin-nano"));
  const test::Outcome engine = run("--emulate orin-nano --engine npu" + output);
  EXPECT_EQ(engine.code, 1);
  EXPECT_THAT(engine.err, HasSubstr("there are: cpu, gpu"));
  const test::Outcome nowhere = run("--emulate orin-nano -o " + folder.file("no/t.ejt"));
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write into the folder " + folder.file("no")));
  const test::Outcome no_rail = run("--root " + folder.path().string() + output);
  EXPECT_EQ(no_rail.code, 1);
  EXPECT_THAT(no_rail.err, HasSubstr("--emulate orin-nano"));
}

TEST(CalibrateRun, ReadsABudgetAsPeopleWriteOneAndRefusesTheRest) {
  const test::TemporaryFolder folder;
  const auto plan = [&](const std::string& budget) {
    return run("--emulate orin-nano --dry-run -o " + folder.file("t.ejt") + " --budget '" + budget + "'");
  };
  EXPECT_THAT(plan("1h30m").err, HasSubstr(" of 1h30m;"));
  EXPECT_THAT(plan("2min30s").err, HasSubstr(" of 2m30s;"));
  EXPECT_THAT(plan("90").err, HasSubstr(" of 1m30s;"));
  for (const char* budget : {"soon", "5x", "-5m", "0", "0s", "nan", "inf", "1e9h", "5m20", "1,5h", "m", "", " "}) {
    const test::Outcome refused = plan(budget);
    EXPECT_EQ(refused.code, 2) << budget;
    EXPECT_THAT(refused.err, HasSubstr("write 90s, 5m, 2h or 1h30m")) << budget;
  }
}

TEST(CalibrateRun, SaysWhereTimeIsTooShortForATableBeforeItIsSpent) {
  const test::TemporaryFolder folder;
  const std::string board = "--emulate orin-nano -o " + folder.file("t.ejt") + " --budget ";
  const test::Outcome refused = run(board + "5s");
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(folder.names().empty());
  const std::size_t give = refused.err.find("give ");
  ASSERT_NE(give, std::string::npos) << refused.err;
  const std::string enough = refused.err.substr(give + 5, refused.err.find(' ', give + 5) - give - 5);
  EXPECT_EQ(run(board + enough).code, 0) << enough;
}

TEST(CalibrateRun, SaysWhereMoreTimeChangesNothing) {
  const test::TemporaryFolder folder;
  const std::string output = " --dry-run -o " + folder.file("t.ejt");
  EXPECT_THAT(run("--emulate orin-nano --budget 2h" + output).err, HasSubstr("this is all there is to measure"));
  EXPECT_THAT(run("--emulate orin-nano --budget 2m" + output).err, Not(HasSubstr("this is all there is to measure")));
}

TEST(CalibrateRun, TriesItsOutputsBeforeItMeasures) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt");
  const auto with = [&](const std::string& more) { return run("--emulate orin-nano --budget 30s -o " + table + more); };
  for (const char* option : {" --report ", " --measurements ", " --held-out ", " --journal ", " --log "}) {
    const test::Outcome outcome = with(option + folder.file("no/x"));
    EXPECT_EQ(outcome.code, 1) << option;
    EXPECT_THAT(outcome.err, HasSubstr(folder.file("no"))) << option;
  }
  EXPECT_THAT(with(" --report " + folder.path().string()).err, HasSubstr("it is a folder"));
  EXPECT_THAT(with(" --report " + table).err, HasSubstr("asked for twice"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(CalibrateRun, AJournalOfARealBoardIsNotBegunAfresh) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt"), emulated = "--emulate orin-nano --budget 30s -o " + table;
  ASSERT_EQ(run(emulated).code, 0);
  EXPECT_EQ(run(emulated).code, 0) << "virtual minutes are cheap";
  std::string journal(files::read_file(table + ".journal").text());
  const std::size_t at = journal.find("os\temulated");
  ASSERT_NE(at, std::string::npos);
  journal.replace(at, 11, "os\tR36.4.3 ");
  files::write_file(table + ".journal", journal);
  const test::Outcome refused = run(emulated);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("go on with --resume, or move it away"));
  EXPECT_EQ(files::read_file(table + ".journal").text(), journal);
  files::write_file(table + ".journal", "what somebody wrote\n");
  EXPECT_EQ(run(emulated).code, 3);
  EXPECT_EQ(files::read_file(table + ".journal").text(), "what somebody wrote\n");
}

TEST(CalibrateRun, ResumesWithoutWhatIsDamagedAndWithWhatAnotherBudgetChose) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt"), board = "--emulate orin-nano -o " + table;
  EXPECT_THAT(run(board + " --resume").err, HasSubstr("there is no journal " + table + ".journal"));
  files::write_file(table + ".journal", "");
  EXPECT_THAT(run(board + " --budget 30s --resume").err, HasSubstr("resumed   nothing"));
  ASSERT_EQ(run(board + " --budget 2m").code, 0);
  const std::size_t before = blocks(table + ".journal");
  std::string journal(files::read_file(table + ".journal").text());
  journal.replace(journal.find("joules=", journal.size() / 2), 7, "jou\nes=");
  files::write_file(table + ".journal", journal);
  const test::Outcome resumed = run(board + " --budget 40s --resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("damaged   2 lines"));
  EXPECT_THAT(resumed.err, HasSubstr(" " + std::to_string(before - 1) + " blocks of "));
  EXPECT_THAT(resumed.err, Not(HasSubstr("not used"))) << "a smaller budget loses nothing";
}

TEST(CalibrateRun, SaysHowToGoOnInTheWordsItWasCalledWith) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("a table.ejt"), law = board_with(folder, "fault rail at_s=0.6\n");
  const test::Outcome outcome = run("--emulate " + law + " --budget 1m -o '" + table + "' --log " + folder.file("log"));
  EXPECT_EQ(outcome.code, 4);
  // Nothing was measured: nothing to go on with.
  EXPECT_THAT(outcome.err, Not(HasSubstr("go on with")));
  const std::string later = board_with(folder, "fault rail at_s=8\n");
  const std::string said = run("--emulate " + later + " --budget 1m -o '" + table + "'").err;
  EXPECT_THAT(said, HasSubstr(" run --emulate " + later + " --budget 1m -o '" + table + "' --resume\n"));
  EXPECT_THAT(std::string(files::read_file(folder.file("log")).text()), HasSubstr("rail IN has not answered"));
}

TEST(CalibrateRun, AHangUpEndsItUnlessItWasTakenIn) {
  const test::TemporaryFolder folder;
  const std::string table = folder.file("t.ejt");
  const test::Outcome outcome = test::run_program("trap '' HUP; " EDGE_CALIBRATE " run --emulate orin-nano -o " +
                                                  table + " & pid=$!; while ! grep -q ^block " + table +
                                                  ".journal; do sleep 0.01; done; " + "kill -HUP $pid; wait $pid");
  EXPECT_EQ(outcome.code, 0) << "as nohup asks for: " << outcome.err;
}

TEST(CalibrateRun, ALogTellsHowItEnded) {
  const test::TemporaryFolder folder;
  const std::string log = folder.file("log");
  EXPECT_EQ(run("--emulate orin-nano --budget 30s -o /dev/full --journal " + folder.file("j") + " --log " + log).code,
            1);
  const std::string said(files::read_file(log).text());
  EXPECT_THAT(said, HasSubstr("error     cannot write /dev/full"));
  EXPECT_THAT(said, HasSubstr("kept      " + folder.file("j")));
  EXPECT_EQ(run("--emulate orin-nano --budget 30s -o " + folder.file("t.ejt") + " --log " + log).code, 0);
  const std::string whole(files::read_file(log).text());
  EXPECT_THAT(whole, HasSubstr("validated "));
  EXPECT_THAT(whole, HasSubstr("wrote     " + folder.file("t.ejt")));
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
