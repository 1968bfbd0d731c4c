#include "edgejoule/sensors/response.h"

namespace edgejoule {
namespace {

double power(double base, std::uint64_t exponent) noexcept {
  double result = 1.0;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result *= base;
    base *= base;
  }
  return result;
}

// Share of [begin, end) that lies before t.
double share_before(std::int64_t begin, std::int64_t end, std::int64_t t) noexcept {
  if (t <= begin) return 0.0;
  if (t >= end) return 1.0;
  return static_cast<double>(t - begin) / static_cast<double>(end - begin);
}

double weight_before(const PowerSample& sample, std::int64_t t) noexcept {
  if (sample.response != ResponseKind::kExponential || sample.taps <= 1 || sample.cycle_ns == 0) {
    return share_before(sample.window_begin_ns, sample.window_end_ns, t);
  }
  if (t >= sample.window_end_ns) return 1.0;
  const double gain = 1.0 / sample.taps;
  const std::int64_t cycle = sample.cycle_ns;
  // k cycles back: the window that t falls in, or the gap before it.
  const std::int64_t back = (sample.window_end_ns - t) / cycle;
  const double older = power(1.0 - gain, static_cast<std::uint64_t>(back));
  const std::int64_t shift = back * cycle;
  const double inside = share_before(sample.window_begin_ns - shift, sample.window_end_ns - shift, t);
  return older * (1.0 - gain) + older * gain * inside;
}

}  // namespace

double response_weight(const PowerSample& sample, std::int64_t from_ns, std::int64_t to_ns) noexcept {
  if (to_ns <= from_ns) return 0.0;
  return weight_before(sample, to_ns) - weight_before(sample, from_ns);
}

std::int64_t response_begin_ns(const PowerSample& sample, double tail) noexcept {
  if (sample.response != ResponseKind::kExponential || sample.taps <= 1) return sample.window_begin_ns;
  const double keep = 1.0 - 1.0 / sample.taps;
  std::uint64_t high = 1;
  while (power(keep, high) > tail) high *= 2;
  std::uint64_t low = high / 2;
  while (low + 1 < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    (power(keep, middle) > tail ? low : high) = middle;
  }
  return sample.window_end_ns - static_cast<std::int64_t>(high) * sample.cycle_ns;
}

}  // namespace edgejoule
