// For CPUs and compilers without float16 vectors.
#include "workloads/kernel.h"

namespace edgejoule::workloads {

bool has_fp16() {
  return false;
}

std::unique_ptr<Kernel> make_half(const Workload& workload) {
  cannot_run(workload, "this build has no float16 kernels; those for 64-bit ARM have");
}

}  // namespace edgejoule::workloads
