// edge-calibrate runtime as a person runs it, on a made-up board.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/program.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::calibrate {
namespace {

using edgejoule::test::FakeSysfs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Board {
 public:
  Board() { sys_.orin_nano(); }

  // `before` stands before the program's name.
  [[nodiscard]] test::Outcome run(const std::string& command, const std::string& more = "--budget 60s",
                                  const std::string& before = {}) const {
    return test::run_program(fmt::format(
        "{}{} runtime '{}' -o {} --format tflite --engine-name gpu --engine-kind gpu --total VDD_IN --root {} {}",
        before, EDGE_CALIBRATE, command, table(), sys_.root(), more));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string table() const { return folder_.file("gpu.ejt"); }
  [[nodiscard]] bool has_table() const { return std::filesystem::exists(table()); }

 private:
  FakeSysfs sys_;
  test::TemporaryFolder folder_;
};

TEST(Runtime, DryRunSaysWhatWouldBeMeasuredHeldOutOnesLast) {
  const Board board;
  const test::Outcome outcome = board.run("false {model} {iterations}", "--dry-run --budget 10m");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("VDD_IN: ina3221"));
  const std::size_t first = outcome.out.find("(held out)");
  ASSERT_NE(first, std::string::npos);
  for (std::size_t at = outcome.out.find('\n', first); at + 1 < outcome.out.size();) {
    const std::size_t end = outcome.out.find('\n', at + 1);
    EXPECT_THAT(outcome.out.substr(at, end - at), HasSubstr("(held out)"));
    at = end;
  }
  EXPECT_FALSE(board.has_table());
}

TEST(Runtime, ThreeFailuresInARowEndIt) {
  const Board board;
  const test::Outcome outcome = board.run("echo out of memory; sh -c \"exit 3\" {model} {iterations}");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("failed with exit code 3; run it by hand to see why"));
  EXPECT_THAT(outcome.err, HasSubstr("\n  out of memory"));
  EXPECT_THAT(outcome.err, HasSubstr("3 engines in a row could not be measured"));
  EXPECT_THAT(outcome.err, HasSubstr("no table: "));
  EXPECT_FALSE(board.has_table());
}

TEST(Runtime, WhatIsNotWrittenOrDamagedIsSaid) {
  const Board board;
  EXPECT_THAT(board.run("true {model} {iterations} {layers}").err, HasSubstr("check the option that {layers} stands"));
  const Board second;
  EXPECT_THAT(second.run("echo \"[ {\" >{profile}; true {model} {iterations}").err, HasSubstr("it ends in the middle"));
  EXPECT_FALSE(board.has_table());
  EXPECT_FALSE(second.has_table());
}

TEST(Runtime, ATemplateWithoutItsPlacesIsRefused) {
  const Board board;
  const test::Outcome outcome = board.run("trtexec {model}");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("{iterations} does not stand in it"));
}

// Sleeps long enough for a test to fail if it is not ended, and leaves its number.
std::string sleeper(const Board& board) {
  return "echo $$ >" + board.file("pid") + "; : {model} {iterations}; sleep 300";
}

bool is_over(const Board& board) {
  int pid = 0;
  std::ifstream(board.file("pid")) >> pid;
  EXPECT_GT(pid, 0) << "it never ran";
  return !std::filesystem::exists(fmt::format("/proc/{}", pid));
}

TEST(Runtime, CtrlCEndsTheCommandToo) {
  const Board board;
  const test::Outcome outcome = board.run(sleeper(board), "--budget 200s", "timeout --preserve-status --signal INT 3 ");
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("ended early because somebody asked for it"));
  EXPECT_TRUE(is_over(board));
}

TEST(Runtime, TheBudgetEndsACommandThatHangs) {
  const Board board;
  const test::Outcome outcome = board.run("trap \"\" TERM; " + sleeper(board), "--budget 4s");
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("was under way when the budget was spent"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("ended early")));
  EXPECT_TRUE(is_over(board));
}

TEST(Runtime, GoesOnWithNothingButItsOwnJournal) {
  const Board board;
  const std::string fails = "false {model} {iterations}";
  EXPECT_EQ(board.run(fails).code, 1);
  EXPECT_THAT(board.run(fails).err, HasSubstr("3 engines in a row")) << "where nothing was measured nothing is lost";
  EXPECT_THAT(board.run(fails, "--resume").err, HasSubstr("resumed   nothing"));
  std::ofstream(board.table() + ".journal", std::ios::app)
      << "block\tsome-engine\tjoules=1\tjoules_error=0.01\tseconds=1\tfirst_seconds=1\tidle_watts=1\trun_watts=2\t"
         "begin_s=1\tend_s=2\tcelsius=40\tcoverage=1\tconservation=0\tnaive_joules=1\texecutions=9\tattempt=1\t"
         "problem=\n";
  const test::Outcome again = board.run(fails);
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("holds 1 block of an earlier calibration"));
  EXPECT_THAT(board.run(fails, "--resume").err, HasSubstr("some-engine is not among the experiments any more"));
  const test::Outcome other = board.run("exit 1; true {model} {iterations}", "--resume");
  EXPECT_EQ(other.code, 3);
  EXPECT_THAT(other.err, HasSubstr("its runtime is 'false {model} {iterations}'"));
}

TEST(Runtime, HelpShowsTheNamesOfAChoice) {
  const test::Outcome help = test::run_program(EDGE_CALIBRATE " runtime --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("--format onnx|tflite "));
  EXPECT_THAT(help.out, HasSubstr("--engine-kind cpu|gpu|dla|npu "));
  for (const char c : help.out) ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ') << "a control character";
}

TEST(Runtime, SaysWhichPlaceIsMisspeltAndWhichBudgetTooShort) {
  const Board board;
  const test::Outcome outcome = board.run("true {model} {iterations} {profil} ${HOME} {1..3}", "--dry-run --budget 8s");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("careful   {profil} in the command"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("{HOME} in the command")));
  EXPECT_THAT(outcome.err, HasSubstr("too few for a table"));
  EXPECT_THAT(board.run("true {model} {iterations}", "--dry-run").err,
              AllOf(Not(HasSubstr("careful")), Not(HasSubstr("too few for a table"))));
}

TEST(Runtime, UsageIsChecked) {
  const Board board;
  EXPECT_EQ(board.run("true {model} {iterations}", "--budget soon").code, 2);
  EXPECT_EQ(board.run("true {model} {iterations}", "--kinds convolution").code, 2);
  const test::Outcome format = test::run_program(
      fmt::format("{} runtime 'true {{model}} {{iterations}}' -o {} --format pb --engine-name gpu --engine-kind gpu",
                  EDGE_CALIBRATE, board.table()));
  EXPECT_EQ(format.code, 2);
  EXPECT_THAT(format.err, HasSubstr("'pb' is none of onnx, tflite"));
}

TEST(Runtime, WithoutARailNothingIsRun) {
  const FakeSysfs empty;
  const test::TemporaryFolder folder;
  const test::Outcome outcome = test::run_program(
      fmt::format("{} runtime 'touch {}; true {{model}} {{iterations}}' -o {} --format tflite --engine-name gpu "
                  "--engine-kind gpu --root {}",
                  EDGE_CALIBRATE, folder.file("ran"), folder.file("gpu.ejt"), empty.root()));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("no rail of the total can be read"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("ran")));
}

}  // namespace
}  // namespace edgejoule::calibrate
