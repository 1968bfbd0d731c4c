#include "emulated_board/ina228.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace edgejoule::emulated_board {
namespace {

constexpr double kConversionUs[] = {50, 84, 150, 280, 540, 1052, 2074, 4120};
constexpr int kAverages[] = {1, 4, 16, 64, 128, 256, 512, 1024};
constexpr std::int64_t kReadyPulseNs = 50'000;
constexpr double kDelayStepUs = 2000.0;
constexpr std::uint16_t kAdcConfigAfterReset = 0xFB68;
constexpr std::uint16_t kShuntCalAfterReset = 0x1000;
constexpr double kCalibrationUnit = 4096.0;  // the SHUNT_CAL at which CURRENT equals VSHUNT

constexpr std::uint16_t kReset = 1U << 15;
constexpr std::uint16_t kResetAccumulators = 1U << 14;
constexpr std::uint16_t kTemperatureCompensation = 1U << 5;

constexpr std::uint16_t kLatch = 1U << 15;
constexpr std::uint16_t kReadyToAlert = 1U << 14;
constexpr std::uint16_t kActiveHigh = 1U << 12;
constexpr std::uint16_t kEnergyOverflow = 1U << 11;
constexpr std::uint16_t kChargeOverflow = 1U << 10;
constexpr std::uint16_t kMathOverflow = 1U << 9;
constexpr std::uint16_t kTemperatureOver = 1U << 7;
constexpr std::uint16_t kShuntOver = 1U << 6;
constexpr std::uint16_t kShuntUnder = 1U << 5;
constexpr std::uint16_t kBusOver = 1U << 4;
constexpr std::uint16_t kBusUnder = 1U << 3;
constexpr std::uint16_t kPowerOver = 1U << 2;
constexpr std::uint16_t kReadyFlag = 1U << 1;
constexpr std::uint16_t kMemoryGood = 1U << 0;
constexpr std::uint16_t kLimitFlags = 0x00FC;
constexpr std::uint16_t kDiagWritable = 0xF000;

const double kEnergyModulus = std::ldexp(1.0, 40);
const double kChargeLimit = std::ldexp(1.0, 39);

std::uint16_t with(std::uint16_t flags, std::uint16_t flag, bool on) {
  return static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
}

}  // namespace

Ina228::Ina228(Ina228Model model, Rail rail, const Imperfection& imperfection)
    : model_(model),
      input_(std::move(rail), imperfection, 0),
      clock_error_(imperfection.clock_error),
      temperature_c_(imperfection.temperature_c) {
  reset(0);
}

void Ina228::reset(std::int64_t now_ns) {
  config_ = 0;
  adc_config_ = kAdcConfigAfterReset;
  shunt_cal_ = kShuntCalAfterReset;
  tempco_ = 0;
  diag_ = 0;
  flags_ = kMemoryGood;
  shunt_over_ = 0x7FFF;
  shunt_under_ = 0x8000;
  bus_over_ = 0x7FFF;
  bus_under_ = 0;
  temperature_limit_ = is_228() ? 0x7FFF : 0x7FF0;
  power_limit_ = 0xFFFF;
  round_ = result_ = {};
  current_ = power_ = 0.0;
  clear_accumulators();
  reset_pointer();
  start(now_ns);
}

void Ina228::clear_accumulators() {
  energy_ = charge_ = 0.0;
  flags_ = static_cast<std::uint16_t>(flags_ & ~(kEnergyOverflow | kChargeOverflow));
}

void Ina228::preset_accumulators(std::uint64_t energy_counts, std::int64_t charge_counts) {
  energy_ = static_cast<double>(energy_counts);
  charge_ = static_cast<double>(charge_counts);
}

void Ina228::start(std::int64_t now_ns) {
  const unsigned mode = adc_config_ >> 12;
  const struct {
    unsigned enabled;
    Quantity quantity;
    unsigned code;
  } kinds[] = {{mode & 2U, Quantity::kShunt, (adc_config_ >> 6) & 7U},
               {mode & 1U, Quantity::kBus, (adc_config_ >> 9) & 7U},
               {mode & 4U, Quantity::kTemperature, (adc_config_ >> 3) & 7U}};
  std::vector<Conversion> conversions;
  double round_us = 0.0;
  for (const auto& kind : kinds) {
    if (kind.enabled != 0) {
      conversions.push_back({kind.quantity, 0, stretched_ns(kConversionUs[kind.code], clock_error_)});
      round_us += kConversionUs[kind.code];
    }
  }
  rounds_ = kAverages[adc_config_ & 7U];
  round_seconds_ = round_us * 1e-6;
  sum_ = {};
  const double delay_us = kDelayStepUs * ((config_ >> 6) & 0xFFU);
  sequencer_.start(std::move(conversions), rounds_, (mode & 8U) != 0,
                   delay_us > 0.0 ? now_ns + stretched_ns(delay_us, clock_error_) : now_ns);
}

void Ina228::convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
  switch (conversion.quantity) {
    case Quantity::kShunt: {
      const double lsb_uv = (is_228() ? 0.3125 : 5.0) / (narrow_range() ? 4.0 : 1.0);
      round_.shunt = static_cast<double>(to_counts(input_.shunt_uv(begin_ns, end_ns), lsb_uv, is_228() ? 20 : 16));
      return;
    }
    case Quantity::kBus: {
      const double lsb_uv = is_228() ? 195.3125 : 3125.0;
      const std::int64_t counts = to_counts(input_.bus_uv(begin_ns, end_ns), lsb_uv, is_228() ? 20 : 16);
      round_.bus = static_cast<double>(std::max<std::int64_t>(0, counts));
      return;
    }
    case Quantity::kTemperature:
      round_.temperature = static_cast<double>(is_228() ? to_counts(temperature_c_, 0.0078125, 16)
                                                        : to_counts(temperature_c_, 0.125, 12));
      return;
  }
}

double Ina228::current_counts(double shunt_counts) const {
  if (shunt_cal_ == 0) {
    return 0.0;
  }
  double current = shunt_counts * kCalibrationUnit / shunt_cal_;
  if (is_228() && (config_ & kTemperatureCompensation) != 0) {
    current /= 1.0 + tempco_ * 1e-6 * (temperature_c_ - 25.0);
  }
  return current;
}

double Ina228::power_counts(double current, double bus_counts) const {
  // POWER counts 3.2 (INA228) or 0.2 (INA237, INA238) times the current's unit, in watts.
  return std::abs(current) * bus_counts / (is_228() ? 16384.0 : 64.0);
}

void Ina228::finish_round() {
  sum_.shunt += round_.shunt;
  sum_.bus += round_.bus;
  sum_.temperature += round_.temperature;
  if (!is_228()) {
    return;
  }
  // The chip multiplies by nominal durations: it knows no better clock than its own.
  const double current = current_counts(round_.shunt);
  energy_ += power_counts(current, round_.bus) * round_seconds_ / 16.0;
  charge_ += current * round_seconds_;
  if (energy_ >= kEnergyModulus) {
    energy_ -= kEnergyModulus;
    flags_ = with(flags_, kEnergyOverflow, true);
  }
  if (charge_ >= kChargeLimit || charge_ < -kChargeLimit) {
    charge_ += charge_ > 0 ? -2.0 * kChargeLimit : 2.0 * kChargeLimit;
    flags_ = with(flags_, kChargeOverflow, true);
  }
}

void Ina228::finish_cycle(std::int64_t end_ns) {
  const double count = rounds_;
  const unsigned mode = adc_config_ >> 12;
  if ((mode & 2U) != 0) {
    result_.shunt = std::nearbyint(sum_.shunt / count);
  }
  if ((mode & 1U) != 0) {
    result_.bus = std::nearbyint(sum_.bus / count);
  }
  if ((mode & 4U) != 0) {
    result_.temperature = std::nearbyint(sum_.temperature / count);
  }
  sum_ = {};
  const double current_limit = std::ldexp(1.0, is_228() ? 19 : 15);
  const double current = current_counts(result_.shunt);
  const double power = power_counts(current, result_.bus);
  const bool overflow = current >= current_limit || current < -current_limit || power >= std::ldexp(1.0, 24);
  flags_ = with(flags_, kMathOverflow, overflow);
  current_ = std::clamp(std::floor(current), -current_limit, current_limit - 1.0);
  power_ = std::min(std::floor(power), std::ldexp(1.0, 24) - 1.0);
  flags_ = with(flags_, kReadyFlag, true);
  ready_ns_ = end_ns;
  check_limits();
}

void Ina228::check_limits() {
  // Limits compare with the upper 16 bits of the 20-bit results.
  const double scale = is_228() ? 16.0 : 1.0;
  const double shunt = result_.shunt / scale;
  const double bus = result_.bus / scale;
  const double temperature = is_228() ? result_.temperature : result_.temperature * 16.0;
  const struct {
    std::uint16_t flag;
    bool condition;
  } checks[] = {{kShuntOver, shunt > static_cast<std::int16_t>(shunt_over_)},
                {kShuntUnder, shunt < static_cast<std::int16_t>(shunt_under_)},
                {kBusOver, bus > bus_over_},
                {kBusUnder, bus < bus_under_},
                {kTemperatureOver, temperature > static_cast<std::int16_t>(temperature_limit_)},
                {kPowerOver, power_ > power_limit_ * 256.0}};
  const bool latched = (diag_ & kLatch) != 0;
  for (const auto& check : checks) {
    flags_ = with(flags_, check.flag, check.condition || (latched && (flags_ & check.flag) != 0));
  }
}

bool Ina228::alert_pin_high() const {
  const bool asserted = (flags_ & kLimitFlags) != 0 || ((diag_ & kReadyToAlert) != 0 && (flags_ & kReadyFlag) != 0);
  return asserted == ((diag_ & kActiveHigh) != 0);
}

void Ina228::advance(std::int64_t now_ns) {
  sequencer_.advance(
      now_ns,
      [this](const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns) {
        convert(conversion, begin_ns, end_ns);
      },
      [this](std::int64_t) { finish_round(); }, [this](std::int64_t end_ns) { finish_cycle(end_ns); });
  if ((diag_ & kLatch) == 0 && now_ns >= ready_ns_ + kReadyPulseNs) {
    flags_ = with(flags_, kReadyFlag, false);
  }
}

std::int64_t Ina228::next_event_ns() const {
  const bool pulsing = (diag_ & kLatch) == 0 && (flags_ & kReadyFlag) != 0;
  return std::min(sequencer_.next_end_ns(), pulsing ? ready_ns_ + kReadyPulseNs : Sequencer::kNever);
}

RegisterChip::RegisterValue Ina228::read_register(std::uint8_t address) {
  const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
  switch (address) {
    case 0x00: return {config_};
    case 0x01: return {adc_config_};
    case 0x02: return {shunt_cal_};
    case 0x03: return {is_228() ? tempco_ : 0U};
    case 0x04:
      return is_228() ? RegisterValue{field(whole(result_.shunt), 20) << 4, 3}
                      : RegisterValue{field(whole(result_.shunt), 16)};
    case 0x05:
      return is_228() ? RegisterValue{field(whole(result_.bus), 20) << 4, 3}
                      : RegisterValue{field(whole(result_.bus), 16)};
    case 0x06: return {is_228() ? field(whole(result_.temperature), 16) : field(whole(result_.temperature), 12) << 4};
    case 0x07:
      return is_228() ? RegisterValue{field(whole(current_), 20) << 4, 3} : RegisterValue{field(whole(current_), 16)};
    case 0x08: return {field(whole(power_), 24), 3};
    case 0x09:
      if (!is_228()) {
        return {0};
      }
      flags_ = with(flags_, kEnergyOverflow, false);
      return {field(whole(energy_), 40), 5};
    case 0x0A:
      if (!is_228()) {
        return {0};
      }
      flags_ = with(flags_, kChargeOverflow, false);
      return {field(whole(std::floor(charge_)), 40), 5};
    case 0x0B: {
      const std::uint64_t value = static_cast<std::uint64_t>(diag_ | flags_);
      flags_ = with(flags_, kReadyFlag, false);
      if ((diag_ & kLatch) != 0) {
        flags_ = with(flags_, kLimitFlags, false);
      }
      return {value};
    }
    case 0x0C: return {shunt_over_};
    case 0x0D: return {shunt_under_};
    case 0x0E: return {bus_over_};
    case 0x0F: return {bus_under_};
    case 0x10: return {temperature_limit_};
    case 0x11: return {power_limit_};
    case 0x3E: return {0x5449};
    case 0x3F:
      switch (model_) {
        case Ina228Model::kIna228: return {0x2281};
        case Ina228Model::kIna238: return {0x2381};
        case Ina228Model::kIna237: return {0};  // the datasheet has no such register
      }
      return {0};
    default: return {0};
  }
}

void Ina228::write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) {
  switch (address) {
    case 0x00:
      if ((value & kReset) != 0) {
        reset(now_ns);
        return;
      }
      if (is_228() && (value & kResetAccumulators) != 0) {
        clear_accumulators();
      }
      config_ = value & (is_228() ? 0x3FF0U : 0x3FD0U);
      return;
    case 0x01:
      adc_config_ = value;
      flags_ = with(flags_, kReadyFlag, false);
      start(now_ns);
      return;
    case 0x02: shunt_cal_ = value & 0x7FFFU; return;
    case 0x03: tempco_ = value & 0x3FFFU; return;
    case 0x0B: diag_ = value & kDiagWritable; return;
    case 0x0C: shunt_over_ = value; return;
    case 0x0D: shunt_under_ = value; return;
    case 0x0E: bus_over_ = value & 0x7FFFU; return;
    case 0x0F: bus_under_ = value & 0x7FFFU; return;
    case 0x10: temperature_limit_ = value; return;
    case 0x11: power_limit_ = value; return;
    default: return;  // the others are read only
  }
}

}  // namespace edgejoule::emulated_board
