#include "edgejoule/sensors/conversion_clock.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

namespace edgejoule {
namespace {

// A sensor with a ready flag, a true period of its own and a reader that asks when the clock says so.
struct Simulation {
  std::int64_t true_cycle_ns = 6'600'000;
  std::int64_t offset_ns = 1'234'567;
  std::int64_t consumed = -1;  // last conversion that was read

  ConversionClock clock;
  std::int64_t captured = 0;
  std::int64_t invented = 0;
  std::int64_t worst_end_error_ns = 0;

  void run(std::uint32_t nominal_ns, std::int64_t duration_ns, const std::function<std::int64_t(int)>& wake_delay_ns) {
    clock.start(nominal_ns, 0);
    int wake = 0;
    for (std::int64_t now = 0; now < duration_ns; now = std::max(clock.next_poll_ns(), now + 1)) {
      now += wake_delay_ns(wake++);
      const std::int64_t ended = now < offset_ns ? -1 : (now - offset_ns) / true_cycle_ns;
      if (ended > consumed) {
        const Conversion c = clock.on_fresh(now);
        const std::int64_t true_end = offset_ns + ended * true_cycle_ns;
        if (captured > 16) worst_end_error_ns = std::max(worst_end_error_ns, std::abs(c.end_ns - true_end));
        consumed = ended;
        ++captured;
      } else {
        clock.on_stale(now);
      }
    }
  }
  [[nodiscard]] std::int64_t conversions_that_happened(std::int64_t duration_ns) const {
    return (duration_ns - offset_ns) / true_cycle_ns + 1;
  }
};

constexpr std::int64_t kTenMinutes = 600'000'000'000;

TEST(ConversionClock, CapturesEveryConversionWhateverTheOscillator) {
  for (const double error : {-0.10, -0.03, 0.0, 0.004, 0.10}) {
    Simulation sim;
    sim.true_cycle_ns = static_cast<std::int64_t>(6'600'000 * (1.0 + error));
    sim.run(6'600'000, kTenMinutes, [](int) { return 20'000; });
    const std::int64_t happened = sim.conversions_that_happened(kTenMinutes);
    EXPECT_GE(sim.captured, happened * 999 / 1000) << error;
    EXPECT_LE(sim.captured, happened);
    EXPECT_NEAR(static_cast<double>(sim.clock.cycle_ns()), static_cast<double>(sim.true_cycle_ns), 6'600.0) << error;
    EXPECT_LE(sim.clock.polls(), static_cast<std::uint64_t>(happened) * 3 / 2) << "asks too often";
  }
}

TEST(ConversionClock, KnowsWhenAConversionEnded) {
  Simulation sim;
  sim.true_cycle_ns = 6'731'000;
  sim.run(6'600'000, 60'000'000'000, [](int) { return 20'000; });
  EXPECT_LE(sim.worst_end_error_ns, sim.true_cycle_ns / 10);
}

TEST(ConversionClock, CountsWhatWasLostAndInventsNothing) {
  Simulation sim;
  // Every 50th wake-up comes 40 ms late: about six conversions gone each time.
  sim.run(6'600'000, kTenMinutes, [](int wake) { return wake % 50 == 49 ? 40'000'000 : 15'000; });
  const std::int64_t happened = sim.conversions_that_happened(kTenMinutes);
  const auto counted = static_cast<std::int64_t>(sim.clock.conversions());
  EXPECT_EQ(counted, sim.captured);
  EXPECT_LT(sim.captured, happened);
  EXPECT_NEAR(static_cast<double>(counted + static_cast<std::int64_t>(sim.clock.lost())), static_cast<double>(happened),
              static_cast<double>(happened) * 0.01);
}

TEST(ConversionClock, SequenceLeavesAHoleForLostConversions) {
  ConversionClock clock;
  clock.start(1'000'000, 0);
  EXPECT_EQ(clock.on_signalled(1'000'000, 1'000'500).sequence, 0U);
  EXPECT_EQ(clock.on_signalled(2'000'000, 2'000'500).sequence, 1U);
  const Conversion late = clock.on_signalled(6'000'000, 6'000'500);
  EXPECT_EQ(late.sequence, 5U);
  EXPECT_EQ(late.lost_before, 3U);
  EXPECT_EQ(clock.lost(), 3U);
}

TEST(ConversionClock, AsksASilentSensorLessOften) {
  ConversionClock clock;
  clock.start(1'000'000, 0);
  (void)clock.on_fresh(0);
  int polls = 0;
  for (std::int64_t now = clock.next_poll_ns(); now < 1'000'000'000; now = clock.next_poll_ns()) {
    clock.on_stale(now);
    ++polls;
  }
  EXPECT_LT(polls, 2'100);
  EXPECT_GE(clock.silence_ns(1'000'000'000), 990'000'000);
}

TEST(ConversionClock, AssumedConversionsTeachNothing) {
  ConversionClock clock;
  clock.start(1'000'000, 0);
  (void)clock.on_fresh(0);
  for (int i = 1; i <= 100; ++i) {
    while (!clock.overdue(clock.next_poll_ns())) clock.on_stale(clock.next_poll_ns());
    EXPECT_EQ(clock.on_assumed(clock.next_poll_ns()).end_ns, i * 1'000'000);
  }
  EXPECT_EQ(clock.cycle_ns(), 1'000'000U);
  EXPECT_EQ(clock.lost(), 0U);
}

TEST(ConversionClock, OverdueOnlyAfterAWholeCycle) {
  ConversionClock clock;
  clock.start(1'000'000, 0);
  (void)clock.on_fresh(500'000);
  EXPECT_FALSE(clock.overdue(1'400'000));
  EXPECT_TRUE(clock.overdue(1'700'000));
}

}  // namespace
}  // namespace edgejoule
