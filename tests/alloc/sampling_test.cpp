// Zero calls of the heap per sample: from the kernel's file to the frame on disk.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "counted_heap.h"
#include "edgejoule/linux/monotonic.h"
#include "edgejoule/linux/sampler.h"
#include "edgejoule/linux/sysfs_source.h"
#include "edgejoule/linux/trace_writer.h"
#include "unit/linux/fake_sysfs.h"

namespace edgejoule::test {
namespace {

Span<std::byte> bytes_of(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

TEST(Sampling, CallsNoHeapPerSample) {
  const FakeSysfs sys;
  sys.orin_nano();
  SysfsDevice device;
  ASSERT_EQ(*find_hwmon(sys.root().c_str(), Span<SysfsDevice>(&device, 1)), 1U);
  SysfsSource reader;
  ASSERT_TRUE(reader.open(device, monotonic_ns()).ok());
  const RailSource source = reader.source();
  std::vector<std::uint64_t> sampler_memory(Sampler::required_bytes(4'096, 256) / 8 + 1);
  std::vector<std::uint64_t> writer_memory(TraceWriter::required_bytes(64, 16) / 8 + 1);
  std::vector<PowerSample> samples(256);
  std::vector<TraceEvent> events(256);
  const Result<Sampler*> sampler = Sampler::create(bytes_of(sampler_memory), 4'096, 256,
                                                   Span<const RailSource>(&source, 1), Span<GpioInput* const>());
  ASSERT_TRUE(sampler.ok());
  TraceWriter writer;
  ASSERT_TRUE(writer.open(sys.at("/run.ejp").c_str(), bytes_of(writer_memory), 16).ok());
  ASSERT_TRUE((*sampler)->start({}).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the thread is under way

  std::size_t written = 0;
  std::uint64_t calls = 0;
  {
    const CountedHeap heap;
    for (int i = 0; i < 1'000 && written < 300; ++i) {
      timespec wait{0, 5'000'000};
      ::nanosleep(&wait, nullptr);
      const std::size_t count = (*sampler)->take(Span<PowerSample>(samples.data(), samples.size()));
      for (std::size_t k = 0; k < count; ++k) {
        if (writer.add(samples[k]).ok()) ++written;
      }
      const std::size_t told = (*sampler)->take(Span<TraceEvent>(events.data(), events.size()));
      for (std::size_t k = 0; k < told; ++k) (void)writer.add(events[k]);
    }
    (void)writer.flush();
    calls = heap.calls();
  }
  (*sampler)->stop();
  EXPECT_GE(written, 300U);
  EXPECT_GE(writer.frames(), 4U);
  EXPECT_EQ(calls, 0U);
}

}  // namespace
}  // namespace edgejoule::test
