// How a sample weighs the past: what alignment and accounting convolve power with.
//
// Source: INA3221 datasheet SBOS576, averaging: new = old + (x - old) / N once per
// cycle; INA226 and relatives average N conversions into one result.
#pragma once

#include <cstdint>

#include "edgejoule/core/power_sample.h"

namespace edgejoule {

// The share of the sample's value that came from [from_ns, to_ns): 0 to 1, and 1 over all time.
// A sample of unknown response is taken as its window.
[[nodiscard]] double response_weight(const PowerSample& sample, std::int64_t from_ns, std::int64_t to_ns) noexcept;

// Before this instant less than `tail` of the value lies: where a convolution may start.
// Precondition: 0 < tail < 1.
[[nodiscard]] std::int64_t response_begin_ns(const PowerSample& sample, double tail) noexcept;

}  // namespace edgejoule
