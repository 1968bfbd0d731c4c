// edge-calibrate probe, record and export as a person runs them, on a made-up board.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "capture/trace_reader.h"
#include "support/program.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::capture {
namespace {

using edgejoule::test::FakeSysfs;
using test::Outcome;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override { hwmon = sys.orin_nano(); }

  static Outcome run(const std::string& arguments) {
    return test::run_program(std::string(EDGE_CALIBRATE) + " " + arguments);
  }
  [[nodiscard]] std::string root() const { return " --root " + sys.root() + " "; }
  [[nodiscard]] std::string trace() const { return sys.at("/run.ejp"); }

  FakeSysfs sys;
  std::string hwmon;
};

TEST_F(ProgramTest, ProbeShowsEveryRail) {
  const Outcome outcome = run("probe" + root() + "--board jetson-orin-nano-nx");
  EXPECT_EQ(outcome.code, 0);
  for (const char* text :
       {"VDD_IN *", "ina3221", "hwmon 1-0040.1", "5 mOhm", "40.6 mW", "6.6 ms", "everyone", "2.03 W"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST_F(ProgramTest, ProbeWithoutSensorsFailsAndSaysWhatToDo) {
  const Outcome outcome = run("probe --root " + sys.at("/nowhere"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("no power sensor found"));
}

TEST_F(ProgramTest, RecordHandsTheCommandsCodeOn) {
  const Outcome outcome = run("record" + root() + "-o " + trace() + " -- sh -c 'echo output of the command; exit 7'");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.out, "output of the command\n") << "standard output is the command's";
  EXPECT_THAT(outcome.err, HasSubstr("VDD_IN"));
  EXPECT_EQ(read_trace(trace()).recordings.size(), 1U);
  EXPECT_EQ(run("record" + root() + "-- no-such-command-edgejoule").code, 127);
  EXPECT_EQ(run("record" + root() + "-- sh -c 'kill -9 $$'").code, 128 + 9);
}

TEST_F(ProgramTest, RecordForAWhile) {
  const Outcome outcome = run("record" + root() + "--duration 0.3 --total VDD_IN");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("VDD_CPU_GPU_CV"));
  EXPECT_THAT(outcome.out, HasSubstr("total"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("\x1b"))) << "no live view in a pipe";
}

TEST_F(ProgramTest, CtrlCKeepsTheData) {
  const pid_t program = ::fork();
  ASSERT_GE(program, 0);
  if (program == 0) {
    (void)!std::freopen("/dev/null", "w", stdout);
    (void)!std::freopen("/dev/null", "w", stderr);
    const std::string command = "exec " + std::string(EDGE_CALIBRATE) + " record" + root() + "-o " + trace();
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(99);
  }
  for (int i = 0; i < 500 && !std::filesystem::exists(trace()); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ASSERT_EQ(::kill(program, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(program, &status, 0), program);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const Trace kept = read_trace(trace());
  ASSERT_EQ(kept.recordings.size(), 1U);
  EXPECT_FALSE(kept.recordings[0].samples.empty());
  EXPECT_EQ(kept.damaged_bytes, 0U);
}

TEST_F(ProgramTest, KillLosesAtMostTheLastFrame) {
  const pid_t program = ::fork();
  ASSERT_GE(program, 0);
  if (program == 0) {
    (void)!std::freopen("/dev/null", "w", stdout);
    (void)!std::freopen("/dev/null", "w", stderr);
    const std::string command = "exec " + std::string(EDGE_CALIBRATE) + " record" + root() + "-o " + trace();
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(99);
  }
  // Until the first frame of samples is there.
  for (int i = 0; i < 1'000; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (std::filesystem::exists(trace()) && std::filesystem::file_size(trace()) > 4'000) break;
  }
  ASSERT_EQ(::kill(program, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(program, &status, 0), program);
  const Trace kept = read_trace(trace());
  ASSERT_EQ(kept.recordings.size(), 1U);
  EXPECT_GT(kept.recordings[0].samples.size(), 30U);
  // And the next recording goes behind it.
  EXPECT_EQ(run("record" + root() + "-o " + trace() + " --duration 0.1").code, 0);
  EXPECT_EQ(read_trace(trace()).recordings.size(), 2U);
}

TEST_F(ProgramTest, KernelSettingsAreChangedOnlyWhenAskedAndPutBack) {
  const auto samples = [&] {
    std::ifstream file(sys.at(hwmon + "/samples"));
    std::string value;
    std::getline(file, value);
    return value;
  };
  const Outcome outcome = run("record" + root() + "--set-samples 64 -- cat " + sys.at(hwmon + "/samples"));
  EXPECT_EQ(outcome.out.substr(0, 2), "64");
  EXPECT_THAT(outcome.err, HasSubstr("put back when this ends"));
  EXPECT_EQ(samples(), "1");
}

TEST_F(ProgramTest, ExportWritesCsvAndJson) {
  ASSERT_EQ(run("record" + root() + "-o " + trace() + " --duration 0.2").code, 0);
  const Outcome csv = run("export " + trace());
  EXPECT_EQ(csv.code, 0);
  EXPECT_THAT(csv.out, HasSubstr("\nVDD_SOC,"));
  const Outcome json = run("export --json " + trace());
  EXPECT_EQ(json.code, 0);
  EXPECT_THAT(json.out, HasSubstr("\"samples\": ["));
  EXPECT_EQ(run("export --events " + trace()).code, 0);
  EXPECT_EQ(run("export -o /dev/full " + trace()).code, 1);
}

TEST_F(ProgramTest, ExitCodesAreAPromise) {
  EXPECT_EQ(run("export " + sys.at("/missing.ejp")).code, 3);
  std::ofstream(sys.at("/junk.ejp")) << "junk";
  EXPECT_EQ(run("export " + sys.at("/junk.ejp")).code, 3);
  EXPECT_EQ(run("export").code, 2);
  EXPECT_EQ(run("record --duration -1").code, 2);
  EXPECT_EQ(run("record" + root() + "--rail NO_SUCH --duration 0.1").code, 1);
  std::ofstream(sys.at("/bad.json")) << "{";
  EXPECT_EQ(run("probe --board " + sys.at("/bad.json")).code, 3);
  EXPECT_EQ(run("record" + root() + "--i2c 1:zz --duration 0.1").code, 1);
}

}  // namespace
}  // namespace edgejoule::capture
