#include "emulated_board/register_chip.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace edgejoule::emulated_board {

int to_errno(BusStatus status) {
  switch (status) {
    case BusStatus::kOk: return 0;
    case BusStatus::kNak: return ENXIO;
    case BusStatus::kTimeout: return ETIMEDOUT;
    case BusStatus::kArbitrationLost: return EAGAIN;
  }
  return EIO;
}

std::int64_t RegisterChip::advance_to(std::int64_t now_ns) {
  last_ns_ = std::max(last_ns_, now_ns);
  advance(last_ns_);
  return last_ns_;
}

BusStatus RegisterChip::write(std::span<const std::uint8_t> bytes, std::int64_t now_ns) {
  const std::int64_t now = advance_to(now_ns);
  if (bytes.empty()) {
    return BusStatus::kOk;  // an address probe
  }
  pointer_ = bytes[0];
  // A register takes its value when its second byte has come; one byte alone changes nothing.
  if (bytes.size() >= 3) {
    write_register(pointer_, static_cast<std::uint16_t>(bytes[1] << 8 | bytes[2]), now);
  }
  return BusStatus::kOk;
}

BusStatus RegisterChip::read(std::span<std::uint8_t> bytes, std::int64_t now_ns) {
  advance_to(now_ns);
  if (bytes.empty()) {
    return BusStatus::kOk;
  }
  const RegisterValue value = read_register(pointer_);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int shift = 8 * (value.bytes - 1 - static_cast<int>(i));
    // Past the register's end nobody drives the bus: its pull-ups read as ones.
    bytes[i] = shift >= 0 ? static_cast<std::uint8_t>(value.value >> shift) : 0xFF;
  }
  return BusStatus::kOk;
}

bool RegisterChip::alert_pin_high(std::int64_t now_ns) {
  advance_to(now_ns);
  return alert_pin_high();
}

std::int64_t to_counts(double value, double lsb, int bits) {
  const double limit = std::ldexp(1.0, bits - 1);
  const double counts = std::nearbyint(value / lsb);
  return static_cast<std::int64_t>(std::clamp(counts, -limit, limit - 1.0));
}

std::uint64_t field(std::int64_t value, int bits) {
  return static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1);
}

std::int64_t stretched_ns(double nominal_us, double clock_error) {
  return std::max<std::int64_t>(1, std::llround(nominal_us * 1e3 * (1.0 + clock_error)));
}

}  // namespace edgejoule::emulated_board
