// edgejoule's own sampler inside the guest: raw I2C and hwmon against the trace, every fault and the way back, GPIO
// markers and ALERT lines, and what all that did to the bus.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/i2c_dev.h"
#include "edgejoule/linux/ina_source.h"
#include "edgejoule/linux/sampler.h"
#include "edgejoule/linux/sysfs_source.h"
#include "emulated_board/board_file.h"
#include "support/bound_driver.h"
#include "support/emulated_bus.h"
#include "support/files.h"
#include "support/gpio_sim.h"
#include "support/i2c_events.h"

namespace edgejoule::kernel_tier {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kCycleNs = 6'600'000;  // INA3221 after reset

constexpr const char* kBoard =
    "trace rail square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000\n"
    "chip 0x40 ina3221\n"
    "channel 0x40 1 trace=rail shunt_uohm=10000\n";

emulated_board::PowerTrace truth_of(const std::string& board) {
  std::istringstream stream(board);
  return *emulated_board::read_board(stream, "truth", ".").traces.at("rail");
}

// A sampler thread on some sources, and all that it gave.
class Recording {
 public:
  explicit Recording(std::vector<RailSource> sources, std::vector<GpioInput*> markers = {})
      : sources_(std::move(sources)), markers_(std::move(markers)), memory_(Sampler::required_bytes(16'384, 1'024)) {
    const auto made = Sampler::create(Span<std::byte>(memory_.data(), memory_.size()), 16'384, 1'024,
                                      Span<const RailSource>(sources_.data(), sources_.size()),
                                      Span<GpioInput* const>(markers_.data(), markers_.size()));
    if (!made.ok()) {
      throw std::runtime_error(error_text(made.error()));
    }
    sampler_ = *made;
    if (const Status started = sampler_->start({}); !started.ok()) {
      throw std::runtime_error(error_text(started.error()));
    }
  }
  ~Recording() { sampler_->stop(); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void stop() {
    sampler_->stop();
    take();
  }

  void take() {
    std::array<PowerSample, 256> samples;
    for (std::size_t count = 1; count > 0;) {
      count = sampler_->take(Span<PowerSample>(samples.data(), samples.size()));
      // Channel 1 is what the board files describe.
      std::copy_if(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(samples_),
                   [](const PowerSample& sample) { return sample.rail == 0; });
    }
    std::array<TraceEvent, 64> events;
    for (std::size_t count = 1; count > 0;) {
      count = sampler_->take(Span<TraceEvent>(events.data(), events.size()));
      events_.insert(events_.end(), events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }

  [[nodiscard]] const std::vector<PowerSample>& samples() const { return samples_; }
  [[nodiscard]] std::vector<TraceEvent> events(EventKind kind) const {
    std::vector<TraceEvent> found;
    std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
                 [kind](const TraceEvent& event) { return event.kind == kind; });
    return found;
  }
  [[nodiscard]] SamplerStats stats() const { return sampler_->stats(); }
  [[nodiscard]] SourceCounters counters() const { return sampler_->counters(0); }

 private:
  std::vector<RailSource> sources_;
  std::vector<GpioInput*> markers_;
  std::vector<std::byte> memory_;
  Sampler* sampler_ = nullptr;
  std::vector<PowerSample> samples_;
  std::vector<TraceEvent> events_;
};

enum class Path { kRaw, kHwmon };

// One INA3221 of a board, read along one of the two paths.
class SampledChip {
 public:
  SampledChip(Path path, const std::string& board) : bus_(board) {
    if (path == Path::kRaw) {
      require(device_.open("", bus_.adapter()), "i2c-dev");
      InaSourceConfig config;
      config.i2c_bus = bus_.adapter();
      config.chip = ChipId::kIna3221;
      config.settings.channel_mask = 0x7;
      for (std::uint32_t& shunt : config.settings.shunt_uohm) {
        shunt = 10'000;
      }
      require(ina_.open(device_.bus(), config, monotonic_ns()), "InaSource");
      return;
    }
    driver_.emplace(bus_.adapter(), "ina3221", 0x40);
    std::vector<SysfsDevice> found(16);
    const auto count = find_hwmon("", Span<SysfsDevice>(found.data(), found.size()));
    if (!count.ok()) {
      throw std::runtime_error(error_text(count.error()));
    }
    const auto device = std::find_if(found.begin(), found.end(),
                                     [](const SysfsDevice& each) { return std::string(each.name) == "ina3221"; });
    if (device == found.end()) {
      throw std::runtime_error("find_hwmon does not see the ina3221");
    }
    require(sysfs_.open(*device, monotonic_ns()), "SysfsSource");
  }

  [[nodiscard]] RailSource source() { return driver_ ? sysfs_.source() : ina_.source(); }
  [[nodiscard]] EmulatedBus& bus() { return bus_; }
  [[nodiscard]] BoundDriver& driver() { return *driver_; }

 private:
  static void require(const Status& status, const std::string& what) {
    if (!status.ok()) {
      throw std::runtime_error(what + ": " + error_text(status.error()));
    }
  }

  EmulatedBus bus_;
  std::optional<BoundDriver> driver_;
  I2cDev device_;
  InaSource ina_;
  SysfsSource sysfs_;
};

class SamplerInGuest : public ::testing::TestWithParam<Path> {};

TEST_P(SamplerInGuest, EnergyIsThatOfTheTraceAndNoConversionIsInvented) {
  SampledChip chip(GetParam(), kBoard);
  Recording recording({chip.source()});
  sleep_ms(1500);
  recording.stop();
  const auto& samples = recording.samples();
  ASSERT_GT(samples.size(), 50U);
  const emulated_board::PowerTrace truth = truth_of(kBoard);
  double joules = 0.0;
  double true_joules = 0.0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const PowerSample& sample = samples[i];
    if (i > 0) {
      ASSERT_GT(sample.sequence, samples[i - 1].sequence);
      ASSERT_GT(sample.window_end_ns, samples[i - 1].window_end_ns);
    }
    ASSERT_NEAR(sample.bus_uv, 5'000'000, 4'001);
    ASSERT_GE(sample.current_ua, 500'000 - 4'001);
    ASSERT_LE(sample.current_ua, 2'500'000 + 4'001);
    const std::int64_t begin = sample.window_begin_ns - chip.bus().epoch_ns();
    const std::int64_t end = sample.window_end_ns - chip.bus().epoch_ns();
    joules += static_cast<double>(sample.power_uw) * 1e-15 * static_cast<double>(end - begin);
    true_joules += truth.joules(begin, end);
    // Where the trace stood still around the window there is one right answer.
    const double level = truth.at(begin - 2 * kCycleNs).amperes;
    const bool still = truth.at(end + 2 * kCycleNs).amperes == level;
    wrong += still && std::abs(sample.current_ua * 1e-6 - level) > 0.0041 ? 1 : 0;
  }
  // A thread that is put aside between looking at the clock and at the chip dates its sample wrongly; on a busy host
  // that happens.
  EXPECT_LE(wrong, 1 + samples.size() / 20);
  EXPECT_NEAR(joules / true_joules, 1.0, 0.05);
  const auto converted =
      static_cast<double>(samples.back().window_end_ns - samples.front().window_end_ns) / static_cast<double>(kCycleNs);
  EXPECT_LE(static_cast<double>(samples.size()), converted * 1.02 + 2.0) << "conversions were invented";
  RecordProperty("captured_percent", static_cast<int>(100.0 * static_cast<double>(samples.size()) / converted));
}

TEST_P(SamplerInGuest, NegativePowerStaysNegative) {
  SampledChip chip(GetParam(),
                   "trace rail constant volts=5 amperes=-1.2\nchip 0x40 ina3221\n"
                   "channel 0x40 1 trace=rail shunt_uohm=10000\n");
  Recording recording({chip.source()});
  sleep_ms(500);
  recording.stop();
  ASSERT_FALSE(recording.samples().empty());
  EXPECT_NEAR(static_cast<double>(recording.samples().back().power_uw), -6e6, 1e3);
}

TEST_P(SamplerInGuest, EachFaultIsAGapWithItsCauseAndOverWithinASecond) {
  SampledChip chip(GetParam(), kBoard);
  const struct {
    const char* words;
    Error error;
  } faults[] = {{"nak", Error::kBusNak}, {"timeout", Error::kBusTimeout}, {"arbitration", Error::kBusArbitration}};
  ASSERT_EQ(write_file("/sys/module/hil_i2c/parameters/timeout_ms", "200"), 0);
  for (const auto& fault : faults) {
    Recording recording({chip.source()});
    sleep_ms(300);
    chip.bus().fault(fault.words);
    sleep_ms(500);
    chip.bus().clear_faults();
    const std::int64_t over_ns = monotonic_ns();
    EXPECT_TRUE(wait_until(
        [&] {
          recording.take();
          return !recording.samples().empty() && recording.samples().back().t_mono_ns > over_ns;
        },
        1000))
        << "no sample within a second after " << fault.words;
    recording.stop();
    const auto gaps = recording.events(EventKind::kGap);
    if (fault.error == Error::kBusArbitration && GetParam() == Path::kHwmon) {
      // EAGAIN of a file is no failure to its reader; what went by meanwhile must be told as lost.
      EXPECT_FALSE(gaps.empty() && recording.events(EventKind::kLost).empty());
      continue;
    }
    ASSERT_FALSE(gaps.empty()) << fault.words;
    EXPECT_EQ(static_cast<Error>(gaps[0].value), fault.error) << fault.words;
    EXPECT_GT(gaps[0].end_ns - gaps[0].begin_ns, 300 * kMillisecond) << fault.words;
    for (const PowerSample& sample : recording.samples()) {
      EXPECT_FALSE(sample.t_mono_ns > gaps[0].begin_ns && sample.t_mono_ns < gaps[0].end_ns)
          << "a sample inside the gap of " << fault.words;
    }
  }
  ASSERT_EQ(write_file("/sys/module/hil_i2c/parameters/timeout_ms", "2000"), 0);
}

TEST_P(SamplerInGuest, AKilledBackendIsAGapAndItsSuccessorIsFound) {
  SampledChip chip(GetParam(), kBoard);
  Recording recording({chip.source()});
  sleep_ms(300);
  chip.bus().kill_backend();
  sleep_ms(300);
  chip.bus().start_backend();
  const std::int64_t over_ns = monotonic_ns();
  EXPECT_TRUE(wait_until(
      [&] {
        recording.take();
        return !recording.samples().empty() && recording.samples().back().t_mono_ns > over_ns;
      },
      1000));
  recording.stop();
  EXPECT_FALSE(recording.events(EventKind::kGap).empty());
}

TEST_P(SamplerInGuest, EveryThirdTransferNakedStillGivesOnlyTrueValues) {
  SampledChip chip(GetParam(),
                   "trace rail constant volts=5 amperes=1.2\nchip 0x40 ina3221\n"
                   "channel 0x40 1 trace=rail shunt_uohm=10000\n");
  Recording recording({chip.source()});
  sleep_ms(200);
  chip.bus().fault("nak every=3");
  sleep_ms(800);
  chip.bus().clear_faults();
  recording.stop();
  ASSERT_FALSE(recording.samples().empty());
  for (const PowerSample& sample : recording.samples()) {
    ASSERT_NEAR(static_cast<double>(sample.power_uw), 6e6, 1e3);
  }
  EXPECT_GT(recording.stats().errors, 0U);
}

TEST_P(SamplerInGuest, ASlowBusInventsNoConversions) {
  // Six reads take a good part of the cycle, as at 100 kHz on a Tegra; that is no driver that waits.
  SampledChip chip(GetParam(), kBoard);
  chip.bus().fault("stall us=600");
  Recording recording({chip.source()});
  sleep_ms(1500);
  recording.stop();
  const auto& samples = recording.samples();
  ASSERT_GT(samples.size(), 10U);
  const auto converted =
      static_cast<double>(samples.back().t_mono_ns - samples.front().t_mono_ns) / static_cast<double>(kCycleNs);
  EXPECT_LE(static_cast<double>(samples.size()), converted * 1.02 + 2.0);
  EXPECT_NEAR(static_cast<double>(samples.back().sequence - samples.front().sequence), converted,
              0.03 * converted + 3.0);
}

INSTANTIATE_TEST_SUITE_P(Paths, SamplerInGuest, ::testing::Values(Path::kRaw, Path::kHwmon),
                         [](const auto& test) { return test.param == Path::kRaw ? "raw" : "hwmon"; });

TEST(SamplerInGuest, ADriverUnboundWhileReadingIsAGapAndFoundAgainByItsPath) {
  SampledChip chip(Path::kHwmon, kBoard);
  Recording recording({chip.source()});
  sleep_ms(300);
  chip.driver().unbind();
  sleep_ms(400);
  chip.driver().bind();
  const std::int64_t over_ns = monotonic_ns();
  EXPECT_TRUE(wait_until(
      [&] {
        recording.take();
        return !recording.samples().empty() && recording.samples().back().t_mono_ns > over_ns;
      },
      1000));
  recording.stop();
  const auto gaps = recording.events(EventKind::kGap);
  ASSERT_FALSE(gaps.empty());
  EXPECT_EQ(static_cast<Error>(gaps[0].value), Error::kGone);
}

TEST(SamplerInGuest, ABoundChipIsNamedSoThatRawReadingCanRefuseIt) {
  const EmulatedBus bus(kBoard);
  std::array<char, kLabelSize> name{};
  EXPECT_EQ(bound_driver("", bus.adapter(), 0x40, Span<char>(name.data(), name.size())).error(), Error::kNotFound);
  const BoundDriver driver(bus.adapter(), "ina3221", 0x40);
  ASSERT_TRUE(bound_driver("", bus.adapter(), 0x40, Span<char>(name.data(), name.size())).ok());
  EXPECT_STREQ(name.data(), "ina3221");
}

TEST(SamplerInGuest, RawReadingIsOneTransferPerQuestionAndWritesNothing) {
  SampledChip chip(Path::kRaw, kBoard);
  I2cEvents events(chip.bus().adapter());
  Recording recording({chip.source()});
  sleep_ms(500);
  recording.stop();
  std::size_t transfers = 0;
  std::size_t written_bytes = 0;
  for (const I2cEvent& event : events.take()) {
    transfers += event.kind == "result" ? 1 : 0;
    if (event.kind == "write") {
      written_bytes = std::max(written_bytes, static_cast<std::size_t>(event.length));
    }
  }
  EXPECT_EQ(written_bytes, 1U) << "more than a register pointer was written to a chip that was to be left alone";
  // Every poll asks for the flag, every conversion is one batch.
  const SourceCounters counters = recording.counters();
  EXPECT_LE(transfers, counters.polls + counters.conversions + 2);
}

TEST(SamplerInGuest, HwmonReadingIsOneTransferPerValue) {
  SampledChip chip(Path::kHwmon, kBoard);
  I2cEvents events(chip.bus().adapter());
  Recording recording({chip.source()});
  sleep_ms(500);
  recording.stop();
  std::size_t transfers = 0;
  for (const I2cEvent& event : events.take()) {
    transfers += event.kind == "result" ? 1 : 0;
    if (event.kind == "write") {
      EXPECT_EQ(event.length, 1) << "a configuration was written";
      EXPECT_NE(event.bytes, "0f") << "the flags belong to the driver";
    }
  }
  // Two values of each of three channels.
  EXPECT_LE(transfers, 6 * (recording.counters().polls + 2));
}

TEST(SamplerInGuest, MarkersStandInTheRecordingWithTheirKernelTime) {
  const GpioSim sim({"edgejoule-marker"});
  SampledChip chip(Path::kRaw, kBoard);
  static GpioInput marker;  // a line is held until the process ends
  ASSERT_TRUE(marker.open("edgejoule-marker", GpioEdges::kBoth).ok());
  Recording recording({chip.source()}, {&marker});
  std::vector<std::int64_t> before;
  for (int i = 0; i < 6; ++i) {
    sleep_ms(60);
    before.push_back(monotonic_ns());
    sim.pull(0, i % 2 == 0);
  }
  sleep_ms(200);
  recording.stop();
  const auto rising = recording.events(EventKind::kMarkerRising);
  const auto falling = recording.events(EventKind::kMarkerFalling);
  ASSERT_EQ(rising.size(), 3U);
  ASSERT_EQ(falling.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(rising[i].begin_ns, before[2 * i]);
    EXPECT_LT(rising[i].begin_ns, before[2 * i + 1]);
    EXPECT_GE(falling[i].begin_ns, before[2 * i + 1]);
  }
}

TEST(SamplerInGuest, AnAlertLineSaysWhenConversionsEnd) {
  const GpioSim sim({"edgejoule-alert"});
  sim.pull(0, true);
  static GpioInput alert;
  ASSERT_TRUE(alert.open("edgejoule-alert", GpioEdges::kFalling).ok());
  EmulatedBus bus(
      "trace rail constant volts=5 amperes=0.8\nchip 0x40 ina226\nchannel 0x40 1 trace=rail shunt_uohm=10000\n",
      {"--alert", "0x40=" + sim.pull_file(0)});
  I2cDev device;
  ASSERT_TRUE(device.open("", bus.adapter()).ok());
  InaSourceConfig config;
  config.i2c_bus = bus.adapter();
  config.chip = ChipId::kIna226;
  config.settings.shunt_uohm[0] = 10'000;
  config.settings.averages = 16;  // 35.2 ms
  config.settings.ready_on_alert = true;
  config.configure = true;
  config.alert = &alert;
  InaSource source;
  ASSERT_TRUE(source.open(device.bus(), config, monotonic_ns()).ok());
  Recording recording({source.source()});
  sleep_ms(1000);
  recording.stop();
  const auto converted = static_cast<std::size_t>(kSecond / 35'200'000);
  EXPECT_GE(recording.samples().size(), converted / 2);
  EXPECT_LE(recording.samples().size(), converted + 2);
  for (const PowerSample& sample : recording.samples()) {
    EXPECT_NEAR(static_cast<double>(sample.power_uw), 4e6, 1e4);
  }
}

}  // namespace
}  // namespace edgejoule::kernel_tier
