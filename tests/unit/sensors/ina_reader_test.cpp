#include "edgejoule/sensors/ina_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "unit/sensors/scripted_bus.h"

namespace edgejoule {
namespace {

using test::ScriptedBus;

InaSettings with_shunt(std::uint32_t uohm) {
  InaSettings settings;
  settings.shunt_uohm[0] = uohm;
  return settings;
}

Conversion at(std::int64_t end_ns) {
  Conversion when;
  when.t_read_ns = end_ns + 100;
  when.end_ns = end_ns;
  when.sequence = 7;
  when.bracketed = true;
  return when;
}

void give_identity(ScriptedBus& chip, ChipId id) {
  const Chip& row = edgejoule::chip(id);
  if (row.manufacturer_reg != 0) chip.set(row.manufacturer_reg, 0x5449);
  if (row.die_reg != 0) chip.set(row.die_reg, row.die_value);
  chip.set(row.config_reg, row.config_reset);
  if (row.adc_reg != row.config_reg) chip.set(row.adc_reg, row.adc_reset);
}

PowerSample read_one(InaReader& reader, std::int64_t end_ns = 1'000'000'000) {
  PowerSample sample;
  const Result<std::size_t> count = reader.read(at(end_ns), Span<PowerSample>(&sample, 1));
  EXPECT_TRUE(count.ok());
  return sample;
}

TEST(InaDetect, KnowsChipsByTheirIdentity) {
  for (const ChipId id :
       {ChipId::kIna226, ChipId::kIna260, ChipId::kIna228, ChipId::kIna237, ChipId::kIna238, ChipId::kIna3221}) {
    ScriptedBus chip;
    give_identity(chip, id);
    const Result<ChipId> found = InaReader::detect(chip.bus(), 0x40);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, id);
  }
}

TEST(InaDetect, IgnoresTheRevisionNibble) {
  ScriptedBus chip;
  chip.set(0xFE, 0x5449);
  chip.set(0xFF, 0x2271);
  EXPECT_EQ(*InaReader::detect(chip.bus(), 0x40), ChipId::kIna260);
}

TEST(InaDetect, WritesNothing) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna228);
  (void)*InaReader::detect(chip.bus(), 0x40);
  EXPECT_TRUE(std::none_of(chip.transfers.begin(), chip.transfers.end(), [](const auto& t) { return t.is_write; }));
}

TEST(InaDetect, SaysWhenNobodyAnswersAndWhenItIsAnotherChip) {
  ScriptedBus chip;
  EXPECT_EQ(InaReader::detect(chip.bus(), 0x41).error(), Error::kBusNak);
  EXPECT_EQ(InaReader::detect(chip.bus(), 0x40).error(), Error::kWrongDevice);  // an INA219 answers, namelessly
}

TEST(InaReader, RefusesShuntsThatAreTypingErrors) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  for (const std::uint32_t shunt : {0U, 9U, 100'000'001U}) {
    EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, with_shunt(shunt)).error(), Error::kBadShunt);
  }
  EXPECT_TRUE(chip.transfers.empty()) << "nothing is written to a chip that cannot be read";
}

TEST(InaReader, RefusesAnotherChipBehindTheAddress) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  EXPECT_EQ(reader.attach(chip.bus(), 0x40, ChipId::kIna226, with_shunt(5'000)).error(), Error::kWrongDevice);
  EXPECT_EQ(reader.attach(chip.bus(), 0x50, ChipId::kIna226, with_shunt(5'000)).error(), Error::kInvalidArgument);
}

TEST(InaReader, RefusesTimingsTheChipDoesNotHave) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  InaSettings settings = with_shunt(5'000);
  settings.shunt_time_us = 1'000;
  EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).error(), Error::kUnsupported);
  settings = with_shunt(5'000);
  settings.averages = 3;
  EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).error(), Error::kUnsupported);
  settings = with_shunt(5'000);
  settings.fine_range = true;
  EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).error(), Error::kUnsupported);
  settings = with_shunt(5'000);
  settings.channel_mask = 0x2;
  EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).error(), Error::kInvalidArgument);
}

TEST(InaReader, PassesEveryBusErrorOn) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna226, with_shunt(2'000)).ok());
  for (const Error error :
       {Error::kBusNak, Error::kBusTimeout, Error::kBusArbitration, Error::kBusShortTransfer, Error::kBusIo}) {
    chip.fault = error;
    PowerSample sample;
    EXPECT_EQ(reader.ready().error(), error);
    EXPECT_EQ(reader.read(at(0), Span<PowerSample>(&sample, 1)).error(), error);
    EXPECT_EQ(reader.trigger().error(), error);
  }
}

// SBOS547 section 7.5: 10 A through 2 mOhm on 11.98 V.
TEST(InaReader, Ina226WorkedExample) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  InaSettings settings = with_shunt(2'000);
  settings.max_current_ua = 32'767'000;  // 1 mA steps
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).ok());
  EXPECT_EQ(chip.get(0x05), 2'560);
  chip.set(0x01, 0x1F40);
  chip.set(0x02, 0x2570);
  chip.set(0x03, 0x12B8);
  chip.set(0x04, 0x2710);
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, 10'000'000);
  EXPECT_EQ(sample.bus_uv, 11'980'000);
  EXPECT_EQ(sample.power_uw, 119'800'000);
  EXPECT_EQ(*reader.read_register_current_ua(), 10'000'000);
  EXPECT_EQ(*reader.read_register_power_uw(), 119'800'000);
}

// SBOS448 section 8.5: the same load seen by an INA219.
TEST(InaReader, Ina219WorkedExample) {
  ScriptedBus chip;
  InaReader reader;
  InaSettings settings = with_shunt(2'000);
  settings.max_current_ua = 32'768'000;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna219, settings).ok());
  EXPECT_EQ(chip.get(0x05), 20'480);
  EXPECT_EQ(chip.get(0x00), 0x399F);
  chip.set(0x01, 0x07D0);
  chip.set(0x02, 0x5D98);
  chip.set(0x03, 0x1766);
  chip.set(0x04, 0x2710);
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, 10'000'000);
  EXPECT_EQ(sample.bus_uv, 11'980'000);
  EXPECT_EQ(*reader.read_register_current_ua(), 10'000'000);
  EXPECT_EQ(*reader.read_register_power_uw(), 119'800'000);
}

// SLYS021 section 8.1.2: 6 A through 16.2 mOhm on 48 V, range of 10 A.
TEST(InaReader, Ina228WorkedExample) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna228);
  InaReader reader;
  InaSettings settings = with_shunt(16'200);
  settings.max_current_ua = 10'000'000;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna228, settings).ok());
  EXPECT_EQ(chip.get(0x02), 4'050);
  chip.set_bytes(0x04, {0x4B, 0xF0, 0x00});
  chip.set_bytes(0x05, {0x3C, 0x00, 0x00});
  chip.set_bytes(0x07, {0x4C, 0xCC, 0xA0});
  chip.set_bytes(0x08, {0x48, 0x00, 0x0C});
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, 6'000'000);
  EXPECT_EQ(sample.bus_uv, 48'000'000);
  EXPECT_EQ(sample.power_uw, 288'000'000);
  EXPECT_NEAR(static_cast<double>(*reader.read_register_current_ua()), 6e6, 60.0);
  EXPECT_NEAR(static_cast<double>(*reader.read_register_power_uw()), 288e6, 5'000.0);
}

TEST(InaReader, Ina228FineRangeIsAQuarterOfTheStep) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna228);
  InaReader reader;
  InaSettings settings = with_shunt(16'200);
  settings.max_current_ua = 2'500'000;
  settings.fine_range = true;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna228, settings).ok());
  EXPECT_EQ(chip.get(0x00), 0x0010);
  chip.set_bytes(0x04, {0x4B, 0xF0, 0x00});
  EXPECT_EQ(read_one(reader).current_ua, 1'500'000);
}

TEST(InaReader, Ina238WorkedExample) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna238);
  InaReader reader;
  InaSettings settings = with_shunt(16'200);
  settings.max_current_ua = 10'000'000;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna238, settings).ok());
  chip.set(0x04, 19'440);
  chip.set(0x05, 15'360);
  chip.set(0x06, 0x1900);  // 400 counts of 125 m degC
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, 6'000'000);
  EXPECT_EQ(sample.bus_uv, 48'000'000);
  EXPECT_EQ(*reader.read_temperature_mdegc(), 50'000);
}

TEST(InaReader, Ina260ReadsCurrentDirectly) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna260);
  InaReader reader;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna260, InaSettings{}).ok());
  chip.set(0x01, static_cast<std::uint16_t>(-8000));
  chip.set(0x02, 9'600);
  chip.set(0x03, 12'000);
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, -10'000'000);
  EXPECT_EQ(sample.bus_uv, 12'000'000);
  EXPECT_EQ(sample.power_uw, -120'000'000);
  EXPECT_EQ(*reader.read_register_power_uw(), 120'000'000);  // the chip's own power has no sign
  EXPECT_EQ(reader.current_step_ua(0), 1'250U);
}

// A Jetson Thor idles at -392 mW on one rail: -1 count of 40 uV over 2 mOhm at 19.6 V.
TEST(InaReader, Ina3221ReverseCurrentStaysNegative) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna3221, with_shunt(2'000)).ok());
  chip.set(0x01, static_cast<std::uint16_t>(-1 * 8));
  chip.set(0x02, 2'450 * 8);
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.current_ua, -20'000);
  EXPECT_EQ(sample.power_uw, -392'000);
  EXPECT_EQ(reader.power_step_uw(0, 19'600'000), 392'000);
}

TEST(InaReader, SaysWhenAShuntIsAtFullScale) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna3221, with_shunt(2'000)).ok());
  chip.set(0x01, 0x7FF8);
  EXPECT_TRUE(read_one(reader).has(SampleFlag::kClipped));
  chip.set(0x01, 0x7FF0);
  EXPECT_FALSE(read_one(reader).has(SampleFlag::kClipped));
}

TEST(InaReader, Ina3221ChannelsHaveTheirOwnSlotsInTheCycle) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  InaSettings settings;
  settings.channel_mask = 0x5;
  settings.shunt_uohm[0] = 5'000;
  settings.shunt_uohm[2] = 10'000;
  settings.shunt_time_us = 1'100;
  settings.bus_time_us = 140;
  settings.averages = 1;
  ASSERT_TRUE(reader.configure(chip.bus(true), 0x40, ChipId::kIna3221, settings).ok());
  EXPECT_EQ(chip.get(0x00), 0x5000 | 4 << 3 | 7);
  EXPECT_EQ(reader.cycle_ns(), 2U * (1'100 + 140) * 1'000);
  chip.set(0x01, 100 * 8);
  chip.set(0x02, 625 * 8);
  chip.set(0x05, 50 * 8);
  chip.set(0x06, 1'250 * 8);
  chip.transfers.clear();
  PowerSample samples[3];
  ASSERT_EQ(*reader.read(at(10'000'000), Span<PowerSample>(samples)), 2U);
  EXPECT_EQ(chip.batches, 1);
  EXPECT_EQ(chip.transfers.size(), 4U) << "one transaction per register";
  EXPECT_EQ(samples[0].rail, 0);
  EXPECT_EQ(samples[1].rail, 2);
  EXPECT_EQ(samples[0].power_uw, 800'000 * 5);
  EXPECT_EQ(samples[1].power_uw, 200'000 * 10);
  EXPECT_EQ(samples[0].window_begin_ns, 10'000'000 - 2'480'000);
  EXPECT_EQ(samples[0].window_end_ns, 10'000'000 - 1'380'000);
  EXPECT_EQ(samples[1].window_begin_ns, 10'000'000 - 1'240'000);
  EXPECT_EQ(samples[1].window_end_ns, 10'000'000 - 140'000);
  EXPECT_EQ(samples[0].response, ResponseKind::kBox);
}

TEST(InaReader, RunningFilterIsAnExponentialMemory) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  InaSettings settings = with_shunt(5'000);
  settings.averages = 512;
  settings.shunt_time_us = 140;
  settings.bus_time_us = 140;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna3221, settings).ok());
  EXPECT_EQ(reader.cycle_ns(), 280'000U) << "a running filter does not lengthen the cycle";
  const PowerSample sample = read_one(reader);
  EXPECT_EQ(sample.response, ResponseKind::kExponential);
  EXPECT_EQ(sample.taps, 512);
  EXPECT_EQ(sample.cycle_ns, 280'000U);
}

TEST(InaReader, BlockAverageIsAWindow) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  chip.set(0x00, 0x4527);  // what the kernel's driver leaves: 16 x 2 x 1.1 ms
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna226, with_shunt(5'000)).ok());
  EXPECT_EQ(reader.cycle_ns(), 35'200'000U);
  EXPECT_EQ(reader.averages(), 16);
  Conversion when = at(100'000'000);
  when.cycle_ns = 38'720'000;  // this chip's oscillator is 10 % slow
  PowerSample sample;
  ASSERT_TRUE(reader.read(when, Span<PowerSample>(&sample, 1)).ok());
  EXPECT_EQ(sample.window_begin_ns, 100'000'000 - 38'720'000);
  EXPECT_EQ(sample.window_end_ns, 100'000'000);
  EXPECT_EQ(sample.sequence, 7U);
}

TEST(InaReader, CycleFollowsTheDatasheet) {
  struct Case {
    ChipId id;
    std::uint16_t time_us;
    std::uint16_t averages;
    std::uint32_t cycle_us;
  };
  for (const Case& c : {Case{ChipId::kIna219, 84, 1, 168}, Case{ChipId::kIna219, 532, 128, 136'192},
                        Case{ChipId::kIna226, 140, 1, 280}, Case{ChipId::kIna226, 8'244, 256, 4'220'928},
                        Case{ChipId::kIna228, 50, 1, 100}, Case{ChipId::kIna3221, 140, 1, 280}}) {
    ScriptedBus chip;
    give_identity(chip, c.id);
    InaReader reader;
    InaSettings settings = with_shunt(5'000);
    settings.shunt_time_us = settings.bus_time_us = c.time_us;
    settings.averages = c.averages;
    ASSERT_TRUE(reader.configure(chip.bus(), 0x40, c.id, settings).ok()) << edgejoule::chip(c.id).name;
    EXPECT_EQ(reader.cycle_ns(), c.cycle_us * 1'000U) << edgejoule::chip(c.id).name;
  }
}

TEST(InaReader, RefusesCyclesTooLongToTime) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  InaSettings settings = with_shunt(5'000);
  settings.shunt_time_us = settings.bus_time_us = 8'244;
  settings.averages = 1'024;
  EXPECT_EQ(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).error(), Error::kUnsupported);
  EXPECT_TRUE(std::none_of(chip.transfers.begin(), chip.transfers.end(), [](const auto& t) { return t.is_write; }));
}

TEST(InaReader, AttachWritesNothingAndReportsADisabledChannel) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  chip.set(0x00, 0x4127);  // channel 1 only
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna3221, with_shunt(5'000)).ok());
  EXPECT_TRUE(std::none_of(chip.transfers.begin(), chip.transfers.end(), [](const auto& t) { return t.is_write; }));
  EXPECT_EQ(reader.cycle_ns(), 2'200'000U);
  InaSettings second;
  second.channel_mask = 0x2;
  second.shunt_uohm[1] = 5'000;
  EXPECT_EQ(reader.attach(chip.bus(), 0x40, ChipId::kIna3221, second).error(), Error::kNoData);
}

TEST(InaReady, FlagIsConsumedWhereTheChipConsumesIt) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  chip.clear_on_read[0x06] = 0x0008;
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna226, with_shunt(5'000)).ok());
  chip.set(0x06, 0x0008);
  EXPECT_TRUE(*reader.ready());
  EXPECT_FALSE(*reader.ready());
}

TEST(InaReady, Ina219ReadsPowerToConsumeItsFlag) {
  ScriptedBus chip;
  chip.set(0x00, 0x399F);
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna219, with_shunt(100'000)).ok());
  chip.set(0x02, 0x5D9A);
  EXPECT_TRUE(*reader.ready());
  chip.transfers.clear();
  EXPECT_EQ(read_one(reader).bus_uv, 11'980'000);
  ASSERT_FALSE(chip.transfers.empty());
  EXPECT_EQ(chip.transfers.back().reg, 0x03);
}

TEST(InaReady, Ina228LatchesItsFlag) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna228);
  InaReader reader;
  InaSettings settings = with_shunt(16'200);
  settings.ready_on_alert = true;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna228, settings).ok());
  EXPECT_EQ(chip.get(0x0B), 0xC000) << "without ALATCH the flag clears itself and conversions are missed";
  InaReader triple;
  ScriptedBus other;
  give_identity(other, ChipId::kIna3221);
  EXPECT_EQ(triple.configure(other.bus(), 0x40, ChipId::kIna3221, settings).error(), Error::kUnsupported);
}

TEST(InaReady, MathOverflowIsToldInTheSample) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna226, with_shunt(5'000)).ok());
  chip.set(0x06, 0x000C);
  ASSERT_TRUE(*reader.ready());
  EXPECT_TRUE(read_one(reader).has(SampleFlag::kMathOverflow));
}

TEST(InaAlert, LimitsInTheRegistersOwnSteps) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  InaSettings settings = with_shunt(5'000);
  settings.channel_mask = 0x3;
  settings.shunt_uohm[1] = 5'000;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna3221, settings).ok());
  ASSERT_TRUE(reader.set_alert(AlertKind::kShuntOver, 1, 80'000).ok());
  EXPECT_EQ(chip.get(0x0A), 2'000 * 8);
  EXPECT_EQ(reader.set_alert(AlertKind::kShuntOver, 0, 200'000).error(), Error::kBadRange);
  EXPECT_EQ(reader.set_alert(AlertKind::kShuntOver, 2, 1).error(), Error::kInvalidArgument);
  EXPECT_EQ(reader.set_alert(AlertKind::kBusOver, 0, 1).error(), Error::kUnsupported);
}

TEST(InaAlert, EnablesOneFunctionAndKeepsReady) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna226);
  InaReader reader;
  InaSettings settings = with_shunt(5'000);
  settings.ready_on_alert = true;
  ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna226, settings).ok());
  ASSERT_TRUE(reader.set_alert(AlertKind::kShuntUnder, 0, -25'000).ok());
  EXPECT_EQ(chip.get(0x07), static_cast<std::uint16_t>(-10'000));
  EXPECT_EQ(chip.get(0x06), 0x4400);
  ASSERT_TRUE(reader.set_alert(AlertKind::kBusOver, 0, 12'500'000).ok());
  EXPECT_EQ(chip.get(0x07), 10'000);
  EXPECT_EQ(chip.get(0x06), 0x2400);
}

class InaEnergy : public ::testing::Test {
 protected:
  void SetUp() override {
    give_identity(chip, ChipId::kIna228);
    InaSettings settings = with_shunt(16'200);
    settings.max_current_ua = 10'000'000;
    ASSERT_TRUE(reader.configure(chip.bus(), 0x40, ChipId::kIna228, settings).ok());
  }
  void accumulate(std::uint64_t energy, std::int64_t charge, bool overflow) {
    chip.set(0x0B, overflow ? 0x0800 : 0);
    chip.set_bytes(0x09, bytes_of(energy));
    chip.set_bytes(0x0A, bytes_of(static_cast<std::uint64_t>(charge)));
  }
  static std::vector<std::uint8_t> bytes_of(std::uint64_t value) {
    std::vector<std::uint8_t> bytes;
    for (int shift = 32; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
    return bytes;
  }
  static constexpr double kLsb = 16 * 3.2 * 4050 / (13107.2e6 * 0.0162);
  ScriptedBus chip;
  InaReader reader;
};

// SLYS021 section 8.1.2: an hour at 288 W and 6 A.
TEST_F(InaEnergy, WorkedExample) {
  accumulate(0, 0, false);
  ASSERT_TRUE(reader.read_energy().ok());
  accumulate(1'061'683'200, 1'132'462'080, false);
  const Result<EnergyReading> reading = reader.read_energy();
  ASSERT_TRUE(reading.ok());
  EXPECT_NEAR(static_cast<double>(reading->energy_uj), 1'036'800e6, 5e6);
  EXPECT_NEAR(static_cast<double>(reading->charge_uc), 21'600e6, 1e5);
}

TEST_F(InaEnergy, CountsOnOverTheEndOfTheRegister) {
  accumulate((1ULL << 40) - 100, -(1LL << 39) + 5, false);
  ASSERT_TRUE(reader.read_energy().ok());
  accumulate(900, (1LL << 39) - 5, true);
  const Result<EnergyReading> reading = reader.read_energy();
  ASSERT_TRUE(reading.ok());
  EXPECT_TRUE(reading->wrapped);
  EXPECT_FALSE(reading->ambiguous);
  EXPECT_NEAR(static_cast<double>(reading->energy_uj), 1000 * kLsb * 1e6, 2.0);
  EXPECT_LE(reading->charge_uc, 0);
  EXPECT_GE(reading->charge_uc, -200) << "ten counts backwards, not a whole turn forwards";
}

TEST_F(InaEnergy, AWholeTurnIsCountedAndCalledAmbiguous) {
  accumulate(100, 0, false);
  ASSERT_TRUE(reader.read_energy().ok());
  accumulate(150, 0, true);
  const Result<EnergyReading> reading = reader.read_energy();
  ASSERT_TRUE(reading.ok());
  EXPECT_TRUE(reading->ambiguous);
  EXPECT_NEAR(static_cast<double>(reading->energy_uj), (std::ldexp(1.0, 40) + 50) * kLsb * 1e6, 1e8)
      << "1e-7 of it: the LSB is kept in whole picojoules";
}

TEST_F(InaEnergy, SomebodyElseClearedIt) {
  accumulate(5'000, 0, false);
  ASSERT_TRUE(reader.read_energy().ok());
  accumulate(20, 3, false);
  const Result<EnergyReading> reading = reader.read_energy();
  ASSERT_TRUE(reading.ok());
  EXPECT_TRUE(reading->reset);
  EXPECT_NEAR(static_cast<double>(reading->energy_uj), 20 * kLsb * 1e6, 2.0);
}

TEST_F(InaEnergy, ClearsByItsOwnBit) {
  accumulate(5'000, 0, false);
  ASSERT_TRUE(reader.read_energy().ok());
  ASSERT_TRUE(reader.clear_energy().ok());
  EXPECT_EQ(chip.get(0x00), 0x4000);
  accumulate(0, 0, false);
  EXPECT_EQ(reader.read_energy()->energy_uj, 0U);
}

TEST(InaReader, ChipsWithoutAFeatureSaySo) {
  ScriptedBus chip;
  give_identity(chip, ChipId::kIna3221);
  InaReader reader;
  ASSERT_TRUE(reader.attach(chip.bus(), 0x40, ChipId::kIna3221, with_shunt(5'000)).ok());
  EXPECT_EQ(reader.read_energy().error(), Error::kUnsupported);
  EXPECT_EQ(reader.clear_energy().error(), Error::kUnsupported);
  EXPECT_EQ(reader.read_temperature_mdegc().error(), Error::kUnsupported);
  EXPECT_EQ(reader.read_register_power_uw().error(), Error::kUnsupported);
  EXPECT_EQ(reader.read_register_current_ua().error(), Error::kUnsupported);
  EXPECT_EQ(reader.read(at(0), Span<PowerSample>()).error(), Error::kOutputTooSmall);
}

}  // namespace
}  // namespace edgejoule
