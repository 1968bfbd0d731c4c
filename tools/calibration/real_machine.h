// This board: its rails and state, and kernels of our own in this process.
#pragma once

#include <memory>

#include "calibration/real_board.h"

namespace edgejoule::calibration {

class RealMachine final : public RealBoard {
 public:
  RealMachine(const capture::Discovery& found, const capture::RecorderOptions& options, std::string root);
  ~RealMachine() override;

  void prepare(const workloads::Workload& workload) override;
  void prepare_network(std::span<const workloads::Workload> ops) override;
  RunSpan run(std::uint64_t executions) override;

 private:
  std::vector<std::unique_ptr<workloads::Kernel>> kernels_;
};

}  // namespace edgejoule::calibration
