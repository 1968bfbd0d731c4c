// The reading side of the INA chips: flags, results, accumulators.
#include "edgejoule/sensors/ina_reader.h"

#include <limits>

namespace edgejoule {
namespace {

std::int64_t divide_rounded(std::int64_t value, std::int64_t divisor) noexcept {
  return value >= 0 ? (value + divisor / 2) / divisor : (value - divisor / 2) / divisor;
}

// counts * lsb / 1e6 without overflowing 64 bits on the way.
std::uint64_t scale_millionths(std::uint64_t counts, std::uint64_t lsb) noexcept {
  constexpr std::uint64_t kMillion = 1'000'000;
  return counts / kMillion * lsb + counts % kMillion * lsb / kMillion;
}

std::int32_t clamp_to_int32(std::int64_t value) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int32_t>(value > kMax ? kMax : value < kMin ? kMin : value);
}

constexpr std::uint16_t kEnergyOverflow = 0x0800;  // DIAG_ALRT of INA228
constexpr unsigned kAccumulatorBits = 40;
constexpr std::uint64_t kAccumulatorTurn = std::uint64_t{1} << kAccumulatorBits;

// Microvolts times microamperes is picowatts.
std::int64_t power_uw_of(std::int64_t bus_uv, std::int64_t current_ua) noexcept {
  return divide_rounded(bus_uv * current_ua, 1'000'000);
}

}  // namespace

std::uint64_t InaReader::shunt_lsb_pv() const noexcept {
  return fine_range_ ? chip_->shunt_lsb_fine_pv : chip_->shunt_lsb_pv;
}

// What one count of the current register means, given the calibration that was really written.
std::uint64_t InaReader::current_lsb_pa() const noexcept {
  if (chip_->current_lsb_na != 0) return std::uint64_t{chip_->current_lsb_na} * 1000;
  if (calibration_ == 0 || shunt_uohm_[0] == 0) return 0;
  if (chip_->calibration_divides) {
    return chip_->calibration_scale * 1000 / (std::uint64_t{calibration_} * shunt_uohm_[0]);
  }
  const std::uint64_t scale = chip_->calibration_scale * (fine_range_ ? 4 : 1);
  return std::uint64_t{calibration_} * 10'000'000'000'000U / (scale * shunt_uohm_[0]);
}

std::uint32_t InaReader::current_step_ua(std::uint8_t channel) const noexcept {
  if (chip_->current_lsb_na != 0) return chip_->current_lsb_na / 1000;
  const std::uint64_t step = shunt_lsb_pv() / shunt_uohm_[channel];
  return static_cast<std::uint32_t>(step == 0 ? 1 : step);
}

std::int64_t InaReader::power_step_uw(std::uint8_t channel, std::int32_t bus_uv) const noexcept {
  if (chip_->current_lsb_na != 0) return std::int64_t{bus_uv} * chip_->current_lsb_na / 1'000'000'000;
  // pV / uOhm is uA: uV * uA / 1e6 is uW.
  return divide_rounded(std::int64_t{bus_uv} * static_cast<std::int64_t>(shunt_lsb_pv() / 1000),
                        std::int64_t{shunt_uohm_[channel]} * 1000);
}

std::int64_t InaReader::full_scale_ua(std::uint8_t channel) const noexcept {
  const RegisterField& field = chip_->shunt.exists() ? chip_->shunt : chip_->current;
  const std::int64_t counts = chip_->shunt_limit != 0 ? chip_->shunt_limit : (std::int64_t{1} << (field.bits - 1)) - 1;
  if (chip_->current_lsb_na != 0) return counts * chip_->current_lsb_na / 1000;
  return counts * static_cast<std::int64_t>(shunt_lsb_pv()) / shunt_uohm_[channel];
}

Result<std::uint16_t> InaReader::read_word(std::uint8_t reg) noexcept {
  std::uint8_t bytes[2] = {};
  if (const Status s = bus_.read(bus_.context, address_, reg, Span<std::uint8_t>(bytes)); !s) return s.error();
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

Result<std::int64_t> InaReader::read_value(const RegisterField& field) noexcept {
  std::uint8_t bytes[5] = {};
  const Span<std::uint8_t> view(bytes, field.bytes);
  if (const Status s = bus_.read(bus_.context, address_, field.reg, view); !s) return s.error();
  return decode_field(field, view);
}

Status InaReader::read_registers(Span<const RegisterRead> reads) noexcept {
  if (bus_.read_batch != nullptr) return bus_.read_batch(bus_.context, address_, reads);
  for (const RegisterRead& one : reads) {
    if (const Status s = bus_.read(bus_.context, address_, one.reg, one.bytes); !s) return s;
  }
  return {};
}

Result<bool> InaReader::ready() noexcept {
  const Result<std::uint16_t> flags = read_word(chip_->flags_reg);
  if (!flags) return flags.error();
  flags_ = *flags;
  return (flags_ & chip_->ready_bit) != 0;
}

Result<std::size_t> InaReader::read(const Conversion& when, Span<PowerSample> out) noexcept {
  if (out.size() < channel_count_) return Error::kOutputTooSmall;
  const RegisterField& amplitude = chip_->shunt.exists() ? chip_->shunt : chip_->current;
  std::uint8_t bytes[kMaxChannels * 2 + 1][3] = {};
  RegisterRead reads[kMaxChannels * 2 + 1];
  std::size_t count = 0;
  for (std::uint8_t channel = 0; channel < chip_->channels; ++channel) {
    if ((channel_mask_ >> channel & 1U) == 0) continue;
    const RegisterField* const fields[2] = {&amplitude, &chip_->bus};
    for (const RegisterField* field : fields) {
      reads[count].reg = static_cast<std::uint8_t>(field->reg + channel * chip_->channel_stride);
      reads[count].bytes = Span<std::uint8_t>(bytes[count], field->bytes);
      ++count;
    }
  }
  const std::size_t results = count;
  if (chip_->ready_clear == ReadyClear::kByReadingPower) {
    reads[count].reg = chip_->power.reg;
    reads[count].bytes = Span<std::uint8_t>(bytes[count], chip_->power.bytes);
    ++count;
  }
  if (const Status s = read_registers(Span<const RegisterRead>(reads, count)); !s) return s.error();

  Slot slot{0, 0};
  for (std::size_t i = 0; i < results; i += 2, ++slot.place, ++slot.channel) {
    while ((channel_mask_ >> slot.channel & 1U) == 0) ++slot.channel;
    fill(when, slot, decode_field(amplitude, reads[i].bytes), decode_field(chip_->bus, reads[i + 1].bytes),
         out[slot.place]);
  }
  return std::size_t{slot.place};
}

void InaReader::fill(const Conversion& when, Slot slot, std::int64_t amplitude, std::int64_t bus_raw,
                     PowerSample& out) const noexcept {
  out = PowerSample{};
  const std::int64_t bus_uv = divide_rounded(bus_raw * static_cast<std::int64_t>(chip_->bus_lsb_pv / 100), 10'000);
  std::int64_t current_ua = 0;
  if (chip_->shunt.exists()) {
    current_ua = divide_rounded(amplitude * static_cast<std::int64_t>(shunt_lsb_pv()), shunt_uohm_[slot.channel]);
    if (at_full_scale(chip_->shunt, amplitude, chip_->shunt_limit)) out.set(SampleFlag::kClipped);
  } else {
    current_ua = divide_rounded(amplitude * chip_->current_lsb_na, 1000);
    if (at_full_scale(chip_->current, amplitude)) out.set(SampleFlag::kClipped);
  }
  out.bus_uv = clamp_to_int32(bus_uv);
  out.current_ua = clamp_to_int32(current_ua);
  out.power_uw = power_uw_of(out.bus_uv, out.current_ua);
  if ((flags_ & chip_->overflow_bit) != 0) out.set(SampleFlag::kMathOverflow);

  // The true period over the nominal one stretches every part of the cycle alike.
  const std::uint64_t cycle = when.cycle_ns != 0 ? when.cycle_ns : cycle_ns_;
  const auto stretched = [&](std::uint64_t nominal) {
    return static_cast<std::int64_t>(cycle_ns_ == 0 ? nominal : nominal * cycle / cycle_ns_);
  };
  out.t_mono_ns = when.t_read_ns;
  out.sequence = when.sequence;
  out.cycle_ns = static_cast<std::uint32_t>(cycle);
  out.rail = slot.channel;
  if (!when.bracketed) out.set(SampleFlag::kWindowEstimated);
  if (when.lost_before != 0) out.set(SampleFlag::kAfterGap);
  const std::int64_t begin = when.end_ns - static_cast<std::int64_t>(cycle);
  if (chip_->averaging == Averaging::kRunning || averages_ == 1) {
    // Each channel's shunt is integrated in its own slot of the cycle, before its bus voltage.
    out.window_begin_ns = begin + stretched(std::uint64_t{slot.place} * (shunt_time_ns_ + bus_time_ns_));
    out.window_end_ns = out.window_begin_ns + stretched(shunt_time_ns_);
  } else {
    out.window_begin_ns = begin;
    out.window_end_ns = when.end_ns;
  }
  if (chip_->averaging == Averaging::kRunning && averages_ > 1) {
    out.response = ResponseKind::kExponential;
    out.taps = averages_;
  }
}

Result<EnergyReading> InaReader::read_energy() noexcept {
  if (!chip_->energy.exists()) return Error::kUnsupported;
  // The overflow flag first: reading the energy clears it.
  const Result<std::uint16_t> flags = read_word(chip_->flags_reg);
  if (!flags) return flags.error();
  const Result<std::int64_t> energy = read_value(chip_->energy);
  if (!energy) return energy.error();
  const Result<std::int64_t> charge = read_value(chip_->charge);
  if (!charge) return charge.error();

  EnergyReading reading;
  const auto raw = static_cast<std::uint64_t>(*energy);
  if (energy_started_) {
    const bool overflowed = (*flags & kEnergyOverflow) != 0;
    if (raw >= energy_raw_) {
      energy_counts_ += raw - energy_raw_;
      if (overflowed) {
        energy_counts_ += kAccumulatorTurn;
        reading.ambiguous = true;
      }
    } else if (overflowed) {
      energy_counts_ += kAccumulatorTurn - energy_raw_ + raw;
    } else {
      energy_counts_ += raw;
      reading.reset = true;
    }
    reading.wrapped = overflowed;
    // The charge register wraps in two's complement: the difference, taken in 40 bits, is right for any wrap.
    std::int64_t moved = reading.reset ? *charge : *charge - charge_raw_;
    const auto turn = static_cast<std::int64_t>(kAccumulatorTurn);
    if (moved >= turn / 2) moved -= turn;
    if (moved < -turn / 2) moved += turn;
    charge_counts_ += moved;
  }
  energy_started_ = true;
  energy_raw_ = raw;
  charge_raw_ = *charge;

  // One count of energy is 16 counts of power, for a second.
  const std::uint64_t lsb_pa = current_lsb_pa();
  reading.energy_uj = scale_millionths(energy_counts_, lsb_pa * 16 * chip_->power_lsb_tenths / 10);
  const auto magnitude = static_cast<std::uint64_t>(charge_counts_ < 0 ? -charge_counts_ : charge_counts_);
  const auto charge_uc = static_cast<std::int64_t>(scale_millionths(magnitude, lsb_pa));
  reading.charge_uc = charge_counts_ < 0 ? -charge_uc : charge_uc;
  return reading;
}

Result<std::int32_t> InaReader::read_temperature_mdegc() noexcept {
  if (!chip_->temperature.exists()) return Error::kUnsupported;
  const Result<std::int64_t> raw = read_value(chip_->temperature);
  if (!raw) return raw.error();
  return static_cast<std::int32_t>(divide_rounded(*raw * chip_->temperature_lsb_ndegc, 1'000'000));
}

Result<std::int64_t> InaReader::read_register_power_uw() noexcept {
  if (!chip_->power.exists()) return Error::kUnsupported;
  const Result<std::int64_t> raw = read_value(chip_->power);
  if (!raw) return raw.error();
  const std::uint64_t lsb_pw = current_lsb_pa() * chip_->power_lsb_tenths / 10;
  return static_cast<std::int64_t>(scale_millionths(static_cast<std::uint64_t>(*raw), lsb_pw));
}

Result<std::int64_t> InaReader::read_register_current_ua() noexcept {
  if (!chip_->current.exists()) return Error::kUnsupported;
  const Result<std::int64_t> raw = read_value(chip_->current);
  if (!raw) return raw.error();
  const auto lsb_pa = static_cast<std::int64_t>(current_lsb_pa());
  return divide_rounded(*raw * lsb_pa, 1'000'000);
}

}  // namespace edgejoule
