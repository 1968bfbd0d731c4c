// Writes an EJP1 file so that nothing but the last frame can be lost.
//
// Samples and events collect in memory and become one frame, one write(). Inside a
// measurement window nothing is written: storage draws from the rail that is being
// measured. An existing recording is continued behind its last whole frame.
// Errors: kPermission, kNotFound, kFull (disk: what was collected is kept and written
// by a later flush), kBusy (another writer), kWrongIdentifier (the file is something
// else and is left alone), kWorkspaceTooSmall.
// Lifetime: the memory is the caller's and must outlive the writer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/power_sample.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

enum class EventKind : std::uint8_t {
  kGap = 0,
  kLost = 1,
  kDropped = 2,
  kMarkerRising = 3,
  kMarkerFalling = 4,
  kMarkerOverflow = 5,
  kStuck = 6,
  kClockStep = 7,
  kForcedWrite = 8,
  kWindowBegin = 9,
  kWindowEnd = 10
};

// What `index` and `value` mean for each kind: schemas/trace.fbs.
struct TraceEvent {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t value = 0;
  std::uint16_t index = 0;
  EventKind kind = EventKind::kGap;
};

class TraceWriter {
 public:
  TraceWriter() noexcept = default;
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  static std::size_t required_bytes(std::size_t samples, std::size_t events) noexcept;

  // Shape: memory aligned to 8. Where there is more memory than events need, samples get it.
  Status open(const char* path, Span<std::byte> memory, std::size_t events) noexcept;
  // A session (a finished TraceFrame), written at once: it names what the samples after it mean.
  Status write_session(Span<const std::byte> frame) noexcept;

  // Where there is no room, a frame is written first; inside a window this is told by an event.
  Status add(const PowerSample& sample) noexcept;
  Status add(const TraceEvent& event) noexcept;

  void begin_window(std::int64_t now_ns) noexcept;
  Status end_window(std::int64_t now_ns) noexcept;

  // Nothing to write, or inside a window: success without writing.
  Status flush() noexcept;
  // Flush, then wait until it is on the storage.
  Status sync() noexcept;
  // Flush, sync, close; the first error is told.
  Status close() noexcept;

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return end_; }
  // Bytes behind the last whole frame of an existing file that were cut off.
  [[nodiscard]] std::uint64_t repaired_bytes() const noexcept { return repaired_; }
  [[nodiscard]] std::uint64_t forced_writes() const noexcept { return forced_; }

 private:
  Status make_room(bool for_event) noexcept;
  Status write_batch() noexcept;
  Status write_frame(std::byte* frame, std::size_t payload) noexcept;
  Status find_end() noexcept;
  [[nodiscard]] PowerSample* samples() noexcept;

  int fd_ = -1;
  std::byte* frame_ = nullptr;  // header, prefix, samples, then room to append the events
  TraceEvent* events_ = nullptr;
  std::size_t sample_capacity_ = 0;
  std::size_t event_capacity_ = 0;
  std::size_t sample_count_ = 0;
  std::size_t event_count_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t repaired_ = 0;
  std::uint64_t forced_ = 0;
  std::uint32_t sequence_ = 0;
  bool in_window_ = false;
};

}  // namespace edgejoule
