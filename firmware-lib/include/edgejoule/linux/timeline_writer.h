// Drains the marker rings of a running program into an EJL1 file.
//
// Shape: markers become spans, each with its beginning and its end; what lacks one of them
// says so, and what was lost stands as a gap. After each drain the file is whole: a program
// that is killed keeps what was drained before (but for a kill amid the writes of one drain).
// Threads: one, the reader of all rings that were added.
// Lifetime: memory and rings are the caller's and must outlive the writer.
// Errors: kPermission, kNotFound, kFull (the disk; a file of 2 GiB; more threads than there
// is memory for), kBusy (another writer), kWrongIdentifier (the file is something else and is
// left alone), kWorkspaceTooSmall, kMisaligned, kTooLarge (a text of more than 4 kB). After an
// error of a drain the file ends with the drain before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/marker_ring.h"
#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

enum class SpanKind : std::uint8_t { kOp = 0, kInference = 1, kInner = 2, kGap = 3 };

// Bits of TimelineSpan::flags.
inline constexpr std::uint8_t kBeginMissing = 1;  // begin_ns is the end
inline constexpr std::uint8_t kEndMissing = 2;    // end_ns is the beginning

// What the fields mean: schemas/timeline.fbs.
struct TimelineSpan {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t node = 0;
  std::uint32_t name = 0;
  std::uint16_t thread = 0;
  std::uint16_t part = 0;
  SpanKind kind = SpanKind::kOp;
  std::uint8_t flags = 0;
  std::uint8_t depth = 0;
  std::uint8_t padding = 0;
};
static_assert(sizeof(TimelineSpan) == 32);

struct TimelineInfo {
  std::string_view runtime;  // "TensorFlow Lite 2.16"
  std::string_view model;
  std::string_view model_sha256;
  // The markers' clock is CLOCK_MONOTONIC; otherwise accounting has to find the offset.
  bool is_monotonic = true;
};

namespace detail {
struct TimelineThread;
}

class TimelineWriter {
 public:
  TimelineWriter() noexcept = default;
  ~TimelineWriter();
  TimelineWriter(const TimelineWriter&) = delete;
  TimelineWriter& operator=(const TimelineWriter&) = delete;

  [[nodiscard]] static std::size_t required_bytes(std::size_t threads) noexcept;
  // An existing timeline is overwritten.
  Status open(const char* path, const TimelineInfo& info, Span<std::byte> memory) noexcept;
  // The thread that writes to this ring; its name is copied, up to 31 bytes of it.
  Status add_thread(const MarkerRing& ring, std::string_view name) noexcept;
  // All that is in the rings now.
  Status drain() noexcept;
  // Drains, tells what is still open as without an end, syncs, closes; the first error.
  Status close() noexcept;

  [[nodiscard]] std::uint64_t spans() const noexcept { return span_count_; }

 private:
  Status write_threads(std::uint64_t* threads_at) noexcept;
  Status take_all(bool* has_news) noexcept;
  Status finish_drain() noexcept;
  Status write_around_spans() noexcept;
  void go_back() noexcept;
  Status take(detail::TimelineThread& thread, std::uint16_t index, const Marker& marker) noexcept;
  Status add_span(const TimelineSpan& span) noexcept;
  Status end_without_marker(detail::TimelineThread& thread, std::uint16_t index, std::uint32_t down_to) noexcept;
  Status append(const void* data, std::size_t size) noexcept;
  Status append_text(std::string_view text) noexcept;
  Status flush() noexcept;
  Status write_at(const std::byte* data, std::size_t size, std::uint64_t at) noexcept;

  int fd_ = -1;
  detail::TimelineThread* threads_ = nullptr;
  std::size_t thread_capacity_ = 0;
  std::size_t thread_count_ = 0;
  std::byte* header_ = nullptr;
  std::size_t header_size_ = 0;  // up to the first span
  std::byte* buffer_ = nullptr;
  std::size_t buffered_ = 0;
  std::uint64_t position_ = 0;  // in the file, of the buffer
  std::uint64_t span_count_ = 0;
  std::uint64_t whole_position_ = 0;  // after the last drain that was written whole
  std::uint64_t whole_span_count_ = 0;
};

}  // namespace edgejoule
