#include <cstddef>

#include "edgejoule/core/marker_ring.h"
#include "edgejoule/edgejoule.h"
#include "opaque.h"

// The C interface of the marker ring.
namespace {

using namespace edgejoule;
using opaque::load;

static_assert(EDGEJOULE_MARKER_GAP == static_cast<int>(MarkerKind::kGap) &&
              EDGEJOULE_MARKER_OP_END == static_cast<int>(MarkerKind::kOpEnd) &&
              EDGEJOULE_MARKER_INFERENCE_END == static_cast<int>(MarkerKind::kInferenceEnd) &&
              EDGEJOULE_MARKER_INNER_END == static_cast<int>(MarkerKind::kInnerEnd));
static_assert(EDGEJOULE_NO_NODE == kNoMarkedNode);

}  // namespace

extern "C" {

size_t edgejoule_markers_required_bytes(size_t markers, size_t name_bytes) {
  return MarkerRing::required_bytes(markers, name_bytes);
}

edgejoule_status edgejoule_markers_create(void* memory, size_t size, size_t name_bytes, edgejoule_markers* out) {
  return opaque::finish(MarkerRing::create(opaque::bytes_of(memory, size), name_bytes), out);
}

size_t edgejoule_markers_read(const edgejoule_markers* markers, edgejoule_marker* out, size_t count) {
  MarkerRing ring = load<MarkerRing>(markers);
  constexpr std::size_t kBatch = 16;
  Marker batch[kBatch];
  std::size_t done = 0;
  while (done < count) {
    const std::size_t wanted = count - done < kBatch ? count - done : kBatch;
    const std::size_t found = ring.read({batch, wanted});
    for (std::size_t i = 0; i < found; ++i) {
      out[done++] = {batch[i].t_ns, batch[i].node, batch[i].name(), static_cast<std::uint8_t>(batch[i].kind()),
                     batch[i].part()};
    }
    if (found < wanted) break;
  }
  return done;
}

const char* edgejoule_markers_name(const edgejoule_markers* markers, uint32_t name) {
  const MarkerRing& ring = load<MarkerRing>(markers);
  return name < ring.name_count() ? ring.name(name).data() : "";
}

uint32_t edgejoule_markers_lost(const edgejoule_markers* markers) {
  return load<MarkerRing>(markers).lost();
}

uint32_t edgejoule_markers_names_lost(const edgejoule_markers* markers) {
  return load<MarkerRing>(markers).names_lost();
}

}  // extern "C"
