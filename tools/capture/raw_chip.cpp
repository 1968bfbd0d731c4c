#include "capture/raw_chip.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <vector>

namespace edgejoule::capture {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::uint32_t parse_shunt(const std::string& text, const std::string& whole) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  double scale = 1e6;
  const std::string unit(end);
  if (unit == "m") scale = 1e3;
  if (unit == "u") scale = 1.0;
  const double uohm = value * scale;
  if (end == text.c_str() || (!unit.empty() && unit != "m" && unit != "u") || !std::isfinite(uohm)) {
    throw RawChipError(fmt::format("--i2c {}: '{}' is no resistance; write 5m, 500u or 0.1 (ohms)", whole, text));
  }
  if (uohm < kMinShuntUohm || uohm > kMaxShuntUohm) {
    throw RawChipError(fmt::format("--i2c {}: a shunt of {} ohm cannot be right; they lie between 10u and 100", whole,
                                   value * scale * 1e-6));
  }
  return static_cast<std::uint32_t>(std::lround(uohm));
}

long parse_number(const std::string& text, long most, const std::string& what, const std::string& whole) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0' || value < 0 || value > most) {
    throw RawChipError(fmt::format("--i2c {}: '{}' is no {}; write for example 1:0x40:ina226:10m", whole, text, what));
  }
  return value;
}

}  // namespace

std::string known_chips() {
  std::string known;
  for (const Chip& chip : chips()) known += (known.empty() ? "" : ", ") + std::string(chip.name);
  return known;
}

RawChip parse_raw_chip(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 4) {
    throw RawChipError(
        fmt::format("--i2c {}: expected BUS:ADDRESS[:CHIP[:SHUNT]], for example 1:0x40:ina226:10m", text));
  }
  RawChip raw;
  raw.i2c_bus = static_cast<int>(parse_number(parts[0], 0x7FFF, "bus number", text));
  raw.address = static_cast<std::uint8_t>(parse_number(parts[1], 0x7F, "address", text));
  if (parts.size() > 2 && !parts[2].empty()) {
    const Chip* const chip = find_chip(parts[2]);
    if (chip == nullptr) {
      throw RawChipError(
          fmt::format("--i2c {}: '{}' is no chip this build knows; it knows {}", text, parts[2], known_chips()));
    }
    raw.chip = chip->id;
    raw.chip_named = true;
    raw.settings.channel_mask = static_cast<std::uint8_t>((1U << chip->channels) - 1U);
  }
  if (parts.size() > 3) {
    const std::vector<std::string> shunts = split(parts[3], ',');
    for (std::size_t i = 0; i < kMaxChannels; ++i) {
      raw.settings.shunt_uohm[i] = parse_shunt(shunts[i < shunts.size() ? i : shunts.size() - 1], text);
    }
  }
  return raw;
}

}  // namespace edgejoule::capture
