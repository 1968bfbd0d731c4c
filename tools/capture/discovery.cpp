#include "capture/discovery.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/i2c_dev.h"
#include "edgejoule/linux/ina_source.h"
#include "edgejoule/linux/monotonic.h"

namespace edgejoule::capture {
namespace {

constexpr std::size_t kMaxDevices = 16;

void problem(Discovery& found, std::string text, std::string command = {}) {
  found.findings.push_back({Severity::kProblem, std::move(text), std::move(command)});
}
void note(Discovery& found, std::string text, std::string command = {}) {
  found.findings.push_back({Severity::kNote, std::move(text), std::move(command)});
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "# R36 (release), REVISION: 4.3, ..." becomes "L4T R36.4.3".
std::string os_release(const std::string& root) {
  const std::string tegra = first_line(root + "/etc/nv_tegra_release");
  const auto major = tegra.find("# R");
  const auto revision = tegra.find("REVISION: ");
  if (major != std::string::npos && revision != std::string::npos) {
    const std::string number = tegra.substr(major + 2, tegra.find(' ', major + 2) - major - 2);
    const std::string minor = tegra.substr(revision + 10, tegra.find(',', revision) - revision - 10);
    return "L4T " + number + "." + minor;
  }
  std::ifstream file(root + "/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("PRETTY_NAME=", 0) != 0) continue;
    std::string name = line.substr(12);
    name.erase(std::remove(name.begin(), name.end(), '"'), name.end());
    return name;
  }
  return {};
}

// Who may read a file, as a person says it.
std::string readers(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "nobody";
  if ((info.st_mode & S_IROTH) != 0) return "everyone";
  if ((info.st_mode & S_IRGRP) != 0 && info.st_gid != 0) {
    const group* const owner = ::getgrgid(info.st_gid);
    return fmt::format("group {}", owner != nullptr ? owner->gr_name : std::to_string(info.st_gid));
  }
  return info.st_uid == 0 ? "root" : "its owner";
}

const wire::BoardMonitorT* monitor_of(const Board* board, int bus, int address) {
  if (board == nullptr) return nullptr;
  for (const auto& monitor : board->monitors) {
    if (monitor->i2c_address == address && (monitor->i2c_bus < 0 || bus < 0 || monitor->i2c_bus == bus)) {
      return monitor.get();
    }
  }
  // The number of a bus may differ between releases of a kernel; an address that only one monitor has does not.
  const wire::BoardMonitorT* only = nullptr;
  for (const auto& monitor : board->monitors) {
    if (monitor->i2c_address != address) continue;
    if (only != nullptr) return nullptr;
    only = monitor.get();
  }
  return only;
}

const wire::BoardChannelT* channel_of(const Board* board, const RailInfo& info) {
  const wire::BoardMonitorT* const monitor = monitor_of(board, info.i2c_bus, info.i2c_address);
  if (monitor == nullptr) return nullptr;
  for (const auto& channel : monitor->channels) {
    if (channel->channel == info.channel) return channel.get();
  }
  return nullptr;
}

std::string place_of(const RailInfo& info) {
  if (info.i2c_address != 0) return fmt::format("{}-{:04x}.{}", info.i2c_bus, info.i2c_address, info.channel);
  return std::filesystem::path(info.path).filename().string();
}

// What the board file knows and the kernel does not say.
void complete(Discovery& found, FoundRail& rail) {
  RailInfo& info = rail.info;
  rail.label = info.label;
  const wire::BoardChannelT* const channel = channel_of(found.board.get(), info);
  if (channel == nullptr) return;
  const std::string made_up = fmt::format("{} {}", info.chip, info.channel);
  if (rail.label == made_up && !channel->label.empty()) rail.label = channel->label;
  if (rail.bus_uv == 0) rail.bus_uv = std::int64_t{channel->nominal_mv} * 1000;
  if (channel->shunt_uohm == 0) return;
  if (info.shunt_uohm == 0) {
    info.shunt_uohm = channel->shunt_uohm;
    if (const Chip* const chip = find_chip(info.chip); chip != nullptr && info.current_step_ua == 0) {
      info.current_step_ua = static_cast<std::uint32_t>(chip->shunt_lsb_pv / info.shunt_uohm);
    }
  } else if (info.kind != SourceKind::kI2c) {
    const double ratio = static_cast<double>(info.shunt_uohm) / channel->shunt_uohm;
    if (ratio < 0.99 || ratio > 1.01) {
      problem(
          found,
          fmt::format("{}: the kernel works with a shunt of {} micro-ohm, the board '{}' has {}: what it says of this "
                      "rail is {:.3g} times the truth",
                      rail.label, info.shunt_uohm, found.board->name, channel->shunt_uohm, 1.0 / ratio));
    }
  }
}

void check_shunt(Discovery& found, const FoundRail& rail) {
  const std::uint32_t shunt = rail.info.shunt_uohm;
  if (shunt == 0 && find_chip(rail.info.chip) != nullptr && find_chip(rail.info.chip)->shunt.exists()) {
    note(found, fmt::format("{}: its shunt is not known, so neither are its range and its quantum", rail.label));
  } else if (shunt != 0 && (shunt < kMinShuntUohm || shunt > kMaxShuntUohm)) {
    problem(found,
            fmt::format("{}: a shunt of {} micro-ohm cannot be right; its readings are meaningless until the device "
                        "tree or shunt*_resistor is corrected",
                        rail.label, shunt));
  }
}

// The power of now, from one poll; what a driver says without being read twice.
void read_once(Discovery& found, FoundSource& source, std::size_t first_rail) {
  SysfsSource reader;
  const SysfsDevice& device = *source.device;
  const std::string first_file = std::string(device.folder) + "/" +
                                 (device.rails[0].current.exists() ? device.rails[0].current.file
                                  : device.rails[0].power.exists() ? device.rails[0].power.file
                                                                   : device.rails[0].energy.file);
  const Status opened = reader.open(device, monotonic_ns());
  PowerSample samples[kMaxRailsPerSource];
  Result<std::size_t> count = std::size_t{0};
  if (opened) {
    const RailSource rails = reader.source();
    count = rails.ops->poll(rails.self, monotonic_ns(), Span<PowerSample>(samples));
  }
  const Status status = !opened ? opened : count ? Status() : Status(count.error());
  source.readable = status.ok();
  if (!status) {
    const bool permission = status.error() == Error::kPermission;
    problem(found, fmt::format("{} ({}): {}", found.rails[first_rail].label, device.folder, error_text(status.error())),
            permission ? fmt::format("sudo chmod a+r {}", first_file) : std::string());
    return;
  }
  for (std::size_t i = 0; i < *count; ++i) {
    FoundRail& rail = found.rails[first_rail + i];
    rail.power_uw = samples[i].power_uw;
    if (!samples[i].has(SampleFlag::kBusVoltageAbsent)) rail.bus_uv = samples[i].bus_uv;
  }
}

void add_device(Discovery& found, const SysfsDevice& device) {
  if (device.rail_count == 0) {
    note(found, fmt::format("{} at {}: all {} channels are switched off or not connected", device.name, device.device,
                            device.disabled_count));
    return;
  }
  FoundSource source;
  source.kind = device.kind;
  source.device = device;
  const std::size_t first = found.rails.size();
  for (std::size_t i = 0; i < device.rail_count; ++i) {
    FoundRail rail;
    rail.info = device.rails[i].info;
    rail.source = found.sources.size();
    const SysfsValue& value = device.rails[i].current.exists() ? device.rails[i].current
                              : device.rails[i].power.exists() ? device.rails[i].power
                                                               : device.rails[i].energy;
    rail.readable_by = readers(std::string(device.folder) + "/" + value.file);
    complete(found, rail);
    found.rails.push_back(rail);
  }
  read_once(found, source, first);
  for (std::size_t i = first; i < found.rails.size(); ++i) check_shunt(found, found.rails[i]);
  found.sources.push_back(source);
}

bool kernel_has(const Discovery& found, int bus, int address) {
  return std::any_of(found.rails.begin(), found.rails.end(), [&](const FoundRail& rail) {
    return rail.info.kind != SourceKind::kI2c && rail.info.i2c_bus == bus && rail.info.i2c_address == address;
  });
}

void say_why_bus_failed(Discovery& found, const RawChip& raw, Error error) {
  const std::string device = fmt::format("/dev/i2c-{}", raw.i2c_bus);
  const std::string what = fmt::format("{} (chip at 0x{:02x})", device, raw.address);
  switch (error) {
    case Error::kNotFound: {
      const bool adapter =
          std::filesystem::exists(fmt::format("{}/sys/bus/i2c/devices/i2c-{}", found.options.root, raw.i2c_bus));
      problem(found,
              adapter ? fmt::format("{}: the bus exists but i2c-dev is not loaded", what)
                      : fmt::format("{}: there is no such bus; i2cdetect -l lists those there are", what),
              adapter ? "sudo modprobe i2c-dev" : "");
      return;
    }
    case Error::kPermission:
      problem(found, fmt::format("{}: permission denied", what),
              "sudo usermod -aG i2c $USER   # then log in again; or run as root");
      return;
    case Error::kUnsupported:
      problem(found, fmt::format("{}: the adapter does not do plain I2C transfers (SMBus only)", what));
      return;
    case Error::kWrongDevice:
      problem(found,
              raw.chip_named
                  ? fmt::format("{}: another chip than the {} that was named answers there", what, chip(raw.chip).name)
                  : fmt::format("{}: something answers, but it has no identity registers; name the chip "
                                "(--i2c {}:0x{:02x}:ina219:100m)",
                                what, raw.i2c_bus, raw.address));
      return;
    case Error::kBadShunt:
      problem(found, fmt::format("{}: a shunt is needed, and a sane one; add it (--i2c {}:0x{:02x}:{}:10m)", what,
                                 raw.i2c_bus, raw.address, chip(raw.chip).name));
      return;
    default: problem(found, fmt::format("{}: {}", what, error_text(error)));
  }
}

void add_raw(Discovery& found, RawChip raw) {
  char driver[64] = {};
  if (bound_driver(found.options.root.c_str(), raw.i2c_bus, raw.address, Span<char>(driver))) {
    const bool served = kernel_has(found, raw.i2c_bus, raw.address);
    problem(
        found,
        fmt::format("the chip at {}-{:04x} belongs to the kernel driver {}: reading its flags or writing its settings "
                    "behind the driver's back would corrupt both. {}",
                    raw.i2c_bus, raw.address, driver,
                    served ? "Its rails are read through the driver instead." : "Unbind it to read it directly."),
        served ? std::string()
               : fmt::format("echo {}-{:04x} | sudo tee /sys/bus/i2c/drivers/{}/unbind", raw.i2c_bus, raw.address,
                             driver));
    return;
  }
  I2cDev bus;
  Status status = bus.open(found.options.root.c_str(), raw.i2c_bus);
  if (status && !raw.chip_named) {
    const Result<ChipId> id = InaReader::detect(bus.bus(), raw.address);
    if (id) {
      raw.chip = *id;
      raw.chip_named = true;
      raw.settings.channel_mask = static_cast<std::uint8_t>((1U << chip(*id).channels) - 1U);
    } else {
      status = id.error();
    }
  }
  InaSource reader;
  InaSourceConfig config;
  config.i2c_bus = raw.i2c_bus;
  config.address = raw.address;
  config.chip = raw.chip;
  config.settings = raw.settings;
  for (std::size_t i = 0; i < kMaxChannels; ++i)
    config.labels[i] = raw.labels[i].empty() ? nullptr : raw.labels[i].c_str();
  if (status) status = reader.open(bus.bus(), config, monotonic_ns());
  if (!status) {
    say_why_bus_failed(found, raw, status.error());
    return;
  }
  FoundSource source;
  source.kind = SourceKind::kI2c;
  source.raw = raw;
  source.readable = true;
  const RailSource rails = reader.source();
  for (const RailInfo& info : rails.rails) {
    FoundRail rail;
    rail.info = info;
    rail.source = found.sources.size();
    rail.readable_by = readers(found.options.root + info.path);
    complete(found, rail);
    found.rails.push_back(rail);
  }
  found.sources.push_back(source);
}

// What a person who names a chip need not know where the board does: shunts and names of the channels.
void take_from_board(const wire::BoardMonitorT& monitor, RawChip& raw) {
  for (const auto& channel : monitor.channels) {
    if (!channel->connected) continue;
    const int at = channel->channel - 1;
    if (raw.settings.shunt_uohm[at] == 0) raw.settings.shunt_uohm[at] = channel->shunt_uohm;
    if (raw.labels[at].empty()) raw.labels[at] = channel->label;
  }
}

void add_named_chip(Discovery& found, RawChip raw) {
  const wire::BoardMonitorT* const monitor = monitor_of(found.board.get(), raw.i2c_bus, raw.address);
  if (monitor != nullptr && (!raw.chip_named || find_chip(monitor->chip)->id == raw.chip)) {
    take_from_board(*monitor, raw);
  }
  add_raw(found, raw);
}

// Monitors of the board file that no driver serves: external chips on a Raspberry Pi, or a missing driver.
void add_monitors_of_board(Discovery& found) {
  if (found.board == nullptr) return;
  const bool chosen = !found.options.board.empty();
  for (const auto& monitor : found.board->monitors) {
    const bool served = std::any_of(found.rails.begin(), found.rails.end(), [&](const FoundRail& rail) {
      return monitor_of(found.board.get(), rail.info.i2c_bus, rail.info.i2c_address) == monitor.get();
    });
    if (served) continue;
    if (chosen && monitor->i2c_bus >= 0) {
      RawChip raw;
      raw.i2c_bus = monitor->i2c_bus;
      raw.address = monitor->i2c_address;
      raw.chip = find_chip(monitor->chip)->id;
      raw.chip_named = true;
      raw.settings.channel_mask = 0;
      for (const auto& channel : monitor->channels) {
        if (!channel->connected) continue;
        const int at = channel->channel - 1;
        raw.settings.channel_mask = static_cast<std::uint8_t>(raw.settings.channel_mask | 1U << at);
      }
      take_from_board(*monitor, raw);
      add_raw(found, raw);
    } else {
      problem(found,
              fmt::format("{} should have an {} at 0x{:02x}, and no driver serves it: its rails are missing here",
                          found.board->name, monitor->chip, monitor->i2c_address),
              fmt::format("sudo modprobe {}", monitor->chip == "ina3221"                               ? "ina3221"
                                              : monitor->chip == "ina238" || monitor->chip == "ina237" ? "ina238"
                                                                                                       : "ina2xx"));
    }
  }
}

// Two rails of one name: both get their place behind it, so that no figure is taken for the other.
void make_labels_unique(Discovery& found) {
  std::map<std::string, int> uses;
  for (const FoundRail& rail : found.rails) ++uses[rail.label];
  for (FoundRail& rail : found.rails) {
    if (uses[rail.label] < 2) continue;
    const std::string unique = rail.label + "@" + place_of(rail.info);
    problem(found,
            fmt::format("{} rails are called '{}': this one is shown as '{}'", uses[rail.label], rail.label, unique));
    rail.label = unique;
  }
}

void mark_total(Discovery& found) {
  std::vector<std::string> labels = found.options.total;
  const bool by_user = !labels.empty();
  if (by_user) {
    found.total_description = "as named with --total";
  } else if (found.board != nullptr) {
    labels = found.board->total;
    found.total_description = found.board->total_description;
  }
  if (labels.empty()) {
    if (found.rails.empty()) return;
    note(found, found.board == nullptr
                    ? "the board is not known, so no rail is taken for its total; name the rails with --total, or the "
                      "board with --board"
                    : fmt::format("no sum of the rails of {} is its total; name the ones you mean with --total",
                                  found.board->name));
    return;
  }
  std::string missing;
  for (const std::string& label : labels) {
    const auto rail =
        std::find_if(found.rails.begin(), found.rails.end(), [&](const FoundRail& r) { return r.label == label; });
    if (rail == found.rails.end()) {
      missing += (missing.empty() ? "" : ", ") + label;
    } else {
      rail->in_total = true;
    }
  }
  if (!missing.empty()) {
    problem(found, fmt::format("no total: it needs {}, which {} not here", missing,
                               missing.find(',') == std::string::npos ? "is" : "are"));
    for (FoundRail& rail : found.rails) rail.in_total = false;
    return;
  }
  found.has_total = true;
}

void add_platform_notes(Discovery& found) {
  const bool tegra = found.compatible.rfind("nvidia,", 0) == 0;
  if (tegra && found.kernel.rfind("5.10", 0) == 0) {
    note(found,
         "this kernel (L4T 5.10) makes every reading wait for the next conversion: voltage and current of one sample "
         "can belong to neighbouring conversions");
  }
  if (found.os_release == "L4T R36.4.4") {
    note(found,
         "L4T R36.4.4 disconnects a GPIO pad when its line is released: markers are held until the program ends; "
         "JetPack 6.2.2 mends it");
  }
  if (std::strcmp(gpiod_version(), "none") == 0) {
    note(found, "built without libgpiod: no GPIO markers, no ALERT lines",
         "sudo apt install libgpiod-dev   # then build again");
  }
  if (found.board != nullptr) {
    for (const std::string& text : found.board->notes) note(found, text);
  }
}

}  // namespace

std::int64_t FoundRail::quantum_uw() const {
  if (info.power_step_uw != 0) return info.power_step_uw;
  return static_cast<std::int64_t>(info.current_step_ua) * bus_uv / 1'000'000;
}

Discovery discover(const DiscoveryOptions& options) {
  Discovery found;
  found.options = options;
  const std::vector<std::string> compatible = device_tree_compatible(options.root);
  if (!compatible.empty()) found.compatible = compatible.front();
  found.board = options.board.empty() ? board_for(compatible) : std::make_unique<Board>(load_board(options.board));
  utsname name{};
  if (::uname(&name) == 0) found.kernel = name.release;
  found.os_release = os_release(options.root);

  std::vector<SysfsDevice> devices(kMaxDevices);
  for (const auto find : {find_hwmon, find_iio, find_powercap}) {
    const Result<std::size_t> count = find(options.root.c_str(), Span<SysfsDevice>(devices.data(), devices.size()));
    if (!count) {
      if (count.error() == Error::kFull) {
        problem(found, fmt::format("more than {} devices of one class: the rest is not looked at", kMaxDevices));
      }
      continue;  // a kernel without the class has none of its devices
    }
    for (std::size_t i = 0; i < *count; ++i) add_device(found, devices[i]);
  }
  for (const RawChip& raw : options.raw_chips) add_named_chip(found, raw);
  add_monitors_of_board(found);
  make_labels_unique(found);
  mark_total(found);
  add_platform_notes(found);
  if (found.rails.empty()) {
    problem(found,
            "no power sensor found: nothing under /sys/class/hwmon, /sys/bus/iio or /sys/class/powercap measures "
            "power. For a chip on an I2C bus without a driver, name it: --i2c 1:0x40:ina226:10m");
  }
  return found;
}

}  // namespace edgejoule::capture
