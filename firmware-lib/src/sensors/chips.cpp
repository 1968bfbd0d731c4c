#include "edgejoule/sensors/chips.h"

#include <array>

namespace edgejoule {
namespace {

constexpr std::uint16_t kTimesInaFast[8] = {140, 204, 332, 588, 1100, 2116, 4156, 8244};
constexpr std::uint16_t kTimesIna228[8] = {50, 84, 150, 280, 540, 1052, 2074, 4120};
constexpr std::uint16_t kAverages[8] = {1, 4, 16, 64, 128, 256, 512, 1024};

constexpr RegisterField kNone{};

// One channel at the addresses that two pins give, which is most of them.
constexpr Chip chip_named(ChipId id, std::string_view name) {
  Chip c{};
  c.id = id;
  c.name = name;
  c.address_first = 0x40;
  c.address_last = 0x4F;
  c.channels = 1;
  return c;
}

constexpr void set_identity(Chip& c, std::uint8_t manufacturer_reg, std::uint8_t die_reg, std::uint16_t value,
                            std::uint16_t mask) {
  c.manufacturer_reg = manufacturer_reg;
  c.die_reg = die_reg;
  c.die_value = value;
  c.die_mask = mask;
}

constexpr void set_timing(Chip& c, const std::uint16_t (&times)[8], const std::uint16_t (&counts)[8] = kAverages) {
  for (int i = 0; i < 8; ++i) {
    c.times_us[i] = times[i];
    c.average_counts[i] = counts[i];
  }
}

// The configuration register of INA226 and INA3221: averages, both times, mode.
constexpr void set_control(Chip& c, std::uint16_t after_reset) {
  c.config_reset = after_reset;
  c.adc_reset = after_reset;
  c.mode = {0, 3};
  c.shunt_time = {3, 3};
  c.bus_time = {6, 3};
  c.averages = {9, 3};
  c.mode_continuous = 7;
  c.mode_triggered = 3;
  set_timing(c, kTimesInaFast);
}

constexpr Chip ina219() {
  Chip c = chip_named(ChipId::kIna219, "ina219");
  c.shunt = {0x01, 2, 16, 0, true};
  c.bus = {0x02, 2, 13, 3, false};
  c.current = {0x04, 2, 16, 0, true};
  c.power = {0x03, 2, 16, 0, false};
  c.shunt_limit = 32'000;  // 320 mV, the widest gain; the register keeps its 10 uV at every gain
  c.shunt_lsb_pv = 10'000'000;
  c.bus_lsb_pv = 4'000'000'000;
  c.power_lsb_tenths = 200;
  c.config_reset = 0x399F;
  c.adc_reset = 0x399F;
  // 9 to 12 bits of one conversion, or a power of two of 12-bit ones: ina_configure knows the code.
  c.mode = {0, 3};
  c.shunt_time = {3, 4};
  c.bus_time = {7, 4};
  c.mode_continuous = 7;
  c.mode_triggered = 3;
  constexpr std::uint16_t kTimes[8] = {84, 148, 276, 532, 0, 0, 0, 0};
  constexpr std::uint16_t kCounts[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  set_timing(c, kTimes, kCounts);
  c.flags_reg = 0x02;
  c.ready_bit = 0x0002;
  c.overflow_bit = 0x0001;
  c.ready_clear = ReadyClear::kByReadingPower;
  c.calibration_reg = 0x05;
  c.calibration_scale = 40'960'000'000'000;
  c.calibration_divides = true;
  c.current_bits = 16;
  return c;
}

constexpr Chip ina226_like(ChipId id, std::string_view name) {
  Chip c = chip_named(id, name);
  c.shunt = {0x01, 2, 16, 0, true};
  c.bus = {0x02, 2, 16, 0, true};
  c.current = {0x04, 2, 16, 0, true};
  c.power = {0x03, 2, 16, 0, false};
  c.shunt_lsb_pv = 2'500'000;
  c.bus_lsb_pv = 1'250'000'000;
  c.power_lsb_tenths = 250;
  set_control(c, 0x4127);
  c.flags_reg = 0x06;
  c.ready_bit = 0x0008;
  c.overflow_bit = 0x0004;
  c.ready_to_alert_bit = 0x0400;
  c.calibration_reg = 0x05;
  c.calibration_scale = 5'120'000'000'000;
  c.calibration_divides = true;
  c.current_bits = 16;
  c.alerts[0] = {AlertKind::kShuntOver, 0x07, 0, 2'500'000, 0, 0x8000};
  c.alerts[1] = {AlertKind::kShuntUnder, 0x07, 0, 2'500'000, 0, 0x4000};
  c.alerts[2] = {AlertKind::kBusOver, 0x07, 0, 1'250'000'000, 0, 0x2000};
  c.alerts[3] = {AlertKind::kBusUnder, 0x07, 0, 1'250'000'000, 0, 0x1000};
  c.alert_count = 4;
  return c;
}

constexpr Chip ina226() {
  Chip c = ina226_like(ChipId::kIna226, "ina226");
  set_identity(c, 0xFE, 0xFF, 0x2260, 0xFFFF);
  return c;
}

// INA260 shows current where the others show the shunt voltage; its 2 mOhm are inside.
constexpr Chip ina260() {
  Chip c = ina226_like(ChipId::kIna260, "ina260");
  c.shunt = kNone;
  c.current = {0x01, 2, 16, 0, true};
  c.shunt_lsb_pv = 0;
  c.current_lsb_na = 1'250'000;
  c.power_lsb_tenths = 80;
  set_identity(c, 0xFE, 0xFF, 0x2270, 0xFFF0);
  c.config_reset = 0x6127;
  c.adc_reset = 0x6127;
  c.calibration_reg = 0;
  c.calibration_scale = 0;
  // Its limits on current, 1.25 mA each, are those on 2.5 uV over the 2 mOhm.
  return c;
}

constexpr Chip ina238_like(ChipId id, std::string_view name) {
  Chip c = chip_named(id, name);
  c.shunt = {0x04, 2, 16, 0, true};
  c.bus = {0x05, 2, 16, 0, true};
  c.temperature = {0x06, 2, 12, 4, true};
  c.current = {0x07, 2, 16, 0, true};
  c.power = {0x08, 3, 24, 0, false};
  c.shunt_lsb_pv = 5'000'000;
  c.shunt_lsb_fine_pv = 1'250'000;
  c.bus_lsb_pv = 3'125'000'000;
  c.power_lsb_tenths = 2;
  c.temperature_lsb_ndegc = 125'000'000;
  c.manufacturer_reg = 0x3E;
  c.config_reset = 0x0000;
  c.adc_reg = 0x01;
  c.adc_reset = 0xFB68;
  c.mode = {12, 4};
  c.bus_time = {9, 3};
  c.shunt_time = {6, 3};
  c.temperature_time = {3, 3};
  c.averages = {0, 3};
  c.mode_continuous = 0xB;
  c.mode_triggered = 0x3;
  set_timing(c, kTimesIna228);
  c.flags_reg = 0x0B;
  c.ready_bit = 0x0002;
  c.overflow_bit = 0x0200;
  c.ready_to_alert_bit = 0x4000;
  c.latch_bit = 0x8000;
  c.calibration_reg = 0x02;
  c.calibration_scale = 8'192;
  c.current_bits = 16;
  c.alerts[0] = {AlertKind::kShuntOver, 0x0C, 0, 5'000'000, 1'250'000, 0};
  c.alerts[1] = {AlertKind::kShuntUnder, 0x0D, 0, 5'000'000, 1'250'000, 0};
  c.alerts[2] = {AlertKind::kBusOver, 0x0E, 0, 3'125'000'000, 0, 0};
  c.alerts[3] = {AlertKind::kBusUnder, 0x0F, 0, 3'125'000'000, 0, 0};
  c.alert_count = 4;
  return c;
}

constexpr Chip ina238() {
  Chip c = ina238_like(ChipId::kIna238, "ina238");
  set_identity(c, 0x3E, 0x3F, 0x2380, 0xFFF0);
  return c;
}

constexpr Chip ina228() {
  Chip c = ina238_like(ChipId::kIna228, "ina228");
  c.shunt = {0x04, 3, 20, 4, true};
  c.bus = {0x05, 3, 20, 4, true};
  c.temperature = {0x06, 2, 16, 0, true};
  c.current = {0x07, 3, 20, 4, true};
  c.energy = {0x09, 5, 40, 0, false};
  c.charge = {0x0A, 5, 40, 0, true};
  c.shunt_lsb_pv = 312'500;
  c.shunt_lsb_fine_pv = 78'125;
  c.bus_lsb_pv = 195'312'500;
  c.power_lsb_tenths = 32;
  c.temperature_lsb_ndegc = 7'812'500;
  set_identity(c, 0x3E, 0x3F, 0x2280, 0xFFF0);
  c.calibration_scale = 131'072;
  c.current_bits = 20;
  return c;
}

constexpr Chip ina3221() {
  Chip c{};
  c.id = ChipId::kIna3221;
  c.name = "ina3221";
  c.address_first = 0x40;
  c.address_last = 0x43;
  c.channels = 3;
  c.channel_stride = 2;
  c.averaging = Averaging::kRunning;
  c.shunt = {0x01, 2, 13, 3, true};
  c.bus = {0x02, 2, 13, 3, true};
  c.shunt_lsb_pv = 40'000'000;
  c.bus_lsb_pv = 8'000'000'000;
  set_identity(c, 0xFE, 0xFF, 0x3220, 0xFFFF);
  set_control(c, 0x7127);
  c.flags_reg = 0x0F;
  c.ready_bit = 0x0001;
  // The critical limit follows every conversion, the warning limit the averages: the warning is the one that does
  // not shut a board down on one spike.
  c.alerts[0] = {AlertKind::kShuntOver, 0x08, 3, 40'000'000, 0, 0};
  c.alert_count = 1;
  return c;
}

// In the order of ChipId.
constexpr std::array<Chip, 9> kChips = {
    ina219(),
    ina226(),
    // Their identity registers say nothing that tells them from an INA226 without a manufacturer: name them.
    ina226_like(ChipId::kIna230, "ina230"),
    ina226_like(ChipId::kIna231, "ina231"),
    ina260(),
    ina228(),
    ina238_like(ChipId::kIna237, "ina237"),
    ina238(),
    ina3221(),
};

constexpr bool rows_stand_at_their_id() {
  for (std::size_t i = 0; i < kChips.size(); ++i) {
    if (static_cast<std::size_t>(kChips[i].id) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_id());

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

Span<const Chip> chips() noexcept {
  return {kChips.data(), kChips.size()};
}

const Chip& chip(ChipId id) noexcept {
  return kChips[static_cast<std::size_t>(id)];
}

const Chip* find_chip(std::string_view name) noexcept {
  for (const Chip& row : kChips) {
    if (row.name.size() != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i) same = same && lower(name[i]) == row.name[i];
    if (same) return &row;
  }
  return nullptr;
}

std::int64_t decode_field(const RegisterField& field, Span<const std::uint8_t> bytes) noexcept {
  std::uint64_t raw = 0;
  for (const std::uint8_t byte : bytes) raw = raw << 8 | byte;
  raw >>= field.shift;
  raw &= (std::uint64_t{1} << field.bits) - 1;
  const std::uint64_t sign = std::uint64_t{1} << (field.bits - 1);
  // Subtracting the sign's weight twice turns two's complement of any width into a number.
  if (field.is_signed && (raw & sign) != 0) {
    return static_cast<std::int64_t>(raw) - static_cast<std::int64_t>(sign << 1);
  }
  return static_cast<std::int64_t>(raw);
}

bool at_full_scale(const RegisterField& field, std::int64_t value, std::int64_t limit) noexcept {
  if (limit != 0) return value >= limit || value <= -limit;
  const std::int64_t range = std::int64_t{1} << (field.is_signed ? field.bits - 1 : field.bits);
  return value == range - 1 || (field.is_signed && value == -range);
}

std::uint32_t current_lsb_na(const Chip& chip, std::uint32_t max_current_ua) noexcept {
  if (chip.current_lsb_na != 0) return chip.current_lsb_na;
  const std::uint64_t steps = std::uint64_t{1} << (chip.current_bits - 1);
  const std::uint64_t lsb = (std::uint64_t{max_current_ua} * 1000 + steps - 1) / steps;
  return static_cast<std::uint32_t>(lsb == 0 ? 1 : lsb);
}

Result<std::uint16_t> calibration_value(const Chip& chip, std::uint32_t lsb_na, std::uint32_t shunt_uohm,
                                        bool fine_range) noexcept {
  if (chip.calibration_scale == 0) return Error::kUnsupported;
  if (shunt_uohm == 0) return Error::kBadShunt;
  if (lsb_na == 0) return Error::kInvalidArgument;
  const std::uint64_t product = std::uint64_t{lsb_na} * shunt_uohm;  // in 1e-15 V
  std::uint64_t value = 0;
  if (chip.calibration_divides) {
    value = chip.calibration_scale / product;
  } else {
    constexpr std::uint64_t kProductLimit = 1'000'000'000'000'000;  // beyond it no register could hold the result
    if (product > kProductLimit / 4) return Error::kBadShunt;
    const std::uint64_t scaled = product * (fine_range ? 4 : 1);
    value = (scaled * (chip.calibration_scale / 16) + 312'500'000) / 625'000'000;  // scale / 1e10, rounded
  }
  const std::uint64_t limit = chip.id == ChipId::kIna219 ? 0xFFFE : 0x7FFF;
  if (value == 0 || value > limit) return Error::kBadShunt;
  if (chip.id == ChipId::kIna219) value &= 0xFFFE;  // bit 0 is void and always reads 0
  return static_cast<std::uint16_t>(value);
}

}  // namespace edgejoule
