// Which IIO devices measure power: the ina3221x driver of JetPack 4 and the kernel's ina2xx-adc.
//
// Source: Documentation/ABI/testing/sysfs-bus-iio: after its scale a voltage is in mV, a current in mA, a power in mW.
#include <cstring>

#include "sysfs_scan.h"

namespace edgejoule {
namespace {

constexpr unsigned kMaxChannel = 8;

// in_<quantity><number>_input in milli-units, or _raw with a scale.
void set_value(SysfsValue& value, const char* folder, const char* quantity, unsigned number) noexcept {
  char prefix[kLabelSize];
  Path(Span<char>(prefix)).add("in_").add(quantity);
  char file[kLabelSize];
  numbered(Span<char>(file), prefix, number, "_input");
  if (has_file(folder, file)) {
    copy_text(file, Span<char>(value.file));
    value.multiply = kMilli;
    return;
  }
  char scale_file[kLabelSize];
  char scale_text[32];
  numbered(Span<char>(scale_file), prefix, number, "_scale");
  numbered(Span<char>(file), prefix, number, "_raw");
  if (!has_file(folder, file) || !read_file_line(folder, scale_file, Span<char>(scale_text))) return;
  const Result<std::int64_t> scale = parse_billionths(scale_text);
  if (!scale || *scale <= 0) return;
  copy_text(file, Span<char>(value.file));
  value.multiply = *scale;  // billionths of a milli-unit
  value.divide = 1'000'000;
}

// ina3221x: one rail per channel, three of them, voltage, current and power under the same number.
void add_rail(SysfsDevice& device, unsigned number) noexcept {
  SysfsRail rail;
  set_value(rail.bus, device.folder, "voltage", number);
  set_value(rail.current, device.folder, "current", number);
  if (!rail.bus.exists() || !rail.current.exists()) {
    set_value(rail.power, device.folder, "power", number);
    if (!rail.power.exists()) return;
  }
  char file[kLabelSize];
  numbered(Span<char>(file), "rail_name_", number, "");
  if (!read_file_line(device.folder, file, Span<char>(rail.info.label)) || rail.info.label[0] == '\0') {
    Path(Span<char>(rail.info.label)).add(device.name).add(" ").add_number(number + 1);
  }
  rail.info.channel = static_cast<std::uint8_t>(number + 1);
  rail.slot = static_cast<std::uint8_t>(number);
  if (std::strcmp(rail.info.label, "NC") == 0) {
    ++device.disabled_count;
    return;
  }
  if (device.rail_count < kMaxRailsPerSource) device.rails[device.rail_count++] = rail;
}

// ina2xx-adc numbers its channels by quantity: 0 shunt voltage, 1 bus voltage, 2 power, 3 current.
void add_ina2xx(SysfsDevice& device) noexcept {
  SysfsRail rail;
  set_value(rail.bus, device.folder, "voltage", 1);
  set_value(rail.current, device.folder, "current", 3);
  if (!rail.bus.exists() || !rail.current.exists()) return;
  copy_text(device.name, Span<char>(rail.info.label));
  rail.info.channel = 1;
  char shunt_text[32];
  if (read_file_line(device.folder, "in_shunt_resistor", Span<char>(shunt_text))) {
    const Result<std::int64_t> shunt = parse_billionths(shunt_text);  // ohms
    if (shunt && *shunt > 0) rail.info.shunt_uohm = static_cast<std::uint32_t>(*shunt / 1000);
  }
  char rate_text[32];
  if (read_file_line(device.folder, "in_sampling_frequency", Span<char>(rate_text))) {
    const Result<std::int64_t> rate = parse_integer(rate_text, std::strlen(rate_text));
    if (rate && *rate > 0) device.cycle_ns = static_cast<std::uint32_t>(1'000'000'000 / *rate);
  }
  device.rails[device.rail_count++] = rail;
}

void visit(void* context, const char* name) {
  auto& scan = *static_cast<SysfsScan*>(context);
  SysfsDevice* const next = next_device(scan, SourceKind::kIio, name);
  if (next == nullptr) return;
  SysfsDevice& device = *next;
  if (!read_file_line(device.folder, "name", Span<char>(device.name))) return;
  if (has_file(device.folder, "in_shunt_resistor")) {
    add_ina2xx(device);
  } else {
    for (unsigned number = 0; number < kMaxChannel; ++number) add_rail(device, number);
    if (std::strncmp(device.name, "ina3221", 7) == 0) {
      device.cycle_ns = 6'600'000;  // power-on: 3 x (1.1 + 1.1 ms)
      device.converted = 3;
    }
  }
  locate(device, "..");  // an IIO device is a folder inside that of the I2C device
  keep(scan, device);
}

}  // namespace

Result<std::size_t> find_iio(const char* root, Span<SysfsDevice> out) noexcept {
  return scan_class(root, "/sys/bus/iio/devices", "iio", out, visit);
}

}  // namespace edgejoule
