// INA219: one channel, 12 bits, no identity register, conversion-ready in the bus voltage register.
//
// Source: TI SBOS448G, sections 8.3 (calibration, conversion ready), 8.6 (registers).
#pragma once

#include "emulated_board/analog_input.h"
#include "emulated_board/register_chip.h"
#include "emulated_board/sequencer.h"

namespace edgejoule::emulated_board {

class Ina219 final : public RegisterChip {
 public:
  explicit Ina219(Rail rail, const Imperfection& imperfection = {});

  // The chip has no ALERT pin.
  [[nodiscard]] std::int64_t next_event_ns() const override { return Sequencer::kNever; }

 private:
  RegisterValue read_register(std::uint8_t address) override;
  void write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) override;
  void advance(std::int64_t now_ns) override;
  [[nodiscard]] bool alert_pin_high() const override { return true; }

  void reset(std::int64_t now_ns);
  void start(std::int64_t now_ns);
  void convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns);
  void compute();

  AnalogInput input_;
  double clock_error_;
  Sequencer sequencer_;
  std::uint16_t config_ = 0;
  std::uint16_t calibration_ = 0;
  std::int64_t pending_shunt_ = 0;
  std::int64_t pending_bus_ = 0;
  std::int64_t shunt_ = 0;
  std::int64_t bus_ = 0;
  std::int64_t current_ = 0;
  std::int64_t power_ = 0;
  bool ready_ = false;
  bool overflow_ = false;
};

}  // namespace edgejoule::emulated_board
