// Energy counters under /sys/class/powercap (RAPL and what imitates it): one device per zone.
//
// Source: Documentation/power/powercap/powercap.rst. Readable by root only since Linux 5.10.
#include "sysfs_scan.h"

namespace edgejoule {
namespace {

// RAPL counters move about every millisecond: over ten of them a step is a tenth of the window at most.
constexpr std::uint32_t kPollNs = 10'000'000;

void visit(void* context, const char* name) {
  auto& scan = *static_cast<SysfsScan*>(context);
  SysfsDevice* const next = next_device(scan, SourceKind::kPowercap, name);
  if (next == nullptr) return;
  SysfsDevice& device = *next;
  device.cycle_ns = kPollNs;
  if (!has_file(device.folder, "energy_uj")) return;
  copy_text(name, Span<char>(device.name));
  SysfsRail& rail = device.rails[0];
  copy_text("energy_uj", Span<char>(rail.energy.file));
  char zone[kLabelSize] = {};
  if (!read_file_line(device.folder, "name", Span<char>(zone))) copy_text(name, Span<char>(zone));
  // "package-0" and "core" say little without their place: a machine has several "core".
  Path(Span<char>(rail.info.label)).add(zone).add(" (").add(name).add(")");
  const Result<std::int64_t> range = read_file_integer(device.folder, "max_energy_range_uj");
  if (range && *range > 0) rail.energy_range_uj = static_cast<std::uint64_t>(*range);
  device.rail_count = 1;
  locate(device, ".");
  keep(scan, device);
}

}  // namespace

Result<std::size_t> find_powercap(const char* root, Span<SysfsDevice> out) noexcept {
  return scan_class(root, "/sys/class/powercap", "", out, visit);
}

}  // namespace edgejoule
