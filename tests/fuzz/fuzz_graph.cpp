// Any bytes as a model graph: opened and read in full; what opens can be measured.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "edgejoule/core/features.h"
#include "support/touch.h"

using namespace edgejoule;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint64_t> aligned(size / 8 + 1);
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const auto graph = GraphView::open({reinterpret_cast<const std::byte*>(aligned.data()), size});
  if (!graph) return 0;
  test::touch_everything(*graph);
  for (std::uint32_t node = 0; node < graph->size(); ++node) {
    const Facts facts = graph->facts(node);
    const bool child_behind_parent = node == 0 || graph->parent(node) < node;
    if (!child_behind_parent || !measure_op(graph->op_class(node), facts).ok()) std::abort();
  }
  return 0;
}
