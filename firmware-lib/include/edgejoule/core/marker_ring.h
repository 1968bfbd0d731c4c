// Instants of ops from inside a running program: a ring of markers that one thread writes
// and another reads, neither ever waiting for the other.
//
// Shape: memory from the caller, one piece for the markers and for the names of ops. Each
// op writes two markers of 16 bytes; its name is kept once.
// Threads: one writer (a ring per thread), one reader. A MarkerRing is a view: each side
// may hold its own copy.
// Full: a marker that finds no room is dropped and counted. The next one that finds room
// is preceded by a kGap that tells how many were lost since when. A name without room
// becomes the empty one, and is counted.
// Lifetime: views the caller's memory, which must outlive both sides.
// Errors: create: kMisaligned, kWorkspaceTooSmall, kTooLarge (more than kMaxNameBytes); open: kMisaligned,
// kWrongIdentifier (no ring was made there), kTruncated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

enum class MarkerKind : std::uint8_t {
  kOpBegin = 0,
  kOpEnd = 1,
  kInferenceBegin = 2,
  kInferenceEnd = 3,
  kInnerBegin = 4,  // within an op: one of a delegate's own steps
  kInnerEnd = 5,
  kGap = 6  // t_ns: of the first marker that was lost, node: how many were
};

inline constexpr std::uint32_t kNoMarkedNode = 0xFFFFFFFFU;
inline constexpr std::uint32_t kMaxMarkedPart = 255;  // that subgraph, chain, or a later one
inline constexpr std::size_t kMaxNameBytes = std::size_t{1} << 20U;

struct Marker {
  std::int64_t t_ns = 0;
  std::uint32_t node = 0;
  std::uint32_t packed = 0;  // kind: 4 bits, part: 8, name: 20

  [[nodiscard]] constexpr MarkerKind kind() const noexcept { return static_cast<MarkerKind>(packed & 15U); }
  [[nodiscard]] constexpr std::uint8_t part() const noexcept { return static_cast<std::uint8_t>(packed >> 4U); }
  [[nodiscard]] constexpr std::uint32_t name() const noexcept { return packed >> 12U; }
};
static_assert(sizeof(Marker) == 16);

namespace detail {
struct MarkerRingData;
}

class MarkerRing {
 public:
  static constexpr std::uint32_t kMinMarkers = 16;

  [[nodiscard]] static std::size_t required_bytes(std::size_t markers, std::size_t name_bytes) noexcept;
  // As many markers as there is room for beside the names: a power of two.
  [[nodiscard]] static Result<MarkerRing> create(Span<std::byte> memory, std::size_t name_bytes) noexcept;
  // The ring that stands in this memory, whoever made it there: edgejoule_markers_create for a hook, say.
  // Precondition: nobody but a ring has written to it since.
  [[nodiscard]] static Result<MarkerRing> open(Span<std::byte> memory) noexcept;

  // ---- the writer
  void put(MarkerKind kind, std::int64_t t_ns, std::uint32_t node, std::uint8_t part, std::uint32_t name) noexcept;
  // Counted as a marker that found no room.
  void drop(std::int64_t t_ns) noexcept;
  // The number of a name, kept at its first use; at most the first 255 bytes. A hint (the
  // op's node) finds it again at the cost of one comparison. nullptr: 0, the empty name.
  [[nodiscard]] std::uint32_t name_index(const char* text, std::uint32_t hint) noexcept;

  // ---- the reader
  [[nodiscard]] std::size_t read(Span<Marker> out) noexcept;
  [[nodiscard]] std::uint32_t name_count() const noexcept;  // [0] is ""
  // Precondition: index < name_count(). What stands behind it is a zero.
  [[nodiscard]] std::string_view name(std::uint32_t index) const noexcept;
  [[nodiscard]] std::uint32_t lost() const noexcept;  // saturating, as the next
  [[nodiscard]] std::uint32_t names_lost() const noexcept;
  [[nodiscard]] std::uint32_t capacity() const noexcept;

 private:
  explicit MarkerRing(detail::MarkerRingData* data) noexcept : data_(data) {}
  void put_slowly(const Marker& marker) noexcept;
  detail::MarkerRingData* data_;
};

}  // namespace edgejoule
