// What is one instruction or two on 64-bit machines is, on small ones, a page of code that
// is better called than repeated at every use.
#pragma once

#include <cstdint>

#if UINTPTR_MAX > 0xFFFFFFFFU
#define EDGEJOULE_INLINE_ON_64_BIT inline
#else
#define EDGEJOULE_INLINE_ON_64_BIT inline __attribute__((noinline))
#endif
