#include "edgejoule/core/marker_ring.h"

#include <cstring>

#include "alignment.h"

namespace edgejoule {
namespace detail {

constexpr std::size_t kCacheLine = 64;

// Indices count on forever and wrap; 32 bits are atomic on every target.
struct MarkerRingData {
  // fixed at creation
  std::uint32_t magic;
  std::uint32_t mask;       // markers - 1
  std::uint32_t name_mask;  // slots - 1
  std::uint32_t name_bytes;
  std::uint32_t markers_at;  // offsets from here
  std::uint32_t offsets_at;  // by name: where it stands in the text
  std::uint32_t index_at;    // by hash: name + 1, 0 for none
  std::uint32_t recent_at;   // by hint: the name it had last
  std::uint32_t text_at;
  std::byte padding_before[kCacheLine];
  // the writer's; read by the reader
  std::uint32_t head;
  std::uint32_t lost;
  std::uint32_t names_lost;
  std::uint32_t name_count;
  // the writer's alone
  std::uint32_t tail_seen;
  std::uint32_t pending;  // lost since the last marker that found room
  std::int64_t pending_since_ns;
  std::uint32_t text_used;
  std::byte padding_behind[kCacheLine];
  // the reader's; read by the writer
  std::uint32_t tail;
};

}  // namespace detail

namespace {

using detail::MarkerRingData;

constexpr std::uint32_t kMagic = 0x524D4A45U;  // "EJMR"
constexpr std::size_t kMaxNameLength = 255;
constexpr std::size_t kBytesPerSlot = 8;  // of text: names are longer, so that the index stays sparse

template <class T>
T* at(MarkerRingData* data, std::uint32_t offset) noexcept {
  return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(data) + offset);
}

std::uint32_t acquire(const std::uint32_t& value) noexcept {
  return __atomic_load_n(&value, __ATOMIC_ACQUIRE);
}
std::uint32_t relaxed(const std::uint32_t& value) noexcept {
  return __atomic_load_n(&value, __ATOMIC_RELAXED);
}
void release(std::uint32_t& value, std::uint32_t to) noexcept {
  __atomic_store_n(&value, to, __ATOMIC_RELEASE);
}
// One thread counts, another looks.
void count_one(std::uint32_t& value) noexcept {
  const std::uint32_t now = relaxed(value);
  __atomic_store_n(&value, now == UINT32_MAX ? now : now + 1, __ATOMIC_RELAXED);
}

std::uint32_t slots_for(std::size_t name_bytes) noexcept {
  std::uint32_t slots = 8;
  while (slots * kBytesPerSlot < name_bytes) slots *= 2;
  return slots;
}

std::size_t bytes_beside_markers(std::size_t name_bytes) noexcept {
  return aligned(sizeof(MarkerRingData)) + aligned(3 * slots_for(name_bytes) * sizeof(std::uint32_t)) +
         aligned(name_bytes + 1);
}

// `kept` ends with a zero; `text` may be cut at kMaxNameLength.
bool is_same(const char* kept, const char* text) noexcept {
  for (std::size_t i = 0; i < kMaxNameLength; ++i) {
    if (kept[i] != text[i]) return false;
    if (kept[i] == '\0') return true;
  }
  return true;
}

}  // namespace

std::size_t MarkerRing::required_bytes(std::size_t markers, std::size_t name_bytes) noexcept {
  std::size_t rounded = kMinMarkers;
  while (rounded < markers && rounded < SIZE_MAX / (4 * sizeof(Marker))) rounded *= 2;
  return bytes_beside_markers(name_bytes < kMaxNameBytes ? name_bytes : kMaxNameBytes) + rounded * sizeof(Marker);
}

Result<MarkerRing> MarkerRing::create(Span<std::byte> memory, std::size_t name_bytes) noexcept {
  if (!is_aligned(memory.data())) return Error::kMisaligned;
  if (name_bytes > kMaxNameBytes) return Error::kTooLarge;
  if (memory.size() < required_bytes(kMinMarkers, name_bytes)) return Error::kWorkspaceTooSmall;
  constexpr std::size_t kMostMarkers = std::size_t{1} << 26U;  // offsets are 32 bits
  const std::size_t room = (memory.size() - bytes_beside_markers(name_bytes)) / sizeof(Marker);
  std::size_t markers = kMinMarkers;
  while (2 * markers <= room && markers < kMostMarkers) markers *= 2;

  const std::uint32_t slots = slots_for(name_bytes);
  std::memset(memory.data(), 0, sizeof(MarkerRingData));
  auto* const data = reinterpret_cast<MarkerRingData*>(memory.data());
  data->magic = kMagic;
  data->mask = static_cast<std::uint32_t>(markers - 1);
  data->name_mask = slots - 1;
  data->name_bytes = static_cast<std::uint32_t>(name_bytes);
  data->markers_at = static_cast<std::uint32_t>(aligned(sizeof(MarkerRingData)));
  data->offsets_at = data->markers_at + static_cast<std::uint32_t>(markers * sizeof(Marker));
  data->index_at = data->offsets_at + slots * static_cast<std::uint32_t>(sizeof(std::uint32_t));
  data->recent_at = data->index_at + slots * static_cast<std::uint32_t>(sizeof(std::uint32_t));
  data->text_at =
      static_cast<std::uint32_t>(aligned(data->recent_at + slots * static_cast<std::uint32_t>(sizeof(std::uint32_t))));
  std::memset(at<std::byte>(data, data->offsets_at), 0, 3 * slots * sizeof(std::uint32_t));
  *at<char>(data, data->text_at) = '\0';
  data->name_count = 1;
  data->text_used = 1;
  return MarkerRing(data);
}

Result<MarkerRing> MarkerRing::open(Span<std::byte> memory) noexcept {
  if (!is_aligned(memory.data())) return Error::kMisaligned;
  if (memory.size() < sizeof(MarkerRingData)) return Error::kTruncated;
  auto* const data = reinterpret_cast<MarkerRingData*>(memory.data());
  if (data->magic != kMagic) return Error::kWrongIdentifier;
  if (memory.size() < data->text_at) return Error::kTruncated;
  return MarkerRing(data);
}

void MarkerRing::put(MarkerKind kind, std::int64_t t_ns, std::uint32_t node, std::uint8_t part,
                     std::uint32_t name) noexcept {
  const std::uint32_t packed = static_cast<std::uint32_t>(kind) | static_cast<std::uint32_t>(part) << 4U | name << 12U;
  const Marker marker{t_ns, node, packed};
  const std::uint32_t head = data_->head;
  if (data_->pending != 0 || head - data_->tail_seen > data_->mask) {
    put_slowly(marker);
    return;
  }
  at<Marker>(data_, data_->markers_at)[head & data_->mask] = marker;
  release(data_->head, head + 1);
}

void MarkerRing::put_slowly(const Marker& marker) noexcept {
  data_->tail_seen = acquire(data_->tail);
  std::uint32_t head = data_->head;
  const std::uint32_t room = data_->mask + 1 - (head - data_->tail_seen);
  if (room < (data_->pending != 0 ? 2U : 1U)) {
    drop(marker.t_ns);
    return;
  }
  auto* const markers = at<Marker>(data_, data_->markers_at);
  if (data_->pending != 0) {
    markers[head++ & data_->mask] =
        Marker{data_->pending_since_ns, data_->pending, static_cast<std::uint32_t>(MarkerKind::kGap)};
    data_->pending = 0;
  }
  markers[head++ & data_->mask] = marker;
  release(data_->head, head);
}

void MarkerRing::drop(std::int64_t t_ns) noexcept {
  if (data_->pending == 0) data_->pending_since_ns = t_ns;
  if (data_->pending != UINT32_MAX) ++data_->pending;
  count_one(data_->lost);
}

std::uint32_t MarkerRing::name_index(const char* text, std::uint32_t hint) noexcept {
  if (text == nullptr || *text == '\0') return 0;
  auto* const offsets = at<std::uint32_t>(data_, data_->offsets_at);
  auto* const index = at<std::uint32_t>(data_, data_->index_at);
  auto& recent = at<std::uint32_t>(data_, data_->recent_at)[hint & data_->name_mask];
  char* const kept = at<char>(data_, data_->text_at);
  if (is_same(kept + offsets[recent], text)) return recent;

  std::uint32_t hash = 2166136261U;  // FNV-1a
  std::uint32_t length = 0;
  for (; length < kMaxNameLength && text[length] != '\0'; ++length) {
    hash = (hash ^ static_cast<unsigned char>(text[length])) * 16777619U;
  }
  std::uint32_t slot = (hash ^ hash >> 15U) & data_->name_mask;
  for (; index[slot] != 0; slot = (slot + 1) & data_->name_mask) {
    const std::uint32_t name = index[slot] - 1;
    if (is_same(kept + offsets[name], text)) {
      recent = name;
      return name;
    }
  }
  const std::uint32_t count = data_->name_count;
  // One slot stays empty, so that every search ends.
  if (count > data_->name_mask || length + 1 > data_->name_bytes + 1 - data_->text_used) {
    count_one(data_->names_lost);
    return 0;
  }
  std::memcpy(kept + data_->text_used, text, length);
  kept[data_->text_used + length] = '\0';
  offsets[count] = data_->text_used;
  data_->text_used += length + 1;
  index[slot] = count + 1;
  recent = count;
  release(data_->name_count, count + 1);
  return count;
}

std::size_t MarkerRing::read(Span<Marker> out) noexcept {
  const std::uint32_t tail = data_->tail;
  const std::uint32_t available = acquire(data_->head) - tail;
  const std::size_t count = available < out.size() ? available : out.size();
  const auto* const markers = at<Marker>(data_, data_->markers_at);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = markers[(tail + static_cast<std::uint32_t>(i)) & data_->mask];
  }
  release(data_->tail, tail + static_cast<std::uint32_t>(count));
  return count;
}

std::uint32_t MarkerRing::name_count() const noexcept {
  return acquire(data_->name_count);
}

std::string_view MarkerRing::name(std::uint32_t index) const noexcept {
  const char* const text = at<char>(data_, data_->text_at);
  return text + at<std::uint32_t>(data_, data_->offsets_at)[index];
}

std::uint32_t MarkerRing::lost() const noexcept {
  return relaxed(data_->lost);
}

std::uint32_t MarkerRing::names_lost() const noexcept {
  return relaxed(data_->names_lost);
}

std::uint32_t MarkerRing::capacity() const noexcept {
  return data_->mask + 1;
}

}  // namespace edgejoule
