// Worked examples of the TI datasheets, negative and full-scale values included.
#include "edgejoule/sensors/chips.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace edgejoule {
namespace {

std::int64_t decode(const RegisterField& field, std::initializer_list<int> bytes) {
  std::vector<std::uint8_t> raw;
  for (const int byte : bytes) raw.push_back(static_cast<std::uint8_t>(byte));
  return decode_field(field, Span<const std::uint8_t>(raw.data(), raw.size()));
}

TEST(Chips, EveryRowIsFoundByItsNameInAnyCase) {
  for (const Chip& row : chips()) {
    EXPECT_EQ(find_chip(row.name), &row);
    std::string upper(row.name);
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(find_chip(upper), &row);
  }
  EXPECT_EQ(find_chip("ina999"), nullptr);
  EXPECT_EQ(find_chip(""), nullptr);
}

TEST(Chips, Ina3221ShuntVoltageOfTheDatasheet) {
  const RegisterField& shunt = chip(ChipId::kIna3221).shunt;
  // SBOS576 table "shunt voltage": -80 mV is C180h, full scale 163.8 mV is 7FF8h.
  EXPECT_EQ(decode(shunt, {0xC1, 0x80}) * 40, -80'000);
  EXPECT_EQ(decode(shunt, {0x7F, 0xF8}) * 40, 163'800);
  EXPECT_EQ(decode(shunt, {0x80, 0x00}) * 40, -163'840);
  EXPECT_EQ(decode(chip(ChipId::kIna3221).bus, {0x27, 0x10}) * 8, 10'000);
}

TEST(Chips, Ina219NegativeShuntAndShiftedBus) {
  const Chip& c = chip(ChipId::kIna219);
  EXPECT_EQ(decode(c.shunt, {0x83, 0x00}) * 10, -320'000);  // -320 mV at PGA /8
  EXPECT_EQ(decode(c.shunt, {0x7D, 0x00}) * 10, 320'000);
  EXPECT_EQ(decode(c.bus, {0x5D, 0x9A}) * 4, 11'980);  // the flags in bits 1:0 do not leak into the value
}

TEST(Chips, Ina226FullScale) {
  const Chip& c = chip(ChipId::kIna226);
  EXPECT_EQ(decode(c.shunt, {0x80, 0x00}) * 25 / 10, -81'920);
  EXPECT_EQ(decode(c.shunt, {0x7F, 0xFF}) * 25, 819'175);
  EXPECT_EQ(decode(c.bus, {0x7F, 0xFF}) * 125, 4'095'875);  // 40.96 V scale
}

TEST(Chips, Ina228TwentyBitFields) {
  const Chip& c = chip(ChipId::kIna228);
  EXPECT_EQ(decode(c.shunt, {0x4B, 0xF0, 0x00}), 311'040);  // 97.2 mV
  EXPECT_EQ(decode(c.shunt, {0xFF, 0xFF, 0xF0}), -1);
  EXPECT_EQ(decode(c.shunt, {0x80, 0x00, 0x00}), -524'288);
  EXPECT_EQ(decode(c.bus, {0x3C, 0x00, 0x00}), 245'760);  // 48 V
}

TEST(Chips, FortyBitAccumulators) {
  const Chip& c = chip(ChipId::kIna228);
  EXPECT_EQ(decode(c.energy, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), (std::int64_t{1} << 40) - 1);
  EXPECT_EQ(decode(c.charge, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), -1);
  EXPECT_EQ(decode(c.charge, {0x80, 0x00, 0x00, 0x00, 0x00}), -(std::int64_t{1} << 39));
}

TEST(Chips, DieTemperatureBelowZero) {
  EXPECT_EQ(decode(chip(ChipId::kIna238).temperature, {0xFF, 0x80}), -8);    // -1 degC in 125 m degC
  EXPECT_EQ(decode(chip(ChipId::kIna228).temperature, {0xFF, 0x80}), -128);  // -1 degC in 7.8125 m degC
}

TEST(Chips, FullScaleIsNoticedAtBothEnds) {
  const Chip& c = chip(ChipId::kIna3221);
  EXPECT_TRUE(at_full_scale(c.shunt, 4095));
  EXPECT_TRUE(at_full_scale(c.shunt, -4096));
  EXPECT_FALSE(at_full_scale(c.shunt, 4094));
  const Chip& old = chip(ChipId::kIna219);
  EXPECT_TRUE(at_full_scale(old.shunt, 32'000, old.shunt_limit));
  EXPECT_TRUE(at_full_scale(old.shunt, -32'000, old.shunt_limit));
  EXPECT_FALSE(at_full_scale(old.shunt, 31'999, old.shunt_limit));
}

TEST(Calibration, WorkedExamplesOfTheDatasheets) {
  // INA219 and INA226: 1 mA steps over 2 mOhm.
  EXPECT_EQ(*calibration_value(chip(ChipId::kIna219), 1'000'000, 2'000, false), 20'480);
  EXPECT_EQ(*calibration_value(chip(ChipId::kIna226), 1'000'000, 2'000, false), 2'560);
  // INA228 and INA238: 10 A over 16.2 mOhm.
  EXPECT_EQ(*calibration_value(chip(ChipId::kIna228), current_lsb_na(chip(ChipId::kIna228), 10'000'000), 16'200, false),
            4'050);
  EXPECT_EQ(*calibration_value(chip(ChipId::kIna238), current_lsb_na(chip(ChipId::kIna238), 10'000'000), 16'200, false),
            4'050);
  EXPECT_EQ(*calibration_value(chip(ChipId::kIna238), current_lsb_na(chip(ChipId::kIna238), 2'500'000), 16'200, true),
            4'050);
}

TEST(Calibration, RefusesWhatTheRegisterCannotHold) {
  EXPECT_EQ(calibration_value(chip(ChipId::kIna226), 1'000'000, 0, false).error(), Error::kBadShunt);
  EXPECT_EQ(calibration_value(chip(ChipId::kIna226), 1, 1, false).error(), Error::kBadShunt);  // too large
  EXPECT_EQ(calibration_value(chip(ChipId::kIna226), 4'000'000'000, 100'000'000, false).error(), Error::kBadShunt);
  EXPECT_EQ(calibration_value(chip(ChipId::kIna228), 4'000'000'000, 4'000'000'000, true).error(), Error::kBadShunt);
  EXPECT_EQ(calibration_value(chip(ChipId::kIna226), 0, 2'000, false).error(), Error::kInvalidArgument);
  EXPECT_EQ(calibration_value(chip(ChipId::kIna260), 1, 1, false).error(), Error::kUnsupported);
  EXPECT_EQ(calibration_value(chip(ChipId::kIna3221), 1, 1, false).error(), Error::kUnsupported);
}

TEST(Calibration, Ina219KeepsItsVoidBitZero) {
  const Result<std::uint16_t> value = calibration_value(chip(ChipId::kIna219), 1'000'003, 2'000, false);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value & 1, 0);
}

}  // namespace
}  // namespace edgejoule
