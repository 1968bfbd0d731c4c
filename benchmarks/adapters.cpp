// What a runtime's op pays for being watched: one begin and one end through a runtime's own
// interface, beside the two readings of the clock, which stand alone as clock_read.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "edgejoule/adapters/posix_clock.h"
#include "edgejoule/adapters/tflite.h"
#include "edgejoule/edgejoule.h"
#include "scene.h"

namespace {

using edgejoule::adapters::TfliteProfiler;

constexpr std::uint32_t kOps = 214;
const char* const kNames[] = {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "FULLY_CONNECTED", "SOFTMAX"};

struct Watched {
  Watched() : memory(edgejoule_markers_required_bytes(4096, 1024) / 8 + 1), estimates(kOps) {
    edgejoule_hook_options_init(&options);
    options.clock = [](void* context) { return ++*static_cast<std::int64_t*>(context); };
    options.clock_context = &now_ns;
    (void)edgejoule_markers_create(memory.data(), memory.size() * 8, 1024, &markers);
    for (edgejoule_estimate& estimate : estimates) estimate.dynamic_j = 1e-3F;
  }
  void with_markers() { options.markers = &markers; }
  void with_prices() {
    options.estimates = estimates.data();
    options.estimate_count = estimates.size();
    options.static_watts = 1.5F;
  }
  // The time of one op; the reader's share (one marker in two) is part of it.
  void run(benchmark::State& state) {
    if (edgejoule_hook_init(&hook, &options) != EDGEJOULE_OK) {
      state.SkipWithError("the hook refuses its options");
      return;
    }
    TfliteProfiler profiler(&hook);
    tflite::Profiler* runtime = &profiler;
    benchmark::DoNotOptimize(runtime);
    std::vector<edgejoule_marker> read(2048);
    std::uint32_t op = 0;
    std::uint32_t unread = 0;
    for (auto _ : state) {
      const std::uint32_t event =
          runtime->BeginEvent(kNames[op % 5], tflite::Profiler::EventType::OPERATOR_INVOKE_EVENT, op, 0);
      runtime->EndEvent(event);
      op = op + 1 == kOps ? 0 : op + 1;
      if (options.markers != nullptr && ++unread == 1024) {
        unread = 0;
        benchmark::DoNotOptimize(edgejoule_markers_read(&markers, read.data(), read.size()));
      }
    }
    if (edgejoule_markers_lost(&markers) != 0) state.SkipWithError("markers were lost");
  }

  std::int64_t now_ns = 0;
  std::vector<std::uint64_t> memory;
  std::vector<edgejoule_estimate> estimates;
  edgejoule_markers markers;
  edgejoule_hook_options options;
  edgejoule_hook hook;
};

void clock_read(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(edgejoule::adapters::posix_clock(nullptr));
}

void watched_op_markers(benchmark::State& state) {
  Watched watched;
  watched.with_markers();
  watched.run(state);
}

void watched_op_prices(benchmark::State& state) {
  Watched watched;
  watched.with_prices();
  watched.run(state);
}

void watched_op_markers_and_prices(benchmark::State& state) {
  Watched watched;
  watched.with_markers();
  watched.with_prices();
  watched.run(state);
}

// The whole: with CLOCK_MONOTONIC, and every callback in use.
void watched_op_all_with_clock(benchmark::State& state) {
  Watched watched;
  watched.with_markers();
  watched.with_prices();
  watched.options.clock = edgejoule::adapters::posix_clock;
  watched.options.on_op = [](void*, const edgejoule_priced_op* op) { benchmark::DoNotOptimize(op->inference_j); };
  watched.run(state);
}

// Priced when it ends, with the time it took, on a table of 200 rows.
void watched_op_on_a_plan(benchmark::State& state) {
  const edgejoule::files::FileBytes bytes = edgejoule::benchmarks::make_table(200);
  edgejoule_table table;
  edgejoule_plan plan;
  if (edgejoule_table_open(bytes.span().data(), bytes.size(), &table) != EDGEJOULE_OK) {
    state.SkipWithError("the table does not open");
    return;
  }
  std::vector<std::uint64_t> workspace(edgejoule_plan_required_bytes(&table) / 8 + 1);
  if (edgejoule_plan_prepare(&table, nullptr, workspace.data(), workspace.size() * 8, &plan) != EDGEJOULE_OK) {
    state.SkipWithError("the plan cannot be prepared");
    return;
  }
  const edgejoule::OpDescriptor convolution = edgejoule::benchmarks::hooked_convolution();
  edgejoule_op op;
  edgejoule_op_init(&op, static_cast<std::uint16_t>(convolution.kind),
                    static_cast<std::uint8_t>(convolution.data_type));
  for (std::size_t fact = 0; fact < edgejoule::kFactCount; ++fact) {
    op.facts[fact] = convolution.facts[static_cast<edgejoule::Fact>(fact)];
  }
  const std::vector<edgejoule_op> ops(kOps, op);
  Watched watched;
  watched.options.plan = &plan;
  watched.options.ops = ops.data();
  watched.options.op_count = ops.size();
  watched.run(state);
}

}  // namespace

BENCHMARK(clock_read);
BENCHMARK(watched_op_markers);
BENCHMARK(watched_op_prices);
BENCHMARK(watched_op_markers_and_prices);
BENCHMARK(watched_op_all_with_clock);
BENCHMARK(watched_op_on_a_plan);
