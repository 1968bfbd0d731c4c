#include "emulated_board/ina3221.h"

#include <cmath>
#include <utility>

namespace edgejoule::emulated_board {
namespace {

constexpr double kConversionUs[] = {140, 204, 332, 588, 1100, 2116, 4156, 8244};
constexpr double kAverages[] = {1, 4, 16, 64, 128, 256, 512, 1024};
constexpr std::uint16_t kConfigAfterReset = 0x7127;
constexpr double kShuntLsbUv = 40.0;
constexpr double kBusLsbUv = 8000.0;
constexpr int kBits = 13;

constexpr std::uint16_t kWarningLatch = 1U << 11;
constexpr std::uint16_t kCriticalLatch = 1U << 10;
constexpr std::uint16_t kSumFlag = 1U << 6;
constexpr std::uint16_t kPowerValidFlag = 1U << 2;
constexpr std::uint16_t kTimingFlag = 1U << 1;
constexpr std::uint16_t kReadyFlag = 1U << 0;
constexpr std::uint16_t kAlertFlags = 0x03F8;  // critical 9:7, sum 6, warning 5:3
constexpr std::uint16_t kMaskWritable = 0x7C00;

std::uint16_t critical_flag(std::size_t channel) {
  return static_cast<std::uint16_t>(1U << (9 - channel));
}
std::uint16_t warning_flag(std::size_t channel) {
  return static_cast<std::uint16_t>(1U << (5 - channel));
}

// Limits stand in the register as the measurements do, shifted left by three.
std::int64_t limit_counts(std::uint16_t limit) {
  return static_cast<std::int16_t>(limit) / 8;
}

std::uint64_t left_aligned(std::int64_t counts) {
  return field(counts * 8, 16);
}

}  // namespace

Ina3221::Ina3221(std::array<Rail, kChannels> rails, const Imperfection& imperfection)
    : clock_error_(imperfection.clock_error) {
  for (std::size_t channel = 0; channel < rails.size(); ++channel) {
    inputs_.emplace_back(std::move(rails[channel]), imperfection, channel);
  }
  reset(0);
}

void Ina3221::reset(std::int64_t now_ns) {
  config_ = kConfigAfterReset;
  mask_ = 0;
  flags_ = kTimingFlag;
  power_valid_ = false;
  shunt_.fill(0.0);
  bus_.fill(0.0);
  critical_.fill(0x7FF8);
  warning_.fill(0x7FF8);
  sum_limit_ = 0x7FFE;
  valid_upper_ = 0x2710;
  valid_lower_ = 0x2328;
  sum_ = 0;
  reset_pointer();
  start(now_ns);
}

void Ina3221::start(std::int64_t now_ns) {
  const unsigned mode = config_ & 7U;
  std::vector<Conversion> conversions;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    if (!channel_enabled(channel)) {
      continue;
    }
    const int number = static_cast<int>(channel);
    if ((mode & 1U) != 0) {
      conversions.push_back({Quantity::kShunt, number, stretched_ns(kConversionUs[(config_ >> 3) & 7U], clock_error_)});
    }
    if ((mode & 2U) != 0) {
      conversions.push_back({Quantity::kBus, number, stretched_ns(kConversionUs[(config_ >> 6) & 7U], clock_error_)});
    }
  }
  // A single shot with averaging runs the filter once per average; continuous mode never ends anyway, and its
  // registers move with every conversion.
  const bool continuous = (mode & 4U) != 0;
  const int rounds = continuous ? 1 : static_cast<int>(kAverages[(config_ >> 9) & 7U]);
  sequencer_.start(std::move(conversions), rounds, continuous, now_ns);
}

std::int64_t Ina3221::shunt_counts(std::size_t channel) const {
  return static_cast<std::int64_t>(std::nearbyint(shunt_[channel]));
}

std::int64_t Ina3221::bus_counts(std::size_t channel) const {
  return static_cast<std::int64_t>(std::nearbyint(bus_[channel]));
}

void Ina3221::set_flag(std::uint16_t flag, bool condition, bool latched) {
  if (condition) {
    flags_ = static_cast<std::uint16_t>(flags_ | flag);
  } else if (!latched) {
    flags_ = static_cast<std::uint16_t>(flags_ & ~flag);
  }
}

void Ina3221::convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
  const auto channel = static_cast<std::size_t>(conversion.channel);
  const double divisor = kAverages[(config_ >> 9) & 7U];
  if (conversion.quantity == Quantity::kShunt) {
    const std::int64_t counts = to_counts(inputs_[channel].shunt_uv(begin_ns, end_ns), kShuntLsbUv, kBits);
    shunt_[channel] += (static_cast<double>(counts) - shunt_[channel]) / divisor;
    // Critical looks at each conversion, warning at the filtered value.
    set_flag(critical_flag(channel), counts > limit_counts(critical_[channel]), (mask_ & kCriticalLatch) != 0);
    set_flag(warning_flag(channel), shunt_counts(channel) > limit_counts(warning_[channel]),
             (mask_ & kWarningLatch) != 0);
  } else {
    const std::int64_t counts = to_counts(inputs_[channel].bus_uv(begin_ns, end_ns), kBusLsbUv, kBits);
    bus_[channel] += (static_cast<double>(counts) - bus_[channel]) / divisor;
  }
}

std::int64_t Ina3221::sum_counts() const {
  std::int64_t sum = 0;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    sum += (mask_ >> (14 - channel) & 1U) != 0 ? shunt_counts(channel) : 0;
  }
  return sum;
}

void Ina3221::finish_cycle() {
  sum_ = sum_counts();
  set_flag(kSumFlag, sum_ > static_cast<std::int16_t>(sum_limit_) / 2, (mask_ & kCriticalLatch) != 0);
  if ((config_ & 2U) != 0) {
    bool all_above = true;
    bool any_below = false;
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      if (channel_enabled(channel)) {
        all_above = all_above && bus_counts(channel) > limit_counts(valid_upper_);
        any_below = any_below || bus_counts(channel) < limit_counts(valid_lower_);
      }
    }
    power_valid_ = all_above || (power_valid_ && !any_below);
  }
  set_flag(kPowerValidFlag, power_valid_, false);
  flags_ = static_cast<std::uint16_t>(flags_ | kReadyFlag);
}

void Ina3221::advance(std::int64_t now_ns) {
  sequencer_.advance(
      now_ns,
      [this](const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
        convert(conversion, begin_ns, end_ns);
      },
      [](std::int64_t) {}, [this](std::int64_t) { finish_cycle(); });
}

RegisterChip::RegisterValue Ina3221::read_register(std::uint8_t address) {
  if (address >= 0x01 && address <= 0x06) {
    const auto channel = static_cast<std::size_t>((address - 1) / 2);
    return {left_aligned(address % 2 == 1 ? shunt_counts(channel) : bus_counts(channel))};
  }
  if (address >= 0x07 && address <= 0x0C) {
    const auto channel = static_cast<std::size_t>((address - 7) / 2);
    return {address % 2 == 1 ? critical_[channel] : warning_[channel]};
  }
  switch (address) {
    case 0x00: return {config_};
    case 0x0D: return {field(sum_ * 2, 16)};
    case 0x0E: return {sum_limit_};
    case 0x0F: {
      const std::uint64_t value = static_cast<std::uint64_t>(mask_ | flags_);
      // Reading consumes the ready flag, and the alert flags that are latched; the others follow their condition.
      std::uint16_t consumed = kReadyFlag;
      if ((mask_ & kCriticalLatch) != 0) {
        consumed = static_cast<std::uint16_t>(consumed | (kAlertFlags & 0x03C0U));
      }
      if ((mask_ & kWarningLatch) != 0) {
        consumed = static_cast<std::uint16_t>(consumed | (kAlertFlags & 0x0038U));
      }
      flags_ = static_cast<std::uint16_t>(flags_ & ~consumed);
      return {value};
    }
    case 0x10: return {valid_upper_};
    case 0x11: return {valid_lower_};
    case 0xFE: return {0x5449};
    case 0xFF: return {0x3220};
    default: return {0};
  }
}

void Ina3221::write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) {
  if (address >= 0x07 && address <= 0x0C) {
    const auto channel = static_cast<std::size_t>((address - 7) / 2);
    (address % 2 == 1 ? critical_ : warning_)[channel] = value & 0xFFF8U;
    return;
  }
  switch (address) {
    case 0x00:
      if ((value & 0x8000U) != 0) {
        reset(now_ns);
        return;
      }
      config_ = value & 0x7FFFU;
      if ((config_ & 3U) != 0) {
        flags_ = static_cast<std::uint16_t>(flags_ & ~kReadyFlag);  // power-down leaves the flag alone
      }
      start(now_ns);
      return;
    case 0x0E: sum_limit_ = value & 0xFFFEU; return;
    case 0x0F: mask_ = value & kMaskWritable; return;
    case 0x10: valid_upper_ = value & 0xFFF8U; return;
    case 0x11: valid_lower_ = value & 0xFFF8U; return;
    default: return;  // the others are read only
  }
}

}  // namespace edgejoule::emulated_board
