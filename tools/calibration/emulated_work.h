// What runs on an emulated board: workloads as its law sees them, and what they truly cost.
//
// Errors: MachineError where the board has no such engine or operating point.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calibration/machine.h"
#include "emulated_board/live_board.h"

namespace edgejoule::calibration {

struct EmulationOptions {
  std::uint64_t seed = 1;  // of noise, of other programs
  std::string engine;      // "": the board's first
  std::string point;       // operating point; "": the board's first
};

class EmulatedWork {
 public:
  // Lifetime: views the law.
  EmulatedWork(const emulated_board::BoardLaw& law, const EmulationOptions& options);

  void prepare(const workloads::Workload& workload);
  void prepare_network(std::span<const workloads::Workload> ops);
  void run(emulated_board::LiveBoard& board, std::uint64_t executions) const;
  [[nodiscard]] Machine::Truth truth() const;

  // The engine, and where the figures come from.
  void describe(MachineFacts& facts) const;
  [[nodiscard]] const emulated_board::LawEngine& engine() const { return law_.law.engines[engine_]; }
  [[nodiscard]] const emulated_board::LawPoint& point() const { return law_.law.points[point_]; }

 private:
  const emulated_board::BoardLaw& law_;
  std::uint64_t seed_;
  std::size_t engine_ = 0, point_ = 0;
  std::vector<emulated_board::LawOp> ops_;
};

}  // namespace edgejoule::calibration
