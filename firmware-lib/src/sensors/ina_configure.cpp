// Identity, configuration and alert limits of the INA chips.
#include "edgejoule/sensors/ina_reader.h"

namespace edgejoule {
namespace {

// 32 bits of nanoseconds. INA226 can be set to one result in 16.9 s; nobody measures power with that.
constexpr std::uint32_t kMaxCycleUs = 4'294'967;

constexpr std::uint16_t kManufacturer = 0x5449;  // "TI"

std::uint16_t field_mask(CodeField field) noexcept {
  return static_cast<std::uint16_t>(((1U << field.bits) - 1U) << field.shift);
}

std::uint16_t get(std::uint16_t word, CodeField field) noexcept {
  return static_cast<std::uint16_t>((word & field_mask(field)) >> field.shift);
}

std::uint16_t put(std::uint16_t word, CodeField field, std::uint16_t code) noexcept {
  return static_cast<std::uint16_t>((word & ~field_mask(field)) | (code << field.shift));
}

// INA219 codes: 0-3 one conversion of 9 to 12 bits, 8-15 averages of 2^(code-8) 12-bit conversions.
struct Ina219Time {
  std::uint16_t time_us;
  std::uint16_t averages;
};

Ina219Time ina219_time(const Chip& chip, std::uint16_t code) noexcept {
  if (code < 8) return {chip.times_us[code & 3U], 1};
  return {chip.times_us[3], chip.average_counts[code - 8]};
}

Result<std::uint16_t> ina219_code(const Chip& chip, std::uint16_t time_us, std::uint16_t averages) noexcept {
  for (std::uint16_t code = 0; code < 16; ++code) {
    if (code >= 4 && code < 8) continue;  // the same as 0-3
    const Ina219Time time = ina219_time(chip, code);
    if (time.time_us == time_us && time.averages == averages) return code;
  }
  return Error::kUnsupported;
}

Result<std::uint16_t> code_of(const std::uint16_t (&values)[8], std::uint16_t wanted) noexcept {
  for (std::uint16_t code = 0; code < 8; ++code) {
    if (values[code] == wanted) return code;
  }
  return Error::kUnsupported;
}

Status read_identity(const RegisterBus& bus, std::uint8_t address, std::uint8_t reg, std::uint16_t& value) noexcept {
  std::uint8_t bytes[2] = {};
  const Status status = bus.read(bus.context, address, reg, Span<std::uint8_t>(bytes));
  value = static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
  return status;
}

// The channel enables of INA3221 stand above its averages, channel 1 highest.
std::uint16_t channel_bit(std::uint8_t channel) noexcept {
  return static_cast<std::uint16_t>(0x4000U >> channel);
}
constexpr std::uint16_t kChannelBits = 0x7000;
constexpr std::uint16_t kFineRange = 0x0010;    // CONFIG of INA228/237/238
constexpr std::uint16_t kClearEnergy = 0x4000;  // CONFIG of INA228

}  // namespace

Result<ChipId> InaReader::detect(const RegisterBus& bus, std::uint8_t address) noexcept {
  // INA237 has a manufacturer but no die register that may be trusted, so it is what remains.
  const Chip* without_die = nullptr;
  for (const Chip& row : chips()) {
    if (row.manufacturer_reg == 0 || address < row.address_first || address > row.address_last) continue;
    std::uint16_t manufacturer = 0;
    if (const Status s = read_identity(bus, address, row.manufacturer_reg, manufacturer); !s) return s.error();
    if (manufacturer != kManufacturer) continue;
    if (row.die_reg == 0) {
      without_die = &row;
      continue;
    }
    std::uint16_t die = 0;
    if (const Status s = read_identity(bus, address, row.die_reg, die); !s) return s.error();
    if ((die & row.die_mask) == row.die_value) return row.id;
  }
  if (without_die != nullptr) return without_die->id;
  return Error::kWrongDevice;
}

Status InaReader::check_identity() noexcept {
  if (chip_->manufacturer_reg == 0) {
    // No identity: at least somebody must answer.
    const Result<std::uint16_t> config = read_word(chip_->config_reg);
    return config ? Status() : Status(config.error());
  }
  std::uint16_t value = 0;
  if (const Status s = read_identity(bus_, address_, chip_->manufacturer_reg, value); !s) return s;
  if (value != kManufacturer) return Error::kWrongDevice;
  if (chip_->die_reg == 0) return {};
  if (const Status s = read_identity(bus_, address_, chip_->die_reg, value); !s) return s;
  return (value & chip_->die_mask) == chip_->die_value ? Status() : Status(Error::kWrongDevice);
}

Status InaReader::bind(const RegisterBus& bus, std::uint8_t address, ChipId id, const InaSettings& settings) noexcept {
  *this = InaReader{};
  const Chip& row = edgejoule::chip(id);
  if (address < row.address_first || address > row.address_last) return Error::kInvalidArgument;
  const auto all = static_cast<std::uint8_t>((1U << row.channels) - 1U);
  if (settings.channel_mask == 0 || (settings.channel_mask & ~all) != 0) return Error::kInvalidArgument;
  if (settings.fine_range && row.shunt_lsb_fine_pv == 0) return Error::kUnsupported;
  for (std::uint8_t channel = 0; channel < row.channels; ++channel) {
    if ((settings.channel_mask >> channel & 1U) == 0) continue;
    ++channel_count_;
    if (row.current_lsb_na != 0) continue;
    const std::uint32_t shunt = settings.shunt_uohm[channel];
    if (shunt < kMinShuntUohm || shunt > kMaxShuntUohm) return Error::kBadShunt;
    shunt_uohm_[channel] = shunt;
  }
  bus_ = bus;
  chip_ = &row;
  address_ = address;
  channel_mask_ = settings.channel_mask;
  return check_identity();
}

Status InaReader::learn_timing(std::uint16_t config, std::uint16_t adc) noexcept {
  adc_word_ = adc;
  std::uint32_t shunt_us = 0;
  std::uint32_t bus_us = 0;
  std::uint32_t cycle_us = 0;
  if (chip_->averages.bits == 0) {
    const Ina219Time shunt = ina219_time(*chip_, get(adc, chip_->shunt_time));
    const Ina219Time bus = ina219_time(*chip_, get(adc, chip_->bus_time));
    averages_ = shunt.averages;
    shunt_us = shunt.time_us;
    bus_us = bus.time_us;
    cycle_us = shunt_us * shunt.averages + bus_us * bus.averages;
  } else {
    averages_ = chip_->average_counts[get(adc, chip_->averages)];
    shunt_us = chip_->times_us[get(adc, chip_->shunt_time)];
    bus_us = chip_->times_us[get(adc, chip_->bus_time)];
    std::uint32_t round_us = shunt_us + bus_us;
    // Bit 2 of the four-bit mode adds the die temperature to every round.
    if (chip_->temperature_time.bits != 0 && (get(adc, chip_->mode) & 0x4U) != 0) {
      round_us += chip_->times_us[get(adc, chip_->temperature_time)];
    }
    if (chip_->averaging == Averaging::kRunning) {
      std::uint32_t enabled = 0;
      for (std::uint8_t channel = 0; channel < chip_->channels; ++channel) {
        if ((config & channel_bit(channel)) != 0) ++enabled;
      }
      cycle_us = round_us * enabled;
    } else {
      cycle_us = round_us * averages_;
    }
  }
  shunt_time_ns_ = shunt_us * 1000U;
  bus_time_ns_ = bus_us * 1000U;
  if (chip_->shunt_lsb_fine_pv != 0) fine_range_ = (config & kFineRange) != 0;
  if (cycle_us > kMaxCycleUs) return Error::kUnsupported;
  cycle_ns_ = cycle_us * 1000U;
  return {};
}

Status InaReader::attach(const RegisterBus& bus, std::uint8_t address, ChipId id,
                         const InaSettings& settings) noexcept {
  if (const Status s = bind(bus, address, id, settings); !s) return s;
  const Result<std::uint16_t> config = read_word(chip_->config_reg);
  if (!config) return config.error();
  const Result<std::uint16_t> adc = chip_->adc_reg == chip_->config_reg ? config : read_word(chip_->adc_reg);
  if (!adc) return adc.error();
  if (const Status s = learn_timing(*config, *adc); !s) return s;
  if (chip_->averaging == Averaging::kRunning) {
    // A channel that is switched off would repeat its last value for ever.
    for (std::uint8_t channel = 0; channel < chip_->channels; ++channel) {
      if ((channel_mask_ >> channel & 1U) != 0 && (*config & channel_bit(channel)) == 0) return Error::kNoData;
    }
  }
  if (chip_->calibration_reg != 0) {
    const Result<std::uint16_t> calibration = read_word(chip_->calibration_reg);
    if (!calibration) return calibration.error();
    calibration_ = *calibration;
  }
  if (chip_->latch_bit != 0) {
    const Result<std::uint16_t> flags = read_word(chip_->flags_reg);
    if (!flags) return flags.error();
    enables_ = static_cast<std::uint16_t>(*flags & (chip_->latch_bit | chip_->ready_to_alert_bit));
  }
  return {};
}

Result<std::uint16_t> InaReader::timing_word(const InaSettings& settings) const noexcept {
  const Chip& c = *chip_;
  std::uint16_t word = c.adc_reset;
  word = put(word, c.mode, settings.mode == InaMode::kContinuous ? c.mode_continuous : c.mode_triggered);
  if (c.averages.bits == 0) {
    const Ina219Time shunt_reset = ina219_time(c, get(c.adc_reset, c.shunt_time));
    const std::uint16_t averages = settings.averages != 0 ? settings.averages : shunt_reset.averages;
    const std::uint16_t shunt_us = settings.shunt_time_us != 0 ? settings.shunt_time_us : shunt_reset.time_us;
    const std::uint16_t bus_us = settings.bus_time_us != 0 ? settings.bus_time_us : shunt_us;
    const Result<std::uint16_t> shunt = ina219_code(c, shunt_us, averages);
    const Result<std::uint16_t> bus = ina219_code(c, bus_us, averages);
    if (!shunt) return shunt.error();
    if (!bus) return bus.error();
    return put(put(word, c.shunt_time, *shunt), c.bus_time, *bus);
  }
  if (settings.shunt_time_us != 0) {
    const Result<std::uint16_t> code = code_of(c.times_us, settings.shunt_time_us);
    if (!code) return code.error();
    word = put(word, c.shunt_time, *code);
  }
  if (settings.bus_time_us != 0) {
    const Result<std::uint16_t> code = code_of(c.times_us, settings.bus_time_us);
    if (!code) return code.error();
    word = put(word, c.bus_time, *code);
  }
  if (settings.averages != 0) {
    const Result<std::uint16_t> code = code_of(c.average_counts, settings.averages);
    if (!code) return code.error();
    word = put(word, c.averages, *code);
  }
  if (c.channel_stride != 0) {
    word = static_cast<std::uint16_t>(word & ~kChannelBits);
    for (std::uint8_t channel = 0; channel < c.channels; ++channel) {
      if ((settings.channel_mask >> channel & 1U) != 0) word = static_cast<std::uint16_t>(word | channel_bit(channel));
    }
  }
  return word;
}

Status InaReader::write_calibration(const InaSettings& settings) noexcept {
  if (chip_->calibration_reg == 0) return {};
  std::uint64_t max_ua = settings.max_current_ua;
  if (max_ua == 0) max_ua = static_cast<std::uint64_t>(full_scale_ua(0));
  if (max_ua > 0xFFFFFFFFU) max_ua = 0xFFFFFFFFU;
  const Result<std::uint16_t> value = calibration_value(
      *chip_, current_lsb_na(*chip_, static_cast<std::uint32_t>(max_ua)), shunt_uohm_[0], settings.fine_range);
  if (!value) return value.error();
  calibration_ = *value;
  return write_word(chip_->calibration_reg, calibration_);
}

Status InaReader::configure(const RegisterBus& bus, std::uint8_t address, ChipId id,
                            const InaSettings& settings) noexcept {
  if (const Status s = bind(bus, address, id, settings); !s) return s;
  if (settings.ready_on_alert && chip_->ready_to_alert_bit == 0) return Error::kUnsupported;
  const Result<std::uint16_t> word = timing_word(settings);
  if (!word) return word.error();
  std::uint16_t config = *word;
  if (chip_->adc_reg != chip_->config_reg) config = settings.fine_range ? kFineRange : std::uint16_t{0};
  if (const Status s = learn_timing(config, *word); !s) return s;
  if (const Status s = write_calibration(settings); !s) return s;
  if (chip_->adc_reg != chip_->config_reg) {
    if (const Status s = write_word(chip_->config_reg, config); !s) return s;
  }
  enables_ = static_cast<std::uint16_t>(chip_->latch_bit |
                                        (settings.ready_on_alert ? chip_->ready_to_alert_bit : std::uint16_t{0}));
  if (enables_ != 0) {
    if (const Status s = write_word(chip_->flags_reg, enables_); !s) return s;
  }
  // Last, because writing it starts the conversions that the rest describes.
  return write_word(chip_->adc_reg, *word);
}

Status InaReader::trigger() noexcept {
  return write_word(chip_->adc_reg, adc_word_);
}

Status InaReader::set_alert(AlertKind kind, std::uint8_t channel, std::int32_t limit_uv) noexcept {
  if (channel >= chip_->channels || (channel_mask_ >> channel & 1U) == 0) return Error::kInvalidArgument;
  for (std::uint8_t i = 0; i < chip_->alert_count; ++i) {
    const AlertRow& row = chip_->alerts[i];
    if (row.kind != kind) continue;
    const std::uint64_t lsb_pv = fine_range_ && row.lsb_fine_pv != 0 ? row.lsb_fine_pv : row.lsb_pv;
    const std::int64_t counts = std::int64_t{limit_uv} * 1'000'000 / static_cast<std::int64_t>(lsb_pv);
    const std::int64_t scaled = counts * (std::int64_t{1} << row.shift);
    if (scaled > 0x7FFF || scaled < -0x8000) return Error::kBadRange;
    const auto reg = static_cast<std::uint8_t>(row.reg + channel * chip_->channel_stride);
    if (const Status s = write_word(reg, static_cast<std::uint16_t>(scaled)); !s) return s;
    if (row.enable_bit == 0) return {};
    // One function at a time: the chip honours the highest bit only.
    enables_ = static_cast<std::uint16_t>((enables_ & chip_->ready_to_alert_bit) | row.enable_bit);
    return write_word(chip_->flags_reg, enables_);
  }
  return Error::kUnsupported;
}

Status InaReader::clear_energy() noexcept {
  if (!chip_->energy.exists()) return Error::kUnsupported;
  const std::uint16_t config = fine_range_ ? kFineRange : std::uint16_t{0};
  if (const Status s = write_word(chip_->config_reg, static_cast<std::uint16_t>(config | kClearEnergy)); !s) return s;
  energy_started_ = false;
  energy_counts_ = 0;
  charge_counts_ = 0;
  return {};
}

Status InaReader::write_word(std::uint8_t reg, std::uint16_t value) noexcept {
  const std::uint8_t bytes[2] = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  return bus_.write(bus_.context, address_, reg, Span<const std::uint8_t>(bytes));
}

}  // namespace edgejoule
