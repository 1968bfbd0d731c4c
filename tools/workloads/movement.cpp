// Memory streams.
#include <algorithm>

#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

class Copy final : public ParallelKernel {
 public:
  explicit Copy(const Workload& workload)
      : ParallelKernel(workload), in_(some_floats(size_of(workload, Fact::kInputElements), 1)), out_(in_.size()) {}

  [[nodiscard]] Operands operands() const override { return {.inputs = {in_}, .output = out_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return in_.size(); }
  void execute(Range range) override {
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(range.begin), range.size(),
                out_.begin() + static_cast<std::ptrdiff_t>(range.begin));
  }

 private:
  std::vector<float> in_, out_;
};

}  // namespace

std::unique_ptr<Kernel> make_movement(const Workload& workload) {
  if (workload.op.kind == OpKind::kCopy && workload.op.data_type == DataType::kFloat32) {
    return std::make_unique<Copy>(workload);
  }
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
