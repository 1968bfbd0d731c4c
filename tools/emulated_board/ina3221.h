// INA3221: three channels, 13 bits, a running filter instead of block averages, two alert levels and their sum.
//
// The filter keeps fractions of a count; the register shows the whole ones. It starts from the value the register
// had: after a reset it climbs from zero.
// Source: TI SBOS576B, sections 8.3 (alerts, power valid), 8.4.1 (averaging), 8.6 (registers).
#pragma once

#include <array>
#include <vector>

#include "emulated_board/analog_input.h"
#include "emulated_board/register_chip.h"
#include "emulated_board/sequencer.h"

namespace edgejoule::emulated_board {

class Ina3221 final : public RegisterChip {
 public:
  static constexpr int kChannels = 3;

  explicit Ina3221(std::array<Rail, kChannels> rails, const Imperfection& imperfection = {});

  [[nodiscard]] std::int64_t next_event_ns() const override { return sequencer_.next_end_ns(); }

  // The second open-drain pin that follows the measurements.
  [[nodiscard]] bool warning_pin_high() const { return (flags_ & 0x0038U) == 0; }

 private:
  RegisterValue read_register(std::uint8_t address) override;
  void write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) override;
  void advance(std::int64_t now_ns) override;
  [[nodiscard]] bool alert_pin_high() const override { return (flags_ & 0x03C0U) == 0; }

  void reset(std::int64_t now_ns);
  void start(std::int64_t now_ns);
  void convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns);
  void finish_cycle();
  void set_flag(std::uint16_t flag, bool condition, bool latched);
  [[nodiscard]] bool channel_enabled(std::size_t channel) const { return (config_ >> (14 - channel) & 1U) != 0; }
  [[nodiscard]] std::int64_t shunt_counts(std::size_t channel) const;
  [[nodiscard]] std::int64_t bus_counts(std::size_t channel) const;
  [[nodiscard]] std::int64_t sum_counts() const;

  std::vector<AnalogInput> inputs_;
  double clock_error_;
  Sequencer sequencer_;
  std::uint16_t config_ = 0;
  std::uint16_t mask_ = 0;
  std::uint16_t flags_ = 0;
  bool power_valid_ = false;
  std::array<double, kChannels> shunt_{};  // in counts, with the filter's fractions
  std::array<double, kChannels> bus_{};
  std::array<std::uint16_t, kChannels> critical_{};
  std::array<std::uint16_t, kChannels> warning_{};
  std::uint16_t sum_limit_ = 0;
  std::uint16_t valid_upper_ = 0;
  std::uint16_t valid_lower_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace edgejoule::emulated_board
