// "gpiochip0:12" or a line's own name; shared by both versions of libgpiod.
#pragma once

#include <cstring>

#include "file_text.h"

namespace edgejoule {

struct GpioLineName {
  char chip[32] = {};
  unsigned offset = 0;
  bool by_offset = false;
};

inline Result<GpioLineName> parse_gpio_line(const char* line) noexcept {
  GpioLineName name;
  if (line == nullptr || line[0] == '\0') return Error::kInvalidArgument;
  const char* const colon = std::strrchr(line, ':');
  if (colon == nullptr || std::strncmp(line, "gpiochip", 8) != 0) return name;
  const Result<std::int64_t> offset = parse_integer(colon + 1, std::strlen(colon + 1));
  const auto length = static_cast<std::size_t>(colon - line);
  if (!offset || *offset < 0 || *offset > 0xFFFF || length >= sizeof(name.chip)) return Error::kInvalidArgument;
  std::memcpy(name.chip, line, length);
  name.offset = static_cast<unsigned>(*offset);
  name.by_offset = true;
  return name;
}

inline constexpr const char* kGpioConsumer = "edgejoule";

}  // namespace edgejoule
