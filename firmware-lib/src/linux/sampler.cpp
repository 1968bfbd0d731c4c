#include "edgejoule/linux/sampler.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "edgejoule/linux/monotonic.h"
#include "edgejoule/linux/os_error.h"

namespace edgejoule {
namespace {

constexpr std::size_t kMaxRails = kMaxSources * kMaxRailsPerSource;
constexpr std::size_t kLateBuckets = 40;
constexpr std::int64_t kReopenEveryNs = 100'000'000;  // a fault is noticed to be over well within a second
constexpr std::uint64_t kStuckRepeats = 100;
constexpr std::int64_t kStuckNs = 10'000'000'000;
constexpr std::int64_t kNever = INT64_MAX;

// One writer, one reader; full means no.
template <class T>
class Ring {
 public:
  void assign(T* slots, std::size_t capacity) noexcept {
    slots_ = slots;
    capacity_ = capacity;
  }
  bool push(const T& value) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == capacity_) return false;
    ::new (static_cast<void*>(slots_ + head % capacity_)) T(value);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  std::size_t take(Span<T> out) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t there = head_.load(std::memory_order_acquire) - tail;
    const std::size_t count = there < out.size() ? there : out.size();
    for (std::size_t i = 0; i < count; ++i) out[i] = slots_[(tail + i) % capacity_];
    tail_.store(tail + count, std::memory_order_release);
    return count;
  }

 private:
  T* slots_ = nullptr;
  std::size_t capacity_ = 0;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

template <class T>
void add_relaxed(std::atomic<T>& counter, T value) noexcept {
  // One writer: no read-modify-write needed.
  counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

std::size_t bucket_of(std::int64_t late_ns) noexcept {
  std::size_t bucket = 0;
  while (bucket + 1 < kLateBuckets && (std::int64_t{1} << bucket) < late_ns) ++bucket;
  return bucket;
}

}  // namespace

struct Sampler::State {
  struct Source {
    RailSource source;
    std::uint16_t first_rail = 0;
    std::int64_t last_good_ns = 0;
    std::int64_t failing_since_ns = 0;  // 0: not failing
    std::int64_t reopen_at_ns = 0;
    std::int64_t first_repeat_ns = 0;
    std::uint64_t lost_told = 0;
    Error error = Error::kSystem;
    bool stuck_told = false;
  };

  explicit State(int event_fd) noexcept : stop_fd(event_fd) {}

  void run() noexcept;
  void note_cpu_time() noexcept;
  void wait(std::int64_t due_ns) noexcept;
  void poll_source(std::size_t index, std::int64_t now_ns) noexcept;
  void succeed(std::size_t index, std::int64_t now_ns, Span<PowerSample> fresh) noexcept;
  void fail(std::size_t index, std::int64_t now_ns, Error error) noexcept;
  void close_gap(std::size_t index, std::int64_t now_ns) noexcept;
  void read_marker(std::size_t index, std::int64_t now_ns) noexcept;
  void tell(EventKind kind, std::size_t index, std::uint32_t value, std::int64_t begin_ns,
            std::int64_t end_ns) noexcept;
  [[nodiscard]] std::int64_t due_ns(const Source& source) const noexcept;

  Sampler handle{this};
  Ring<PowerSample> samples;
  Ring<TraceEvent> events;
  Source sources[kMaxSources];
  GpioInput* markers[kMaxMarkers] = {};
  pollfd fds[1 + kMaxMarkers + kMaxSources] = {};
  std::size_t source_count = 0;
  std::size_t marker_count = 0;
  std::size_t fd_count = 0;
  std::uint64_t dropped_told = 0;
  int stop_fd;
  pthread_t thread{};
  bool running = false;

  std::atomic<std::int64_t> cpu_ns{0};
  std::atomic<std::uint64_t> sample_total{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> wakeups{0};
  std::atomic<std::int64_t> worst_late_ns{0};
  std::atomic<std::int64_t> late_sum_ns{0};
  std::atomic<std::uint64_t> late_buckets[kLateBuckets] = {};
};

std::size_t Sampler::required_bytes(std::size_t sample_capacity, std::size_t event_capacity) noexcept {
  return sizeof(State) + alignof(State) + sample_capacity * sizeof(PowerSample) + event_capacity * sizeof(TraceEvent);
}

Result<Sampler*> Sampler::create(Span<std::byte> memory, std::size_t sample_capacity, std::size_t event_capacity,
                                 Span<const RailSource> sources, Span<GpioInput* const> markers) noexcept {
  if (sources.size() > kMaxSources || markers.size() > kMaxMarkers) return Error::kTooLarge;
  if (sample_capacity == 0 || event_capacity == 0) return Error::kInvalidArgument;
  if (memory.size() < required_bytes(sample_capacity, event_capacity)) return Error::kWorkspaceTooSmall;
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return error_from_errno(errno);
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::size_t skip = (alignof(State) - at % alignof(State)) % alignof(State);
  std::byte* place = memory.data() + skip;
  State* const state = ::new (static_cast<void*>(place)) State(fd);
  place += sizeof(State);
  state->samples.assign(reinterpret_cast<PowerSample*>(place), sample_capacity);
  place += sample_capacity * sizeof(PowerSample);
  state->events.assign(reinterpret_cast<TraceEvent*>(place), event_capacity);

  std::size_t rail = 0;
  const auto watch = [state](int watched) {
    pollfd& entry = state->fds[state->fd_count++];
    entry.fd = watched;
    entry.events = POLLIN;
  };
  watch(fd);
  for (GpioInput* const marker : markers) {
    state->markers[state->marker_count++] = marker;
    watch(marker->fd());
  }
  for (const RailSource& source : sources) {
    State::Source& own = state->sources[state->source_count++];
    own.source = source;
    own.first_rail = static_cast<std::uint16_t>(rail);
    rail += source.rails.size();
    watch(source.wake_fd);  // -1 is passed over by poll()
  }
  if (rail > kMaxRails) return Error::kTooLarge;
  return &state->handle;
}

Status Sampler::start(const SamplerOptions& options) noexcept {
  State& state = *state_;
  if (state.running) return Error::kInvalidArgument;
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return Error::kSystem;
  int failed = 0;
  if (options.realtime_priority != 0) {
    sched_param parameter{};
    parameter.sched_priority = options.realtime_priority;
    failed = ::pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    if (failed == 0) failed = ::pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    if (failed == 0) failed = ::pthread_attr_setschedparam(&attributes, &parameter);
  }
  if (failed == 0 && options.cpu >= 0) {
    if (options.cpu >= CPU_SETSIZE) {
      failed = EINVAL;
    } else {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(static_cast<std::size_t>(options.cpu), &set);
      failed = ::pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
    }
  }
  if (failed == 0) {
    failed = ::pthread_create(
        &state.thread, &attributes,
        [](void* self) -> void* {
          static_cast<State*>(self)->run();
          return nullptr;
        },
        &state);
  }
  ::pthread_attr_destroy(&attributes);
  if (failed == EINVAL) return Error::kInvalidArgument;
  if (failed != 0) return error_from_errno(failed);
  state.running = true;
  return {};
}

void Sampler::stop() noexcept {
  State& state = *state_;
  if (!state.running) {
    if (state.stop_fd >= 0) ::close(state.stop_fd);
    state.stop_fd = -1;
    return;
  }
  const std::uint64_t one = 1;
  (void)!::write(state.stop_fd, &one, sizeof(one));
  ::pthread_join(state.thread, nullptr);
  state.running = false;
  ::close(state.stop_fd);
  state.stop_fd = -1;
}

void Sampler::State::run() noexcept {
  // Wake-ups may be late by the timer slack: 50 us by default, a tenth of the fastest cycles.
  (void)::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const std::int64_t begin_ns = monotonic_ns();
  for (std::size_t i = 0; i < source_count; ++i) sources[i].last_good_ns = begin_ns;
  constexpr unsigned kCpuTimeEvery = 64;  // wake-ups; asking each time would be a tenth of the cost it tells
  for (unsigned turn = 0;; ++turn) {
    if (turn % kCpuTimeEvery == 0) note_cpu_time();
    std::int64_t due = kNever;
    for (std::size_t i = 0; i < source_count; ++i) {
      const std::int64_t next = due_ns(sources[i]);
      if (next < due) due = next;
    }
    wait(due);
    const std::int64_t now = monotonic_ns();
    if ((fds[0].revents & POLLIN) != 0) break;
    for (std::size_t i = 0; i < marker_count; ++i) {
      if (fds[1 + i].revents != 0) read_marker(i, now);
    }
    for (std::size_t i = 0; i < source_count; ++i) {
      const bool signalled = fds[1 + marker_count + i].revents != 0;
      // Each poll takes bus time: what comes later in the list is polled at its own instant.
      const std::int64_t instant = i == 0 ? now : monotonic_ns();
      if (signalled || due_ns(sources[i]) <= instant) poll_source(i, instant);
    }
  }
  const std::int64_t end_ns = monotonic_ns();
  for (std::size_t i = 0; i < marker_count; ++i) read_marker(i, end_ns);
  for (std::size_t i = 0; i < source_count; ++i) close_gap(i, end_ns);
  note_cpu_time();
}

void Sampler::State::note_cpu_time() noexcept {
  timespec used{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) return;
  cpu_ns.store(std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec, std::memory_order_relaxed);
}

std::int64_t Sampler::State::due_ns(const Source& source) const noexcept {
  return source.failing_since_ns != 0 ? source.reopen_at_ns : source.source.ops->next_poll_ns(source.source.self);
}

void Sampler::State::wait(std::int64_t due) noexcept {
  const std::int64_t now = monotonic_ns();
  const std::int64_t left = due > now ? due - now : 0;
  timespec timeout{};
  timeout.tv_sec = left / 1'000'000'000;
  timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
  const int ready = ::ppoll(fds, fd_count, due == kNever ? nullptr : &timeout, nullptr);
  if (ready <= 0) {
    for (std::size_t i = 0; i < fd_count; ++i) fds[i].revents = 0;
  }
  if (ready != 0 || left == 0) return;
  const std::int64_t late = monotonic_ns() - due;
  add_relaxed(wakeups, std::uint64_t{1});
  add_relaxed(late_sum_ns, late);
  add_relaxed(late_buckets[bucket_of(late)], std::uint64_t{1});
  if (late > worst_late_ns.load(std::memory_order_relaxed)) worst_late_ns.store(late, std::memory_order_relaxed);
}

void Sampler::State::poll_source(std::size_t index, std::int64_t now_ns) noexcept {
  Source& own = sources[index];
  if (own.failing_since_ns != 0) {
    if (const Status s = own.source.ops->reopen(own.source.self, now_ns); !s) {
      fail(index, now_ns, s.error());
      return;
    }
  }
  PowerSample fresh[kMaxRailsPerSource];
  const Result<std::size_t> count = own.source.ops->poll(own.source.self, now_ns, Span<PowerSample>(fresh));
  if (!count) {
    fail(index, now_ns, count.error());
    return;
  }
  succeed(index, now_ns, Span<PowerSample>(fresh, *count));
}

void Sampler::State::succeed(std::size_t index, std::int64_t now_ns, Span<PowerSample> fresh) noexcept {
  Source& own = sources[index];
  if (own.failing_since_ns != 0) close_gap(index, now_ns);
  if (fresh.empty()) return;
  own.last_good_ns = now_ns;
  for (PowerSample& sample : fresh) {
    sample.rail = static_cast<std::uint16_t>(sample.rail + own.first_rail);
    if (samples.push(sample)) {
      add_relaxed(sample_total, std::uint64_t{1});
    } else {
      add_relaxed(dropped, std::uint64_t{1});
    }
  }
  const SourceCounters counters = own.source.ops->counters(own.source.self);
  if (counters.lost > own.lost_told) {
    tell(EventKind::kLost, index, static_cast<std::uint32_t>(counters.lost - own.lost_told),
         fresh[0].window_begin_ns - static_cast<std::int64_t>(counters.lost - own.lost_told) * fresh[0].cycle_ns,
         fresh[0].window_begin_ns);
    own.lost_told = counters.lost;
  }
  if (counters.repeats == 0) {
    own.first_repeat_ns = now_ns;
    own.stuck_told = false;
  } else if (!own.stuck_told && counters.repeats >= kStuckRepeats && now_ns - own.first_repeat_ns >= kStuckNs) {
    own.stuck_told = true;
    tell(EventKind::kStuck, own.first_rail, 0, own.first_repeat_ns, now_ns);
  }
  const std::uint64_t missing = dropped.load(std::memory_order_relaxed);
  if (missing > dropped_told) {
    const auto value = static_cast<std::uint32_t>(missing - dropped_told);
    TraceEvent event;
    event.kind = EventKind::kDropped;
    event.value = value;
    event.begin_ns = event.end_ns = now_ns;
    if (events.push(event)) dropped_told = missing;
  }
}

void Sampler::State::fail(std::size_t index, std::int64_t now_ns, Error error) noexcept {
  Source& own = sources[index];
  add_relaxed(errors, std::uint64_t{1});
  if (own.failing_since_ns == 0) {
    own.failing_since_ns = now_ns;
    // The next poll may already succeed: many faults hit a single transfer.
    const std::uint32_t cycle = own.source.ops->counters(own.source.self).cycle_ns;
    own.reopen_at_ns = now_ns + (cycle < kReopenEveryNs ? std::int64_t{cycle} : kReopenEveryNs);
  } else {
    own.reopen_at_ns = now_ns + kReopenEveryNs;
  }
  own.error = error;
}

void Sampler::State::close_gap(std::size_t index, std::int64_t now_ns) noexcept {
  Source& own = sources[index];
  if (own.failing_since_ns == 0) return;
  tell(EventKind::kGap, index, static_cast<std::uint32_t>(own.error), own.last_good_ns, now_ns);
  own.failing_since_ns = 0;
}

void Sampler::State::read_marker(std::size_t index, std::int64_t now_ns) noexcept {
  GpioEdge edges[16];
  for (;;) {
    const Result<GpioRead> read = markers[index]->read(Span<GpioEdge>(edges));
    if (!read) {
      // A line that is gone would wake the thread for ever: stop watching it, and say so.
      fds[1 + index].fd = -1;
      fds[1 + index].revents = 0;
      tell(EventKind::kMarkerOverflow, index, 0, now_ns, now_ns);
      add_relaxed(errors, std::uint64_t{1});
      return;
    }
    for (std::size_t i = 0; i < read->edges; ++i) {
      tell(edges[i].rising ? EventKind::kMarkerRising : EventKind::kMarkerFalling, index, edges[i].sequence,
           edges[i].t_mono_ns, edges[i].t_mono_ns);
    }
    if (read->lost != 0 || read->maybe_lost) tell(EventKind::kMarkerOverflow, index, read->lost, now_ns, now_ns);
    if (read->edges < sizeof(edges) / sizeof(edges[0])) return;
  }
}

void Sampler::State::tell(EventKind kind, std::size_t index, std::uint32_t value, std::int64_t begin_ns,
                          std::int64_t end_ns) noexcept {
  TraceEvent event;
  event.kind = kind;
  event.index = static_cast<std::uint16_t>(index);
  event.value = value;
  event.begin_ns = begin_ns;
  event.end_ns = end_ns;
  if (!events.push(event)) add_relaxed(dropped, std::uint64_t{1});
}

std::size_t Sampler::take(Span<PowerSample> out) noexcept {
  return state_->samples.take(out);
}
std::size_t Sampler::take(Span<TraceEvent> out) noexcept {
  return state_->events.take(out);
}

SourceCounters Sampler::counters(std::size_t source) const noexcept {
  const RailSource& rail_source = state_->sources[source].source;
  return rail_source.ops->counters(rail_source.self);
}

SamplerStats Sampler::stats() const noexcept {
  const State& state = *state_;
  SamplerStats stats;
  stats.samples = state.sample_total.load(std::memory_order_relaxed);
  stats.dropped = state.dropped.load(std::memory_order_relaxed);
  stats.errors = state.errors.load(std::memory_order_relaxed);
  stats.wakeups = state.wakeups.load(std::memory_order_relaxed);
  stats.worst_late_ns = state.worst_late_ns.load(std::memory_order_relaxed);
  if (stats.wakeups != 0) {
    stats.mean_late_ns = state.late_sum_ns.load(std::memory_order_relaxed) / static_cast<std::int64_t>(stats.wakeups);
    std::uint64_t beyond = 0;
    for (std::size_t bucket = kLateBuckets; bucket-- > 0;) {
      beyond += state.late_buckets[bucket].load(std::memory_order_relaxed);
      if (beyond * 100 > stats.wakeups) {
        stats.p99_late_ns = std::int64_t{1} << bucket;
        break;
      }
    }
  }
  stats.cpu_ns = state.cpu_ns.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace edgejoule
