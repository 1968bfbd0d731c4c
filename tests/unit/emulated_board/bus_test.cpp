#include "emulated_board/bus.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "emulated_board/ina226.h"
#include "emulated_board/ina3221.h"
#include "fixture.h"

namespace edgejoule::emulated_board {
namespace {

class EmulatedBus : public ::testing::Test {
 protected:
  EmulatedBus() {
    bus_.attach(kAddress,
                std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(PowerTrace::constant(5.0, 1.0)), 0.01}));
  }

  BusStatus read(std::uint8_t address, std::int64_t now_ns = kSecond) {
    return bus_.transfer(kAddress, std::array{address}, data_, now_ns);
  }
  void fault(const std::string& words) { bus_.faults().add(parse_fault(words)); }

  Bus bus_;
  std::array<std::uint8_t, 2> data_{};
};

TEST_F(EmulatedBus, NobodyAtAnAddressIsANak) {
  EXPECT_EQ(bus_.transfer(0x45, std::array<std::uint8_t, 1>{0}, data_, 0), BusStatus::kNak);
  EXPECT_EQ(bus_.transfer(kAddress, {}, {}, 0), BusStatus::kOk) << "an address probe";
}

TEST_F(EmulatedBus, TheRegisterPointerIsKeptBetweenTransfers) {
  ASSERT_EQ(read(0xFF), BusStatus::kOk);
  data_ = {};
  ASSERT_EQ(bus_.transfer(kAddress, {}, data_, kSecond), BusStatus::kOk);
  EXPECT_EQ(data_, (std::array<std::uint8_t, 2>{0x22, 0x60}));
}

TEST_F(EmulatedBus, BytesPastARegisterReadAsOnesAndPointersDoNotAdvance) {
  std::array<std::uint8_t, 4> four{};
  ASSERT_EQ(bus_.transfer(kAddress, std::array<std::uint8_t, 1>{0xFE}, four, 0), BusStatus::kOk);
  EXPECT_EQ(four, (std::array<std::uint8_t, 4>{0x54, 0x49, 0xFF, 0xFF}));
}

TEST_F(EmulatedBus, AnIncompleteWriteChangesNothing) {
  ASSERT_EQ(bus_.transfer(kAddress, std::array<std::uint8_t, 2>{0x05, 0x0A}, {}, 0), BusStatus::kOk);
  ASSERT_EQ(read(0x05), BusStatus::kOk);
  EXPECT_EQ(data_, (std::array<std::uint8_t, 2>{}));
}

TEST_F(EmulatedBus, TimeNeverRunsBackwardsForAChip) {
  ASSERT_EQ(read(0x01, kSecond), BusStatus::kOk);
  const auto before = data_;
  ASSERT_EQ(read(0x01, 0), BusStatus::kOk);
  EXPECT_EQ(data_, before);
}

TEST_F(EmulatedBus, TwoChipsCannotShareAnAddress) {
  EXPECT_THROW(bus_.attach(kAddress, std::make_unique<Ina3221>(std::array<Rail, 3>{})), std::invalid_argument);
}

TEST_F(EmulatedBus, EachFaultHasItsStatus) {
  const struct {
    const char* words;
    BusStatus status;
    int number;
  } rows[] = {{"nak", BusStatus::kNak, ENXIO},
              {"timeout", BusStatus::kTimeout, ETIMEDOUT},
              {"arbitration", BusStatus::kArbitrationLost, EAGAIN},
              {"short", BusStatus::kNak, ENXIO}};
  for (const auto& row : rows) {
    fault(row.words);
    EXPECT_EQ(read(0x01), row.status) << row.words;
    EXPECT_EQ(to_errno(row.status), row.number);
    bus_.faults().clear();
    EXPECT_EQ(read(0x01), BusStatus::kOk) << "recovers from " << row.words;
  }
  EXPECT_EQ(to_errno(BusStatus::kOk), 0);
}

TEST_F(EmulatedBus, AShortTransferCompletesAllButTheLastMessage) {
  fault("short");
  std::array<std::uint8_t, 1> pointer{0x01};
  const std::array messages{Message{kAddress, false, pointer}, Message{kAddress, true, data_}};
  const TransferResult result = bus_.transfer(messages, 0);
  EXPECT_EQ(result.status, BusStatus::kOk);
  EXPECT_EQ(result.completed, 1U);
}

TEST_F(EmulatedBus, EveryNthIsHitAndTheCountEndsIt) {
  fault("nak every=3 count=2");
  std::string pattern;
  for (int i = 0; i < 12; ++i) {
    pattern += read(0x01) == BusStatus::kOk ? '.' : 'x';
  }
  EXPECT_EQ(pattern, "..x..x......");
  EXPECT_EQ(bus_.faults().hits(), 2U);
}

TEST_F(EmulatedBus, AFaultCanBeOneChipsAlone) {
  bus_.attach(0x41, std::make_unique<Ina3221>(std::array<Rail, 3>{}));
  fault("nak address=0x41");
  EXPECT_EQ(read(0x01), BusStatus::kOk);
  EXPECT_EQ(bus_.transfer(0x41, std::array<std::uint8_t, 1>{0}, data_, 0), BusStatus::kNak);
}

TEST_F(EmulatedBus, AStallAnswersLate) {
  fault("stall ms=50");
  std::array<std::uint8_t, 1> pointer{0x01};
  const std::array messages{Message{kAddress, false, pointer}, Message{kAddress, true, data_}};
  EXPECT_EQ(bus_.transfer(messages, 0).stall_ns, 50 * kMillisecond);
}

TEST_F(EmulatedBus, CorruptionFlipsBitsOfTheAnswer) {
  fault("corrupt flip=0x80");
  ASSERT_EQ(read(0xFF), BusStatus::kOk);
  EXPECT_EQ(data_, (std::array<std::uint8_t, 2>{0xA2, 0x60}));
}

TEST_F(EmulatedBus, AFrozenChipRepeatsItsLastConversion) {
  Bus bus;
  const PowerTrace trace = PowerTrace::piecewise({{0, 5.0, 1.0}, {2 * kSecond, 5.0, 2.0}});
  bus.attach(kAddress, std::make_unique<Ina226>(Ina226Model::kIna226, Rail{share(trace), 0.01}));
  const auto shunt = [&bus](std::int64_t now_ns) {
    std::array<std::uint8_t, 2> data{};
    EXPECT_EQ(bus.transfer(kAddress, std::array<std::uint8_t, 1>{0x01}, data, now_ns), BusStatus::kOk);
    return data[0] << 8 | data[1];
  };
  bus.faults().add(parse_fault("freeze"));
  EXPECT_EQ(shunt(kSecond), 4000);
  EXPECT_EQ(shunt(10 * kSecond), 4000);
  bus.faults().clear();
  EXPECT_EQ(shunt(10 * kSecond), 8000);
}

TEST(ParseFault, SaysWhatIsWrong) {
  for (const char* words : {"", "nack", "nak every=0", "nak every=x", "nak adress=0x40", "stall ms=-1"}) {
    EXPECT_THROW((void)parse_fault(words), FaultError) << words;
  }
  const Fault fault = parse_fault("stall ms=20 address=0x41 every=2 count=3");
  EXPECT_EQ(fault.kind, FaultKind::kStall);
  EXPECT_EQ(fault.stall_ns, 20 * kMillisecond);
  EXPECT_EQ(parse_fault("stall us=600").stall_ns, 600 * kMicrosecond);
  EXPECT_EQ(fault.address, 0x41);
  EXPECT_EQ(fault.every, 2U);
  EXPECT_EQ(fault.count, 3U);
}

}  // namespace
}  // namespace edgejoule::emulated_board
