// Processor time per sample: our source against the loops people write.
//
// The files are ordinary ones in a temporary folder: the cost of the driver and the bus
// is left out, what remains is ours. One sample is a rail's voltage and current.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "edgejoule/linux/sysfs_source.h"
#include "edgejoule/linux/trace_writer.h"
#include "unit/linux/fake_sysfs.h"

namespace {

using edgejoule::PowerSample;
using edgejoule::Span;
using edgejoule::test::FakeSysfs;

constexpr int kRails = 3;

std::vector<std::string> value_files(const FakeSysfs& sys, const std::string& folder) {
  std::vector<std::string> files;
  for (int rail = 1; rail <= kRails; ++rail) {
    files.push_back(sys.at(folder + "/in" + std::to_string(rail) + "_input"));
    files.push_back(sys.at(folder + "/curr" + std::to_string(rail) + "_input"));
  }
  return files;
}

void count(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kRails);
}

// Every poll is of a conversion of its own: the virtual time moves on by a cycle.
void our_source(benchmark::State& state) {
  const FakeSysfs sys;
  sys.orin_nano();
  edgejoule::SysfsDevice device;
  if (!edgejoule::find_hwmon(sys.root().c_str(), Span<edgejoule::SysfsDevice>(&device, 1)).ok()) {
    state.SkipWithError("no device");
    return;
  }
  edgejoule::SysfsSource source;
  if (!source.open(device, 0).ok()) {
    state.SkipWithError("cannot open");
    return;
  }
  const edgejoule::RailSource rails = source.source();
  PowerSample samples[edgejoule::kMaxRailsPerSource];
  std::int64_t now_ns = 0;
  for (auto _ : state) {
    now_ns += 2 * 6'600'000;
    auto polled = rails.ops->poll(rails.self, now_ns, Span<PowerSample>(samples));
    if (!polled.ok() || *polled != kRails) {
      state.SkipWithError("no samples");
      return;
    }
    benchmark::DoNotOptimize(samples[0].power_uw);
  }
  count(state);
}
BENCHMARK(our_source);

// Files kept open, one pread and one strtol each: the least one can do.
void plain_read_loop(benchmark::State& state) {
  const FakeSysfs sys;
  std::vector<int> files;
  for (const std::string& path : value_files(sys, sys.orin_nano())) files.push_back(::open(path.c_str(), O_RDONLY));
  for (auto _ : state) {
    for (std::size_t i = 0; i < files.size(); i += 2) {
      char text[2][32] = {};
      for (std::size_t k = 0; k < 2; ++k) {
        if (::pread(files[i + k], text[k], sizeof(text[k]) - 1, 0) < 0) state.SkipWithError("pread");
      }
      long power_uw = std::strtol(text[0], nullptr, 10) * std::strtol(text[1], nullptr, 10);
      benchmark::DoNotOptimize(power_uw);
    }
  }
  for (const int file : files) ::close(file);
  count(state);
}
BENCHMARK(plain_read_loop);

// What a script-minded program does: open the file anew for every value.
void open_read_close_loop(benchmark::State& state) {
  const FakeSysfs sys;
  const std::vector<std::string> files = value_files(sys, sys.orin_nano());
  for (auto _ : state) {
    for (std::size_t i = 0; i < files.size(); i += 2) {
      long values[2] = {};
      for (std::size_t k = 0; k < 2; ++k) std::ifstream(files[i + k]) >> values[k];
      long power_uw = values[0] * values[1];
      benchmark::DoNotOptimize(power_uw);
    }
  }
  count(state);
}
BENCHMARK(open_read_close_loop);

// Into the frame buffer, and every 4096th time the frame with its checksum to the file.
void trace_writer(benchmark::State& state) {
  const FakeSysfs sys;
  std::vector<std::uint64_t> memory(edgejoule::TraceWriter::required_bytes(4'096, 16) / 8 + 1);
  edgejoule::TraceWriter writer;
  if (!writer
           .open(sys.at("/trace.ejp").c_str(),
                 Span<std::byte>(reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8), 16)
           .ok()) {
    state.SkipWithError("cannot open");
    return;
  }
  PowerSample sample;
  for (auto _ : state) {
    ++sample.sequence;
    if (!writer.add(sample).ok()) state.SkipWithError("cannot write");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(trace_writer);

}  // namespace
