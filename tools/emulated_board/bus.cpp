#include "emulated_board/bus.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace edgejoule::emulated_board {

void Bus::attach(std::uint16_t address, std::unique_ptr<Chip> chip) {
  if (!chips_.emplace(address, std::move(chip)).second) {
    throw std::invalid_argument("emulated bus: address " + std::to_string(address) +
                                " has a chip already; give each chip its own");
  }
}

Chip* Bus::chip_at(std::uint16_t address) {
  const auto found = chips_.find(address);
  return found == chips_.end() ? nullptr : found->second.get();
}

std::int64_t Bus::next_event_ns() const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& [address, chip] : chips_) {
    next = std::min(next, chip->next_event_ns());
  }
  return next;
}

TransferResult Bus::transfer(std::span<const Message> messages, std::int64_t now_ns) {
  ++transfers_;
  TransferResult result;
  if (messages.empty()) {
    return result;
  }
  const FaultInjector::Decision decision = faults_.decide(messages.front().address, now_ns);
  std::size_t allowed = messages.size();
  if (decision.fault) {
    switch (decision.fault->kind) {
      case FaultKind::kNak: result.status = BusStatus::kNak; return result;
      case FaultKind::kTimeout: result.status = BusStatus::kTimeout; return result;
      case FaultKind::kArbitrationLost: result.status = BusStatus::kArbitrationLost; return result;
      case FaultKind::kShort: allowed = messages.size() - 1; break;
      case FaultKind::kStall: result.stall_ns = decision.fault->stall_ns; break;
      case FaultKind::kCorrupt:
      case FaultKind::kFreeze: break;
    }
  }
  const std::int64_t chip_now_ns = decision.frozen_at_ns.value_or(now_ns + result.stall_ns);
  bool first_read = true;
  for (const Message& message : messages.first(allowed)) {
    Chip* chip = chip_at(message.address);
    if (chip == nullptr) {
      result.status = BusStatus::kNak;
      return result;
    }
    result.status = message.is_read ? chip->read(message.bytes, chip_now_ns) : chip->write(message.bytes, chip_now_ns);
    if (result.status != BusStatus::kOk) {
      return result;
    }
    if (message.is_read && std::exchange(first_read, false) && !message.bytes.empty() && decision.fault &&
        decision.fault->kind == FaultKind::kCorrupt) {
      message.bytes[0] = static_cast<std::uint8_t>(message.bytes[0] ^ decision.fault->flip);
    }
    ++result.completed;
  }
  return result;
}

BusStatus Bus::transfer(std::uint16_t address, std::span<const std::uint8_t> write, std::span<std::uint8_t> read,
                        std::int64_t now_ns) {
  std::vector<std::uint8_t> written(write.begin(), write.end());
  std::array<Message, 2> messages;
  std::size_t count = 0;
  if (!write.empty() || read.empty()) {
    messages[count++] = {address, false, written};
  }
  if (!read.empty()) {
    messages[count++] = {address, true, read};
  }
  const TransferResult result = transfer(std::span<const Message>(messages.data(), count), now_ns);
  return result.status == BusStatus::kOk && result.completed < count ? BusStatus::kNak : result.status;
}

}  // namespace edgejoule::emulated_board
