#include "capture/raw_chip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgejoule::capture {
namespace {

using ::testing::HasSubstr;

TEST(RawChip, AsAPersonWritesIt) {
  const RawChip full = parse_raw_chip("1:0x40:INA226:10m");
  EXPECT_EQ(full.i2c_bus, 1);
  EXPECT_EQ(full.address, 0x40);
  EXPECT_EQ(full.chip, ChipId::kIna226);
  EXPECT_EQ(full.settings.shunt_uohm[0], 10'000U);
  const RawChip three = parse_raw_chip("0:65:ina3221:5m,500u,0.1");
  EXPECT_EQ(three.address, 65);
  EXPECT_EQ(three.settings.channel_mask, 7);
  EXPECT_EQ(three.settings.shunt_uohm[1], 500U);
  EXPECT_EQ(three.settings.shunt_uohm[2], 100'000U);
  EXPECT_EQ(parse_raw_chip("0:65:ina3221:5m").settings.shunt_uohm[2], 5'000U);
  EXPECT_FALSE(parse_raw_chip("2:0x41").chip_named);
}

TEST(RawChip, SaysWhatIsWrong) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      (void)parse_raw_chip(text);
    } catch (const RawChipError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("1"), HasSubstr("BUS:ADDRESS"));
  EXPECT_THAT(refusal("x:0x40"), HasSubstr("'x' is no bus number"));
  EXPECT_THAT(refusal("1:0x80"), HasSubstr("no address"));
  EXPECT_THAT(refusal("1:0x40:ina999"), HasSubstr("'ina999' is no chip this build knows; it knows ina219, "));
  EXPECT_THAT(refusal("1:0x40:ina226:0"), HasSubstr("cannot be right"));
  EXPECT_THAT(refusal("1:0x40:ina226:1000"), HasSubstr("cannot be right"));
  EXPECT_THAT(refusal("1:0x40:ina226:10k"), HasSubstr("no resistance"));
  EXPECT_THAT(refusal("1:0x40:ina226:nan"), HasSubstr("no resistance"));
  EXPECT_THAT(refusal("1:0x40:ina226:10m:7"), HasSubstr("BUS:ADDRESS"));
}

}  // namespace
}  // namespace edgejoule::capture
