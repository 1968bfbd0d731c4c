#include "emulated_board/virtual_bus.h"

#include <array>
#include <span>

namespace edgejoule::emulated_board {
namespace {

// What a byte costs on a 400 kHz bus, acknowledge included; addresses are bytes, too.
constexpr std::int64_t kByteNs = 9 * 2'500;

}  // namespace

RegisterBus VirtualBus::registers() {
  RegisterBus bus;
  bus.context = this;
  bus.read = [](void* self, std::uint8_t address, std::uint8_t reg, Span<std::uint8_t> bytes) {
    return static_cast<VirtualBus*>(self)->transfer(address, {reg}, bytes);
  };
  bus.write = [](void* self, std::uint8_t address, std::uint8_t reg, Span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> written{reg};
    written.insert(written.end(), bytes.begin(), bytes.end());
    return static_cast<VirtualBus*>(self)->transfer(address, std::move(written), {});
  };
  bus.delay_us = [](void* self, std::uint32_t microseconds) {
    static_cast<VirtualBus*>(self)->now_ns_ += std::int64_t{microseconds} * 1'000;
  };
  return bus;
}

Status VirtualBus::transfer(std::uint8_t address, std::vector<std::uint8_t> written, Span<std::uint8_t> bytes) {
  std::array<Message, 2> messages{Message{address, false, written},
                                  Message{address, true, {bytes.data(), bytes.size()}}};
  const std::size_t count = bytes.empty() ? 1 : 2;
  now_ns_ += kByteNs * static_cast<std::int64_t>(written.size() + bytes.size() + count);
  const TransferResult result = bus_.transfer(std::span(messages.data(), count), now_ns_);
  now_ns_ += result.stall_ns;
  switch (result.status) {
    case BusStatus::kOk: break;
    case BusStatus::kNak: return Error::kBusNak;
    case BusStatus::kTimeout: return Error::kBusTimeout;
    case BusStatus::kArbitrationLost: return Error::kBusArbitration;
  }
  return result.completed < count ? Status(Error::kBusShortTransfer) : Status();
}

}  // namespace edgejoule::emulated_board
