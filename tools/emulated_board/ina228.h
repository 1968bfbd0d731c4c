// INA228 (20 bits, energy and charge) and INA237, INA238 (16 bits): one channel, block averages, die temperature.
//
// Energy and charge take every round, not the averages, and their product with the chip's own idea of time: an
// oscillator that is off (Imperfection::clock_error) makes them wrong by as much, as in the real chip.
// Without ALATCH the conversion-ready flag and its ALERT are a pulse that ends by itself. The datasheets do not say
// how long it is; 50 us here, so that nobody comes to rely on catching it.
// Source: TI SLYS021A (INA228), SBOSA20A (INA237), SBOSA24A (INA238): sections "Power calculation", "ALERT pin",
// "Register maps", "Current, power, energy and charge calculations".
#pragma once

#include "emulated_board/analog_input.h"
#include "emulated_board/register_chip.h"
#include "emulated_board/sequencer.h"

namespace edgejoule::emulated_board {

enum class Ina228Model { kIna228, kIna237, kIna238 };

class Ina228 final : public RegisterChip {
 public:
  Ina228(Ina228Model model, Rail rail, const Imperfection& imperfection = {});

  [[nodiscard]] std::int64_t next_event_ns() const override;

  // Puts the accumulators near their ends, so that a test need not wait hours for an overflow.
  void preset_accumulators(std::uint64_t energy_counts, std::int64_t charge_counts);

 private:
  struct Values {
    double shunt = 0.0;
    double bus = 0.0;
    double temperature = 0.0;
  };

  RegisterValue read_register(std::uint8_t address) override;
  void write_register(std::uint8_t address, std::uint16_t value, std::int64_t now_ns) override;
  void advance(std::int64_t now_ns) override;
  [[nodiscard]] bool alert_pin_high() const override;

  void reset(std::int64_t now_ns);
  void start(std::int64_t now_ns);
  void convert(const Conversion& conversion, std::int64_t begin_ns, std::int64_t end_ns);
  void finish_round();
  void finish_cycle(std::int64_t end_ns);
  void check_limits();
  void clear_accumulators();
  [[nodiscard]] bool narrow_range() const { return (config_ & 0x10U) != 0; }
  [[nodiscard]] bool is_228() const { return model_ == Ina228Model::kIna228; }
  [[nodiscard]] double current_counts(double shunt_counts) const;
  [[nodiscard]] double power_counts(double current, double bus_counts) const;

  Ina228Model model_;
  AnalogInput input_;
  double clock_error_;
  double temperature_c_;
  Sequencer sequencer_;
  std::uint16_t config_ = 0;
  std::uint16_t adc_config_ = 0;
  std::uint16_t shunt_cal_ = 0;
  std::uint16_t tempco_ = 0;
  std::uint16_t diag_ = 0;   // the writable bits
  std::uint16_t flags_ = 0;  // the bits that the chip sets
  std::uint16_t shunt_over_ = 0;
  std::uint16_t shunt_under_ = 0;
  std::uint16_t bus_over_ = 0;
  std::uint16_t bus_under_ = 0;
  std::uint16_t temperature_limit_ = 0;
  std::uint16_t power_limit_ = 0;
  std::int64_t ready_ns_ = 0;  // when the ready flag was set
  int rounds_ = 1;
  double round_seconds_ = 0.0;
  Values round_;
  Values sum_;
  Values result_;
  double current_ = 0.0;
  double power_ = 0.0;
  double energy_ = 0.0;  // in counts of the register; doubles hold 2^40 of them with twelve bits to spare
  double charge_ = 0.0;
};

}  // namespace edgejoule::emulated_board
