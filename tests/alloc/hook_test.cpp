// Zero calls of the heap while a runtime runs: markers written and read, ops priced.
#include <gtest/gtest.h>

#include <vector>

#include "counted_heap.h"
#include "edgejoule/adapters/posix_clock.h"
#include "edgejoule/adapters/tflite.h"
#include "edgejoule/edgejoule.h"

namespace edgejoule::test {
namespace {

TEST(Hook, CallsNoHeapWhileARuntimeRuns) {
  std::vector<std::uint64_t> memory(edgejoule_markers_required_bytes(64, 256) / 8 + 1);
  edgejoule_markers markers;
  ASSERT_EQ(edgejoule_markers_create(memory.data(), memory.size() * 8, 256, &markers), EDGEJOULE_OK);
  const edgejoule_estimate estimates[8] = {};
  edgejoule_hook_options options;
  edgejoule_hook_options_init(&options);
  options.clock = adapters::posix_clock;
  options.markers = &markers;
  options.estimates = estimates;
  options.estimate_count = 8;
  edgejoule_hook hook;
  ASSERT_EQ(edgejoule_hook_init(&hook, &options), EDGEJOULE_OK);
  adapters::TfliteProfiler profiler(&hook);
  tflite::Profiler& runtime = profiler;

  std::uint64_t calls = 0;
  std::size_t read = 0;
  {
    const CountedHeap heap;
    for (int op = 0; op < 200; ++op) {  // more than there is room for, and names too
      const char name[] = {'o', 'p', static_cast<char>('0' + op % 64), '\0'};
      runtime.EndEvent(runtime.BeginEvent(name, tflite::Profiler::EventType::OPERATOR_INVOKE_EVENT, op, 0));
    }
    edgejoule_marker marker;
    while (edgejoule_markers_read(&markers, &marker, 1) == 1) ++read;
    calls = heap.calls();
  }
  EXPECT_EQ(read, 64U);
  EXPECT_EQ(edgejoule_markers_lost(&markers), 400U - 64U);
  EXPECT_EQ(calls, 0U);
}

}  // namespace
}  // namespace edgejoule::test
