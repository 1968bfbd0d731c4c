// This board: rails through capture, kernels of our own in this process, state from sysfs and procfs.
//
// What cannot be read here is said in MachineState::unknown instead of being guessed.
// Errors: MachineError and capture's; nothing of the board is changed.
#pragma once

#include <memory>

#include "calibration/machine.h"
#include "capture/discovery.h"
#include "capture/recorder.h"

namespace edgejoule::calibration {

class RealMachine final : public Machine {
 public:
  // `root` stands before /sys and /proc; empty on a real system.
  RealMachine(const capture::Discovery& found, const capture::RecorderOptions& options, std::string root);
  ~RealMachine() override;

  [[nodiscard]] const MachineFacts& facts() const override { return facts_; }
  [[nodiscard]] std::int64_t now_ns() override;
  void prepare(const workloads::Workload& workload) override;
  void prepare_network(std::span<const workloads::Workload> ops) override;
  RunSpan run(std::uint64_t executions) override;
  void idle(std::int64_t ns) override;
  std::vector<PowerSample> take_samples() override;
  [[nodiscard]] MachineState state() override;
  [[nodiscard]] std::optional<std::string> rail_problem() override;

 private:
  void describe(const capture::Discovery& found);
  [[nodiscard]] double other_load();

  std::string root_;
  MachineFacts facts_;
  capture::Recorder recorder_;
  std::vector<std::unique_ptr<workloads::Kernel>> kernels_;
  std::int64_t started_ns_ = 0;
  std::int64_t last_load_ns_ = 0, last_own_ticks_ = 0, last_all_ticks_ = 0;
};

// The state alone, of a machine whose files lie below `root`.
[[nodiscard]] MachineState read_state(const std::string& root);

}  // namespace edgejoule::calibration
