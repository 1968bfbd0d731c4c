#include "emulated_board/analog_input.h"

#include <utility>

namespace edgejoule::emulated_board {
namespace {

constexpr double kMicro = 1e6;

}  // namespace

AnalogInput::AnalogInput(Rail rail, const Imperfection& imperfection, std::uint64_t stream)
    : rail_(std::move(rail)), imperfection_(imperfection) {
  std::seed_seq seed{imperfection.seed, imperfection.seed >> 32, stream};
  random_.seed(seed);
}

double AnalogInput::noise_uv(double deviation_uv) {
  return deviation_uv > 0.0 ? normal_(random_) * deviation_uv : 0.0;
}

double AnalogInput::shunt_uv(std::int64_t begin_ns, std::int64_t end_ns) {
  const double true_uv = rail_.trace ? rail_.trace->mean(begin_ns, end_ns).amperes * rail_.shunt_ohm * kMicro : 0.0;
  return true_uv * (1.0 + imperfection_.shunt_gain_error) + imperfection_.shunt_offset_uv +
         noise_uv(imperfection_.shunt_noise_uv);
}

double AnalogInput::bus_uv(std::int64_t begin_ns, std::int64_t end_ns) {
  const double true_uv = rail_.trace ? rail_.trace->mean(begin_ns, end_ns).volts * kMicro : 0.0;
  return true_uv * (1.0 + imperfection_.bus_gain_error) + imperfection_.bus_offset_uv +
         noise_uv(imperfection_.bus_noise_uv);
}

}  // namespace edgejoule::emulated_board
