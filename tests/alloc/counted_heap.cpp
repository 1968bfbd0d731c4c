#include "counted_heap.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

// glibc's own entrances, under their second names.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> call_count{0};

void count() {
  if (counting.load(std::memory_order_relaxed)) {
    call_count.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
  count();
  return __libc_malloc(size);
}

void* calloc(std::size_t count_of, std::size_t size) noexcept {
  count();
  return __libc_calloc(count_of, size);
}

void* realloc(void* block, std::size_t size) noexcept {
  count();
  return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  count();
  return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  count();
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

void free(void* block) noexcept {
  count();
  __libc_free(block);
}

}  // extern "C"

namespace edgejoule::test {

CountedHeap::CountedHeap() {
  call_count = 0;
  counting = true;
}

CountedHeap::~CountedHeap() {
  counting = false;
}

std::uint64_t CountedHeap::calls() const {
  return call_count.load();
}

}  // namespace edgejoule::test
