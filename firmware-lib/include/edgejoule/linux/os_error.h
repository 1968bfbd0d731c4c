// errno as Error, the same everywhere.
#pragma once

#include "edgejoule/core/result.h"

namespace edgejoule {

// Of files and devices. ENODEV is kGone: the driver was unbound under an open file.
[[nodiscard]] Error error_from_errno(int number) noexcept;

// Of an I2C transfer, where EAGAIN means that arbitration was lost and ENXIO that nobody answered.
[[nodiscard]] Error bus_error_from_errno(int number) noexcept;

}  // namespace edgejoule
