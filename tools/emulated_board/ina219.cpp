#include "emulated_board/ina219.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

namespace edgejoule::emulated_board {
namespace {

constexpr std::uint16_t kConfigAfterReset = 0x399F;
constexpr double kShuntLsbUv = 10.0;
constexpr double kBusLsbUv = 4000.0;

// BADC and SADC: below 8 a single conversion of 9 to 12 bits, from 8 on 2^(code - 8) conversions of 12 bits.
struct AdcSetting {
  int bits;
  double duration_us;
};
AdcSetting adc_setting(unsigned code) {
  constexpr double kSingleUs[] = {84, 148, 276, 532};
  constexpr double kAveragedUs[] = {532, 1060, 2130, 4260, 8510, 17020, 34050, 68100};
  if ((code & 8U) != 0) {
    return {12, kAveragedUs[code & 7U]};
  }
  return {9 + static_cast<int>(code & 3U), kSingleUs[code & 3U]};
}

unsigned bus_adc(std::uint16_t config) {
  return (config >> 7) & 0xFU;
}
unsigned shunt_adc(std::uint16_t config) {
  return (config >> 3) & 0xFU;
}

}  // namespace

Ina219::Ina219(Rail rail, const Imperfection& imperfection)
    : input_(std::move(rail), imperfection, 0), clock_error_(imperfection.clock_error) {
  reset(0);
}

void Ina219::reset(std::int64_t now_ns) {
  config_ = kConfigAfterReset;
  calibration_ = 0;
  shunt_ = bus_ = current_ = power_ = 0;
  ready_ = overflow_ = false;
  reset_pointer();
  start(now_ns);
}

void Ina219::start(std::int64_t now_ns) {
  const unsigned mode = config_ & 7U;
  std::vector<Conversion> conversions;
  if ((mode & 1U) != 0) {
    conversions.push_back(
        {Quantity::kShunt, 0, stretched_ns(adc_setting(shunt_adc(config_)).duration_us, clock_error_)});
  }
  if ((mode & 2U) != 0) {
    conversions.push_back({Quantity::kBus, 0, stretched_ns(adc_setting(bus_adc(config_)).duration_us, clock_error_)});
  }
  sequencer_.start(std::move(conversions), 1, (mode & 4U) != 0, now_ns);
}

void Ina219::convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
  if (conversion.quantity == Quantity::kShunt) {
    // The register counts 10 uV whatever the gain and the resolution; fewer bits make coarser steps, the gain sets
    // where it saturates: 40 mV to 320 mV.
    const std::int64_t step = std::int64_t{1} << (12 - adc_setting(shunt_adc(config_)).bits);
    const std::int64_t limit = std::int64_t{4000} << ((config_ >> 11) & 3U);
    const std::int64_t counts =
        to_counts(input_.shunt_uv(begin_ns, end_ns), kShuntLsbUv * static_cast<double>(step), 17) * step;
    pending_shunt_ = std::clamp(counts, -limit, limit);
  } else {
    const std::int64_t step = std::int64_t{1} << (12 - adc_setting(bus_adc(config_)).bits);
    const std::int64_t limit = (config_ & 0x2000U) != 0 ? 8000 : 4000;
    const std::int64_t counts =
        to_counts(input_.bus_uv(begin_ns, end_ns), kBusLsbUv * static_cast<double>(step), 17) * step;
    pending_bus_ = std::clamp<std::int64_t>(counts, 0, limit);
  }
}

void Ina219::compute() {
  const std::int64_t current = shunt_ * calibration_ / 4096;
  const std::int64_t power = std::abs(current) * bus_ / 5000;
  overflow_ = current != static_cast<std::int16_t>(current) || power > 0xFFFF;
  current_ = static_cast<std::int16_t>(current);
  power_ = power & 0xFFFF;
}

void Ina219::advance(std::int64_t now_ns) {
  sequencer_.advance(
      now_ns,
      [this](const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
        convert(conversion, begin_ns, end_ns);
      },
      [](std::int64_t) {},
      [this](std::int64_t) {
        shunt_ = (config_ & 1U) != 0 ? pending_shunt_ : shunt_;
        bus_ = (config_ & 2U) != 0 ? pending_bus_ : bus_;
        compute();
        ready_ = true;
      });
}

RegisterChip::RegisterValue Ina219::read_register(std::uint8_t address) {
  switch (address) {
    case 0x00: return {config_};
    case 0x01: return {field(shunt_, 16)};
    case 0x02: return {static_cast<std::uint64_t>(bus_) << 3 | (ready_ ? 2U : 0U) | (overflow_ ? 1U : 0U)};
    case 0x03: ready_ = false; return {field(power_, 16)};
    case 0x04: return {field(current_, 16)};
    case 0x05: return {calibration_};
    default: return {0};
  }
}

void Ina219::write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) {
  switch (address) {
    case 0x00:
      if ((value & 0x8000U) != 0) {
        reset(now_ns);
        return;
      }
      config_ = value & 0x3FFFU;
      if ((config_ & 3U) != 0) {
        ready_ = false;  // power-down and "ADC off" leave the flag alone
      }
      start(now_ns);
      return;
    case 0x05: calibration_ = value & 0xFFFEU; return;  // bit 0 cannot be set
    default: return;                                    // the others are read only
  }
}

}  // namespace edgejoule::emulated_board
