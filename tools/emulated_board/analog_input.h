// One measured channel of a chip: the rail behind its shunt, seen with the errors of a real converter.
//
// Units: what the register scales are stated in, microvolts. Gain errors are fractions (0.0025 is 0.25 %).
#pragma once

#include <cstdint>
#include <memory>
#include <random>

#include "emulated_board/power_trace.h"

namespace edgejoule::emulated_board {

struct Imperfection {
  double shunt_offset_uv = 0.0;
  double shunt_gain_error = 0.0;
  double shunt_noise_uv = 0.0;  // standard deviation of one conversion
  double bus_offset_uv = 0.0;
  double bus_gain_error = 0.0;
  double bus_noise_uv = 0.0;
  double clock_error = 0.0;  // fraction by which conversions take longer than nominal
  double temperature_c = 25.0;
  std::uint64_t seed = 1;
};

struct Rail {
  std::shared_ptr<const PowerTrace> trace;
  double shunt_ohm = 0.0;
};

// Noise is drawn in the order of the conversions, so it depends on the seed and the configuration and not on when
// anybody reads.
class AnalogInput {
 public:
  AnalogInput(Rail rail, const Imperfection& imperfection, std::uint64_t stream);

  // Mean over the conversion, because the converters are delta-sigma: they integrate their input.
  [[nodiscard]] double shunt_uv(std::int64_t begin_ns, std::int64_t end_ns);
  [[nodiscard]] double bus_uv(std::int64_t begin_ns, std::int64_t end_ns);

 private:
  double noise_uv(double deviation_uv);

  Rail rail_;
  Imperfection imperfection_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

}  // namespace edgejoule::emulated_board
