// A rail, a chip on a bus and the few register accesses the tests of all chips use.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "emulated_board/bus.h"
#include "emulated_board/power_trace.h"

namespace edgejoule::emulated_board {

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint16_t kAddress = 0x40;

inline std::shared_ptr<const PowerTrace> share(PowerTrace trace) {
  return std::make_shared<const PowerTrace>(std::move(trace));
}

class OneChip {
 public:
  explicit OneChip(std::unique_ptr<Chip> chip) { bus_.attach(kAddress, std::move(chip)); }

  [[nodiscard]] std::uint64_t read(std::uint8_t address, std::int64_t now_ns, std::size_t bytes = 2) {
    std::vector<std::uint8_t> data(bytes);
    if (bus_.transfer(kAddress, std::array{address}, data, now_ns) != BusStatus::kOk) {
      return ~std::uint64_t{0};
    }
    std::uint64_t value = 0;
    for (const std::uint8_t byte : data) {
      value = value << 8 | byte;
    }
    return value;
  }

  [[nodiscard]] std::int16_t read_signed(std::uint8_t address, std::int64_t now_ns) {
    return static_cast<std::int16_t>(read(address, now_ns));
  }

  void write(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) {
    const std::array bytes{address, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    (void)bus_.transfer(kAddress, bytes, {}, now_ns);
  }

  [[nodiscard]] bool alert_pin_high(std::int64_t now_ns) { return bus_.chip_at(kAddress)->alert_pin_high(now_ns); }

  [[nodiscard]] Bus& bus() { return bus_; }

 private:
  Bus bus_;
};

}  // namespace edgejoule::emulated_board
