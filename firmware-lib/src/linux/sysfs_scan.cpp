#include "sysfs_scan.h"

#include <cstring>

namespace edgejoule {
namespace {

// "1-0040" to bus and address.
bool parse_i2c_name(const char* name, std::int16_t& bus, std::uint8_t& address) noexcept {
  const char* const dash = std::strchr(name, '-');
  if (dash == nullptr || std::strlen(dash + 1) != 4) return false;
  const Result<std::int64_t> number = parse_integer(name, static_cast<std::size_t>(dash - name));
  if (!number || *number < 0 || *number > 0x7FFF) return false;
  unsigned value = 0;
  for (const char* c = dash + 1; *c != '\0'; ++c) {
    const bool digit = *c >= '0' && *c <= '9';
    const bool letter = *c >= 'a' && *c <= 'f';
    if (!digit && !letter) return false;
    value = value * 16 + static_cast<unsigned>(digit ? *c - '0' : *c - 'a' + 10);
  }
  if (value > 0x7F) return false;
  bus = static_cast<std::int16_t>(*number);
  address = static_cast<std::uint8_t>(value);
  return true;
}

}  // namespace

bool has_file(const char* folder, const char* file) noexcept {
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add(folder).add("/").add(file);
  return path.ok() && exists(path.c_str());
}

Status read_file_line(const char* folder, const char* file, Span<char> out) noexcept {
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add(folder).add("/").add(file);
  if (!path.ok()) return Error::kTooLarge;
  return read_line(path.c_str(), out);
}

Result<std::int64_t> read_file_integer(const char* folder, const char* file) noexcept {
  char text[32];
  if (const Status s = read_file_line(folder, file, Span<char>(text)); !s) return s.error();
  return parse_integer(text, std::strlen(text));
}

void numbered(Span<char> out, const char* prefix, unsigned number, const char* suffix) noexcept {
  Path(out).add(prefix).add_number(number).add(suffix);
}

SysfsDevice* next_device(SysfsScan& scan, SourceKind kind, const char* entry) noexcept {
  if (scan.found == scan.out.size()) {
    scan.full = true;
    return nullptr;
  }
  SysfsDevice& device = scan.out[scan.found];
  device = SysfsDevice{};
  device.kind = kind;
  Path folder{Span<char>(device.folder)};
  folder.add(scan.folder).add("/").add(entry);
  return folder.ok() ? &device : nullptr;
}

void locate(SysfsDevice& device, const char* link) noexcept {
  char storage[kPathSize];
  Path path{Span<char>(storage)};
  path.add(device.folder).add("/").add(link);
  if (!path.ok() || !real_path(path.c_str(), Span<char>(device.device))) {
    copy_text(device.folder, Span<char>(device.device));
  }
  const char* const slash = std::strrchr(device.device, '/');
  std::int16_t bus = -1;
  std::uint8_t address = 0;
  const bool on_i2c = slash != nullptr && parse_i2c_name(slash + 1, bus, address);
  for (std::size_t i = 0; i < device.rail_count; ++i) {
    RailInfo& info = device.rails[i].info;
    info.kind = device.kind;
    info.cycle_ns = device.cycle_ns;
    info.averages = device.averages;
    copy_text(device.name, Span<char>(info.chip));
    copy_text(device.device, Span<char>(info.path));
    if (on_i2c) {
      info.i2c_bus = bus;
      info.i2c_address = address;
    }
  }
}

void keep(SysfsScan& scan, const SysfsDevice& device) noexcept {
  if (device.rail_count != 0 || device.disabled_count != 0) ++scan.found;
}

Result<std::size_t> scan_class(const char* root, const char* class_folder, const char* prefix, Span<SysfsDevice> out,
                               void (*visit)(void* context, const char* name)) noexcept {
  char storage[kPathSize];
  Path folder{Span<char>(storage)};
  folder.add(root).add(class_folder);
  if (!folder.ok()) return Error::kTooLarge;
  SysfsScan scan;
  scan.folder = storage;
  scan.out = out;
  if (const Status s = for_each_name(storage, prefix, &scan, visit); !s) return s.error();
  if (scan.full) return Error::kFull;
  return scan.found;
}

}  // namespace edgejoule
