#include "account/sample_times.h"

#include <algorithm>
#include <cmath>

namespace edgejoule::account {
namespace {

constexpr std::size_t kBlock = 1500;  // conversions over which an oscillator is steady
constexpr std::size_t kFewest = 16;

// Ends that were seen go by lie between two questions; only a rail whose every end was signalled needs nothing.
bool is_polled(std::span<const PowerSample> samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const PowerSample& s) { return s.has(SampleFlag::kWindowEstimated); });
}

// Least squares of the ends over the conversion numbers; those far off (a number that lies) break the block.
void straighten_block(std::span<PowerSample> block) {
  if (block.size() < kFewest) return;
  const auto number = [&](const PowerSample& s) { return static_cast<double>(s.sequence - block.front().sequence); };
  const auto end = [&](const PowerSample& s) {
    return static_cast<double>(s.window_end_ns - block.front().window_end_ns);
  };
  double mean_x = 0, mean_y = 0;
  for (const PowerSample& s : block) {
    mean_x += number(s) / static_cast<double>(block.size());
    mean_y += end(s) / static_cast<double>(block.size());
  }
  double xx = 0, xy = 0;
  for (const PowerSample& s : block) {
    xx += (number(s) - mean_x) * (number(s) - mean_x);
    xy += (number(s) - mean_x) * (end(s) - mean_y);
  }
  if (xx <= 0) return;
  const double slope = xy / xx;
  const double most = 0.3 * slope;
  for (const PowerSample& s : block) {
    if (std::abs(end(s) - mean_y - slope * (number(s) - mean_x)) > most) return;
  }
  const std::int64_t first_end_ns = block.front().window_end_ns;
  const std::uint32_t first = block.front().sequence;
  for (PowerSample& s : block) {
    const double at = mean_y + slope * (static_cast<double>(s.sequence - first) - mean_x);
    const std::int64_t moved_ns = first_end_ns + std::llround(at) - s.window_end_ns;
    s.window_begin_ns += moved_ns;
    s.window_end_ns += moved_ns;
  }
}

}  // namespace

void straighten(std::vector<PowerSample>& samples) {
  if (!is_polled(samples)) return;
  std::size_t first = 0;
  for (std::size_t i = 0; i <= samples.size(); ++i) {
    const bool ends =
        i == samples.size() || i - first >= kBlock || (i > first && samples[i].sequence <= samples[i - 1].sequence);
    if (!ends) continue;
    straighten_block(std::span(samples).subspan(first, i - first));
    first = i;
  }
}

void delay(std::vector<PowerSample>& samples, std::int64_t ns) {
  for (PowerSample& s : samples) {
    s.window_begin_ns += ns;
    s.window_end_ns += ns;
  }
}

SampleDelay find_delay(std::span<const PowerSample> samples, std::span<const align::ActivitySpan> spans,
                       std::size_t activities, const align::AlignOptions& options) {
  if (!is_polled(samples)) return {};
  const std::int64_t window_ns = samples.front().window_end_ns - samples.front().window_begin_ns;
  std::vector<PowerSample> moved(samples.begin(), samples.end());
  std::int64_t at_ns = 0;
  const auto squares = [&](std::int64_t to_ns) {
    delay(moved, to_ns - at_ns);
    at_ns = to_ns;
    const align::Alignment found = align::align(moved, spans, activities, options);
    return found.residual_watts * found.residual_watts * static_cast<double>(found.samples);
  };
  constexpr std::int64_t kSteps = 4;
  std::int64_t step_ns = window_ns / (2 * kSteps);
  if (step_ns <= 0) return {};
  const double unmoved = squares(0);
  double best = unmoved;
  std::int64_t best_ns = 0;
  for (std::int64_t k = -kSteps; k <= kSteps; ++k) {
    if (k == 0) continue;
    const double here = squares(k * step_ns);
    if (here < best) best = here, best_ns = k * step_ns;
  }
  // The sum of squares is a parabola near its least.
  for (int round = 0; round < 3; ++round) {
    const double before = squares(best_ns - step_ns), after = squares(best_ns + step_ns);
    const double bend = before + after - 2 * best;
    if (bend <= 0) break;
    const auto moved_ns = static_cast<std::int64_t>(0.5 * static_cast<double>(step_ns) * (before - after) / bend);
    const std::int64_t next_ns = best_ns + std::clamp(moved_ns, -step_ns, step_ns);
    const double there = squares(next_ns);
    if (there < best) best = there, best_ns = next_ns;
    step_ns /= 3;
  }
  // Against the noise of what is left: nine times its variance is three standard errors.
  const double variance = best / static_cast<double>(samples.size());
  constexpr double kClear = 9;
  if (unmoved - best <= kClear * variance) return {};
  return {best_ns, true};
}

}  // namespace edgejoule::account
