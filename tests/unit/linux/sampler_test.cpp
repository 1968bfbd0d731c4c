#include "edgejoule/linux/sampler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "edgejoule/linux/monotonic.h"

namespace edgejoule {
namespace {

// A source whose every poll is written down by the test.
class ScriptedSource {
 public:
  std::atomic<int> error{-1};  // an Error to fail with
  std::atomic<int> reopens{0};
  std::atomic<int> reopen_error{-1};
  std::atomic<std::uint64_t> repeats{0};
  std::atomic<bool> silent{false};
  std::int64_t cycle_ns = 2'000'000;

  explicit ScriptedSource(std::size_t rail_count = 1) : rails_(rail_count) {}

  RailSource source() {
    static constexpr RailSourceOps kOps = {
        [](void* self, std::int64_t now_ns, Span<PowerSample> out) -> Result<std::size_t> {
          auto& me = *static_cast<ScriptedSource*>(self);
          me.next_ns_ = now_ns + me.cycle_ns;
          if (me.error >= 0) return static_cast<Error>(me.error.load());
          if (me.silent) return std::size_t{0};
          for (std::size_t i = 0; i < me.rails_.size(); ++i) {
            out[i] = PowerSample{};
            out[i].t_mono_ns = now_ns;
            out[i].power_uw = 1'000'000;
            out[i].rail = static_cast<std::uint16_t>(i);
            out[i].sequence = me.sequence_;
          }
          ++me.sequence_;
          return me.rails_.size();
        },
        [](const void* self) { return static_cast<const ScriptedSource*>(self)->next_ns_.load(); },
        [](const void* self) {
          const auto& me = *static_cast<const ScriptedSource*>(self);
          SourceCounters counters;
          counters.cycle_ns = static_cast<std::uint32_t>(me.cycle_ns);
          counters.conversions = me.sequence_;
          counters.repeats = me.repeats;
          return counters;
        },
        [](void* self, std::int64_t) -> Status {
          auto& me = *static_cast<ScriptedSource*>(self);
          ++me.reopens;
          if (me.reopen_error >= 0) return static_cast<Error>(me.reopen_error.load());
          return {};
        },
        [](void*) {},
    };
    RailSource source;
    source.self = this;
    source.ops = &kOps;
    source.rails = Span<const RailInfo>(rails_.data(), rails_.size());
    return source;
  }

 private:
  std::vector<RailInfo> rails_;
  std::atomic<std::int64_t> next_ns_{0};
  std::atomic<std::uint32_t> sequence_{0};
};

class Bench {
 public:
  Bench(std::vector<RailSource> sources, std::size_t samples = 4'096, std::size_t events = 64)
      : memory_(Sampler::required_bytes(samples, events) / 8 + 1), sources_(std::move(sources)) {
    const Result<Sampler*> made =
        Sampler::create(Span<std::byte>(reinterpret_cast<std::byte*>(memory_.data()), memory_.size() * 8), samples,
                        events, Span<const RailSource>(sources_.data(), sources_.size()), Span<GpioInput* const>());
    EXPECT_TRUE(made.ok());
    sampler = *made;
  }
  ~Bench() { sampler->stop(); }

  std::vector<PowerSample> samples() {
    std::vector<PowerSample> all(8'192);
    all.resize(sampler->take(Span<PowerSample>(all.data(), all.size())));
    return all;
  }
  std::vector<TraceEvent> events() {
    std::vector<TraceEvent> all(1'024);
    all.resize(sampler->take(Span<TraceEvent>(all.data(), all.size())));
    return all;
  }

  Sampler* sampler = nullptr;

 private:
  std::vector<std::uint64_t> memory_;
  std::vector<RailSource> sources_;
};

void wait_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

template <class Condition>
bool wait_until(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    wait_ms(10);
  }
  return false;
}

TEST(Sampler, ReadsEverySourceAtItsOwnPace) {
  ScriptedSource fast(3);
  ScriptedSource slow(1);
  slow.cycle_ns = 20'000'000;
  Bench bench({fast.source(), slow.source()});
  ASSERT_TRUE(bench.sampler->start({}).ok());
  ASSERT_TRUE(wait_until([&] { return bench.sampler->stats().samples > 150; }));
  bench.sampler->stop();
  std::vector<int> per_rail(4);
  std::int64_t last = 0;
  for (const PowerSample& sample : bench.samples()) {
    ASSERT_LT(sample.rail, 4);
    ++per_rail[sample.rail];
    EXPECT_GE(sample.t_mono_ns, last);
    last = sample.t_mono_ns;
  }
  EXPECT_EQ(per_rail[0], per_rail[1]);
  EXPECT_EQ(per_rail[0], per_rail[2]);
  EXPECT_GT(per_rail[0], per_rail[3]) << "rails count on over the sources";
  EXPECT_GT(per_rail[3], 0);
  const SamplerStats stats = bench.sampler->stats();
  EXPECT_EQ(stats.dropped, 0U);
  EXPECT_GT(stats.wakeups, 0U);
  EXPECT_GE(stats.worst_late_ns, stats.mean_late_ns);
  EXPECT_GT(stats.cpu_ns, 0);
}

TEST(Sampler, AGapIsMarkedAndEndsWithTheFault) {
  ScriptedSource source;
  Bench bench({source.source()});
  ASSERT_TRUE(bench.sampler->start({}).ok());
  ASSERT_TRUE(wait_until([&] { return bench.sampler->stats().samples > 10; }));
  source.error = static_cast<int>(Error::kBusTimeout);
  source.reopen_error = static_cast<int>(Error::kGone);
  ASSERT_TRUE(wait_until([&] { return source.reopens > 1; }));
  source.error = -1;
  source.reopen_error = -1;
  const std::int64_t mended = monotonic_ns();
  std::vector<TraceEvent> events;
  ASSERT_TRUE(wait_until([&] {
    for (const TraceEvent& e : bench.events()) events.push_back(e);
    return !events.empty();
  }));
  bench.sampler->stop();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kGap);
  EXPECT_EQ(events[0].value, static_cast<std::uint32_t>(Error::kGone));
  EXPECT_LT(events[0].begin_ns, mended);
  EXPECT_GE(events[0].end_ns, mended);
  EXPECT_GT(bench.sampler->stats().errors, 1U);
}

TEST(Sampler, AGapThatNeverEndsIsClosedByStopping) {
  ScriptedSource source;
  source.error = static_cast<int>(Error::kGone);
  source.reopen_error = static_cast<int>(Error::kGone);
  Bench bench({source.source()});
  ASSERT_TRUE(bench.sampler->start({}).ok());
  ASSERT_TRUE(wait_until([&] { return bench.sampler->stats().errors > 0; }));
  bench.sampler->stop();
  const auto events = bench.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kGap);
  EXPECT_EQ(events[0].value, static_cast<std::uint32_t>(Error::kGone));
  EXPECT_TRUE(bench.samples().empty());
}

TEST(Sampler, OneSourceFailingDoesNotStopTheOthers) {
  ScriptedSource bad;
  bad.error = static_cast<int>(Error::kBusNak);
  bad.reopen_error = static_cast<int>(Error::kBusNak);
  ScriptedSource good;
  Bench bench({bad.source(), good.source()});
  ASSERT_TRUE(bench.sampler->start({}).ok());
  EXPECT_TRUE(wait_until([&] { return bench.sampler->stats().samples > 50; }));
  bench.sampler->stop();
  for (const PowerSample& sample : bench.samples()) EXPECT_EQ(sample.rail, 1);
}

TEST(Sampler, AFullRingDropsAndCounts) {
  ScriptedSource source;
  Bench bench({source.source()}, 8, 8);
  ASSERT_TRUE(bench.sampler->start({}).ok());
  ASSERT_TRUE(wait_until([&] { return bench.sampler->stats().dropped > 20; }));
  bench.sampler->stop();
  EXPECT_EQ(bench.samples().size(), 8U);
  std::uint64_t told = 0;
  for (const TraceEvent& e : bench.events()) {
    if (e.kind == EventKind::kDropped) told += e.value;
  }
  EXPECT_GT(told, 0U);
}

TEST(Sampler, RefusesWhatItCannotHold) {
  std::vector<std::uint64_t> memory(16);
  const Span<std::byte> view(reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8);
  const Span<GpioInput* const> no_markers;
  EXPECT_EQ(Sampler::create(view, 100, 10, Span<const RailSource>(), no_markers).error(), Error::kWorkspaceTooSmall);
  EXPECT_EQ(Sampler::create(view, 0, 10, Span<const RailSource>(), no_markers).error(), Error::kInvalidArgument);
  const std::vector<RailSource> many(kMaxSources + 1);
  EXPECT_EQ(Sampler::create(view, 1, 1, Span<const RailSource>(many.data(), many.size()), no_markers).error(),
            Error::kTooLarge);
}

TEST(Sampler, SaysWhenAProcessorDoesNotExist) {
  ScriptedSource source;
  Bench bench({source.source()});
  SamplerOptions options;
  options.cpu = 1'000'000;
  EXPECT_EQ(bench.sampler->start(options).error(), Error::kInvalidArgument);
  options.cpu = 0;
  EXPECT_TRUE(bench.sampler->start(options).ok());
  EXPECT_EQ(bench.sampler->start(options).error(), Error::kInvalidArgument) << "it already runs";
}

}  // namespace
}  // namespace edgejoule
