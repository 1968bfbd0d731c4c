// Finds every power rail of this machine, what is known about it and what is wrong with it.
//
// Nothing is written to any chip or kernel file here; a raw chip is asked for its identity only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/boards.h"
#include "capture/findings.h"
#include "capture/raw_chip.h"
#include "edgejoule/linux/sysfs_source.h"

namespace edgejoule::capture {

struct DiscoveryOptions {
  std::string root;   // stands before /sys, /proc, /etc and /dev; empty on a real system
  std::string board;  // file or built-in name; empty: by the device tree
  std::vector<RawChip> raw_chips;
  std::vector<std::string> total;  // labels; empty: as the board says
};

struct FoundRail {
  RailInfo info;
  std::size_t source = 0;
  std::string label;                     // unique
  std::string readable_by;               // "everyone", "root", "group i2c"
  std::int64_t bus_uv = 0;               // measured once, else nominal, else 0
  std::optional<std::int64_t> power_uw;  // at that moment
  bool in_total = false;

  // Smallest step of power; 0 where nobody knows it.
  [[nodiscard]] std::int64_t quantum_uw() const;
};

// Either a device of the kernel's or a raw chip.
struct FoundSource {
  SourceKind kind = SourceKind::kHwmon;
  std::optional<SysfsDevice> device;
  std::optional<RawChip> raw;
  bool readable = false;
};

struct Discovery {
  DiscoveryOptions options;
  std::unique_ptr<Board> board;
  std::string compatible;  // the device tree's first
  std::string kernel;      // uname -r
  std::string os_release;  // "L4T R36.4.3", or the distribution
  std::vector<FoundSource> sources;
  std::vector<FoundRail> rails;
  Findings findings;
  bool has_total = false;
  std::string total_description;
};

// Errors: BoardError and FileError of a board the user named.
[[nodiscard]] Discovery discover(const DiscoveryOptions& options);

}  // namespace edgejoule::capture
