// An I2C bus with emulated chips on it and faults on demand, usable in-process or behind the kernel.
//
// Units: nanoseconds of the board's clock, supplied with each transfer.
// Errors: BusStatus, as a controller reports them; attaching two chips at one address throws std::invalid_argument.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "emulated_board/chip.h"
#include "emulated_board/faults.h"

namespace edgejoule::emulated_board {

// One message of a combined transfer: bytes to be written, or room for bytes to be read.
struct Message {
  std::uint16_t address = 0;
  bool is_read = false;
  std::span<std::uint8_t> bytes;
};

struct TransferResult {
  BusStatus status = BusStatus::kOk;
  std::size_t completed = 0;  // messages; fewer than asked with kOk is a short transfer
  std::int64_t stall_ns = 0;  // how long the answer took because of a fault; who owns a clock waits it out
};

class Bus {
 public:
  void attach(std::uint16_t address, std::unique_ptr<Chip> chip);

  // nullptr where nothing is attached. Lifetime: the bus's.
  [[nodiscard]] Chip* chip_at(std::uint16_t address);

  [[nodiscard]] FaultInjector& faults() { return faults_; }

  // All messages between one START and one STOP.
  TransferResult transfer(std::span<const Message> messages, std::int64_t now_ns);

  // Writes, then reads after a repeated START; either may be empty. A short transfer is kNak here: the caller has
  // no count to look at.
  BusStatus transfer(std::uint16_t address, std::span<const std::uint8_t> write, std::span<std::uint8_t> read,
                     std::int64_t now_ns);

  [[nodiscard]] std::uint64_t transfers() const { return transfers_; }

  // Over all chips: when an ALERT pin can change next.
  [[nodiscard]] std::int64_t next_event_ns() const;

 private:
  std::map<std::uint16_t, std::unique_ptr<Chip>> chips_;
  FaultInjector faults_;
  std::uint64_t transfers_ = 0;
};

}  // namespace edgejoule::emulated_board
