// edge-calibrate itself inside the guest: probe, record and export on emulated chips whose power is known.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulated_board/board_file.h"
#include "support/bound_driver.h"
#include "support/emulated_bus.h"
#include "support/files.h"
#include "support/gpio_sim.h"

namespace edgejoule::kernel_tier {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSteady =
    "trace rail constant volts=5 amperes=1.2\n"
    "chip 0x40 ina3221\n"
    "channel 0x40 1 trace=rail shunt_uohm=10000\n";
constexpr const char* kSquare =
    "trace rail square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000\n"
    "chip 0x40 ina226\n"
    "channel 0x40 1 trace=rail shunt_uohm=10000\n";

// edge-calibrate with some arguments; what it says goes to files, so that nothing can block.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "edge-calibrate");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) {
      pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(::open(kOut, O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
      ::dup2(::open(kErr, O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  ~Program() {
    if (process_ > 0) {
      (void)end(SIGKILL);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Its exit code, or 128 and the signal as a shell counts.
  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int end(int signal) {
    ::kill(process_, signal);
    return wait();
  }

  [[nodiscard]] static std::string out() { return read_file(kOut).text; }
  [[nodiscard]] static std::string err() { return read_file(kErr).text; }

 private:
  static constexpr const char* kOut = "/tmp/program.out";
  static constexpr const char* kErr = "/tmp/program.err";
  pid_t process_ = -1;
};

int run(const std::vector<std::string>& arguments) {
  return Program(arguments).wait();
}

struct Row {
  std::string rail;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t power_uw = 0;
};

// The samples of a trace, through export's CSV.
std::vector<Row> exported(const std::string& trace) {
  if (run({"export", trace}) != 0) {
    throw std::runtime_error("export " + trace + ": " + Program::err());
  }
  std::istringstream csv(Program::out());
  std::vector<std::string> heading;
  std::vector<Row> rows;
  for (std::string line; std::getline(csv, line);) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) {
      fields.push_back(field);
    }
    if (heading.empty()) {
      heading = fields;
      continue;
    }
    const auto column = [&](const std::string& name) {
      for (std::size_t i = 0; i < heading.size(); ++i) {
        if (heading[i] == name) {
          return fields.at(i);
        }
      }
      throw std::runtime_error("export has no column " + name);
    };
    rows.push_back({column("rail"), std::stoll(column("window_begin_ns")), std::stoll(column("window_end_ns")),
                    std::stoll(column("power_uw"))});
  }
  return rows;
}

std::string raw(const EmulatedBus& bus, const std::string& chip) {
  return std::to_string(bus.adapter()) + ":0x40:" + chip + ":10m";
}

class EdgeCalibrate : public ::testing::Test {
 protected:
  EdgeCalibrate() { std::filesystem::remove(trace_); }
  const std::string trace_ = "/tmp/run.ejp";
};

TEST_F(EdgeCalibrate, ProbeSaysThatThereIsNoSensor) {
  EXPECT_EQ(run({"probe"}), 1);
  EXPECT_FALSE(Program::out().empty() && Program::err().empty());
}

TEST_F(EdgeCalibrate, ProbeShowsTheRailsOfABoundDriver) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  EXPECT_EQ(run({"probe"}), 0);
  EXPECT_THAT(Program::out(), HasSubstr("ina3221"));
  EXPECT_THAT(Program::out(), HasSubstr("0-0040"));
  EXPECT_THAT(Program::out(), HasSubstr("10 mOhm"));
  EXPECT_THAT(Program::out(), HasSubstr("20 mW"));  // 40 uV on 10 mOhm at 5 V
  EXPECT_THAT(Program::out(), HasSubstr("6.00 W"));
}

TEST_F(EdgeCalibrate, ProbeShowsAChipReadWithoutADriver) {
  const EmulatedBus bus(kSteady);
  EXPECT_EQ(run({"probe", "--i2c", raw(bus, "ina3221")}), 0);
  EXPECT_THAT(Program::out(), HasSubstr("/dev/i2c-"));
  EXPECT_THAT(Program::out(), HasSubstr("10 mOhm"));
  EXPECT_THAT(Program::out(), HasSubstr("6.6 ms"));
}

TEST_F(EdgeCalibrate, ARawChipWithADriverIsRefusedAndTheDriverNamed) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  (void)run({"probe", "--i2c", raw(bus, "ina3221")});
  EXPECT_THAT(Program::out() + Program::err(), HasSubstr("driver"));
}

TEST_F(EdgeCalibrate, RecordMeasuresASteadyRailThroughItsDriver) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  ASSERT_EQ(run({"record", "--duration", "2", "-o", trace_}), 0) << Program::err();
  const auto rows = exported(trace_);
  std::size_t of_channel_1 = 0;
  for (const Row& row : rows) {
    if (row.rail == rows.front().rail) {
      EXPECT_NEAR(static_cast<double>(row.power_uw), 6e6, 1e3);
      ++of_channel_1;
    }
  }
  // 303 cycles of 6.6 ms; a value that never changes is recognised by its time only.
  EXPECT_NEAR(static_cast<double>(of_channel_1), 303.0, 15.0);
}

TEST_F(EdgeCalibrate, RecordMeasuresASquareWaveRawWithinHalfAPercent) {
  const EmulatedBus bus(kSquare);
  std::istringstream stream(kSquare);
  const auto truth = emulated_board::read_board(stream, "truth", ".").traces.at("rail");
  ASSERT_EQ(run({"record", "--duration", "3", "-o", trace_, "--i2c", raw(bus, "ina226")}), 0) << Program::err();
  const auto rows = exported(trace_);
  ASSERT_GT(rows.size(), 1000U);
  double joules = 0.0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    joules += static_cast<double>(rows[i].power_uw) * 1e-15 * static_cast<double>(rows[i].end_ns - rows[i - 1].end_ns);
  }
  const double expected = truth->joules(rows.front().end_ns - bus.epoch_ns(), rows.back().end_ns - bus.epoch_ns());
  EXPECT_NEAR(joules / expected, 1.0, 0.005);
}

TEST_F(EdgeCalibrate, RecordReturnsTheExitCodeOfItsCommand) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  EXPECT_EQ(run({"record", "-o", trace_, "--", "sh", "-c", "sleep 0.3; exit 7"}), 7);
  EXPECT_FALSE(exported(trace_).empty());
}

TEST_F(EdgeCalibrate, ARecordingThatIsKilledCanBeRead) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  {
    Program program({"record", "--duration", "60", "-o", trace_});
    sleep_ms(4000);
    EXPECT_EQ(program.end(SIGKILL), 128 + SIGKILL);
  }
  const std::size_t before = exported(trace_).size();
  EXPECT_GT(before, 100U);
  // And continued: the file then holds a second recording.
  ASSERT_EQ(run({"record", "--duration", "0.5", "-o", trace_}), 0) << Program::err();
  EXPECT_FALSE(exported(trace_).empty());
}

TEST_F(EdgeCalibrate, ABrokenOffMeasurementKeepsWhatWasRecorded) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  Program program({"record", "--duration", "60", "-o", trace_});
  sleep_ms(1000);
  (void)program.end(SIGINT);
  EXPECT_GT(exported(trace_).size(), 100U);
}

TEST_F(EdgeCalibrate, AFaultWhileRecordingIsAGapInTheTrace) {
  EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  Program program({"record", "--duration", "3", "-o", trace_});
  sleep_ms(1500);
  bus.kill_backend();
  sleep_ms(400);
  bus.start_backend();
  EXPECT_EQ(program.wait(), 0) << Program::err();
  EXPECT_THAT(Program::out() + Program::err(), HasSubstr("gap"));
  ASSERT_EQ(run({"export", trace_, "--events"}), 0);
  EXPECT_THAT(Program::out(), HasSubstr("gap"));
}

TEST_F(EdgeCalibrate, AGpioEdgeStartsAndEndsARecording) {
  const GpioSim sim({"measure-now"});
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  Program program({"record", "--start-on", "measure-now", "-o", trace_});
  sleep_ms(1500);
  sim.pull(0, true);
  sleep_ms(800);
  sim.pull(0, false);
  EXPECT_EQ(program.wait(), 0) << Program::err();
  ASSERT_EQ(run({"export", trace_, "--events"}), 0);
  EXPECT_THAT(Program::out(), HasSubstr("rising"));
}

TEST_F(EdgeCalibrate, ALineThatDoesNotExistIsSaid) {
  const EmulatedBus bus(kSteady);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  EXPECT_NE(run({"record", "--marker-out", "no-such-line", "--", "true"}), 0);
  EXPECT_THAT(Program::err(), HasSubstr("no-such-line"));
}

}  // namespace
}  // namespace edgejoule::kernel_tier
