// The INA reader against emulated chips it knows nothing of: values, energy, responses in time, faults. Linked with
// a bed in this process and with one behind the guest's kernel.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "edgejoule/core/meter.h"
#include "edgejoule/sensors/ina_reader.h"
#include "edgejoule/sensors/response.h"
#include "emu/board_bed.h"

namespace edgejoule::emu {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint8_t kAddress = 0x40;
constexpr std::uint32_t kShuntUohm = 10'000;

struct ChipRow {
  const char* name;
  ChipId id;
  bool has_identity;
  // Half a count of the converter and what a register's rounding adds, in the reader's units.
  double current_ua;
  double bus_uv;
};

const ChipRow kChips[] = {
    {"ina219", ChipId::kIna219, false, 501, 2'001},   {"ina226", ChipId::kIna226, true, 126, 626},
    {"ina230", ChipId::kIna230, false, 126, 626},     {"ina231", ChipId::kIna231, false, 126, 626},
    {"ina260", ChipId::kIna260, true, 626, 626},      {"ina228", ChipId::kIna228, true, 17, 99},
    {"ina237", ChipId::kIna237, true, 251, 1'564},    {"ina238", ChipId::kIna238, true, 251, 1'564},
    {"ina3221", ChipId::kIna3221, true, 2'001, 4'001}};

InaSettings settings_of(ChipId id) {
  InaSettings settings;
  for (std::uint32_t& shunt : settings.shunt_uohm) {
    shunt = kShuntUohm;
  }
  settings.channel_mask = id == ChipId::kIna3221 ? 0x7 : 0x1;
  return settings;
}

std::string board_of(const ChipRow& row, const std::string& trace, const std::string& imperfection = "") {
  const std::string shunt = row.id == ChipId::kIna260 ? "" : " shunt_uohm=" + std::to_string(kShuntUohm);
  return "trace rail " + trace + "\nchip 0x40 " + row.name + " " + imperfection + "\nchannel 0x40 1 trace=rail" +
         shunt + "\n";
}

// Asks when the clock says so until `samples` conversions were seen; of each, the sample of channel 1.
class Sampling {
 public:
  Sampling(BoardBed& bed, InaReader& reader) : bed_(bed), reader_(reader) {
    clock_.start(reader.cycle_ns(), bed.now_ns());
  }

  // Each wake-up comes late by up to this, as from a real timer.
  void be_late_by_up_to(std::int64_t late_ns) { late_ns_ = late_ns; }

  PowerSample next() {
    for (;;) {
      const std::int64_t late =
          late_ns_ > 0 ? static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(late_ns_)) : 0;
      bed_.sleep_until(clock_.next_poll_ns() + late);
      const std::int64_t before = bed_.now_ns();
      const Result<bool> ready = reader_.ready();
      if (!ready.ok()) {
        ADD_FAILURE() << error_text(ready.error());
        return {};
      }
      if (!*ready) {
        clock_.on_stale(before);
        continue;
      }
      const Conversion when = clock_.on_fresh(bed_.now_ns());
      std::array<PowerSample, kMaxChannels> out{};
      const auto count = reader_.read(when, Span<PowerSample>(out.data(), out.size()));
      if (!count.ok()) {
        ADD_FAILURE() << error_text(count.error());
      }
      return out[0];
    }
  }

  [[nodiscard]] const ConversionClock& clock() const { return clock_; }

 private:
  BoardBed& bed_;
  InaReader& reader_;
  ConversionClock clock_;
  std::int64_t late_ns_ = 0;
  std::mt19937_64 random_{42};
};

class ReaderOnBoard : public ::testing::TestWithParam<ChipRow> {};

TEST_P(ReaderOnBoard, IdentifiesTheChipWhereItHasAnIdentity) {
  const ChipRow& row = GetParam();
  const auto bed = make_bed(board_of(row, "constant volts=5 amperes=1"));
  const Result<ChipId> found = InaReader::detect(bed->bus(), kAddress);
  if (row.has_identity && row.id != ChipId::kIna237) {
    ASSERT_TRUE(found.ok()) << error_text(found.error());
    EXPECT_EQ(*found, row.id);
  } else {
    EXPECT_FALSE(found.ok() && *found != row.id) << "taken for another chip";
  }
}

TEST_P(ReaderOnBoard, GivesTheTracesVoltsAndAmperesWithinHalfACount) {
  const ChipRow& row = GetParam();
  for (const double amperes : {2.34567, -1.23456, 0.0}) {
    const auto bed = make_bed(board_of(row, "constant volts=4.9876 amperes=" + std::to_string(amperes)));
    InaReader reader;
    const Status configured = reader.configure(bed->bus(), kAddress, row.id, settings_of(row.id));
    ASSERT_TRUE(configured.ok()) << error_text(configured.error());
    Sampling sampling(*bed, reader);
    (void)sampling.next();
    const PowerSample sample = sampling.next();
    EXPECT_NEAR(sample.current_ua, amperes * 1e6, row.current_ua);
    EXPECT_NEAR(sample.bus_uv, 4'987'600, row.bus_uv);
    const double power_tolerance = 5.0 * row.current_ua + std::abs(amperes) * row.bus_uv + 2;
    EXPECT_NEAR(static_cast<double>(sample.power_uw), 4.9876 * amperes * 1e6, power_tolerance);
  }
}

TEST_P(ReaderOnBoard, EnergyOfATraceAddsUp) {
  const ChipRow& row = GetParam();
  const auto bed =
      make_bed(board_of(row, "square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000", "clock_error=0.03"));
  InaReader reader;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings_of(row.id)).ok());
  Sampling sampling(*bed, reader);
  const emulated_board::PowerTrace& trace = bed->trace("rail");
  const PowerSample first = sampling.next();
  PowerSample last = first;
  double joules = 0.0;         // each sample stands for the time since the one before it
  double window_joules = 0.0;  // each sample stands for its own window
  double window_truth = 0.0;
  const std::int64_t length = bed->is_exact() ? 20 * kSecond : 680 * kMillisecond;
  while (last.window_end_ns - first.window_end_ns < length) {
    const PowerSample sample = sampling.next();
    ASSERT_GT(sample.window_end_ns, last.window_end_ns);
    const double watts = static_cast<double>(sample.power_uw) * 1e-6;
    joules += watts * 1e-9 * static_cast<double>(sample.window_end_ns - last.window_end_ns);
    window_joules += watts * 1e-9 * static_cast<double>(sample.window_end_ns - sample.window_begin_ns);
    window_truth += trace.joules(sample.window_begin_ns, sample.window_end_ns);
    last = sample;
  }
  if (bed->is_exact()) {
    EXPECT_NEAR(joules / trace.joules(first.window_end_ns, last.window_end_ns), 1.0, 0.005);
    EXPECT_NEAR(window_joules / window_truth, 1.0, 0.005);
  } else {
    // A busy processor makes holes, which nobody should fill in: only the windows that were seen can be compared.
    EXPECT_NEAR(window_joules / window_truth, 1.0, 0.05);
  }
}

TEST_P(ReaderOnBoard, EachFaultHasItsCodeAndIsOverWhenItEnds) {
  const ChipRow& row = GetParam();
  const auto bed = make_bed(board_of(row, "constant volts=5 amperes=1"));
  InaReader reader;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings_of(row.id)).ok());
  const struct {
    const char* words;
    Error error;
  } faults[] = {{"nak", Error::kBusNak},
                {"timeout", Error::kBusTimeout},
                {"arbitration", Error::kBusArbitration},
                {"short", Error::kBusShortTransfer}};
  for (const auto& fault : faults) {
    bed->fault(fault.words);
    const Result<bool> ready = reader.ready();
    ASSERT_FALSE(ready.ok()) << fault.words;
    // The flag of INA219 stands in a result register: nothing but the code is asked of it here.
    EXPECT_EQ(ready.error(), fault.error) << fault.words;
    bed->clear_faults();
    Sampling sampling(*bed, reader);
    EXPECT_NEAR(sampling.next().current_ua, 1e6, row.current_ua) << "after " << fault.words;
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, ReaderOnBoard, ::testing::ValuesIn(kChips),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ReaderOnBoard, EveryConversionIsSeenOnceAndNoneInvented) {
  // INA3221 with its power-on cycle of 6.6 ms, an oscillator 3 % off and wake-ups that come late: ten minutes where
  // time costs nothing, two seconds where it does.
  const ChipRow& row = kChips[8];
  const auto bed = make_bed(board_of(row, "square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000",
                                     "clock_error=0.03 shunt_noise_uv=80"));
  InaReader reader;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings_of(row.id)).ok());
  const std::int64_t begin = bed->now_ns();
  Sampling sampling(*bed, reader);
  if (bed->is_exact()) {
    sampling.be_late_by_up_to(300'000);
  }
  std::uint32_t last_sequence = sampling.next().sequence;
  std::uint64_t seen = 1;
  const std::int64_t length = bed->is_exact() ? 600 * kSecond : 2 * kSecond;
  while (bed->now_ns() - begin < length) {
    const PowerSample sample = sampling.next();
    ASSERT_GT(sample.sequence, last_sequence);
    last_sequence = sample.sequence;
    ++seen;
  }
  const auto converted = static_cast<double>(bed->now_ns() - begin) / (6.6e6 * 1.03);
  if (bed->is_exact()) {
    EXPECT_GE(static_cast<double>(seen), 0.99 * converted);
    EXPECT_NEAR(sampling.clock().cycle_ns(), 6.6e6 * 1.03, 5e3);
  }
  EXPECT_LE(static_cast<double>(seen), converted + 1.0);
  EXPECT_NEAR(static_cast<double>(seen + sampling.clock().lost()), converted, 0.02 * converted + 2.0);
}

TEST(ReaderOnBoard, ARunningFilterIsWhatItsResponseSays) {
  // Convolving the truth with each sample's declared response gives the sample.
  const ChipRow& row = kChips[8];
  const auto bed = make_bed(board_of(row, "square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000"));
  InaReader reader;
  InaSettings settings = settings_of(row.id);
  settings.averages = 16;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings).ok());
  Sampling sampling(*bed, reader);
  const emulated_board::PowerTrace& truth = bed->trace("rail");
  double worst = 0.0;
  const int samples = bed->is_exact() ? 1'500 : 150;
  for (int i = 0; i < samples; ++i) {
    const PowerSample sample = sampling.next();
    ASSERT_EQ(sample.response, ResponseKind::kExponential);
    ASSERT_EQ(sample.taps, 16);
    if (i < 150 && bed->is_exact()) {
      continue;  // the filter still remembers its zero
    }
    double expected = 0.0;
    const std::int64_t step = 500'000;
    for (std::int64_t t = response_begin_ns(sample, 1e-4); t < sample.window_end_ns; t += step) {
      expected += response_weight(sample, t, t + step) * truth.mean(t, t + step).amperes;
    }
    worst = std::max(worst, std::abs(expected - sample.current_ua * 1e-6));
  }
  // A count is 4 mA. What remains is that the declared window is not the very millisecond of the shunt's conversion.
  EXPECT_LT(worst, bed->is_exact() ? 0.05 : 2.0);
}

TEST(ReaderOnBoard, EnergyRegisterAgreesWithTheTrace) {
  const ChipRow& row = kChips[5];
  const auto bed = make_bed(board_of(row, "square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000"));
  InaReader reader;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings_of(row.id)).ok());
  ASSERT_TRUE(reader.clear_energy().ok());
  ASSERT_TRUE(reader.read_energy().ok());
  const std::int64_t begin = bed->now_ns();
  bed->sleep_until(begin + 2 * kSecond);
  const Result<EnergyReading> energy = reader.read_energy();
  ASSERT_TRUE(energy.ok()) << error_text(energy.error());
  const std::int64_t end = bed->now_ns();
  EXPECT_NEAR(static_cast<double>(energy->energy_uj) * 1e-6 / bed->trace("rail").joules(begin, end), 1.0,
              bed->is_exact() ? 0.005 : 0.05);
  EXPECT_NEAR(static_cast<double>(energy->charge_uc) * 1e-6 / bed->trace("rail").coulombs(begin, end), 1.0,
              bed->is_exact() ? 0.005 : 0.05);
  EXPECT_FALSE(energy->wrapped);
}

// The board draws 2.5 W idle and 10 W more while a program runs that a table prices at
// 8 W: through a box, and through a filter that remembers.
TEST_P(ReaderOnBoard, AMeterFindsWhatTheTableGetsWrong) {
  const ChipRow& row = GetParam();
  const auto bed = make_bed(board_of(row, "square volts=5 low=0.5 high=2.5 high_us=90000 period_us=170000"));
  if (!bed->is_exact()) GTEST_SKIP() << "the guest's clock is not the trace's to the microsecond";
  InaReader reader;
  InaSettings settings = settings_of(row.id);
  settings.averages = 16;
  ASSERT_TRUE(reader.configure(bed->bus(), kAddress, row.id, settings).ok());
  Sampling sampling(*bed, reader);
  Meter meter;
  ASSERT_TRUE(meter.start({}).ok());
  std::int64_t reported = 0;
  PowerSample sample;
  while (sample.window_end_ns < 10 * kSecond) {
    sample = sampling.next();
    for (; reported <= sample.window_end_ns; reported += 170 * kMillisecond) {
      ASSERT_TRUE(meter.add_work(reported, reported + 90 * kMillisecond, Joules(8.0F * 0.09F)).ok());
      meter.idle_until(reported + 170 * kMillisecond);
    }
    ASSERT_TRUE(meter.add_sample(sample).ok());
  }
  const MeterReading reading = meter.read();
  // The windows of an INA219's averages are known less well: edges of work blur (meter.h).
  const float blur = row.id == ChipId::kIna219 ? 0.12F : 0.02F;
  EXPECT_NEAR(reading.gain, 10.0F / 8.0F, blur);
  EXPECT_NEAR(reading.static_power.value(), 2.5F, 5 * blur);
  EXPECT_GT(reading.learned, 100U);
}

}  // namespace
}  // namespace edgejoule::emu
