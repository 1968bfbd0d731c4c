// A RailSource over text files of the kernel: hwmon, IIO and powercap are the same
// thing here, with other names and scales.
//
// Files stay open; a value is one pread; no call allocates after open(). A conversion
// is recognised by a change of any value, or, where the values stay the same, by the
// time it takes: such samples carry SampleFlag::kUnchanged. Where channels share the
// cycle (INA3221), registers move one after the other all through it: the current of
// one rail, one that moves, tells cycles apart and says where in the cycle we are.
// Drivers that make every read wait for the next conversion (L4T 5.10) are recognised
// by the waiting.
// Errors: kNoData (channel switched off), kParse, kGone, those of the bus below.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edgejoule/linux/rail.h"

namespace edgejoule {

// micro-units = raw * multiply / divide
struct SysfsValue {
  char file[kLabelSize] = {};  // in the device's folder; empty: the device has none
  std::int64_t multiply = 1;
  std::int64_t divide = 1;

  [[nodiscard]] bool exists() const noexcept { return file[0] != '\0'; }
};

// Bus and current, or power, or energy: the first that exists is used, in this order.
struct SysfsRail {
  RailInfo info;
  SysfsValue bus;
  SysfsValue current;
  SysfsValue power;
  SysfsValue energy;
  std::uint64_t energy_range_uj = 0;  // where the counter wraps; 0: it does not
  std::uint8_t slot = 0;              // place in the order in which the chip converts its channels
};

inline constexpr std::uint32_t kDefaultPollNs = 20'000'000;

struct SysfsDevice {
  char folder[kPathSize] = {};  // where the files are now
  char device[kPathSize] = {};  // where the device is: does not change over boots
  char name[kLabelSize] = {};
  SourceKind kind = SourceKind::kHwmon;
  std::uint32_t cycle_ns = 0;  // 0: nobody knows, then it is asked every kDefaultPollNs
  std::uint16_t averages = 1;  // INA3221's `samples`
  std::uint8_t converted = 0;  // channels that share the cycle one after the other; 0: not such a chip
  std::size_t rail_count = 0;
  std::size_t disabled_count = 0;  // channels that are switched off or not connected
  SysfsRail rails[kMaxRailsPerSource];
};

// What exists, in the order of its names. `root` stands before /sys and is "" on a real
// system. Errors: kFull where there are more than `out` holds; kNotFound where the kernel
// has no such class.
Result<std::size_t> find_hwmon(const char* root, Span<SysfsDevice> out) noexcept;
Result<std::size_t> find_iio(const char* root, Span<SysfsDevice> out) noexcept;
Result<std::size_t> find_powercap(const char* root, Span<SysfsDevice> out) noexcept;

class SysfsSource {
 public:
  SysfsSource() noexcept = default;
  ~SysfsSource();
  SysfsSource(const SysfsSource&) = delete;
  SysfsSource& operator=(const SysfsSource&) = delete;

  // Opens what can be opened; kPermission names nothing: probe tells which file.
  Status open(const SysfsDevice& device, std::int64_t now_ns) noexcept;
  void close() noexcept;
  [[nodiscard]] RailSource source() noexcept;
  [[nodiscard]] const SysfsDevice& device() const noexcept { return device_; }
  // Every read waits for the next conversion.
  [[nodiscard]] bool reads_wait() const noexcept { return waiting_reads_ >= 4; }

 private:
  struct Reading {
    std::int64_t bus_uv = 0;
    std::int64_t current_ua = 0;
    std::int64_t power_uw = 0;
    std::uint64_t energy_uj = 0;
  };
  struct Files {
    int bus = -1;
    int current = -1;
    int power = -1;
    int energy = -1;
  };

  static Result<std::size_t> poll(void* self, std::int64_t now_ns, Span<PowerSample> out) noexcept;
  static Status reopen(void* self, std::int64_t now_ns) noexcept;
  Status open_files() noexcept;
  Status find_again() noexcept;
  Status read_all(Span<Reading> out) noexcept;
  // Files that one poll reads.
  [[nodiscard]] std::size_t open_files_count() const noexcept;
  void fill(std::size_t rail, const Conversion& when, const Reading& reading, PowerSample& out) noexcept;
  [[nodiscard]] bool converts_in_turn() const noexcept { return device_.converted > 1 && !reads_wait(); }
  void choose_pace(std::int64_t now_ns, const Reading* readings) noexcept;

  SysfsDevice device_;
  Files files_[kMaxRailsPerSource];
  Reading last_[kMaxRailsPerSource];
  RailInfo infos_[kMaxRailsPerSource];
  ConversionClock clock_;
  [[nodiscard]] bool counts_energy() const noexcept;
  Result<std::size_t> poll_counters(std::int64_t now_ns, Span<PowerSample> out) noexcept;

  std::int64_t last_energy_ns_ = 0;  // of counters
  std::int64_t next_energy_ns_ = 0;
  std::uint32_t energy_sequence_ = 0;
  std::uint64_t conversions_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint32_t waiting_reads_ = 0;
  std::size_t pace_ = 0;          // the rail that is looked at, where they are converted in turn
  std::uint32_t pace_still_ = 0;  // conversions in a row in which it stayed the same and others moved
  bool have_last_ = false;
};

}  // namespace edgejoule
