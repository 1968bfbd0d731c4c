// What goes wrong on a bus, seen through i2c-dev and through a bound driver, and the way back.
#include <gtest/gtest.h>
#include <linux/i2c-dev.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "support/bound_driver.h"
#include "support/emulated_bus.h"
#include "support/file_descriptor.h"
#include "support/files.h"
#include "support/i2c_dev.h"
#include "support/i2c_events.h"

namespace edgejoule::kernel_tier {
namespace {

constexpr const char* kTimeoutFile = "/sys/module/hil_i2c/parameters/timeout_ms";
constexpr const char* kTimeoutMs = "2000";  // what guest/run_tests loads the module with
constexpr int kRecoveryMs = 1000;           // a fault that has ended must be over within this

class Faults : public ::testing::Test {
 protected:
  Faults()
      : board_(
            "trace in constant volts=5 amperes=0.8\n"
            "chip 0x40 ina3221\nchannel 0x40 1 trace=in shunt_uohm=10000\n"
            "chip 0x41 ina226\nchannel 0x41 1 trace=in shunt_uohm=10000\n"),
        bus_(board_.adapter()),
        driver_(board_.adapter(), "ina3221", 0x40),
        curr1_(driver_.hwmon() + "curr1_input") {
    // The driver has just configured its chip: the first conversion of that is to come.
    expect_recovery();
  }

  // Both paths work again and give the right value.
  void expect_recovery() {
    board_.clear_faults();
    EXPECT_TRUE(wait_until([this] { return bus_.read_word(0x41, 0x01).signed_value() == 3200; }, kRecoveryMs));
    EXPECT_TRUE(wait_until([this] { return read_file(curr1_).text == "800"; }, kRecoveryMs));
  }

  EmulatedBus board_;
  I2cDev bus_;
  BoundDriver driver_;
  std::string curr1_;
};

TEST_F(Faults, NobodyAcknowledges) {
  board_.fault("nak");
  EXPECT_EQ(bus_.read_word(0x41, 0x01).error, ENXIO);
  EXPECT_EQ(read_file(curr1_).error, ENXIO);
  expect_recovery();
}

TEST_F(Faults, TheControllerTimesOut) {
  ASSERT_EQ(write_file(kTimeoutFile, "60"), 0);
  board_.fault("timeout");
  const std::int64_t begin_ns = monotonic_ns();
  EXPECT_EQ(bus_.read_word(0x41, 0x01).error, ETIMEDOUT);
  EXPECT_GE(monotonic_ns() - begin_ns, 55'000'000);
  EXPECT_EQ(read_file(curr1_).error, ETIMEDOUT);
  board_.clear_faults();
  ASSERT_EQ(write_file(kTimeoutFile, kTimeoutMs), 0);
  expect_recovery();
}

TEST_F(Faults, ArbitrationIsLost) {
  board_.fault("arbitration");
  EXPECT_EQ(bus_.read_word(0x41, 0x01).error, EAGAIN);
  EXPECT_EQ(read_file(curr1_).error, EAGAIN);
  expect_recovery();
}

TEST_F(Faults, AShortTransferCompletesOneMessageOfTwo) {
  board_.fault("short");
  I2cEvents events(board_.adapter());
  const auto read = bus_.read_word(0x41, 0x01);
  EXPECT_EQ(read.error, 0);
  EXPECT_EQ(read.completed, 1) << "a reader must look at the count, the call itself succeeds";
  const auto seen = events.take();
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().kind, "result");
  EXPECT_EQ(seen.back().message, 2);
  EXPECT_EQ(seen.back().length, 1);
  EXPECT_NE(read_file(curr1_).error, 0);
  expect_recovery();
}

TEST_F(Faults, AStalledChipAnswersLateButRight) {
  board_.fault("stall ms=50");
  const std::int64_t begin_ns = monotonic_ns();
  EXPECT_EQ(bus_.read_word(0x41, 0x01).signed_value(), 3200);
  EXPECT_GE(monotonic_ns() - begin_ns, 50'000'000);
  EXPECT_EQ(read_file(curr1_).text, "800");
  expect_recovery();
}

TEST_F(Faults, AnAnswerAfterTheTimeoutIsDroppedAndTheNextTransferIsClean) {
  ASSERT_EQ(write_file(kTimeoutFile, "60"), 0);
  board_.fault("stall ms=200 count=1");
  EXPECT_EQ(bus_.read_word(0x41, 0xFE).error, ETIMEDOUT);
  ASSERT_EQ(write_file(kTimeoutFile, kTimeoutMs), 0);
  EXPECT_TRUE(wait_until([this] { return bus_.read_word(0x41, 0xFF).completed == 2; }, kRecoveryMs));
  EXPECT_EQ(bus_.read_word(0x41, 0xFF).value, 0x2260);
  expect_recovery();
}

TEST_F(Faults, EveryThirdTransferIsNaked) {
  board_.fault("nak address=0x41 every=3");
  int failed = 0;
  for (int i = 0; i < 30; ++i) {
    const auto read = bus_.read_word(0x41, 0x01);
    failed += read.error == ENXIO ? 1 : 0;
    if (read.error == 0) {
      EXPECT_EQ(read.signed_value(), 3200);
    }
  }
  EXPECT_EQ(failed, 10);
  EXPECT_EQ(board_.command("stats").substr(board_.command("stats").find("hits=")), "hits=10");
  expect_recovery();
}

TEST_F(Faults, AFaultOfOneChipLeavesTheOtherAlone) {
  board_.fault("nak address=0x41");
  EXPECT_EQ(bus_.read_word(0x41, 0x01).error, ENXIO);
  EXPECT_EQ(read_file(curr1_).text, "800");
  expect_recovery();
}

TEST_F(Faults, CorruptBitsAreDelivered) {
  board_.fault("corrupt address=0x41 flip=0x40");
  EXPECT_EQ(bus_.read_word(0x41, 0xFF).value, 0x2260 ^ 0x4000);
  expect_recovery();
}

TEST_F(Faults, AKilledBackendIsEnxioAtOnceAndItsSuccessorServesTheSameChips) {
  board_.kill_backend();
  const std::int64_t begin_ns = monotonic_ns();
  EXPECT_EQ(bus_.read_word(0x41, 0x01).error, ENXIO);
  EXPECT_EQ(read_file(curr1_).error, ENXIO);
  EXPECT_LT(monotonic_ns() - begin_ns, 1'500'000'000) << "it waited for the timeout";
  board_.start_backend();
  expect_recovery();
}

TEST_F(Faults, ABackendKilledDuringATransferEndsIt) {
  board_.fault("timeout");
  ASSERT_EQ(write_file(kTimeoutFile, "20000"), 0);
  std::atomic<int> error{-1};
  std::thread reader([&] { error = bus_.read_word(0x41, 0x01).error; });
  sleep_ms(100);
  const std::int64_t begin_ns = monotonic_ns();
  board_.kill_backend();
  reader.join();
  EXPECT_EQ(error, ENXIO);
  EXPECT_LT(monotonic_ns() - begin_ns, 10'000'000'000) << "it waited for the timeout";
  ASSERT_EQ(write_file(kTimeoutFile, kTimeoutMs), 0);
  board_.start_backend();
  expect_recovery();
}

TEST_F(Faults, TheBusHasOnePlayerAtATime) {
  const int second = ::open("/dev/hil-i2c0", O_RDWR);
  EXPECT_LT(second, 0);
  EXPECT_EQ(errno, EBUSY);
}

TEST_F(Faults, ADriverUnboundWhileItsFileIsOpenFailsCleanlyAndComesBackByPath) {
  const FileDescriptor open_file = FileDescriptor::open(curr1_, O_RDONLY);
  std::array<char, 32> buffer{};
  ASSERT_GT(::pread(open_file.get(), buffer.data(), buffer.size(), 0), 0);
  driver_.unbind();
  EXPECT_LT(::pread(open_file.get(), buffer.data(), buffer.size(), 0), 0);
  EXPECT_EQ(errno, ENODEV);
  EXPECT_EQ(read_file(curr1_).error, ENOENT);
  EXPECT_FALSE(hwmon_of(driver_.device()).has_value());
  driver_.bind();
  const auto again = hwmon_of(driver_.device());
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(wait_until([&] { return read_file(*again + "curr1_input").text == "800"; }, kRecoveryMs));
  EXPECT_LT(::pread(open_file.get(), buffer.data(), buffer.size(), 0), 0) << "the old file stays dead";
}

TEST_F(Faults, ADriverUnboundWhileReadersReadNeverHangsThem) {
  std::atomic<bool> stop{false};
  std::atomic<int> good{0};
  std::atomic<int> failed{0};
  std::thread reader([&] {
    while (!stop) {
      const auto folder = hwmon_of(driver_.device());
      const FileRead read = folder ? read_file(*folder + "curr1_input") : FileRead{ENOENT, ""};
      (read.error == 0 && !read.text.empty() ? good : failed) += 1;
    }
  });
  for (int i = 0; i < 5; ++i) {
    sleep_ms(50);
    driver_.unbind();
    sleep_ms(50);
    driver_.bind();
  }
  const int before = good;
  EXPECT_TRUE(wait_until([&] { return good > before + 5; }, kRecoveryMs));
  stop = true;
  reader.join();
  EXPECT_GT(failed, 0);
}

TEST_F(Faults, ABoundChipIsRefusedByI2cSlaveButNotByRdwr) {
  EXPECT_EQ(bus_.select(0x40, false), EBUSY);
  EXPECT_EQ(bus_.select(0x40, true), 0);
  EXPECT_EQ(bus_.read_word(0x40, 0xFF).value, 0x3220) << "I2C_RDWR never asks: a reader must look for a driver itself";
  EXPECT_EQ(bus_.select(0x41, false), 0);
}

TEST(FrozenChip, RepeatsOneConversionAndNothingElseIsWrong) {
  EmulatedBus board(
      "trace in square volts=5 low=0.1 high=0.9 high_us=20000 period_us=40000\n"
      "chip 0x40 ina226\nchannel 0x40 1 trace=in shunt_uohm=10000\n");
  const I2cDev bus(board.adapter());
  board.fault("freeze");
  const auto first = bus.read_word(0x40, 0x01);
  for (int i = 0; i < 50; ++i) {
    const auto read = bus.read_word(0x40, 0x01);
    ASSERT_EQ(read.completed, 2);
    ASSERT_EQ(read.value, first.value);
    sleep_ms(2);
  }
  EXPECT_EQ(bus.read_word(0x40, 0x06).value & 8, 8);
  EXPECT_EQ(bus.read_word(0x40, 0x06).value & 8, 0) << "no conversion ever ends again";
  board.clear_faults();
  EXPECT_TRUE(wait_until([&] { return bus.read_word(0x40, 0x01).value != first.value; }, kRecoveryMs));
}

}  // namespace
}  // namespace edgejoule::kernel_tier
