// Records the rails that were discovered: sampler, accumulators and trace file in one.
//
// Use: construct, start(), pump() every few tens of milliseconds, stop(). The window of
// interest (a command's life) is set with begin_window() and end_window().
// Errors: RecordError (what, where, what to do next).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/discovery.h"
#include "capture/rail_summary.h"
#include "capture/watched_source.h"
#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/i2c_dev.h"
#include "edgejoule/linux/ina_source.h"
#include "edgejoule/linux/sampler.h"
#include "edgejoule/linux/trace_writer.h"

namespace edgejoule::capture {

struct RecordError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct RecorderOptions {
  std::string output;                // trace file; empty: none
  std::vector<std::string> rails;    // labels; empty: every readable one
  std::vector<std::string> markers;  // GPIO lines whose edges are recorded
  std::string alert;                 // GPIO line with the conversion-ready signal of the one raw chip
  bool configure_raw = true;         // write settings to raw chips; a kernel driver's chip is never written to
  bool hold_storage = false;         // nothing is written while a window is open
  bool keep_samples = false;         // for take_samples()
  SamplerOptions sampler;
  std::vector<std::string> command;  // for the record
  std::string tool_version;
};

struct Counts {
  std::uint64_t gaps = 0;
  std::int64_t gap_ns = 0;
  std::uint64_t lost = 0;
  std::uint64_t dropped = 0;
  std::uint64_t clock_steps = 0;
  std::uint64_t marker_edges = 0;
  std::uint64_t marker_overflows = 0;
  std::uint64_t forced_writes = 0;
  std::vector<std::string> stuck;     // rails that repeat one value
  Error last_error = Error::kSystem;  // of the last gap
};

class Recorder {
 public:
  Recorder(const Discovery& found, const RecorderOptions& options);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void start();
  // Takes what has come, writes what is due. A full disk is told once by write_error().
  void pump();
  void begin_window(std::int64_t now_ns);
  void end_window(std::int64_t now_ns);
  // Ends the sampling, writes everything, waits for the storage. May be called twice.
  void stop();

  [[nodiscard]] const std::vector<FoundRail>& rails() const { return rails_; }
  [[nodiscard]] RailSummary summary(std::size_t rail, std::int64_t now_ns) const;
  [[nodiscard]] const PowerSample& last_sample(std::size_t rail) const { return accumulators_[rail].last(); }
  // Why the rail's source could not be read, as of the last time it was tried; nothing where it could.
  [[nodiscard]] std::optional<Error> failure(std::size_t rail) const { return watched_[rails_[rail].source].failure(); }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] SamplerStats stats() const { return sampler_->stats(); }
  // Polls of all sources, after stop().
  [[nodiscard]] std::uint64_t polls() const;
  // All that came since the last call, PowerSample::rail by its place in rails(); nothing without keep_samples.
  [[nodiscard]] std::vector<PowerSample> take_samples();
  // Edges since the last call, oldest first.
  [[nodiscard]] std::vector<TraceEvent> take_marker_edges();
  [[nodiscard]] const std::optional<std::string>& write_error() const { return write_error_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return writer_.bytes(); }
  [[nodiscard]] std::uint64_t repaired_bytes() const { return writer_.repaired_bytes(); }

 private:
  void open_sources(const Discovery& found, const RecorderOptions& options);
  void add_source(const RailSource& source);
  void open_raw(const RawChip& raw, const RecorderOptions& options, const std::string& root);
  void open_trace(const Discovery& found, const RecorderOptions& options);
  void count(const TraceEvent& event);
  void watch_wall_clock(std::int64_t now_ns);
  void told(Status status);

  std::vector<FoundRail> rails_;
  std::vector<std::uint32_t> rail_of_sample_;  // the sampler's rail to ours; kSkipped where it was not asked for
  std::vector<RailAccumulator> accumulators_;
  std::deque<SysfsSource> sysfs_;  // a deque: sources keep pointers
  std::deque<InaSource> raw_;
  std::deque<I2cDev> buses_;
  std::deque<GpioInput> markers_;
  std::unique_ptr<GpioInput> alert_;
  std::deque<WatchedSource> watched_;  // of sources_, in their order
  std::vector<RailSource> sources_;
  std::vector<std::uint64_t> sampler_memory_;
  std::vector<std::uint64_t> writer_memory_;
  std::vector<PowerSample> sample_batch_;
  std::vector<TraceEvent> event_batch_;
  std::vector<TraceEvent> edges_;
  std::vector<PowerSample> kept_;
  Sampler* sampler_ = nullptr;
  TraceWriter writer_;
  std::string output_;
  std::optional<std::string> write_error_;
  Counts counts_;
  SamplerOptions sampler_options_;
  std::int64_t last_flush_ns_ = 0;
  std::int64_t wall_offset_ns_ = 0;
  bool hold_storage_ = false;
  bool keep_samples_ = false;
  bool stopped_ = false;
};

}  // namespace edgejoule::capture
