#include "edgejoule/linux/timeline_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <new>

#include "edgejoule/edgejoule.h"
#include "edgejoule/linux/monotonic.h"
#include "edgejoule/linux/os_error.h"

namespace edgejoule {
namespace detail {

struct OpenSpan {
  std::int64_t begin_ns;
  std::uint32_t node;
  std::uint32_t name;
  SpanKind kind;
  std::uint8_t part;
  bool crossed_gap;  // its end may be among what was lost
};

struct TimelineThread {
  explicit TimelineThread(const MarkerRing& its_ring) noexcept : ring(its_ring) {}
  MarkerRing ring;
  char name[32] = {};
  std::int64_t last_ns = 0;
  std::int64_t gap_begin_ns = 0;
  std::uint32_t gap_count = 0;  // told, and not yet written: its end is the next marker
  std::uint32_t told = 0;
  std::uint32_t names_written = 0;
  std::uint32_t depth = 0;
  static constexpr std::uint32_t kMaxDepth = 64;
  OpenSpan open[kMaxDepth];
};

}  // namespace detail

namespace {

using detail::OpenSpan;
using detail::TimelineThread;

// A Timeline laid out by hand, so that spans can be appended to the file while a program runs (FlatBuffers "internals";
// the tests hold it against the generated verifier and reader). Front: root offset, identifier, vtable, table, texts,
// number of spans; then the spans; behind them the threads with their names, written again by each drain.
constexpr std::size_t kVtableAt = 8;
constexpr std::size_t kFields = 16;
constexpr std::size_t kVtableSize = 4 + 2 * kFields;
constexpr std::size_t kTableAt = kVtableAt + kVtableSize;  // 44: the offset to the vtable; 48: eight-byte fields
constexpr std::size_t kOffsetNsAt = 48;
constexpr std::size_t kRealtimeOffsetAt = 56;
constexpr std::size_t kVersionAt = 64;
constexpr std::size_t kKindAt = 66;
constexpr std::size_t kSourceAt = 67;
constexpr std::size_t kClockAt = 68;
constexpr std::size_t kToolAt = 72;
constexpr std::size_t kRuntimeAt = 76;
constexpr std::size_t kModelAt = 80;
constexpr std::size_t kThreadsAt = 84;
constexpr std::size_t kSpansAt = 88;
constexpr std::size_t kSha256At = 92;
constexpr std::size_t kTextsAt = 96;
static_assert(kTableAt == 44 && kVtableAt % 4 == 0);

constexpr std::uint8_t kMarkersSource = 1;
constexpr std::uint8_t kMonotonicClock = 1;

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kHeaderRoom = kTextsAt + 4 * (kMaxText + 8) + 16;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kBufferSize = std::size_t{1} << 15U;
constexpr std::uint64_t kMaxFile =
    (std::uint64_t{1} << 31U) - (std::uint64_t{1} << 26U);  // FlatBuffers' limit, less names

#define EDGEJOULE_TEXT_OF(x) #x
#define EDGEJOULE_VERSION_TEXT(a, b, c) EDGEJOULE_TEXT_OF(a) "." EDGEJOULE_TEXT_OF(b) "." EDGEJOULE_TEXT_OF(c)
constexpr std::string_view kToolVersion =
    EDGEJOULE_VERSION_TEXT(EDGEJOULE_VERSION_MAJOR, EDGEJOULE_VERSION_MINOR, EDGEJOULE_VERSION_PATCH);

template <class T>
void put(std::byte* at, T value) noexcept {
  std::memcpy(at, &value, sizeof(value));
}

constexpr std::size_t padded_text(std::size_t length) noexcept {
  return (4 + length + 1 + 3) / 4 * 4;
}

// A thread behind the spans: vtable (4 fields) of 12 bytes, table of 28 (lost and names_lost at multiples of 8), the
// name, then the names. All begin at a multiple of 8.
constexpr std::size_t kThreadVtable = 12;
constexpr std::size_t kThreadFront = kThreadVtable + 28;

std::size_t names_size(const MarkerRing& ring, std::uint32_t count) noexcept {
  std::size_t size = 4 + 4 * std::size_t{count};
  for (std::uint32_t i = 0; i < count; ++i) size += padded_text(ring.name(i).size());
  return size;
}

constexpr std::size_t padded(std::size_t size) noexcept {
  return (size + 7) / 8 * 8;
}

SpanKind span_kind(MarkerKind kind) noexcept {
  switch (kind) {
    case MarkerKind::kInferenceBegin:
    case MarkerKind::kInferenceEnd: return SpanKind::kInference;
    case MarkerKind::kInnerBegin:
    case MarkerKind::kInnerEnd: return SpanKind::kInner;
    case MarkerKind::kGap: return SpanKind::kGap;
    case MarkerKind::kOpBegin:
    case MarkerKind::kOpEnd: return SpanKind::kOp;
  }
  return SpanKind::kOp;
}

bool is_beginning(MarkerKind kind) noexcept {
  return kind == MarkerKind::kOpBegin || kind == MarkerKind::kInferenceBegin || kind == MarkerKind::kInnerBegin;
}

// What may be open around what: an inference around an op around a delegate's steps.
int rank(SpanKind kind) noexcept {
  return kind == SpanKind::kInference ? 0 : kind == SpanKind::kOp ? 1 : 2;
}

TimelineSpan span_of(const OpenSpan& open, std::int64_t end_ns, std::uint16_t thread, std::uint32_t depth) noexcept {
  TimelineSpan span;
  span.begin_ns = open.begin_ns;
  span.end_ns = end_ns;
  span.node = open.node;
  span.name = open.name;
  span.thread = thread;
  span.part = open.part;
  span.kind = open.kind;
  span.depth = static_cast<std::uint8_t>(depth);
  return span;
}

}  // namespace

TimelineWriter::~TimelineWriter() {
  if (fd_ >= 0) (void)close();
}

std::size_t TimelineWriter::required_bytes(std::size_t threads) noexcept {
  return padded(kHeaderRoom) + kBufferSize + threads * sizeof(TimelineThread);
}

Status TimelineWriter::open(const char* path, const TimelineInfo& info, Span<std::byte> memory) noexcept {
  if (fd_ >= 0) return Error::kInvalidArgument;
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % 8 != 0) return Error::kMisaligned;
  if (memory.size() < required_bytes(1)) return Error::kWorkspaceTooSmall;
  for (const std::string_view text : {info.runtime, info.model, info.model_sha256}) {
    if (text.size() > kMaxText) return Error::kTooLarge;
  }
  header_ = memory.data();
  buffer_ = header_ + padded(kHeaderRoom);
  threads_ = reinterpret_cast<TimelineThread*>(buffer_ + kBufferSize);
  thread_capacity_ = (memory.size() - required_bytes(0)) / sizeof(TimelineThread);
  thread_count_ = buffered_ = 0;
  span_count_ = whole_span_count_ = 0;

  std::memset(header_, 0, kHeaderRoom);
  put(header_, static_cast<std::uint32_t>(kTableAt));
  std::memcpy(header_ + 4, "EJL1", 4);
  // By field id: where it stands in the table, 0 for a default.
  const auto at = [](std::size_t position) { return static_cast<std::uint16_t>(position - kTableAt); };
  const std::uint16_t vtable[2 + kFields] = {kVtableSize,
                                             kTextsAt - kTableAt,
                                             at(kVersionAt),
                                             at(kKindAt),
                                             at(kSourceAt),
                                             at(kToolAt),
                                             at(kRuntimeAt),
                                             at(kModelAt),
                                             at(kClockAt),
                                             info.is_monotonic ? at(kOffsetNsAt) : std::uint16_t{0},
                                             0,
                                             0,
                                             at(kThreadsAt),
                                             at(kSpansAt),
                                             0,
                                             0,
                                             at(kSha256At),
                                             info.is_monotonic ? at(kRealtimeOffsetAt) : std::uint16_t{0}};
  std::memcpy(header_ + kVtableAt, vtable, sizeof(vtable));
  put(header_ + kTableAt, static_cast<std::int32_t>(kTableAt - kVtableAt));
  put(header_ + kRealtimeOffsetAt, info.is_monotonic ? wall_clock_offset_ns() : std::int64_t{0});
  put(header_ + kVersionAt, std::uint16_t{1});
  put(header_ + kSourceAt, kMarkersSource);
  put(header_ + kClockAt, info.is_monotonic ? kMonotonicClock : std::uint8_t{0});
  std::size_t end = kTextsAt;
  const auto put_text = [this, &end](std::size_t field, std::string_view text) {
    put(header_ + field, static_cast<std::uint32_t>(end - field));
    put(header_ + end, static_cast<std::uint32_t>(text.size()));
    if (!text.empty()) std::memcpy(header_ + end + 4, text.data(), text.size());
    end += padded_text(text.size());
  };
  put_text(kToolAt, kToolVersion);
  put_text(kRuntimeAt, info.runtime);
  put_text(kModelAt, info.model);
  put_text(kSha256At, info.model_sha256);
  header_size_ = padded(end + 4);  // the number of spans stands right before them
  put(header_ + kSpansAt, static_cast<std::uint32_t>(header_size_ - 4 - kSpansAt));
  position_ = whole_position_ = header_size_;

  fd_ = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return error_from_errno(errno);
  Status status;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    status = errno == EWOULDBLOCK ? Status(Error::kBusy) : Status(error_from_errno(errno));
  }
  char found[8] = {};
  if (status) {
    const ssize_t size = ::pread(fd_, found, sizeof found, 0);
    // Somebody's photograph is not overwritten.
    if (size < 0) {
      status = error_from_errno(errno);
    } else if (size != 0 && (size < 8 || std::memcmp(found + 4, "EJL1", 4) != 0)) {
      status = Error::kWrongIdentifier;
    } else if (::ftruncate(fd_, 0) != 0) {
      status = error_from_errno(errno);
    }
  }
  if (status) status = finish_drain();
  if (!status) {
    ::close(fd_);
    fd_ = -1;
  }
  return status;
}

Status TimelineWriter::add_thread(const MarkerRing& ring, std::string_view name) noexcept {
  if (fd_ < 0) return Error::kInvalidArgument;
  if (thread_count_ == thread_capacity_ || thread_count_ > UINT16_MAX) return Error::kFull;
  auto* const thread = ::new (static_cast<void*>(threads_ + thread_count_)) TimelineThread(ring);
  ++thread_count_;
  const std::size_t length = name.size() < sizeof(thread->name) ? name.size() : sizeof(thread->name) - 1;
  if (length != 0) std::memcpy(thread->name, name.data(), length);
  return {};
}

Status TimelineWriter::write_at(const std::byte* data, std::size_t size, std::uint64_t at) noexcept {
  std::size_t written = 0;
  while (written < size) {
    const ssize_t got = ::pwrite(fd_, data + written, size - written, static_cast<off_t>(at + written));
    if (got >= 0) {
      written += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return error_from_errno(errno);
    }
  }
  return {};
}

Status TimelineWriter::flush() noexcept {
  if (const Status s = write_at(buffer_, buffered_, position_); !s) return s;
  position_ += buffered_;
  buffered_ = 0;
  return {};
}

Status TimelineWriter::append(const void* data, std::size_t size) noexcept {
  if (buffered_ + size > kBufferSize) {
    if (const Status s = flush(); !s) return s;
  }
  std::memcpy(buffer_ + buffered_, data, size);
  buffered_ += size;
  return {};
}

// Length, bytes, a zero, up to a multiple of 4.
Status TimelineWriter::append_text(std::string_view text) noexcept {
  std::byte bytes[512] = {};
  put(bytes, static_cast<std::uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(bytes + 4, text.data(), text.size());
  return append(bytes, padded_text(text.size()));
}

Status TimelineWriter::add_span(const TimelineSpan& span) noexcept {
  if (position_ + buffered_ > kMaxFile) return Error::kFull;
  if (const Status s = append(&span, sizeof span); !s) return s;
  ++span_count_;
  return {};
}

Status TimelineWriter::end_without_marker(TimelineThread& thread, std::uint16_t index, std::uint32_t down_to) noexcept {
  while (thread.depth > down_to) {
    const OpenSpan& open = thread.open[--thread.depth];
    TimelineSpan span = span_of(open, open.begin_ns, index, thread.depth);
    span.flags = kEndMissing;
    if (const Status s = add_span(span); !s) return s;
  }
  return {};
}

Status TimelineWriter::take(TimelineThread& thread, std::uint16_t index, const Marker& marker) noexcept {
  if (thread.gap_count != 0) {
    TimelineSpan gap;
    gap.begin_ns = thread.gap_begin_ns;
    gap.end_ns = marker.t_ns;
    gap.node = thread.gap_count;
    gap.thread = index;
    gap.kind = SpanKind::kGap;
    gap.depth = static_cast<std::uint8_t>(thread.depth);
    thread.gap_count = 0;
    if (const Status s = add_span(gap); !s) return s;
  }
  thread.last_ns = marker.t_ns;
  if (marker.kind() == MarkerKind::kGap) {
    thread.gap_begin_ns = marker.t_ns;
    thread.gap_count = marker.node;
    thread.told += marker.node;
    for (std::uint32_t i = 0; i < thread.depth; ++i) thread.open[i].crossed_gap = true;
    return {};
  }
  const SpanKind kind = span_kind(marker.kind());
  if (is_beginning(marker.kind())) {
    std::uint32_t keep = thread.depth;
    while (keep > 0 && thread.open[keep - 1].crossed_gap && rank(thread.open[keep - 1].kind) >= rank(kind)) --keep;
    if (kind == SpanKind::kInference) {
      while (keep > 0 && thread.open[0].kind == SpanKind::kInference) --keep;
    }
    if (keep == TimelineThread::kMaxDepth) --keep;  // beginnings without ends: the youngest gives way
    if (const Status s = end_without_marker(thread, index, keep); !s) return s;
    thread.open[thread.depth++] = {marker.t_ns, marker.node, marker.name(), kind, marker.part(), false};
    return {};
  }
  std::uint32_t found = thread.depth;
  while (found > 0) {
    const OpenSpan& open = thread.open[found - 1];
    if (open.kind == kind && open.node == marker.node && open.name == marker.name() && open.part == marker.part())
      break;
    --found;
  }
  if (found == 0) {
    TimelineSpan span = span_of({marker.t_ns, marker.node, marker.name(), kind, marker.part(), false}, marker.t_ns,
                                index, thread.depth);
    span.flags = kBeginMissing;
    return add_span(span);
  }
  if (const Status s = end_without_marker(thread, index, found); !s) return s;
  --thread.depth;
  return add_span(span_of(thread.open[thread.depth], marker.t_ns, index, thread.depth));
}

Status TimelineWriter::take_all(bool* has_news) noexcept {
  for (std::size_t i = 0; i < thread_count_; ++i) {
    TimelineThread& thread = threads_[i];
    Marker batch[kBatch];
    // As many as there were room for: a writer in full flight does not hold the reader here.
    std::size_t left = thread.ring.capacity();
    while (left != 0) {
      const std::size_t count = thread.ring.read({batch, left < kBatch ? left : kBatch});
      if (count == 0) break;
      *has_news = true;
      left -= count;
      for (std::size_t k = 0; k < count; ++k) {
        if (const Status s = take(thread, static_cast<std::uint16_t>(i), batch[k]); !s) return s;
      }
    }
  }
  return {};
}

Status TimelineWriter::drain() noexcept {
  if (fd_ < 0) return Error::kInvalidArgument;
  bool has_news = false;
  Status status = take_all(&has_news);
  if (status && !has_news) return {};
  if (status) status = finish_drain();
  if (!status) go_back();
  return status;
}

Status TimelineWriter::write_threads(std::uint64_t* threads_at) noexcept {
  *threads_at = position_ + buffered_;
  const auto count = static_cast<std::uint32_t>(thread_count_);
  const std::size_t front = padded(4 + 4 * thread_count_);
  if (const Status s = append(&count, sizeof count); !s) return s;
  std::uint64_t table_at = *threads_at + front + kThreadVtable;
  for (std::size_t i = 0; i < thread_count_; ++i) {
    TimelineThread& thread = threads_[i];
    const auto offset = static_cast<std::uint32_t>(table_at - (*threads_at + 4 + 4 * i));
    if (const Status s = append(&offset, sizeof offset); !s) return s;
    table_at +=
        padded(kThreadFront + padded_text(std::strlen(thread.name)) + names_size(thread.ring, thread.names_written));
  }
  const std::byte zeros[8] = {};
  if (const Status s = append(zeros, front - (4 + 4 * thread_count_)); !s) return s;
  for (std::size_t i = 0; i < thread_count_; ++i) {
    TimelineThread& thread = threads_[i];
    const std::string_view name = thread.name;
    const std::uint32_t names = thread.names_written;
    std::byte table[kThreadFront] = {};
    const std::uint16_t vtable[] = {kThreadVtable, 28, 4, 8, 12, 20};
    std::memcpy(table, vtable, sizeof vtable);
    std::byte* const fields = table + kThreadVtable;  // at 4 mod 8: the counts stand at multiples of 8
    put(fields, static_cast<std::int32_t>(kThreadVtable));
    put(fields + 4, std::uint32_t{28 - 4});
    put(fields + 8, static_cast<std::uint32_t>(28 - 8 + padded_text(name.size())));
    put(fields + 12, std::uint64_t{thread.ring.lost()});
    put(fields + 20, std::uint64_t{thread.ring.names_lost()});
    if (const Status s = append(table, sizeof table); !s) return s;
    if (const Status s = append_text(name); !s) return s;
    if (const Status s = append(&names, sizeof names); !s) return s;
    std::size_t text_at = 4 * std::size_t{names};  // from the first offset
    for (std::uint32_t k = 0; k < names; ++k) {
      const auto offset = static_cast<std::uint32_t>(text_at - 4 * std::size_t{k});
      if (const Status s = append(&offset, sizeof offset); !s) return s;
      text_at += padded_text(thread.ring.name(k).size());
    }
    for (std::uint32_t k = 0; k < names; ++k) {
      if (const Status s = append_text(thread.ring.name(k)); !s) return s;
    }
    const std::size_t size = kThreadFront + padded_text(name.size()) + names_size(thread.ring, names);
    if (const Status s = append(zeros, padded(size) - size); !s) return s;
  }
  return {};
}

Status TimelineWriter::finish_drain() noexcept {
  // Counted once for all walks below: the program may be adding names.
  for (std::size_t i = 0; i < thread_count_; ++i) threads_[i].names_written = threads_[i].ring.name_count();
  return write_around_spans();
}

// Behind the spans the threads, then the front that points to them.
Status TimelineWriter::write_around_spans() noexcept {
  const std::uint64_t end_of_spans = position_ + buffered_;
  std::uint64_t threads_at = 0;
  if (const Status s = write_threads(&threads_at); !s) return s;
  if (const Status s = flush(); !s) return s;
  position_ = end_of_spans;  // the next spans take the threads' place
  put(header_ + kThreadsAt, static_cast<std::uint32_t>(threads_at - kThreadsAt));
  put(header_ + header_size_ - 4, static_cast<std::uint32_t>(span_count_));
  if (const Status s = write_at(header_, header_size_, 0); !s) return s;
  whole_position_ = position_;
  whole_span_count_ = span_count_;
  return {};
}

// To the last drain that was whole: its threads may be half overwritten, and have room.
void TimelineWriter::go_back() noexcept {
  position_ = whole_position_;
  span_count_ = whole_span_count_;
  buffered_ = 0;
  (void)write_around_spans();
}

Status TimelineWriter::close() noexcept {
  if (fd_ < 0) return {};
  Status status = drain();
  for (std::size_t i = 0; i < thread_count_ && status; ++i) {
    TimelineThread& thread = threads_[i];
    const auto index = static_cast<std::uint16_t>(i);
    const std::uint32_t untold = thread.ring.lost() - thread.told;
    if (untold != 0) {
      TimelineSpan gap;
      gap.begin_ns = gap.end_ns = thread.last_ns;
      gap.node = untold;
      gap.thread = index;
      gap.kind = SpanKind::kGap;
      gap.depth = static_cast<std::uint8_t>(thread.depth);
      status = add_span(gap);
    }
    if (status) status = end_without_marker(thread, index, 0);
  }
  if (status) status = finish_drain();
  if (!status) go_back();
  if (status && ::fdatasync(fd_) != 0) status = error_from_errno(errno);
  if (::close(fd_) != 0 && status) status = error_from_errno(errno);
  fd_ = -1;
  return status;
}

}  // namespace edgejoule
