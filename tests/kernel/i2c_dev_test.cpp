// Emulated chips through the kernel's i2c-dev: identities, values, both kinds of transfer, and what was on the bus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <sstream>

#include "emulated_board/board_file.h"
#include "support/emulated_bus.h"
#include "support/files.h"
#include "support/i2c_dev.h"
#include "support/i2c_events.h"

namespace edgejoule::kernel_tier {
namespace {

constexpr const char* kAllChips =
    "trace rail constant volts=5 amperes=-0.8\n"
    "chip 0x40 ina3221\nchannel 0x40 1 trace=rail shunt_uohm=10000\n"
    "chip 0x41 ina219\nchannel 0x41 1 trace=rail shunt_uohm=10000\n"
    "chip 0x42 ina226\nchannel 0x42 1 trace=rail shunt_uohm=10000\n"
    "chip 0x43 ina230\nchannel 0x43 1 trace=rail shunt_uohm=10000\n"
    "chip 0x44 ina231\nchannel 0x44 1 trace=rail shunt_uohm=10000\n"
    "chip 0x45 ina260\nchannel 0x45 1 trace=rail\n"
    "chip 0x46 ina228\nchannel 0x46 1 trace=rail shunt_uohm=10000\n"
    "chip 0x47 ina237\nchannel 0x47 1 trace=rail shunt_uohm=10000\n"
    "chip 0x48 ina238\nchannel 0x48 1 trace=rail shunt_uohm=10000\n";

TEST(I2cDev, EveryChipAnswersAtItsAddressWithItsIdentity) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  const struct {
    std::uint16_t address;
    std::uint8_t reg;
    std::uint16_t value;
  } rows[] = {{0x40, 0xFF, 0x3220}, {0x41, 0x00, 0x399F}, {0x42, 0xFF, 0x2260},
              {0x43, 0xFF, 0x2260}, {0x44, 0x00, 0x4127}, {0x45, 0xFF, 0x2270},
              {0x46, 0x3F, 0x2281}, {0x47, 0x3E, 0x5449}, {0x48, 0x3F, 0x2381}};
  for (const auto& row : rows) {
    const auto read = bus.read_word(row.address, row.reg);
    EXPECT_EQ(read.completed, 2) << std::hex << row.address;
    EXPECT_EQ(read.value, row.value) << std::hex << row.address;
  }
}

TEST(I2cDev, AnAbsentAddressIsEnxio) {
  const EmulatedBus board(kAllChips);
  EXPECT_EQ(I2cDev(board.adapter()).read_word(0x49, 0).error, ENXIO);
}

TEST(I2cDev, RawValuesAreThoseOfTheTrace) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  EXPECT_EQ(bus.read_word(0x40, 0x01).signed_value(), -200 * 8);
  EXPECT_EQ(bus.read_word(0x40, 0x02).signed_value(), 625 * 8);
  EXPECT_EQ(bus.read_word(0x41, 0x01).signed_value(), -800);
  EXPECT_EQ(bus.read_word(0x41, 0x02).value >> 3, 1250);
  for (std::uint16_t address = 0x42; address <= 0x44; ++address) {
    EXPECT_EQ(bus.read_word(address, 0x01).signed_value(), -3200);
    EXPECT_EQ(bus.read_word(address, 0x02).value, 4000);
  }
  EXPECT_EQ(bus.read_word(0x45, 0x01).signed_value(), -640);
  EXPECT_EQ(bus.read_word(0x48, 0x04).signed_value(), -1600);
  EXPECT_EQ(bus.read_word(0x48, 0x05).signed_value(), 1600);
  EXPECT_EQ(bus.read_bytes(0x46, 0x04, 3), (std::vector<std::uint8_t>{0xF9, 0xC0, 0x00}));  // -25600 << 4
  const std::vector<std::uint8_t> energy = bus.read_bytes(0x46, 0x09, 5);
  ASSERT_EQ(energy.size(), 5U);
  EXPECT_NE(energy, std::vector<std::uint8_t>(5, 0));
}

TEST(I2cDev, WritesReachTheRegister) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  ASSERT_EQ(bus.write_word(0x42, 0x05, 512), 0);  // 1 mA on 10 mOhm
  EXPECT_EQ(bus.read_word(0x42, 0x05).value, 512);
  ASSERT_TRUE(wait_until([&] { return bus.read_word(0x42, 0x04).value != 0; }, 1000));
  EXPECT_EQ(bus.read_word(0x42, 0x04).signed_value(), -800);
  EXPECT_EQ(bus.read_word(0x42, 0x03).value, 160);  // 4 W in units of 25 mW
}

TEST(I2cDev, SmbusWordsAreTheSameRegistersWithTheirBytesSwapped) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  ASSERT_EQ(bus.select(0x42, false), 0);
  i2c_smbus_data data{};
  i2c_smbus_ioctl_data read{I2C_SMBUS_READ, 0xFF, I2C_SMBUS_WORD_DATA, &data};
  ASSERT_EQ(::ioctl(bus.descriptor(), I2C_SMBUS, &read), 0);
  EXPECT_EQ(data.word, 0x6022);

  data.word = 0x000A;
  i2c_smbus_ioctl_data write{I2C_SMBUS_WRITE, 0x05, I2C_SMBUS_WORD_DATA, &data};
  ASSERT_EQ(::ioctl(bus.descriptor(), I2C_SMBUS, &write), 0);
  EXPECT_EQ(bus.read_word(0x42, 0x05).value, 0x0A00);

  i2c_smbus_ioctl_data quick{I2C_SMBUS_WRITE, 0, I2C_SMBUS_QUICK, nullptr};
  EXPECT_EQ(::ioctl(bus.descriptor(), I2C_SMBUS, &quick), 0);
  data.block[0] = 2;
  i2c_smbus_ioctl_data block{I2C_SMBUS_READ, 0xFE, I2C_SMBUS_I2C_BLOCK_DATA, &data};
  ASSERT_EQ(::ioctl(bus.descriptor(), I2C_SMBUS, &block), 0);
  EXPECT_EQ(data.block[1], 0x54);
  EXPECT_EQ(data.block[2], 0x49);
}

TEST(I2cDev, TheBusShowsExactlyTheMessagesOfARead) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  I2cEvents events(board.adapter());
  ASSERT_EQ(bus.read_word(0x40, 0xFF).completed, 2);
  const std::vector<I2cEvent> seen = events.take();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].kind, "write");
  EXPECT_EQ(seen[0].address, 0x40);
  EXPECT_EQ(seen[0].bytes, "ff");
  EXPECT_EQ(seen[1].kind, "read");
  EXPECT_EQ(seen[1].length, 2);
  EXPECT_EQ(seen[2].kind, "reply");
  EXPECT_EQ(seen[2].bytes, "32-20");
  EXPECT_EQ(seen[3].kind, "result");
  EXPECT_EQ(seen[3].length, 2);
}

TEST(I2cDev, ABatchOfRegistersIsOneTransfer) {
  const EmulatedBus board(kAllChips);
  const I2cDev bus(board.adapter());
  I2cEvents events(board.adapter());
  const std::array<std::uint8_t, 6> regs{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(bus.read_words(0x40, regs).size(), 6U);
  const auto seen = events.take();
  EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const I2cEvent& event) { return event.kind == "result"; }), 1);
  EXPECT_EQ(seen.back().length, 12);
}

TEST(I2cDev, ASquareWaveIsSeenAtItsLevelsAndItsTime) {
  const std::string text =
      "trace rail square volts=5 low=0.1 high=0.9 high_us=100000 period_us=200000\n"
      "chip 0x40 ina3221\nchannel 0x40 1 trace=rail shunt_uohm=10000\n";
  const EmulatedBus board(text);
  std::istringstream stream(text);
  const auto truth = emulated_board::read_board(stream, "truth", ".").traces.at("rail");
  const I2cDev bus(board.adapter());
  const std::int64_t cycle_ns = 6'600'000;
  int high = 0;
  int low = 0;
  const std::int64_t end_ns = monotonic_ns() + 500'000'000;
  while (monotonic_ns() < end_ns) {
    const std::int64_t before = monotonic_ns() - board.epoch_ns();
    const auto read = bus.read_word(0x40, 0x01);
    const std::int64_t after = monotonic_ns() - board.epoch_ns();
    ASSERT_EQ(read.completed, 2);
    // The register holds a conversion that ended at most a cycle ago; where the trace did not move since it began,
    // the value is exact.
    const double begin = truth->at(before - 2 * cycle_ns).amperes;
    if (begin == truth->at(after).amperes && after - before < 50'000'000) {
      ASSERT_EQ(read.signed_value(), static_cast<std::int16_t>(begin == 0.9 ? 225 * 8 : 25 * 8));
    }
    (read.signed_value() > 125 * 8 ? high : low) += 1;
  }
  RecordProperty("reads", high + low);
  EXPECT_GT(high, 20);
  EXPECT_GT(low, 20);
}

}  // namespace
}  // namespace edgejoule::kernel_tier
