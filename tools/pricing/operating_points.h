// A table with one more operating point, between calibrated ones.
//
// Shape: two calibrated points enclose the wanted clocks, the nearest pair. Rows, static
// terms and clocks of the new point come from theirs: dynamic joules per unit of work in
// proportion to the square of the voltage, static watts to the voltage, the time of
// arithmetic to the period of the engine's clock, the time of bytes to that of the memory
// clock. Where the two points do not state different voltages, joules and static watts
// follow the clock. Rows of one key that both points have in the same form (terms that one
// of them lacks count as zero there) are mixed; of others, those of the nearer point, or of
// the only one that has them, are scaled by the same laws. Rows for any point stay as they
// are.
// Residuals are the wider of the two, of as many groups as the fewer.
// Source: ARCHITECTURE.md, "Calibration".
// Errors: OperatingPointError.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "files/file_bytes.h"

namespace edgejoule::pricing {

struct OperatingPointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// In MHz; absent: whatever the neighbours have.
struct Clocks {
  std::optional<double> cpu, gpu, memory;
};
// "cpu=1200,gpu=600"; nothing for a text without '=', which is a name.
[[nodiscard]] std::optional<Clocks> parse_clocks(std::string_view text);

struct InterpolatedTable {
  files::FileBytes bytes;
  std::string point;    // the name of the point to ask for
  std::string between;  // "15W and 30W"; "" where the clocks are a calibrated point's own
};
[[nodiscard]] InterpolatedTable interpolate(const files::FileBytes& table, const Clocks& clocks,
                                            const std::string& name);

}  // namespace edgejoule::pricing
