// Counts what the program asks of the heap: malloc and its family are interposed, and
// operator new goes through them.
//
// Not under sanitizers, which interpose the same functions.
#pragma once

#include <cstdint>

namespace edgejoule::test {

// Counts from construction to the end of its life; one at a time, on any thread.
class CountedHeap {
 public:
  CountedHeap();
  ~CountedHeap();
  CountedHeap(const CountedHeap&) = delete;
  CountedHeap& operator=(const CountedHeap&) = delete;

  // Calls of malloc, calloc, realloc, aligned_alloc, posix_memalign, memalign and free.
  [[nodiscard]] std::uint64_t calls() const;
};

}  // namespace edgejoule::test
