// Waits until every rail of the total has told of what was behind an instant: one that went silent a moment ago is not
// silent for long enough yet to be called lost, and would leave a measurement that nobody saw the end of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "calibration/machine.h"

namespace edgejoule::calibration {

// `samples`: by rail, what was taken of each, oldest first; `take` adds to them. The machine idles meanwhile. Answers
// what is wrong where a rail is lost.
template <class Samples, class Take>
[[nodiscard]] std::optional<std::string> await_rails(Machine& machine, std::int64_t since_ns, const Samples& samples,
                                                     Take take) {
  constexpr std::int64_t kLookEveryNs = 10'000'000;
  const auto all_told = [&] {
    for (std::size_t rail = 0; rail < samples.size(); ++rail) {
      if (!machine.facts().rails[rail].in_total) continue;
      if (samples[rail].empty() || samples[rail].back().window_begin_ns < since_ns) return false;
    }
    return true;
  };
  while (!all_told()) {
    if (auto lost = machine.rail_problem()) return lost;
    machine.idle(kLookEveryNs);
    take();
  }
  return std::nullopt;
}

}  // namespace edgejoule::calibration
