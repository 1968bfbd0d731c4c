// The seed of what tests draw: one of its own in every run of a test program. Tests print it; EDGEJOULE_SEED repeats
// it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace edgejoule::test {

[[nodiscard]] inline std::uint32_t drawn_seed() {
  if (const char* given = std::getenv("EDGEJOULE_SEED")) return static_cast<std::uint32_t>(std::stoul(given));
  static const std::uint32_t seed = std::random_device{}();
  return seed;
}

}  // namespace edgejoule::test
