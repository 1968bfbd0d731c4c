#include "emulated_board/ina226.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

namespace edgejoule::emulated_board {
namespace {

constexpr double kConversionUs[] = {140, 204, 332, 588, 1100, 2116, 4156, 8244};
constexpr int kAverages[] = {1, 4, 16, 64, 128, 256, 512, 1024};
constexpr double kShuntLsbUv = 2.5;
constexpr double kBusLsbUv = 1250.0;
constexpr double kIna260ShuntOhm = 0.002;

constexpr std::uint16_t kShuntOver = 1U << 15;
constexpr std::uint16_t kShuntUnder = 1U << 14;
constexpr std::uint16_t kBusOver = 1U << 13;
constexpr std::uint16_t kBusUnder = 1U << 12;
constexpr std::uint16_t kPowerOver = 1U << 11;
constexpr std::uint16_t kReadyToAlert = 1U << 10;
constexpr std::uint16_t kAlertFlag = 1U << 4;
constexpr std::uint16_t kReadyFlag = 1U << 3;
constexpr std::uint16_t kOverflowFlag = 1U << 2;
constexpr std::uint16_t kActiveHigh = 1U << 1;
constexpr std::uint16_t kLatch = 1U << 0;
constexpr std::uint16_t kMaskWritable = 0xFC03;

std::uint16_t config_after_reset(Ina226Model model) {
  return model == Ina226Model::kIna260 ? 0x6127 : 0x4127;
}

Rail with_inner_shunt(Ina226Model model, Rail rail) {
  if (model == Ina226Model::kIna260) {
    rail.shunt_ohm = kIna260ShuntOhm;
  }
  return rail;
}

std::int64_t rounded_mean(std::int64_t sum, int count) {
  return std::llround(static_cast<double>(sum) / static_cast<double>(count));
}

}  // namespace

Ina226::Ina226(Ina226Model model, Rail rail, const Imperfection& imperfection)
    : model_(model),
      input_(with_inner_shunt(model, std::move(rail)), imperfection, 0),
      clock_error_(imperfection.clock_error) {
  reset(0);
}

void Ina226::reset(std::int64_t now_ns) {
  config_ = config_after_reset(model_);
  calibration_ = mask_ = limit_ = 0;
  result_ = {};
  round_ = {};
  ready_ = alert_ = overflow_ = false;
  reset_pointer();
  start(now_ns);
}

void Ina226::start(std::int64_t now_ns) {
  const unsigned mode = config_ & 7U;
  std::vector<Conversion> conversions;
  if ((mode & 1U) != 0) {
    conversions.push_back({Quantity::kShunt, 0, stretched_ns(kConversionUs[(config_ >> 3) & 7U], clock_error_)});
  }
  if ((mode & 2U) != 0) {
    conversions.push_back({Quantity::kBus, 0, stretched_ns(kConversionUs[(config_ >> 6) & 7U], clock_error_)});
  }
  rounds_ = kAverages[(config_ >> 9) & 7U];
  sum_ = {};
  sequencer_.start(std::move(conversions), rounds_, (mode & 4U) != 0, now_ns);
}

void Ina226::finish_round() {
  // Current and power are computed in every round and averaged like the voltages; what a mode leaves out keeps the
  // value it had.
  if (model_ == Ina226Model::kIna260) {
    round_.current = round_.shunt;
    round_.power = std::abs(round_.current) * round_.bus * 5 / 32000;  // 1.25 mA x 1.25 mV in units of 10 mW
  } else {
    round_.current = round_.shunt * calibration_ / 2048;
    round_.power = std::abs(round_.current) * round_.bus / 20000;
  }
  overflow_ = overflow_ || round_.current != static_cast<std::int16_t>(round_.current) || round_.power > 0xFFFF;
  round_.current = static_cast<std::int16_t>(round_.current);
  round_.power = std::min<std::int64_t>(round_.power, 0xFFFF);
  sum_.shunt += round_.shunt;
  sum_.bus += round_.bus;
  sum_.current += round_.current;
  sum_.power += round_.power;
}

void Ina226::finish_cycle() {
  result_.shunt = rounded_mean(sum_.shunt, rounds_);
  result_.bus = rounded_mean(sum_.bus, rounds_);
  result_.current = rounded_mean(sum_.current, rounds_);
  result_.power = rounded_mean(sum_.power, rounds_);
  sum_ = {};
  ready_ = true;
  // Without the latch the flag follows the condition, with it somebody must read it.
  alert_ = alert_condition() || (alert_ && (mask_ & kLatch) != 0);
}

bool Ina226::alert_condition() const {
  // Where several functions are enabled the most significant one counts.
  const std::int64_t signed_limit = static_cast<std::int16_t>(limit_);
  if ((mask_ & kShuntOver) != 0) {
    return result_.shunt > signed_limit;
  }
  if ((mask_ & kShuntUnder) != 0) {
    return result_.shunt < signed_limit;
  }
  if ((mask_ & kBusOver) != 0) {
    return result_.bus > signed_limit;
  }
  if ((mask_ & kBusUnder) != 0) {
    return result_.bus < signed_limit;
  }
  if ((mask_ & kPowerOver) != 0) {
    return result_.power > limit_;
  }
  return false;
}

std::uint64_t Ina226::mask_enable() const {
  return mask_ | (alert_ ? kAlertFlag : 0U) | (ready_ ? kReadyFlag : 0U) | (overflow_ ? kOverflowFlag : 0U);
}

bool Ina226::alert_pin_high() const {
  const bool asserted = alert_ || (ready_ && (mask_ & kReadyToAlert) != 0);
  return asserted == ((mask_ & kActiveHigh) != 0);
}

void Ina226::advance(std::int64_t now_ns) {
  sequencer_.advance(
      now_ns,
      [this](const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
        if (conversion.quantity == Quantity::kShunt) {
          round_.shunt = to_counts(input_.shunt_uv(begin_ns, end_ns), kShuntLsbUv, 16);
        } else {
          round_.bus = std::max<std::int64_t>(0, to_counts(input_.bus_uv(begin_ns, end_ns), kBusLsbUv, 16));
        }
      },
      [this](std::int64_t) { finish_round(); }, [this](std::int64_t) { finish_cycle(); });
}

RegisterChip::RegisterValue Ina226::read_register(std::uint8_t address) {
  const bool is_260 = model_ == Ina226Model::kIna260;
  switch (address) {
    case 0x00: return {config_};
    case 0x01: return {field(is_260 ? result_.current : result_.shunt, 16)};
    case 0x02: return {field(result_.bus, 16)};
    case 0x03: return {field(result_.power, 16)};
    case 0x04: return {is_260 ? 0 : field(result_.current, 16)};
    case 0x05: return {is_260 ? 0U : calibration_};
    case 0x06: {
      const std::uint64_t value = mask_enable();
      ready_ = false;
      if ((mask_ & kLatch) != 0) {
        alert_ = false;
      }
      return {value};
    }
    case 0x07: return {limit_};
    case 0xFE: return {model_ == Ina226Model::kIna226 || is_260 ? 0x5449U : 0U};
    case 0xFF:
      switch (model_) {
        case Ina226Model::kIna226:
        case Ina226Model::kIna230: return {0x2260};
        case Ina226Model::kIna260: return {0x2270};
        case Ina226Model::kIna231: return {0};
      }
      return {0};
    default: return {0};
  }
}

void Ina226::write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) {
  switch (address) {
    case 0x00:
      if ((value & 0x8000U) != 0) {
        reset(now_ns);
        return;
      }
      config_ = static_cast<std::uint16_t>((value & 0x0FFFU) | (config_after_reset(model_) & 0x7000U));
      if ((config_ & 3U) != 0) {
        ready_ = false;  // power-down leaves the flag alone
      }
      overflow_ = false;
      start(now_ns);
      return;
    case 0x05:
      if (model_ != Ina226Model::kIna260) {
        calibration_ = value & 0x7FFFU;
      }
      return;
    case 0x06:
      mask_ = value & kMaskWritable;
      if ((mask_ & 0xF800U) == 0) {
        alert_ = false;
      }
      return;
    case 0x07: limit_ = value; return;
    default: return;  // the others are read only
  }
}

}  // namespace edgejoule::emulated_board
