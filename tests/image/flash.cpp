// The files a firmware carries, in a section of their own: they are no code to be counted.
#include "predict_model.h"

asm(".section .fixture, \"a\", %progbits\n"
    // Global: a local label behind the GOT loses its offset on aarch64.
    ".globl small_table_begin, small_table_end, small_graph_begin, small_graph_end\n"
    ".balign 8\n"
    "small_table_begin:\n"
    ".incbin \"" EDGEJOULE_TEST_TABLE
    "\"\n"
    "small_table_end:\n"
    ".balign 8\n"
    "small_graph_begin:\n"
    ".incbin \"" EDGEJOULE_TEST_GRAPH
    "\"\n"
    "small_graph_end:\n"
    ".text\n");

extern "C" const std::byte small_table_begin[], small_table_end[], small_graph_begin[], small_graph_end[];

namespace firmware {

edgejoule::Span<const std::byte> table_in_flash() noexcept {
  return {small_table_begin, static_cast<std::size_t>(small_table_end - small_table_begin)};
}

edgejoule::Span<const std::byte> graph_in_flash() noexcept {
  return {small_graph_begin, static_cast<std::size_t>(small_graph_end - small_graph_begin)};
}

}  // namespace firmware
