// A profile that cannot be used: what, where, and what to do next.
#pragma once

#include <stdexcept>

namespace edgejoule::timeline {

struct TimelineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace edgejoule::timeline
