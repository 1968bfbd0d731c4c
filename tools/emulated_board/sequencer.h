// The timing of a chip's converter: which quantity is converted when, and when a whole result is ready.
//
// Units: nanoseconds.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace edgejoule::emulated_board {

enum class Quantity { kShunt, kBus, kTemperature };

struct Conversion {
  Quantity quantity = Quantity::kShunt;
  int channel = 0;
  std::int64_t duration_ns = 0;
};

// A round converts each entry of the list once; a cycle is `rounds` rounds. Time only moves in advance(), which
// calls back for everything that ended up to then, in order: the chip itself needs no clock.
class Sequencer {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  void start(std::vector<Conversion> conversions, int rounds, bool continuous, std::int64_t now_ns) {
    conversions_ = std::move(conversions);
    rounds_ = rounds;
    continuous_ = continuous;
    running_ = !conversions_.empty();
    index_ = 0;
    round_ = 0;
    begin_ns_ = now_ns;
  }

  void stop() { running_ = false; }

  [[nodiscard]] bool running() const { return running_; }

  // When the conversion under way ends.
  [[nodiscard]] std::int64_t next_end_ns() const {
    return running_ ? begin_ns_ + conversions_[index_].duration_ns : kNever;
  }

  // on_conversion(conversion, begin_ns, end_ns), then on_round(end_ns) after each last one of a round, then
  // on_cycle(end_ns) after each last round of a cycle.
  template <class OnConversion, class OnRound, class OnCycle>
  void advance(std::int64_t now_ns, OnConversion&& on_conversion, OnRound&& on_round, OnCycle&& on_cycle) {
    while (running_ && next_end_ns() <= now_ns) {
      const std::int64_t end_ns = next_end_ns();
      on_conversion(conversions_[index_], begin_ns_, end_ns);
      begin_ns_ = end_ns;
      if (++index_ < conversions_.size()) {
        continue;
      }
      index_ = 0;
      on_round(end_ns);
      if (++round_ < rounds_) {
        continue;
      }
      round_ = 0;
      on_cycle(end_ns);
      running_ = running_ && continuous_;
    }
  }

 private:
  std::vector<Conversion> conversions_;
  int rounds_ = 1;
  bool continuous_ = false;
  bool running_ = false;
  std::size_t index_ = 0;
  int round_ = 0;
  std::int64_t begin_ns_ = 0;
};

}  // namespace edgejoule::emulated_board
