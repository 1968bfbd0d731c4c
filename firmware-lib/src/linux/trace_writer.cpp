#include "edgejoule/linux/trace_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <new>

#include "edgejoule/linux/os_error.h"
#include "edgejoule/linux/trace_frame.h"

namespace edgejoule {
namespace {

// A TraceFrame with samples and events, laid out once and for all (FlatBuffers "internals"; the tests hold it against
// the generated verifier). Offsets from the start of the payload:
//   0 offset of the table, 4 identifier, 8 vtable, 20 table: offset of the vtable, of the samples, of the events,
//   36 number of samples, 40 the samples, then number and array of the events.
constexpr std::size_t kVtableAt = 8;
constexpr std::size_t kTableAt = 20;
constexpr std::size_t kSampleCountAt = 36;
constexpr std::size_t kSamplesAt = 40;
constexpr std::size_t kEventPrefix = 8;  // padding and number, before the events
static_assert(kSamplesAt % alignof(PowerSample) == 0);
static_assert(sizeof(PowerSample) == 56 && sizeof(TraceEvent) == 24);
static_assert(offsetof(PowerSample, bus_uv) == 32 && offsetof(PowerSample, taps) == 48 &&
              offsetof(PowerSample, flags) == 52 && offsetof(PowerSample, response) == 54);
static_assert(offsetof(TraceEvent, value) == 16 && offsetof(TraceEvent, index) == 20 &&
              offsetof(TraceEvent, kind) == 22);
#if defined(__BYTE_ORDER__)
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the file format is the memory layout of little-endian machines");
#endif

constexpr std::size_t kFrameOverhead = sizeof(FrameHeader) + kSamplesAt + kEventPrefix;

template <class T>
void put(std::byte* at, T value) noexcept {
  std::memcpy(at, &value, sizeof(value));
}

std::size_t lay_out(std::byte* payload, std::size_t samples, const TraceEvent* events,
                    std::size_t event_count) noexcept {
  put(payload, static_cast<std::uint32_t>(kTableAt));
  std::memcpy(payload + 4, "EJP1", 4);
  const std::uint16_t vtable[6] = {10, 12, 0, 4, 8, 0};  // sizes, session (absent), samples, events, padding
  std::memcpy(payload + kVtableAt, vtable, sizeof(vtable));
  put(payload + kTableAt, static_cast<std::int32_t>(kTableAt - kVtableAt));
  put(payload + kTableAt + 4, static_cast<std::uint32_t>(kSampleCountAt - (kTableAt + 4)));
  put(payload + 32, std::uint32_t{0});
  put(payload + kSampleCountAt, static_cast<std::uint32_t>(samples));
  const std::size_t after = kSamplesAt + samples * sizeof(PowerSample);
  const std::size_t event_count_at = after + 4;
  put(payload + kTableAt + 8, static_cast<std::uint32_t>(event_count_at - (kTableAt + 8)));
  put(payload + after, std::uint32_t{0});
  put(payload + event_count_at, static_cast<std::uint32_t>(event_count));
  std::memcpy(payload + event_count_at + 4, events, event_count * sizeof(TraceEvent));
  return event_count_at + 4 + event_count * sizeof(TraceEvent);
}

}  // namespace

TraceWriter::~TraceWriter() {
  if (fd_ >= 0) (void)close();
}

std::size_t TraceWriter::required_bytes(std::size_t samples, std::size_t events) noexcept {
  return kFrameOverhead + samples * sizeof(PowerSample) + 2 * events * sizeof(TraceEvent);
}

PowerSample* TraceWriter::samples() noexcept {
  return reinterpret_cast<PowerSample*>(frame_ + sizeof(FrameHeader) + kSamplesAt);
}

Status TraceWriter::open(const char* path, Span<std::byte> memory, std::size_t events) noexcept {
  if (fd_ >= 0) return Error::kInvalidArgument;
  if (events == 0 || memory.size() < required_bytes(1, events)) return Error::kWorkspaceTooSmall;
  const std::size_t room = memory.size() < kMaxFramePayload ? memory.size() : kMaxFramePayload;
  sample_capacity_ = (room - required_bytes(0, events)) / sizeof(PowerSample);
  event_capacity_ = events;
  events_ = reinterpret_cast<TraceEvent*>(memory.data());
  frame_ = memory.data() + events * sizeof(TraceEvent);
  sample_count_ = event_count_ = 0;

  fd_ = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return error_from_errno(errno);
  Status status;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    status = errno == EWOULDBLOCK ? Status(Error::kBusy) : Status(error_from_errno(errno));
  }
  if (status) status = find_end();
  if (!status) {
    ::close(fd_);
    fd_ = -1;
  }
  return status;
}

Status TraceWriter::find_end() noexcept {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return error_from_errno(errno);
  if (!S_ISREG(info.st_mode)) return Error::kUnsupported;
  const auto size = static_cast<std::size_t>(info.st_size);
  end_ = 0;
  sequence_ = 0;
  if (size != 0) {
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd_, 0);
    if (mapped == MAP_FAILED) return error_from_errno(errno);
    const Span<const std::byte> file(static_cast<const std::byte*>(mapped), size);
    for (FoundFrame frame = next_frame(file, 0); !frame.payload.empty(); frame = next_frame(file, frame.end)) {
      end_ = frame.end;
      sequence_ = frame.sequence + 1;
    }
    ::munmap(mapped, size);
    // Somebody's photograph is not cut down to nothing; only an empty start of ours is.
    if (end_ == 0 && size > sizeof(FrameHeader)) return Error::kWrongIdentifier;
  }
  repaired_ = size - end_;
  if (repaired_ != 0 && ::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return error_from_errno(errno);
  return {};
}

Status TraceWriter::write_session(Span<const std::byte> frame) noexcept {
  if (const Status s = flush(); !s) return s;
  const std::size_t padded = (frame.size() + 7) / 8 * 8;
  const std::size_t room = kFrameOverhead - sizeof(FrameHeader) + sample_capacity_ * sizeof(PowerSample);
  if (frame.empty() || padded > room) return Error::kWorkspaceTooSmall;
  std::memset(frame_ + sizeof(FrameHeader), 0, padded);
  std::memcpy(frame_ + sizeof(FrameHeader), frame.data(), frame.size());
  return write_frame(frame_, padded);
}

Status TraceWriter::write_frame(std::byte* frame, std::size_t payload) noexcept {
  FrameHeader header;
  header.magic = kFrameMagic;
  header.size = static_cast<std::uint32_t>(payload);
  header.sequence = sequence_;
  header.crc = frame_crc(header, Span<const std::byte>(frame + sizeof(header), payload));
  std::memcpy(frame, &header, sizeof(header));
  const std::size_t total = sizeof(header) + payload;
  std::size_t written = 0;
  while (written < total) {
    const ssize_t got = ::pwrite(fd_, frame + written, total - written, static_cast<off_t>(end_ + written));
    if (got >= 0) {
      written += static_cast<std::size_t>(got);
      continue;
    }
    if (errno == EINTR) continue;
    const Error error = error_from_errno(errno);
    // Half a frame would only be in the way of the next attempt.
    (void)!::ftruncate(fd_, static_cast<off_t>(end_));
    return error;
  }
  end_ += total;
  ++sequence_;
  ++frames_;
  return {};
}

Status TraceWriter::write_batch() noexcept {
  if (sample_count_ == 0 && event_count_ == 0) return {};
  const std::size_t payload = lay_out(frame_ + sizeof(FrameHeader), sample_count_, events_, event_count_);
  if (const Status s = write_frame(frame_, payload); !s) return s;
  sample_count_ = event_count_ = 0;
  return {};
}

Status TraceWriter::make_room(bool for_event) noexcept {
  const bool full = for_event ? event_count_ == event_capacity_ : sample_count_ == sample_capacity_;
  if (!full) return {};
  if (const Status s = write_batch(); !s) return s;
  if (!in_window_) return {};
  ++forced_;
  TraceEvent event;
  event.kind = EventKind::kForcedWrite;
  event.value = 1;
  events_[event_count_++] = event;
  return {};
}

Status TraceWriter::add(const PowerSample& sample) noexcept {
  if (fd_ < 0) return Error::kInvalidArgument;
  if (const Status s = make_room(false); !s) return s;
  // A forced write is told with the time of the sample that forced it.
  if (event_count_ == 1 && events_[0].kind == EventKind::kForcedWrite && events_[0].begin_ns == 0) {
    events_[0].begin_ns = events_[0].end_ns = sample.t_mono_ns;
  }
  ::new (static_cast<void*>(samples() + sample_count_)) PowerSample(sample);
  // The byte of padding is part of the checksum.
  *(reinterpret_cast<std::byte*>(samples() + sample_count_) + sizeof(PowerSample) - 1) = std::byte{0};
  ++sample_count_;
  return {};
}

Status TraceWriter::add(const TraceEvent& event) noexcept {
  if (fd_ < 0) return Error::kInvalidArgument;
  if (const Status s = make_room(true); !s) return s;
  ::new (static_cast<void*>(events_ + event_count_)) TraceEvent(event);
  *(reinterpret_cast<std::byte*>(events_ + event_count_) + sizeof(TraceEvent) - 1) = std::byte{0};
  ++event_count_;
  return {};
}

void TraceWriter::begin_window(std::int64_t now_ns) noexcept {
  if (in_window_) return;
  // Make what is there durable first, so that the window begins with an empty buffer.
  (void)flush();
  in_window_ = true;
  TraceEvent event;
  event.begin_ns = event.end_ns = now_ns;
  event.kind = EventKind::kWindowBegin;
  (void)add(event);
}

Status TraceWriter::end_window(std::int64_t now_ns) noexcept {
  if (!in_window_) return {};
  in_window_ = false;
  TraceEvent event;
  event.begin_ns = event.end_ns = now_ns;
  event.kind = EventKind::kWindowEnd;
  if (const Status s = add(event); !s) return s;
  return flush();
}

Status TraceWriter::flush() noexcept {
  if (fd_ < 0) return Error::kInvalidArgument;
  return in_window_ ? Status() : write_batch();
}

Status TraceWriter::sync() noexcept {
  if (const Status s = flush(); !s) return s;
  if (in_window_) return {};
  return ::fdatasync(fd_) == 0 ? Status() : Status(error_from_errno(errno));
}

Status TraceWriter::close() noexcept {
  if (fd_ < 0) return {};
  in_window_ = false;
  Status status = sync();
  if (::close(fd_) != 0 && status) status = error_from_errno(errno);
  fd_ = -1;
  return status;
}

}  // namespace edgejoule
