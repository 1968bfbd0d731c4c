// gpio-sim lines through libgpiod 1: markers out and in, kernel time stamps, an ALERT line driven by an emulated chip.
#include <gpiod.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <thread>

#include "support/emulated_bus.h"
#include "support/files.h"
#include "support/gpio_sim.h"
#include "support/i2c_dev.h"

namespace edgejoule::kernel_tier {
namespace {

struct CloseChip {
  void operator()(gpiod_chip* chip) const { gpiod_chip_close(chip); }
};
using ChipHandle = std::unique_ptr<gpiod_chip, CloseChip>;

std::int64_t to_ns(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// gpiod_line_find leaves its chip open for the line's user to close.
struct FoundLine {
  explicit FoundLine(const char* name) : line(gpiod_line_find(name)) {
    chip.reset(line == nullptr ? nullptr : gpiod_line_get_chip(line));
  }
  gpiod_line* line;
  ChipHandle chip;
};

bool wait_event(gpiod_line* line, int milliseconds) {
  const timespec limit{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
  return gpiod_line_event_wait(line, &limit) == 1;
}

TEST(Gpio, LinesAreFoundByNameOnWhicheverChipTheyAre) {
  const GpioSim sim({"marker-in", "marker-out", "ina-alert"});
  const FoundLine found("ina-alert");
  ASSERT_NE(found.line, nullptr);
  EXPECT_EQ(gpiod_line_offset(found.line), 2U);
  EXPECT_EQ(gpiod_chip_name(found.chip.get()), sim.chip());
  EXPECT_EQ(FoundLine("no-such-line").line, nullptr);
}

TEST(Gpio, EdgesCarryMonotonicTimeInOrder) {
  const GpioSim sim({"marker-in"});
  const FoundLine found("marker-in");
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  for (int i = 0; i < 6; ++i) {
    const std::int64_t before_ns = monotonic_ns();
    sim.pull(0, i % 2 == 0);
    ASSERT_TRUE(wait_event(found.line, 2000)) << i;
    gpiod_line_event event{};
    ASSERT_EQ(gpiod_line_event_read(found.line, &event), 0);
    const std::int64_t after_ns = monotonic_ns();
    EXPECT_EQ(event.event_type, i % 2 == 0 ? GPIOD_LINE_EVENT_RISING_EDGE : GPIOD_LINE_EVENT_FALLING_EDGE);
    EXPECT_GE(to_ns(event.ts), before_ns) << "the stamp is of another clock";
    EXPECT_LE(to_ns(event.ts), after_ns);
  }
}

TEST(Gpio, AReaderThatIsLateGetsTheEdgesThatWereBuffered) {
  const GpioSim sim({"marker-in"});
  const FoundLine found("marker-in");
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  for (int i = 0; i < 10; ++i) {
    sim.pull(0, i % 2 == 0);
    sleep_ms(5);
  }
  std::int64_t last_ns = 0;
  int seen = 0;
  while (wait_event(found.line, 200)) {
    gpiod_line_event event{};
    ASSERT_EQ(gpiod_line_event_read(found.line, &event), 0);
    EXPECT_GT(to_ns(event.ts), last_ns);
    last_ns = to_ns(event.ts);
    ++seen;
  }
  EXPECT_EQ(seen, 10);
}

TEST(Gpio, ABufferOf16EdgesOverflowsSilently) {
  // The v1 interface cannot say that edges were lost: who counts markers must bracket them otherwise.
  const GpioSim sim({"marker-in"});
  const FoundLine found("marker-in");
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  for (int i = 0; i < 40; ++i) {
    sim.pull(0, i % 2 == 0);
    sleep_ms(3);
  }
  int seen = 0;
  while (wait_event(found.line, 200)) {
    gpiod_line_event event{};
    ASSERT_EQ(gpiod_line_event_read(found.line, &event), 0);
    ++seen;
  }
  EXPECT_LT(seen, 40);
  EXPECT_GE(seen, 16);
}

TEST(Gpio, AnOutputIsSeenOnTheWireAndHeldUntilReleased) {
  const GpioSim sim({"marker-out"});
  const FoundLine found("marker-out");
  ASSERT_EQ(gpiod_line_request_output(found.line, "edgejoule", 0), 0);
  EXPECT_FALSE(sim.value(0));
  ASSERT_EQ(gpiod_line_set_value(found.line, 1), 0);
  EXPECT_TRUE(sim.value(0));
  const FoundLine second("marker-out");
  EXPECT_LT(gpiod_line_request_input(second.line, "other"), 0);
  EXPECT_EQ(errno, EBUSY);
  gpiod_line_release(found.line);
  EXPECT_EQ(gpiod_line_request_input(second.line, "other"), 0);
}

TEST(Gpio, ALineReleasedAndRequestedAgainDeliversNewEdgesOnly) {
  const GpioSim sim({"marker-in"});
  const FoundLine found("marker-in");
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  gpiod_line_release(found.line);
  sim.pull(0, true);
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  EXPECT_FALSE(wait_event(found.line, 100));
  sim.pull(0, false);
  EXPECT_TRUE(wait_event(found.line, 2000));
}

TEST(Gpio, ALineWhoseChipDisappearsDoesNotHangItsReader) {
  GpioSim sim({"marker-in"});
  const FoundLine found("marker-in");
  ASSERT_EQ(gpiod_line_request_both_edges_events(found.line, "edgejoule"), 0);
  std::thread unplug([&sim] {
    sleep_ms(100);
    sim.remove();
  });
  const std::int64_t begin_ns = monotonic_ns();
  gpiod_line_event event{};
  const bool woken = wait_event(found.line, 1000);
  const int read = woken ? gpiod_line_event_read(found.line, &event) : -1;
  unplug.join();
  EXPECT_LT(read, 0) << "an edge was invented";
  EXPECT_LT(monotonic_ns() - begin_ns, 3'000'000'000);
}

TEST(Gpio, ConversionReadyAlertsOfAnEmulatedChipArriveAsEdges) {
  const GpioSim sim({"ina-alert"});
  const FoundLine found("ina-alert");
  sim.pull(0, true);
  ASSERT_EQ(gpiod_line_request_falling_edge_events(found.line, "edgejoule"), 0);
  EmulatedBus board(
      "trace in constant volts=5 amperes=0.8\nchip 0x40 ina226\nchannel 0x40 1 trace=in shunt_uohm=10000\n",
      {"--alert", "0x40=" + sim.pull_file(0)});
  const I2cDev bus(board.adapter());
  ASSERT_EQ(bus.write_word(0x40, 0x00, 0x4527), 0);  // 35.2 ms a cycle
  ASSERT_EQ(bus.write_word(0x40, 0x06, 0x0400), 0);  // conversion ready pulls ALERT
  std::int64_t last_ns = 0;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(wait_event(found.line, 2000)) << i;
    gpiod_line_event event{};
    ASSERT_EQ(gpiod_line_event_read(found.line, &event), 0);
    EXPECT_EQ(bus.read_word(0x40, 0x01).signed_value(), 3200);
    EXPECT_NE(bus.read_word(0x40, 0x06).value & 8, 0) << "an edge without a conversion";
    if (last_ns != 0) {
      EXPECT_GT(to_ns(event.ts) - last_ns, 15'000'000);
    }
    last_ns = to_ns(event.ts);
  }
}

}  // namespace
}  // namespace edgejoule::kernel_tier
