// Zero calls of the heap from open to report.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "counted_heap.h"
#include "edgejoule/core/meter.h"
#include "predict_model.h"

namespace {

using edgejoule::test::CountedHeap;

TEST(CountedHeap, CountsEveryEntrance) {
  const CountedHeap heap;
  std::uint64_t before = heap.calls();
  const auto counted = [&](std::uint64_t calls) {
    const bool as_expected = heap.calls() - before == calls;
    before = heap.calls();
    return as_expected;
  };
  std::free(std::malloc(8));
  const bool malloc_counted = counted(2);
  std::free(std::realloc(std::calloc(2, 8), 64));
  const bool realloc_counted = counted(3);
  std::free(std::aligned_alloc(64, 64));
  const bool aligned_counted = counted(2);
  ::operator delete(::operator new(8));
  const bool new_counted = counted(2);
  ::operator delete[](::operator new[](64, std::align_val_t(64)), std::align_val_t(64));
  const bool aligned_new_counted = counted(2);
  { const std::vector<int> values(100); }
  const bool vector_counted = counted(2);
  EXPECT_TRUE(malloc_counted);
  EXPECT_TRUE(realloc_counted);
  EXPECT_TRUE(aligned_counted);
  EXPECT_TRUE(new_counted);
  EXPECT_TRUE(aligned_new_counted);
  EXPECT_TRUE(vector_counted);
}

TEST(Heap, IsNotTouchedFromOpenToReport) {
  static firmware::Prediction prediction;
  edgejoule::Estimate hook;
  edgejoule::Status status;
  std::uint64_t calls = 0;
  {
    const CountedHeap heap;
    status = firmware::predict_model(firmware::table_in_flash(), firmware::graph_in_flash(), prediction);
    if (status) {
      status = firmware::price_op(firmware::table_in_flash(), hook);
    }
    calls = heap.calls();
  }
  ASSERT_TRUE(status.ok()) << edgejoule::error_text(status.error());
  EXPECT_GT(prediction.nodes[0].dynamic.value(), 0.0F);
  EXPECT_GT(hook.dynamic.value(), 0.0F);
  EXPECT_EQ(calls, 0U);
}

TEST(Heap, IsNotTouchedByTheMeter) {
  edgejoule::MeterReading reading;
  std::uint64_t calls = 0;
  {
    const CountedHeap heap;
    edgejoule::Meter meter;
    (void)meter.start({});
    edgejoule::PowerSample sample;
    sample.cycle_ns = 10000000;
    sample.power_uw = 3000000;
    for (std::int64_t at = 0; at < 1000 * std::int64_t{sample.cycle_ns}; at += sample.cycle_ns) {
      (void)meter.add_work(at, at + sample.cycle_ns, edgejoule::Joules(0.02F));
      sample.window_begin_ns = at;
      sample.window_end_ns = at + sample.cycle_ns;
      (void)meter.add_sample(sample);
    }
    reading = meter.read();
    calls = heap.calls();
  }
  EXPECT_GT(reading.learned, 900U);
  EXPECT_EQ(calls, 0U);
}

TEST(Heap, IsNotTouchedByAnErrorEither) {
  static firmware::Prediction prediction;
  edgejoule::Status status;
  std::uint64_t calls = 0;
  {
    const CountedHeap heap;
    const auto table = firmware::table_in_flash();
    status = firmware::predict_model(table.first(table.size() / 2), firmware::graph_in_flash(), prediction);
    (void)edgejoule::error_text(status.error());
    calls = heap.calls();
  }
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(calls, 0U);
}

}  // namespace
