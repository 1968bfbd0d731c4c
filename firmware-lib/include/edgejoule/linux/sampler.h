// A thread that reads rail sources at their own pace into fixed rings.
//
// Nothing is interpolated: a conversion that was not read in time is an event and a
// hole in the sequence, a source that cannot be read is a gap, and a full ring drops
// samples and says how many.
// Errors: kWorkspaceTooSmall, kTooLarge (sources, rails or markers), kPermission
// (real-time priority: needs CAP_SYS_NICE or an rtprio limit), kInvalidArgument
// (a processor that does not exist), kSystem.
// Lifetime: the memory, the sources and the markers must outlive the sampler.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/rail.h"
#include "edgejoule/linux/trace_writer.h"

namespace edgejoule {

inline constexpr std::size_t kMaxSources = 16;
inline constexpr std::size_t kMaxMarkers = 4;

struct SamplerOptions {
  int realtime_priority = 0;  // SCHED_FIFO 1-99; 0: an ordinary thread
  int cpu = -1;               // pin to this processor; -1: any
};

struct SamplerStats {
  std::uint64_t samples = 0;
  std::uint64_t dropped = 0;       // samples and events that found their ring full
  std::uint64_t errors = 0;        // failed polls
  std::uint64_t wakeups = 0;       // by time
  std::int64_t worst_late_ns = 0;  // of waking up
  std::int64_t mean_late_ns = 0;
  std::int64_t p99_late_ns = 0;  // upper edge of its power of two
  std::int64_t cpu_ns = 0;       // processor time of the thread, as of up to 64 wake-ups ago
};

class Sampler {
 public:
  static std::size_t required_bytes(std::size_t sample_capacity, std::size_t event_capacity) noexcept;

  // Lives inside `memory` (aligned to 8). Shape: PowerSample::rail counts over all sources in their order.
  static Result<Sampler*> create(Span<std::byte> memory, std::size_t sample_capacity, std::size_t event_capacity,
                                 Span<const RailSource> sources, Span<GpioInput* const> markers) noexcept;

  Status start(const SamplerOptions& options) noexcept;
  // Waits for the thread; open gaps are closed with this instant. May be called twice.
  void stop() noexcept;

  // Takes what has come; from one thread, which need not be the starting one.
  std::size_t take(Span<PowerSample> out) noexcept;
  std::size_t take(Span<TraceEvent> out) noexcept;

  // Any time, from any thread.
  [[nodiscard]] SamplerStats stats() const noexcept;
  // Of one source; after stop().
  [[nodiscard]] SourceCounters counters(std::size_t source) const noexcept;

 private:
  struct State;
  explicit Sampler(State* state) noexcept : state_(state) {}
  State* state_;
};

}  // namespace edgejoule
