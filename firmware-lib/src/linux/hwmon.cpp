// Which hwmon devices measure power, and at what pace.
//
// Source: Documentation/hwmon/sysfs-interface.rst (units), ina2xx.rst, ina238.rst, ina3221.rst.
#include <cstring>

#include "edgejoule/sensors/chips.h"
#include "sysfs_scan.h"

namespace edgejoule {
namespace {

constexpr unsigned kMaxChannel = 16;

// The pace that a driver sets without saying so in update_interval.
struct DriverPace {
  const char* name;
  std::uint32_t cycle_ns;
};
constexpr DriverPace kPaces[] = {
    {"ina3221", 6'600'000},  // power-on: 3 x (1.1 + 1.1 ms)
    {"ina226", 35'200'000},  // configuration 0x4527: 16 x 2 x 1.1 ms
    {"ina230", 35'200'000}, {"ina231", 35'200'000},
    {"ina219", 1'064'000},  // 2 x 532 us
    {"ina220", 1'064'000},  {"ina260", 35'200'000},
    {"ina238", 50'496'000},  // ADC configuration 0xFB6A: 3 x 1052 us x 16
    {"ina237", 50'496'000}, {"ina228", 50'496'000},
};

std::uint32_t cycle_of(const SysfsDevice& device) noexcept {
  std::uint32_t known = 0;
  for (const DriverPace& pace : kPaces) {
    if (std::strcmp(pace.name, device.name) == 0) known = pace.cycle_ns;
  }
  const Result<std::int64_t> interval_ms = read_file_integer(device.folder, "update_interval");
  if (!interval_ms || *interval_ms <= 0 || *interval_ms > 4'000) return known;
  const auto stated = static_cast<std::uint32_t>(*interval_ms * 1'000'000);
  // Rounded to whole milliseconds the power-on setting reads as itself: then the exact figure is better.
  const std::uint32_t difference = stated > known ? stated - known : known - stated;
  return known != 0 && difference < 1'000'000 ? known : stated;
}

bool label_of(const char* folder, const char* kind, unsigned number, Span<char> out) noexcept {
  char file[kLabelSize];
  numbered(Span<char>(file), kind, number, "_label");
  return read_file_line(folder, file, out).ok() && out[0] != '\0';
}

// Channel switched off, or read as such: ENODATA.
bool is_disabled(const char* folder, unsigned number, const SysfsValue& value) noexcept {
  char file[kLabelSize];
  numbered(Span<char>(file), "in", number, "_enable");
  const Result<std::int64_t> enabled = read_file_integer(folder, file);
  if (enabled && *enabled == 0) return true;
  const Result<std::int64_t> first = read_file_integer(folder, value.file);
  return !first && first.error() == Error::kNoData;
}

void set_file(SysfsValue& value, const char* folder, const char* prefix, unsigned number, const char* suffix,
              std::int64_t multiply) noexcept {
  char file[kLabelSize];
  numbered(Span<char>(file), prefix, number, suffix);
  if (!has_file(folder, file)) return;
  copy_text(file, Span<char>(value.file));
  value.multiply = multiply;
}

void describe_shunt(const SysfsDevice& device, unsigned number, RailInfo& info) noexcept {
  char file[kLabelSize];
  numbered(Span<char>(file), "shunt", number, "_resistor");
  Result<std::int64_t> shunt = read_file_integer(device.folder, file);
  if (!shunt) shunt = read_file_integer(device.folder, "shunt_resistor");
  if (shunt && *shunt > 0 && *shunt <= 0xFFFFFFFF) info.shunt_uohm = static_cast<std::uint32_t>(*shunt);
  const Chip* const chip = find_chip(device.name);
  if (chip == nullptr) return;
  if (chip->current_lsb_na != 0) {
    info.current_step_ua = chip->current_lsb_na / 1000;
  } else if (info.shunt_uohm != 0) {
    const std::uint64_t step = chip->shunt_lsb_pv / info.shunt_uohm;
    constexpr std::uint64_t kWholeMilliamperes = 1000;  // what hwmon shows
    info.current_step_ua = static_cast<std::uint32_t>(step > kWholeMilliamperes ? step : kWholeMilliamperes);
    const std::int64_t counts =
        chip->shunt_limit != 0 ? chip->shunt_limit : (std::int64_t{1} << (chip->shunt.bits - 1)) - 1;
    info.full_scale_ua = counts * static_cast<std::int64_t>(chip->shunt_lsb_pv) / info.shunt_uohm;
  }
}

void add_channel(SysfsDevice& device, unsigned number, bool is_ina3221) noexcept {
  const char* const folder = device.folder;
  SysfsRail rail;
  if (!is_ina3221 || number <= 3) {  // beyond three come shunt voltages and the sum of the others
    set_file(rail.bus, folder, "in", number, "_input", kMilli);
    set_file(rail.current, folder, "curr", number, "_input", kMilli);
  }
  set_file(rail.power, folder, "power", number, "_input", 1);
  if (!rail.power.exists()) set_file(rail.power, folder, "power", number, "_average", 1);
  set_file(rail.energy, folder, "energy", number, "_input", 1);
  const bool pair = rail.bus.exists() && rail.current.exists();
  if (!pair && !rail.power.exists() && !rail.energy.exists()) return;
  if (is_ina3221 && !pair) return;

  RailInfo& info = rail.info;
  info.channel = static_cast<std::uint8_t>(number);
  const SysfsValue& first = pair ? rail.current : rail.power.exists() ? rail.power : rail.energy;
  const bool labelled = label_of(folder, "in", number, Span<char>(info.label)) ||
                        label_of(folder, "curr", number, Span<char>(info.label)) ||
                        label_of(folder, "power", number, Span<char>(info.label)) ||
                        label_of(folder, "energy", number, Span<char>(info.label));
  if (is_disabled(folder, number, first)) {
    ++device.disabled_count;
    return;
  }
  if (is_ina3221) rail.slot = device.converted++;
  if (labelled && std::strcmp(info.label, "NC") == 0) {
    ++device.disabled_count;
    return;
  }
  if (!labelled) Path(Span<char>(info.label)).add(device.name).add(" ").add_number(number);
  describe_shunt(device, number, info);
  if (device.rail_count < kMaxRailsPerSource) device.rails[device.rail_count++] = rail;
}

void visit(void* context, const char* name) {
  auto& scan = *static_cast<SysfsScan*>(context);
  SysfsDevice* const next = next_device(scan, SourceKind::kHwmon, name);
  if (next == nullptr) return;
  SysfsDevice& device = *next;
  if (!read_file_line(device.folder, "name", Span<char>(device.name))) return;
  const bool is_ina3221 = std::strcmp(device.name, "ina3221") == 0;
  for (unsigned number = 1; number <= kMaxChannel; ++number) add_channel(device, number, is_ina3221);
  device.cycle_ns = cycle_of(device);
  if (is_ina3221) {
    const Result<std::int64_t> samples = read_file_integer(device.folder, "samples");
    if (samples && *samples > 0 && *samples <= 1024) device.averages = static_cast<std::uint16_t>(*samples);
  }
  locate(device, "device");
  keep(scan, device);
}

}  // namespace

Result<std::size_t> find_hwmon(const char* root, Span<SysfsDevice> out) noexcept {
  return scan_class(root, "/sys/class/hwmon", "hwmon", out, visit);
}

}  // namespace edgejoule
