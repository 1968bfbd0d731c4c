// When to look at a sensor: follows the phase and the true period of its conversions.
//
// A sensor says "new" or "not yet" when asked. Asking costs bus time and wakes the
// processor, so the clock learns when the next conversion ends, asks just after it,
// and every few conversions a little too early, to see the end itself go by.
// A conversion that nobody looked at in time is counted as lost, never made up.
//
// Units: nanoseconds of one monotonic clock.
#pragma once

#include <cstdint>

namespace edgejoule {

struct Conversion {
  std::int64_t t_read_ns = 0;  // when the reader learned of it
  std::int64_t end_ns = 0;     // best knowledge of when it ended
  std::uint32_t cycle_ns = 0;  // the sensor's true period, as measured so far
  std::uint32_t sequence = 0;
  std::uint32_t lost_before = 0;
  bool bracketed = false;  // the end was seen go by; otherwise predicted from the period
};

class ConversionClock {
 public:
  // Oscillators of real chips are up to 10 % off; kernel drivers know the period less well.
  static constexpr std::uint32_t kChipTolerancePercent = 15;

  // Precondition: nominal_cycle_ns > 0.
  void start(std::uint32_t nominal_cycle_ns, std::int64_t now_ns,
             std::uint32_t tolerance_percent = kChipTolerancePercent) noexcept;

  [[nodiscard]] std::int64_t next_poll_ns() const noexcept { return next_poll_ns_; }
  // The conversion after the last one must have ended by now, whatever the values say.
  [[nodiscard]] bool overdue(std::int64_t now_ns) const noexcept;

  void on_stale(std::int64_t now_ns) noexcept;
  Conversion on_fresh(std::int64_t now_ns) noexcept;
  // The values are the same but overdue(): a conversion took place at the predicted end. Nothing is learned from it.
  Conversion on_assumed(std::int64_t now_ns) noexcept;
  // The end was signalled (ALERT edge) at end_ns: nothing to estimate.
  Conversion on_signalled(std::int64_t end_ns, std::int64_t now_ns) noexcept;
  // The sensor could not be read since: what happened meanwhile is lost, the phase is unknown.
  void on_outage(std::int64_t now_ns) noexcept;

  [[nodiscard]] std::uint32_t cycle_ns() const noexcept { return static_cast<std::uint32_t>(cycle_ns_); }
  [[nodiscard]] std::uint64_t conversions() const noexcept { return conversions_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint64_t polls() const noexcept { return polls_; }
  // Since the last new conversion (or the start).
  [[nodiscard]] std::int64_t silence_ns(std::int64_t now_ns) const noexcept { return now_ns - last_end_ns_; }

 private:
  [[nodiscard]] std::int64_t step_ns() const noexcept;
  Conversion accept(std::int64_t end_ns, std::int64_t now_ns, std::int64_t passed, bool bracketed) noexcept;
  void learn(std::int64_t end_ns) noexcept;
  void plan(std::int64_t now_ns, bool bracketed) noexcept;

  std::int64_t nominal_ns_ = 1;
  std::int64_t cycle_ns_ = 1;
  std::int64_t tolerance_ns_ = 0;
  std::int64_t next_poll_ns_ = 0;
  std::int64_t last_end_ns_ = 0;
  std::int64_t last_stale_ns_ = 0;  // 0: none since the last conversion
  std::int64_t anchor_end_ns_ = 0;  // an end that was seen, from which the period is measured
  std::uint64_t conversions_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t polls_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t unseen_ = 0;       // conversions since an end was seen
  std::uint32_t early_steps_ = 0;  // how far ahead of the prediction to look
  std::uint8_t seen_ = 0;          // ends seen since the phase was lost, saturating
  bool started_ = false;
};

}  // namespace edgejoule
