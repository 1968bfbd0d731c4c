// GPIO lines through libgpiod, version 1 or 2, whichever was built in.
//
// A line is named by its name ("marker") or by chip and offset ("gpiochip0:12").
// Lifetime: a line that was opened stays requested until the process ends. Releasing
// it would reset its pad (JetPack 6.2.1 disconnects it), so there is no close.
// Time: CLOCK_MONOTONIC; stamps of kernels before 5.7 are converted from the wall clock.
// Errors: kNotFound, kPermission, kUnsupported (built without libgpiod), kInvalidArgument.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"

namespace edgejoule {

// "1.6.3", "2.2.1"; "none" where it was built without libgpiod.
[[nodiscard]] const char* gpiod_version() noexcept;

struct GpioEdge {
  std::int64_t t_mono_ns = 0;
  std::uint32_t sequence = 0;  // of this line; counted here where the kernel does not (version 1)
  bool rising = false;
};

class GpioOutput {
 public:
  Status open(const char* line, bool initial) noexcept;
  Status set(bool high) noexcept;

 private:
  // Each version of libgpiod needs some of these.
  [[maybe_unused]] void* request_ = nullptr;
  [[maybe_unused]] unsigned offset_ = 0;
};

enum class GpioEdges : std::uint8_t { kRising = 0, kFalling = 1, kBoth = 2 };

struct GpioRead {
  std::size_t edges = 0;
  std::uint32_t lost = 0;  // edges that the kernel had to drop
  // Version 1 cannot say how many: its buffer of 16 was full, so some may be missing.
  bool maybe_lost = false;
};

class GpioInput {
 public:
  Status open(const char* line, GpioEdges edges) noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  // What has happened since the last read; never waits.
  Result<GpioRead> read(Span<GpioEdge> out) noexcept;
  Result<bool> level() noexcept;

 private:
  // Each version of libgpiod needs some of these.
  [[maybe_unused]] void* request_ = nullptr;
  [[maybe_unused]] void* buffer_ = nullptr;
  [[maybe_unused]] unsigned offset_ = 0;
  int fd_ = -1;
  [[maybe_unused]] std::uint32_t sequence_ = 0;
  [[maybe_unused]] bool wall_clock_stamps_ = false;
};

}  // namespace edgejoule
