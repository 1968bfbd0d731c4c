// A clock for edgejoule_hook_options: CLOCK_MONOTONIC, by which edge-calibrate records power.
// C++14; Linux and other POSIX systems. A microcontroller passes a timer of its own.
#ifndef EDGEJOULE_ADAPTERS_POSIX_CLOCK_H
#define EDGEJOULE_ADAPTERS_POSIX_CLOCK_H

#include <cstdint>
#include <ctime>

namespace edgejoule {
namespace adapters {

inline std::int64_t posix_clock(void* /*context*/) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

}  // namespace adapters
}  // namespace edgejoule

#endif  // EDGEJOULE_ADAPTERS_POSIX_CLOCK_H
