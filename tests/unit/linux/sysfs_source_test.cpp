#include "edgejoule/linux/sysfs_source.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "edgejoule/linux/monotonic.h"
#include "unit/linux/fake_sysfs.h"
#include "unit/linux/interposed_pread.h"

namespace edgejoule {
namespace {

using test::clear_pread_script;
using test::FakeSysfs;
using test::pread_script;

class SysfsSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clear_pread_script();
    folder = sys.orin_nano();
  }
  void TearDown() override { clear_pread_script(); }

  void open(std::int64_t now_ns = 0) {
    ASSERT_TRUE(find_hwmon(sys.root().c_str(), Span<SysfsDevice>(&device, 1)).ok());
    ASSERT_TRUE(source.open(device, now_ns).ok());
    rails = source.source();
  }
  Result<std::size_t> poll(std::int64_t now_ns) {
    return rails.ops->poll(rails.self, now_ns, Span<PowerSample>(samples));
  }
  void set_current(int milliamperes) const { sys.write(folder + "/curr1_input", std::to_string(milliamperes)); }

  FakeSysfs sys;
  std::string folder;
  SysfsDevice device;
  SysfsSource source;
  RailSource rails;
  PowerSample samples[kMaxRailsPerSource];
};

constexpr std::int64_t kCycle = 6'600'000;

TEST_F(SysfsSourceTest, VoltageTimesCurrentSigned) {
  set_current(-250);
  open();
  ASSERT_EQ(*poll(1'000), 3U);
  EXPECT_EQ(samples[0].bus_uv, 5'080'000);
  EXPECT_EQ(samples[0].current_ua, -250'000);
  EXPECT_EQ(samples[0].power_uw, -1'270'000);
  EXPECT_EQ(samples[2].power_uw, 6'000'000);
  EXPECT_EQ(samples[2].rail, 2);
}

TEST_F(SysfsSourceTest, OnePreadPerValueAndFilesStayOpen) {
  open();
  ASSERT_TRUE(poll(0).ok());
  pread_script().calls = 0;
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(poll(i * kCycle).ok());
  EXPECT_EQ(pread_script().calls, 10U * 6U);
}

TEST_F(SysfsSourceTest, ARepeatedConversionIsNotASample) {
  open();
  ASSERT_EQ(*poll(0), 3U);
  EXPECT_EQ(*poll(1'000'000), 0U);
  EXPECT_EQ(*poll(5'000'000), 0U);
  set_current(500);
  sys.write(folder + "/curr3_input", "1210");
  EXPECT_EQ(*poll(6'500'000), 3U);
  EXPECT_FALSE(samples[0].has(SampleFlag::kUnchanged));
  EXPECT_EQ(rails.ops->counters(rails.self).conversions, 2U);
}

TEST_F(SysfsSourceTest, AConstantLoadStillCountsOneConversionPerCycle) {
  open();
  std::size_t conversions = 0;
  constexpr std::int64_t kEnd = 1'000 * kCycle;
  for (std::int64_t now = 0; now < kEnd; now = std::max(now + 1, rails.ops->next_poll_ns(rails.self))) {
    if (*poll(now) != 0) ++conversions;
  }
  EXPECT_GE(conversions, 998U);
  EXPECT_LE(conversions, 1'001U) << "none is invented";
  EXPECT_LE(rails.ops->counters(rails.self).polls, 2'100U);
  EXPECT_TRUE(samples[0].has(SampleFlag::kUnchanged));
  EXPECT_GT(rails.ops->counters(rails.self).repeats, 990U);
}

TEST_F(SysfsSourceTest, ChannelsAreIntegratedOneAfterTheOther) {
  open();
  ASSERT_EQ(*poll(100 * kCycle), 3U);
  EXPECT_EQ(samples[0].window_end_ns - samples[0].window_begin_ns, 1'100'000);
  EXPECT_EQ(samples[1].window_begin_ns - samples[0].window_begin_ns, 2'200'000);
  EXPECT_EQ(samples[2].window_begin_ns - samples[0].window_begin_ns, 4'400'000);
  EXPECT_EQ(samples[0].response, ResponseKind::kBox);
}

// The registers of an INA3221 move one after the other: each current tells which cycle it is of.
class ChannelsInTurn : public SysfsSourceTest, public ::testing::WithParamInterface<int> {};

TEST_P(ChannelsInTurn, AreDatedByTheCycleTheyShowAndNoneIsInvented) {
  const int still = GetParam();  // the channel that never moves; 0: all do
  open();
  constexpr std::int64_t kSlot = 2'200'000, kShunt = 1'100'000;
  constexpr std::int64_t kBegin = 3'456'789;  // of the first cycle
  constexpr int kStillMilliamperes = 50'000;
  const auto cycles_of = [&](int channel, std::int64_t now) {
    return static_cast<int>((now - kBegin - kSlot * (channel - 1) - kShunt) / kCycle);
  };
  int conversions = 0, dated = 0, right = 0;
  constexpr std::int64_t kFirst = 100 * kCycle, kSettled = 200 * kCycle, kEnd = 500 * kCycle;
  for (std::int64_t now = kFirst; now < kEnd; now = std::max(now + 1, rails.ops->next_poll_ns(rails.self))) {
    for (int channel = 1; channel <= 3; ++channel) {
      sys.write(folder + "/curr" + std::to_string(channel) + "_input",
                std::to_string(channel == still ? kStillMilliamperes : cycles_of(channel, now)));
    }
    const std::size_t count = *poll(now);
    if (count == 0 || now < kSettled) continue;
    ++conversions;
    for (std::size_t i = 0; i < count; ++i) {
      if (static_cast<int>(i) + 1 == still) continue;
      const std::int64_t begin = kBegin + kSlot * static_cast<std::int64_t>(i) + samples[i].current_ua / 1'000 * kCycle;
      ++dated;
      right += std::abs(samples[i].window_begin_ns - begin) < 500'000 ? 1 : 0;
    }
  }
  EXPECT_NEAR(conversions, 300, 3);
  EXPECT_GE(right, dated * 99 / 100) << "of " << dated;
}

INSTANTIATE_TEST_SUITE_P(Still, ChannelsInTurn, ::testing::Values(0, 1, 2, 3));

TEST_F(SysfsSourceTest, SamplesOfTheDriverAreAnExponentialMemory) {
  sys.write(folder + "/samples", "512");
  open();
  ASSERT_EQ(*poll(0), 3U);
  EXPECT_EQ(samples[0].response, ResponseKind::kExponential);
  EXPECT_EQ(samples[0].taps, 512);
}

TEST_F(SysfsSourceTest, EagainIsNoFault) {
  open();
  pread_script().errors["curr2_input"] = EAGAIN;
  EXPECT_EQ(*poll(0), 0U);
  clear_pread_script();
  EXPECT_EQ(*poll(1'000'000), 3U);
}

TEST_F(SysfsSourceTest, FaultsKeepTheirNames) {
  open();
  const std::pair<int, Error> faults[] = {{ENODATA, Error::kNoData},
                                          {ENODEV, Error::kGone},
                                          {ETIMEDOUT, Error::kBusTimeout},
                                          {EREMOTEIO, Error::kBusNak},
                                          {EIO, Error::kBusIo}};
  for (const auto& [number, error] : faults) {
    pread_script().errors["in1_input"] = number;
    EXPECT_EQ(poll(0).error(), error);
  }
}

TEST_F(SysfsSourceTest, TextThatIsNoNumberIsSaid) {
  open();
  for (const char* text : {"", "abc", "12x", "99999999999999999999", "1 2"}) {
    sys.write(folder + "/curr1_input", text);
    EXPECT_EQ(poll(0).error(), Error::kParse) << text;
  }
}

TEST_F(SysfsSourceTest, MissingPermissionIsSaid) {
  ASSERT_TRUE(find_hwmon(sys.root().c_str(), Span<SysfsDevice>(&device, 1)).ok());
  std::filesystem::permissions(sys.root(), std::filesystem::perms::all);
  std::filesystem::permissions(sys.at(folder + "/curr1_input"), std::filesystem::perms::none);
  // Root may read everything: be nobody for a moment.
  const uid_t me = ::geteuid();
  constexpr uid_t kNobody = 65534;
  if (me == 0) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const Status status = source.open(device, 0);
  if (me == 0) {
    ASSERT_EQ(::seteuid(me), 0);
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error(), Error::kPermission);
}

TEST_F(SysfsSourceTest, FollowsItsDeviceWhenHwmonMoves) {
  open();
  ASSERT_TRUE(poll(0).ok());
  sys.remove("/sys/class/hwmon/hwmon3");
  sys.remove("/sys/devices/i2c-1/1-0040/hwmon/hwmon3");
  pread_script().errors["in1_input"] = ENODEV;
  EXPECT_FALSE(poll(kCycle).ok());
  EXPECT_EQ(rails.ops->reopen(rails.self, 2 * kCycle).error(), Error::kGone);
  clear_pread_script();
  folder = sys.orin_nano(9);
  set_current(777);
  ASSERT_TRUE(rails.ops->reopen(rails.self, 3 * kCycle).ok());
  ASSERT_EQ(*poll(4 * kCycle), 3U);
  EXPECT_EQ(samples[0].current_ua, 777'000);
  EXPECT_TRUE(samples[0].has(SampleFlag::kAfterGap));
}

TEST_F(SysfsSourceTest, KnowsADriverWhoseReadsWait) {
  open(monotonic_ns());
  pread_script().delay_us = 6'600;  // each read a cycle
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(poll(monotonic_ns()).ok());
  EXPECT_TRUE(source.reads_wait());
  ASSERT_EQ(*poll(monotonic_ns()), 3U) << "the same values, and still a conversion of its own";
  EXPECT_TRUE(samples[0].has(SampleFlag::kSkewed));
}

TEST_F(SysfsSourceTest, TakesASlowBusForNoDriverThatWaits) {
  // At 100 kHz a register costs half a millisecond; the six of a cycle of 6.6 ms take 3 ms and more.
  open(monotonic_ns());
  pread_script().delay_us = 600;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(poll(monotonic_ns()).ok());
  EXPECT_FALSE(source.reads_wait());
}

TEST(EnergyCounter, PowerIsTheMeanSinceTheLastChangeAndWraps) {
  clear_pread_script();
  const FakeSysfs sys;
  const std::string folder = "/sys/class/powercap/intel-rapl:0";
  const auto set = [&](std::uint64_t value) { sys.write(folder + "/energy_uj", std::to_string(value)); };
  sys.write(folder + "/name", "package-0");
  sys.write(folder + "/max_energy_range_uj", "1000000");
  set(900'000);
  SysfsDevice device;
  ASSERT_EQ(*find_powercap(sys.root().c_str(), Span<SysfsDevice>(&device, 1)), 1U);
  SysfsSource source;
  ASSERT_TRUE(source.open(device, 0).ok());
  const RailSource rails = source.source();
  PowerSample sample;
  const auto poll = [&](std::int64_t now) { return *rails.ops->poll(rails.self, now, Span<PowerSample>(&sample, 1)); };
  EXPECT_EQ(poll(0), 0U) << "one reading is no difference";
  set(950'000);
  ASSERT_EQ(poll(10'000'000), 1U);
  EXPECT_EQ(sample.power_uw, 5'000'000);
  EXPECT_EQ(sample.window_begin_ns, 0);
  EXPECT_EQ(sample.window_end_ns, 10'000'000);
  EXPECT_TRUE(sample.has(SampleFlag::kCurrentAbsent));
  EXPECT_EQ(poll(20'000'000), 0U) << "a counter that did not move has nothing to say yet";
  set(50'000);
  ASSERT_EQ(poll(30'000'000), 1U);
  EXPECT_TRUE(sample.has(SampleFlag::kCounterWrapped));
  EXPECT_EQ(sample.power_uw, 5'000'000) << "100 mJ over 20 ms";
}

TEST(EnergyCounter, AResetIsNotAWrap) {
  clear_pread_script();
  const FakeSysfs sys;
  const std::string folder = sys.hwmon(0, "2-0011", "scmi");
  sys.write(folder + "/energy1_input", "5000");
  SysfsDevice device;
  ASSERT_EQ(*find_hwmon(sys.root().c_str(), Span<SysfsDevice>(&device, 1)), 1U);
  SysfsSource source;
  ASSERT_TRUE(source.open(device, 0).ok());
  const RailSource rails = source.source();
  PowerSample sample;
  EXPECT_EQ(*rails.ops->poll(rails.self, 0, Span<PowerSample>(&sample, 1)), 0U);
  sys.write(folder + "/energy1_input", "10");
  ASSERT_EQ(*rails.ops->poll(rails.self, 20'000'000, Span<PowerSample>(&sample, 1)), 1U);
  EXPECT_TRUE(sample.has(SampleFlag::kCounterReset));
  EXPECT_EQ(sample.power_uw, 0);
}

}  // namespace
}  // namespace edgejoule
