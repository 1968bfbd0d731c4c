#include "edgejoule/sensors/conversion_clock.h"

namespace edgejoule {
namespace {

constexpr std::int64_t kStepsPerCycle = 16;
constexpr std::uint8_t kSeenToTrust = 4;     // ends seen before the prediction is used
constexpr std::uint32_t kLookEvery = 8;      // conversions between two looks at the end itself
constexpr std::int64_t kAnchorCycles = 256;  // longest baseline: drift with temperature stays visible

}  // namespace

void ConversionClock::start(std::uint32_t nominal_cycle_ns, std::int64_t now_ns,
                            std::uint32_t tolerance_percent) noexcept {
  *this = ConversionClock{};
  nominal_ns_ = nominal_cycle_ns;
  cycle_ns_ = nominal_cycle_ns;
  tolerance_ns_ = nominal_ns_ * tolerance_percent / 100;
  next_poll_ns_ = now_ns;
  last_end_ns_ = now_ns;
}

std::int64_t ConversionClock::step_ns() const noexcept {
  const std::int64_t step = cycle_ns_ / kStepsPerCycle;
  return step > 0 ? step : 1;
}

bool ConversionClock::overdue(std::int64_t now_ns) const noexcept {
  return now_ns >= last_end_ns_ + cycle_ns_ + 2 * step_ns();
}

void ConversionClock::on_stale(std::int64_t now_ns) noexcept {
  ++polls_;
  last_stale_ns_ = now_ns;
  // A sensor that has been silent for long is asked less often.
  const bool silent = silence_ns(now_ns) > 4 * cycle_ns_;
  next_poll_ns_ = now_ns + (silent ? cycle_ns_ / 2 : step_ns());
}

Conversion ConversionClock::on_fresh(std::int64_t now_ns) noexcept {
  ++polls_;
  const bool bracketed = last_stale_ns_ != 0 && now_ns - last_stale_ns_ <= 4 * step_ns();
  if (bracketed) {
    const std::int64_t end_ns = last_stale_ns_ + (now_ns - last_stale_ns_) / 2;
    const std::int64_t passed = started_ ? (end_ns - last_end_ns_ + cycle_ns_ / 2) / cycle_ns_ : 1;
    learn(end_ns);
    return accept(end_ns, now_ns, passed, true);
  }
  // Only its latest possible end is known: put it on the grid of the earlier ones. Half a step of grace keeps an
  // end that came a little earlier than predicted from being taken for the one before.
  std::int64_t passed = started_ ? (now_ns - last_end_ns_ + step_ns() / 2) / cycle_ns_ : 1;
  if (passed < 1) passed = 1;
  std::int64_t end_ns = started_ ? last_end_ns_ + passed * cycle_ns_ : now_ns;
  if (end_ns > now_ns) end_ns = now_ns;
  return accept(end_ns, now_ns, passed, false);
}

Conversion ConversionClock::on_assumed(std::int64_t now_ns) noexcept {
  ++polls_;
  std::int64_t passed = (now_ns - last_end_ns_ - step_ns()) / cycle_ns_;
  if (passed < 1) passed = 1;
  const std::int64_t end_ns = last_end_ns_ + passed * cycle_ns_;
  const Conversion conversion = accept(end_ns, now_ns, passed, false);
  // There is no end to be seen while nothing changes, so looking for it early would only cost bus time.
  early_steps_ = 0;
  next_poll_ns_ = end_ns + cycle_ns_ + step_ns();
  if (next_poll_ns_ <= now_ns) next_poll_ns_ = now_ns + step_ns();
  return conversion;
}

Conversion ConversionClock::on_signalled(std::int64_t end_ns, std::int64_t now_ns) noexcept {
  ++polls_;
  const std::int64_t passed = started_ ? (end_ns - last_end_ns_ + cycle_ns_ / 2) / cycle_ns_ : 1;
  learn(end_ns);
  return accept(end_ns, now_ns, passed, true);
}

void ConversionClock::on_outage(std::int64_t now_ns) noexcept {
  ++polls_;
  seen_ = 0;
  anchor_end_ns_ = 0;
  last_stale_ns_ = 0;
  next_poll_ns_ = now_ns + cycle_ns_;
}

Conversion ConversionClock::accept(std::int64_t end_ns, std::int64_t now_ns, std::int64_t passed,
                                   bool bracketed) noexcept {
  if (passed < 1) passed = 1;
  const auto lost = static_cast<std::uint32_t>(passed - 1);
  sequence_ += static_cast<std::uint32_t>(started_ ? passed : 0);
  started_ = true;
  lost_ += lost;
  ++conversions_;
  last_end_ns_ = end_ns;
  last_stale_ns_ = 0;
  plan(now_ns, bracketed);

  Conversion conversion;
  conversion.t_read_ns = now_ns;
  conversion.end_ns = end_ns;
  conversion.cycle_ns = cycle_ns();
  conversion.sequence = sequence_;
  conversion.lost_before = lost;
  conversion.bracketed = bracketed;
  return conversion;
}

void ConversionClock::learn(std::int64_t end_ns) noexcept {
  if (seen_ < kSeenToTrust) ++seen_;
  if (anchor_end_ns_ == 0) {
    anchor_end_ns_ = end_ns;
    return;
  }
  const std::int64_t elapsed = end_ns - anchor_end_ns_;
  const std::int64_t cycles = (elapsed + cycle_ns_ / 2) / cycle_ns_;
  if (cycles < 1) return;
  const std::int64_t measured = elapsed / cycles;
  cycle_ns_ += (measured - cycle_ns_) / 2;
  if (cycle_ns_ > nominal_ns_ + tolerance_ns_) cycle_ns_ = nominal_ns_ + tolerance_ns_;
  if (cycle_ns_ < nominal_ns_ - tolerance_ns_) cycle_ns_ = nominal_ns_ - tolerance_ns_;
  if (cycles >= kAnchorCycles) anchor_end_ns_ = end_ns;
}

void ConversionClock::plan(std::int64_t now_ns, bool bracketed) noexcept {
  if (bracketed) {
    unseen_ = 0;
    early_steps_ = 0;
  } else {
    ++unseen_;
  }
  const std::int64_t predicted = last_end_ns_ + cycle_ns_;
  if (seen_ >= kSeenToTrust && unseen_ < kLookEvery) {
    next_poll_ns_ = predicted + step_ns();
  } else {
    // Look early; where even that found the conversion done, look earlier still, up to half a cycle.
    const std::int64_t half = kStepsPerCycle / 2;
    early_steps_ = early_steps_ == 0 ? 1 : early_steps_ * 2;
    if (early_steps_ > half) early_steps_ = static_cast<std::uint32_t>(half);
    next_poll_ns_ = predicted - static_cast<std::int64_t>(early_steps_) * step_ns();
  }
  if (next_poll_ns_ <= now_ns) next_poll_ns_ = now_ns + step_ns();
}

}  // namespace edgejoule
