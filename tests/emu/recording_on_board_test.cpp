// Ten minutes of recording in virtual time: which conversions are captured, and what energy comes out.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "edgejoule/linux/ina_source.h"
#include "emu/board_bed.h"

namespace edgejoule::emu {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTenMinutes = 600 * kSecond;

struct Case {
  const char* chip;
  ChipId id;
  double cycle_us;  // nominal, as configured below
  double clock_error;
  double gain_error;
  double offset_uv;
};

struct Recorded {
  std::uint64_t conversions = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated_sequences = 0;
  double joules = 0.0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

Recorded record(BoardBed& bed, InaSource& reader) {
  Recorded result;
  const RailSource rails = reader.source();
  PowerSample samples[kMaxRailsPerSource];
  std::uint32_t last_sequence = 0;
  while (bed.now_ns() < kTenMinutes) {
    bed.sleep_until(rails.ops->next_poll_ns(rails.self));
    const Result<std::size_t> count = rails.ops->poll(rails.self, bed.now_ns(), Span<PowerSample>(samples));
    EXPECT_TRUE(count.ok());
    if (!count.ok()) break;
    if (*count == 0) continue;
    const PowerSample& sample = samples[0];
    const std::int64_t end_ns = sample.window_begin_ns + sample.cycle_ns;  // channel 1 begins the cycle
    if (result.conversions == 0) {
      result.begin_ns = end_ns;
    } else {
      if (sample.sequence <= last_sequence) ++result.repeated_sequences;
      result.joules += static_cast<double>(sample.power_uw) * 1e-6 * static_cast<double>(end_ns - result.end_ns) * 1e-9;
    }
    ++result.conversions;
    last_sequence = sample.sequence;
    result.end_ns = end_ns;
  }
  result.lost = rails.ops->counters(rails.self).lost;
  return result;
}

class TenMinutes : public ::testing::TestWithParam<Case> {};

TEST_P(TenMinutes, CapturesTheConversionsAndTheEnergy) {
  const Case& c = GetParam();
  const std::string shunt = c.id == ChipId::kIna260 ? "" : " shunt_uohm=10000";
  // A load whose period is no multiple of any chip's cycle.
  const auto bed =
      make_bed("trace rail square volts=5 low=0.4 high=1.9 high_us=37100 period_us=91700\nchip 0x40 " +
               std::string(c.chip) + " seed=5 shunt_noise_uv=5 clock_error=" + std::to_string(c.clock_error) +
               " shunt_gain_error=" + std::to_string(c.gain_error) + " shunt_offset_uv=" + std::to_string(c.offset_uv) +
               "\nchannel 0x40 1 trace=rail" + shunt + "\n");
  InaSourceConfig config;
  config.chip = c.id;
  config.configure = true;
  config.settings.channel_mask = c.id == ChipId::kIna3221 ? 0x7 : 0x1;
  for (std::uint32_t& uohm : config.settings.shunt_uohm) uohm = 10'000;
  InaSource reader;
  ASSERT_TRUE(reader.open(bed->bus(), config, bed->now_ns()).ok());
  const double cycle_ns = c.cycle_us * 1'000 * (1 + c.clock_error);
  ASSERT_NEAR(static_cast<double>(reader.reader().cycle_ns()), c.cycle_us * 1'000, 1.0);

  const Recorded result = record(*bed, reader);
  const double happened = static_cast<double>(result.end_ns - result.begin_ns) / cycle_ns + 1;
  EXPECT_GE(static_cast<double>(result.conversions), 0.99 * happened);
  EXPECT_LE(static_cast<double>(result.conversions), happened + 1) << "one was invented";
  EXPECT_EQ(result.repeated_sequences, 0U);
  EXPECT_GE(result.end_ns, kTenMinutes - kSecond);
  RecordProperty("conversions", std::to_string(result.conversions));
  RecordProperty("lost", std::to_string(result.lost));
  EXPECT_NEAR(static_cast<double>(result.conversions + result.lost), happened, 0.005 * happened);

  const double truth = bed->trace("rail").joules(result.begin_ns, result.end_ns);
  const double seconds = static_cast<double>(result.end_ns - result.begin_ns) * 1e-9;
  // Declared errors are accounted for: the gain scales, the offset adds volts over the shunt all the time.
  const double declared = truth * (1 + c.gain_error) + 5.0 * c.offset_uv * 1e-6 / 0.01 * seconds;
  EXPECT_NEAR(result.joules, declared, 0.005 * truth);
  RecordProperty("energy_error_percent", std::to_string(100 * (result.joules / declared - 1)));
}

INSTANTIATE_TEST_SUITE_P(Chips, TenMinutes,
                         ::testing::Values(Case{"ina3221", ChipId::kIna3221, 6'600, 0.0, 0.0, 0.0},
                                           Case{"ina3221", ChipId::kIna3221, 6'600, 0.08, 0.0025, 80.0},
                                           Case{"ina3221", ChipId::kIna3221, 6'600, -0.08, -0.0025, -80.0},
                                           Case{"ina226", ChipId::kIna226, 2'200, 0.05, 0.001, 0.0},
                                           Case{"ina219", ChipId::kIna219, 1'064, -0.05, 0.0, 100.0},
                                           Case{"ina260", ChipId::kIna260, 2'200, 0.03, 0.0, 0.0},
                                           Case{"ina228", ChipId::kIna228, 2'104, -0.03, 0.0, 0.0},
                                           Case{"ina238", ChipId::kIna238, 2'104, 0.01, 0.0, 0.0}),
                         [](const auto& each) {
                           return std::string(each.param.chip) + "_" + std::to_string(each.index);
                         });

}  // namespace
}  // namespace edgejoule::emu
