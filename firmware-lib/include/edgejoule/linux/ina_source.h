// A RailSource that reads an INA chip by its registers, at the chip's own pace.
//
// Errors: those of InaReader. Lifetime: the bus must outlive the source.
#pragma once

#include <cstdint>

#include "edgejoule/linux/gpio.h"
#include "edgejoule/linux/rail.h"
#include "edgejoule/sensors/ina_reader.h"

namespace edgejoule {

struct InaSourceConfig {
  int i2c_bus = -1;  // for the record only
  std::uint8_t address = 0x40;
  ChipId chip = ChipId::kIna226;
  InaSettings settings;
  bool configure = false;                 // false: leave the chip as it is
  const char* labels[kMaxChannels] = {};  // null: the chip's name and channel
  // Conversion-ready on a GPIO line; null: ask the ready flag. Lifetime: the source's.
  GpioInput* alert = nullptr;
};

class InaSource {
 public:
  Status open(const RegisterBus& bus, const InaSourceConfig& config, std::int64_t now_ns) noexcept;
  [[nodiscard]] RailSource source() noexcept;
  [[nodiscard]] const InaReader& reader() const noexcept { return reader_; }

 private:
  static Result<std::size_t> poll(void* self, std::int64_t now_ns, Span<PowerSample> out) noexcept;
  static Status reopen(void* self, std::int64_t now_ns) noexcept;
  Result<std::size_t> read(const Conversion& when, Span<PowerSample> out) noexcept;

  InaReader reader_;
  RegisterBus bus_;
  InaSourceConfig config_;
  ConversionClock clock_;
  RailInfo rails_[kMaxChannels];
  std::int64_t last_power_uw_[kMaxChannels] = {};
  std::uint64_t conversions_ = 0;
  std::uint64_t repeats_ = 0;
};

}  // namespace edgejoule
