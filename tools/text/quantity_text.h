// Numbers as a person reads them: three significant digits and an SI prefix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "edgejoule/core/units.h"

namespace edgejoule::text {

// "12.3 mJ", "0 J", "-4.5 µJ"; "nan J" and "inf J" are printed as such.
[[nodiscard]] std::string si(double value, std::string_view unit);
[[nodiscard]] inline std::string si(Joules j) {
  return si(j.value(), "J");
}
[[nodiscard]] inline std::string si(Watts w) {
  return si(w.value(), "W");
}
[[nodiscard]] inline std::string si(Seconds s) {
  return si(s.value(), "s");
}

// "12.3 %", "0.04 %", "<0.01 %".
[[nodiscard]] std::string percent(double fraction);

// Binary multiples: "1.50 MiB".
[[nodiscard]] std::string bytes(std::uint64_t count);

// The shortest text that reads back as the same float.
[[nodiscard]] std::string exact(float value);
[[nodiscard]] std::string exact(double value);

}  // namespace edgejoule::text
