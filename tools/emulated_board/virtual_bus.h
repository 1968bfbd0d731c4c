// The registers of an emulated board's chips for code of the firmware library, in virtual time: a clock of its own that
// transfers, stalls and delays move on.
//
// Units: nanoseconds of the board's clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "edgejoule/sensors/register_bus.h"
#include "emulated_board/bus.h"

namespace edgejoule::emulated_board {

class VirtualBus {
 public:
  // Lifetime: views the bus.
  explicit VirtualBus(Bus& bus) : bus_(bus) {}
  VirtualBus(const VirtualBus&) = delete;
  VirtualBus& operator=(const VirtualBus&) = delete;

  // Lifetime: points at this.
  [[nodiscard]] RegisterBus registers();
  [[nodiscard]] std::int64_t now_ns() const { return now_ns_; }
  // Never back.
  void wait_until(std::int64_t t_ns) { now_ns_ = std::max(now_ns_, t_ns); }

 private:
  Status transfer(std::uint8_t address, std::vector<std::uint8_t> written, Span<std::uint8_t> bytes);

  Bus& bus_;
  std::int64_t now_ns_ = 0;
};

}  // namespace edgejoule::emulated_board
