// INA226, INA230, INA231 and INA260: one channel, 16 bits, block averages, one alert function.
//
// INA260 has its shunt inside (2 mOhm; Rail::shunt_ohm is ignored), shows current at 01h instead of the shunt
// voltage and needs no calibration.
// Source: TI SBOS547B (INA226), SBOS601B (INA230), SBOS644C (INA231), SBOS656D (INA260): sections "Basic ADC
// functions", "Power calculation", "Alert pin" and "Register maps".
#pragma once

#include "emulated_board/analog_input.h"
#include "emulated_board/register_chip.h"
#include "emulated_board/sequencer.h"

namespace edgejoule::emulated_board {

enum class Ina226Model { kIna226, kIna230, kIna231, kIna260 };

class Ina226 final : public RegisterChip {
 public:
  Ina226(Ina226Model model, Rail rail, const Imperfection& imperfection = {});

  [[nodiscard]] std::int64_t next_event_ns() const override { return sequencer_.next_end_ns(); }

 private:
  // What one round gives and what a cycle averages.
  struct Values {
    std::int64_t shunt = 0;
    std::int64_t bus = 0;
    std::int64_t current = 0;
    std::int64_t power = 0;
  };

  RegisterValue read_register(std::uint8_t address) override;
  void write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) override;
  void advance(std::int64_t now_ns) override;
  [[nodiscard]] bool alert_pin_high() const override;

  void reset(std::int64_t now_ns);
  void start(std::int64_t now_ns);
  void finish_round();
  void finish_cycle();
  [[nodiscard]] bool alert_condition() const;
  [[nodiscard]] std::uint64_t mask_enable() const;

  Ina226Model model_;
  AnalogInput input_;
  double clock_error_;
  Sequencer sequencer_;
  std::uint16_t config_ = 0;
  std::uint16_t calibration_ = 0;
  std::uint16_t mask_ = 0;
  std::uint16_t limit_ = 0;
  int rounds_ = 1;
  Values round_;
  Values sum_;
  Values result_;
  bool ready_ = false;
  bool alert_ = false;
  bool overflow_ = false;
};

}  // namespace edgejoule::emulated_board
