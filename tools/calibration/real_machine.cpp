#include "calibration/real_machine.h"

#include "edgejoule/linux/monotonic.h"

namespace edgejoule::calibration {

RealMachine::RealMachine(const capture::Discovery& found, const capture::RecorderOptions& options, std::string root)
    : RealBoard(found, options, std::move(root)) {
  facts_.runtime = "edgejoule kernels";
  facts_.backend = "cpu";
  facts_.engine = "cpu";
  facts_.has_fp16 = workloads::has_fp16();
}

RealMachine::~RealMachine() = default;

void RealMachine::prepare(const workloads::Workload& workload) {
  kernels_.clear();  // before the next one takes its memory
  kernels_.push_back(workloads::prepare(workload));
}

void RealMachine::prepare_network(std::span<const workloads::Workload> ops) {
  kernels_.clear();
  for (const workloads::Workload& op : ops) kernels_.push_back(workloads::prepare(op));
}

RunSpan RealMachine::run(std::uint64_t executions) {
  RunSpan span;
  span.executions = executions;
  span.begin_ns = monotonic_ns();
  if (kernels_.size() == 1) {
    kernels_.front()->run(executions);
  } else {
    for (std::uint64_t i = 0; i < executions; ++i) {
      for (const auto& kernel : kernels_) kernel->run(1);
    }
  }
  span.end_ns = monotonic_ns();
  return span;
}

}  // namespace edgejoule::calibration
