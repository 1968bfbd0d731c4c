// A place where code of the firmware library can read emulated chips: in this process with a clock of its own, or
// behind the kernel of the guest. The same tests run in both.
//
// Units: nanoseconds since the traces began.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "edgejoule/sensors/register_bus.h"
#include "emulated_board/power_trace.h"

namespace edgejoule::emu {

class BoardBed {
 public:
  virtual ~BoardBed() = default;

  // Lifetime: the bed's.
  [[nodiscard]] virtual RegisterBus bus() = 0;
  [[nodiscard]] virtual const emulated_board::PowerTrace& trace(const std::string& name) const = 0;

  [[nodiscard]] virtual std::int64_t now_ns() = 0;
  virtual void sleep_until(std::int64_t t_ns) = 0;

  virtual void fault(const std::string& words) = 0;
  virtual void clear_faults() = 0;

  // In its own time a bed is exact: nothing is late, so nothing may be lost.
  [[nodiscard]] virtual bool is_exact() const = 0;
};

// Defined by the program that the tests are linked into. `board` is the text of a board file.
[[nodiscard]] std::unique_ptr<BoardBed> make_bed(const std::string& board);

}  // namespace edgejoule::emu
