// What can go wrong on a bus, injected on purpose.
//
// Units: stall in nanoseconds.
// Errors: FaultError from parse_fault (what, where, what to do next).
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgejoule::emulated_board {

struct FaultError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class FaultKind {
  kNak,              // nobody acknowledges: ENXIO
  kTimeout,          // the controller gives up waiting: ETIMEDOUT
  kArbitrationLost,  // another controller won: EAGAIN
  kShort,            // the last message of the transfer does not take place
  kStall,            // the chip stretches the clock for stall_ns, then answers
  kCorrupt,          // bits of the first byte read are flipped
  kFreeze,           // the chip's time stands still: it repeats its last conversion for ever
};

struct Fault {
  FaultKind kind = FaultKind::kNak;
  std::optional<std::uint16_t> address;  // none: every chip
  std::uint32_t every = 1;               // hits each n-th transfer that matches, the n-th first
  std::optional<std::uint64_t> count;    // ends after so many hits; none: until cleared
  std::int64_t stall_ns = 50'000'000;
  std::uint8_t flip = 0x04;
};

// "nak address=0x40 every=3 count=10", "stall ms=50" or "stall us=500", "corrupt flip=0x80", ...
[[nodiscard]] Fault parse_fault(const std::string& words);

// Decides transfer by transfer. Of several faults that hit, the one added first counts; a freeze counts beside them.
class FaultInjector {
 public:
  struct Decision {
    std::optional<Fault> fault;
    std::optional<std::int64_t> frozen_at_ns;
  };

  void add(const Fault& fault);
  void clear() { active_.clear(); }

  Decision decide(std::uint16_t address, std::int64_t now_ns);

  [[nodiscard]] std::uint64_t hits() const { return hits_; }

 private:
  struct Active {
    Fault fault;
    std::uint64_t seen = 0;
    std::uint64_t hit = 0;
    std::optional<std::int64_t> frozen_at_ns;
  };
  std::vector<Active> active_;
  std::uint64_t hits_ = 0;
};

}  // namespace edgejoule::emulated_board
