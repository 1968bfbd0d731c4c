// How long a rail has told nothing while somebody looked for what it tells.
//
// Time in which nobody looked is no silence: on a busy processor, on a suspended machine and behind a long computation
// this program does not read for seconds, which says nothing of the rail. So a look stands for kMostOfLookNs at most,
// and a rail is lost after some forty looks, never after one.
// Units: nanoseconds of one monotonic clock.
#pragma once

#include <algorithm>
#include <cstdint>

namespace edgejoule::calibration {

class RailSilence {
 public:
  static constexpr std::int64_t kMostOfLookNs = 50'000'000;
  static constexpr std::int64_t kLostNs = 2'000'000'000;  // and four conversions of the rail
  static constexpr int kConversions = 4;

  // `cycle_ns`: from one conversion to the next; 0: not known.
  RailSilence(std::int64_t now_ns, std::uint32_t cycle_ns)
      : lost_after_ns_(kLostNs + kConversions * std::int64_t{cycle_ns}), looked_ns_(now_ns) {}

  // `sample_ns`: when the latest sample was read, new or not.
  void look(std::int64_t now_ns, std::int64_t sample_ns) {
    silent_ns_ = sample_ns == sample_ns_ ? silent_ns_ + std::min(now_ns - looked_ns_, kMostOfLookNs) : 0;
    looked_ns_ = now_ns;
    sample_ns_ = sample_ns;
  }

  [[nodiscard]] std::int64_t silent_ns() const { return silent_ns_; }
  [[nodiscard]] bool lost() const { return silent_ns_ >= lost_after_ns_; }

 private:
  std::int64_t lost_after_ns_;
  std::int64_t looked_ns_;
  std::int64_t sample_ns_ = 0;  // none yet
  std::int64_t silent_ns_ = 0;
};

}  // namespace edgejoule::calibration
