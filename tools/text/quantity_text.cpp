#include "text/quantity_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace edgejoule::text {
namespace {

// Three significant digits in fixed notation, for 1 <= |value| < 1000 (or 1024).
std::string three_digits(double value) {
  const double magnitude = std::fabs(value);
  const int decimals = magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::string si(double value, std::string_view unit) {
  if (!std::isfinite(value)) return fmt::format("{} {}", value, unit);
  if (value == 0) return fmt::format("0 {}", unit);
  static constexpr std::array<std::string_view, 13> kPrefixes = {"a", "f", "p", "n", "µ", "m", "",
                                                                 "k", "M", "G", "T", "P", "E"};
  constexpr int kUnity = 6;
  int step = 0;
  double scaled = value;
  // 999.5 would be printed as "1000": carry it to the next prefix.
  while (std::fabs(scaled) >= 999.5 && step < 6) scaled /= 1000, ++step;
  while (std::fabs(scaled) < 0.9995 && step > -kUnity) scaled *= 1000, --step;
  return fmt::format("{} {}{}", three_digits(scaled), kPrefixes[static_cast<std::size_t>(step + kUnity)], unit);
}

std::string percent(double fraction) {
  const double value = fraction * 100;
  if (!std::isfinite(value)) return "-";
  const double magnitude = std::fabs(value);
  if (magnitude > 0 && magnitude < 0.005) return "<0.01 %";
  if (magnitude < 9.995) return fmt::format("{:.2f} %", value);
  if (magnitude < 99.95) return fmt::format("{:.1f} %", value);
  return fmt::format("{:.0f} %", value);
}

std::string bytes(std::uint64_t count) {
  if (count < 1024) return fmt::format("{} B", count);
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double scaled = static_cast<double>(count) / 1024;
  std::size_t unit = 0;
  while (scaled >= 1023.5 && unit + 1 < kUnits.size()) scaled /= 1024, ++unit;
  return fmt::format("{} {}", three_digits(scaled), kUnits[unit]);
}

std::string exact(float value) {
  return fmt::format("{}", value);
}
std::string exact(double value) {
  return fmt::format("{}", value);
}

}  // namespace edgejoule::text
