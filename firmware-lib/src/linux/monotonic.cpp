#include "edgejoule/linux/monotonic.h"

#include <time.h>

namespace edgejoule {
namespace {

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  (void)::clock_gettime(clock, &now);  // cannot fail for the clocks asked here
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}

std::int64_t wall_clock_offset_ns() noexcept {
  // The monotonic clock on both sides of the wall clock: an interruption between them must not look like a step.
  const std::int64_t before = monotonic_ns();
  const std::int64_t wall = read_clock(CLOCK_REALTIME);
  const std::int64_t after = monotonic_ns();
  return wall - (before + (after - before) / 2);
}

}  // namespace edgejoule
