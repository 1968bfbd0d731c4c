// Kernels in float16.
#include <Eigen/Core>
#include <algorithm>

#include "workloads/half_math.h"
#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

using Halves = std::vector<std::uint16_t>;

Halves some_halves(std::size_t count, std::uint32_t seed) {
  Halves out;
  out.reserve(count);
  for (const float value : some_floats(count, seed)) {
    out.push_back(Eigen::numext::bit_cast<std::uint16_t>(Eigen::half(value)));
  }
  return out;
}

std::vector<float> numbers_of(const Halves& halves) {
  std::vector<float> out;
  out.reserve(halves.size());
  for (const std::uint16_t bits : halves) out.push_back(static_cast<float>(Eigen::numext::bit_cast<Eigen::half>(bits)));
  return out;
}

class DenseHalf final : public ParallelKernel {
 public:
  explicit DenseHalf(const Workload& workload)
      : ParallelKernel(workload),
        m_(size_of(workload, Fact::kBatch) * size_of(workload, Fact::kRowsM)),
        n_(size_of(workload, Fact::kColsN)),
        k_(size_of(workload, Fact::kDepthK)),
        x_(some_halves(m_ * k_, 1)),
        w_(some_halves(n_ * k_, 2)),
        bias_(some_halves(n_, 3)),
        y_(m_ * n_) {
    if (k_ % kHalfLanes != 0) cannot_run(workload, "float16 products need a depth that is a multiple of 8");
    if (size_of(workload, Fact::kParameters) != n_ * k_ + n_) cannot_run(workload, "float16 products need a bias");
  }

  [[nodiscard]] Operands operands() const override {
    return {.inputs = {numbers_of(x_), numbers_of(w_), numbers_of(bias_)}, .output = numbers_of(y_)};
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return n_; }
  void execute(Range range) override {
    constexpr std::size_t kRows = 4;  // of x, while a row of weights is at hand
    for (std::size_t row = 0; row < m_; row += kRows) {
      for (std::size_t n = range.begin; n < range.end; ++n) {
        for (std::size_t m = row; m < std::min(row + kRows, m_); ++m) {
          y_[m * n_ + n] = half_dot(&x_[m * k_], &w_[n * k_], k_, bias_[n]);
        }
      }
    }
  }

 private:
  std::size_t m_, n_, k_;
  Halves x_, w_, bias_, y_;
};

class AddHalf final : public ParallelKernel {
 public:
  explicit AddHalf(const Workload& workload)
      : ParallelKernel(workload),
        a_(some_halves(size_of(workload, Fact::kOutputElements), 1)),
        b_(some_halves(a_.size(), 2)),
        y_(a_.size()) {
    if (a_.size() % kHalfLanes != 0) cannot_run(workload, "float16 additions need a multiple of 8 elements");
  }

  [[nodiscard]] Operands operands() const override {
    return {.inputs = {numbers_of(a_), numbers_of(b_)}, .output = numbers_of(y_)};
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return y_.size() / kHalfLanes; }
  void execute(Range range) override {
    const std::size_t begin = range.begin * kHalfLanes;
    half_add(&a_[begin], &b_[begin], &y_[begin], range.size() * kHalfLanes);
  }

 private:
  Halves a_, b_, y_;
};

}  // namespace

bool has_fp16() {
  return half_math_runs();
}

std::unique_ptr<Kernel> make_half(const Workload& workload) {
  if (!half_math_runs()) cannot_run(workload, "this CPU does not compute in float16");
  const graph::OpNode& op = workload.op;
  if (op.kind == OpKind::kDense && op.weight_type == DataType::kFloat16) return std::make_unique<DenseHalf>(workload);
  if (op.kind == OpKind::kAdd) return std::make_unique<AddHalf>(workload);
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
