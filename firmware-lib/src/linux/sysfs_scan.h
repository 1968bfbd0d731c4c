// What the three scans share: counting what is found, and finding the device behind a class entry.
#pragma once

#include "edgejoule/linux/sysfs_source.h"
#include "file_text.h"

namespace edgejoule {

struct SysfsScan {
  const char* folder;  // of the class
  Span<SysfsDevice> out;
  std::size_t found = 0;
  bool full = false;
};

inline constexpr std::int64_t kMilli = 1000;  // milli-units to micro-units

[[nodiscard]] bool has_file(const char* folder, const char* file) noexcept;
Status read_file_line(const char* folder, const char* file, Span<char> out) noexcept;
Result<std::int64_t> read_file_integer(const char* folder, const char* file) noexcept;

// "in3_input" from ("in", 3, "_input").
void numbered(Span<char> out, const char* prefix, unsigned number, const char* suffix) noexcept;

// The next free place, cleared; null where there is none, which the scan remembers. Nothing here is on the stack:
// a device is some kilobytes.
[[nodiscard]] SysfsDevice* next_device(SysfsScan& scan, SourceKind kind, const char* entry) noexcept;

// Fills `device` with the path behind `folder`/`link`, completes every rail, and tells bus and address where the path
// ends like "1-0040".
void locate(SysfsDevice& device, const char* link) noexcept;

// Keeps what next_device() gave, if it has rails or channels that are switched off.
void keep(SysfsScan& scan, const SysfsDevice& device) noexcept;

// Runs visit(&scan, name) over `class_folder` under `root`.
Result<std::size_t> scan_class(const char* root, const char* class_folder, const char* prefix, Span<SysfsDevice> out,
                               void (*visit)(void* context, const char* name)) noexcept;

}  // namespace edgejoule
