// A rail source whose last failure can be asked for while it lasts: the sampler tells of a gap only when it is over.
//
// Lifetime: views the source; source() views this. poll() in the sampler's thread, failure() in any.
#pragma once

#include <atomic>
#include <optional>

#include "edgejoule/linux/rail.h"

namespace edgejoule::capture {

class WatchedSource {
 public:
  explicit WatchedSource(const RailSource& source) : source_(source) {}
  WatchedSource(const WatchedSource&) = delete;
  WatchedSource& operator=(const WatchedSource&) = delete;

  [[nodiscard]] RailSource source();
  // Of the last read; nothing where it went well, or where there was none yet.
  [[nodiscard]] std::optional<Error> failure() const {
    const int error = failure_.load(std::memory_order_relaxed);
    return error == kNone ? std::nullopt : std::optional(static_cast<Error>(error));
  }

 private:
  static constexpr int kNone = -1;

  void failed_with(std::optional<Error> error) {
    failure_.store(error ? static_cast<int>(*error) : kNone, std::memory_order_relaxed);
  }

  RailSource source_;
  std::atomic<int> failure_{kNone};  // an Error
};

}  // namespace edgejoule::capture
