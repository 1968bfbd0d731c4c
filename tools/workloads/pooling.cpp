// Pooling over windows inside the input, channels last.
#include <algorithm>
#include <limits>

#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

class Pooling final : public ParallelKernel {
 public:
  explicit Pooling(const Workload& w)
      : ParallelKernel(w),
        is_max_(w.op.kind == OpKind::kMaxPool2d),
        in_h_(size_of(w, Fact::kInH)),
        in_w_(size_of(w, Fact::kInW)),
        channels_(size_of(w, Fact::kInC)),
        out_h_(size_of(w, Fact::kOutH)),
        out_w_(size_of(w, Fact::kOutW)),
        kernel_h_(size_of(w, Fact::kKernelH)),
        kernel_w_(size_of(w, Fact::kKernelW)),
        stride_h_(size_of(w, Fact::kStrideH)),
        stride_w_(size_of(w, Fact::kStrideW)),
        x_(some_floats(size_of(w, Fact::kInputElements), 1)),
        y_(size_of(w, Fact::kOutputElements)) {
    if ((out_h_ - 1) * stride_h_ + kernel_h_ > in_h_ || (out_w_ - 1) * stride_w_ + kernel_w_ > in_w_) {
      cannot_run(w, "windows that reach beyond the input");
    }
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {x_}, .output = y_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return y_.size() / channels_; }
  void execute(Range range) override {
    const float scale = is_max_ ? 1 : 1 / static_cast<float>(kernel_h_ * kernel_w_);
    for (std::size_t position = range.begin; position < range.end; ++position) {
      const std::size_t image = position / (out_h_ * out_w_);
      const std::size_t top = position / out_w_ % out_h_ * stride_h_;
      const std::size_t left = position % out_w_ * stride_w_;
      float* const out = &y_[position * channels_];
      std::fill_n(out, channels_, is_max_ ? std::numeric_limits<float>::lowest() : 0.0F);
      for (std::size_t y = top; y < top + kernel_h_; ++y) {
        for (std::size_t x = left; x < left + kernel_w_; ++x) {
          add(&x_[((image * in_h_ + y) * in_w_ + x) * channels_], out);
        }
      }
      for (std::size_t c = 0; c < channels_; ++c) out[c] *= scale;
    }
  }

 private:
  void add(const float* in, float* out) const {
    if (is_max_) {
      for (std::size_t c = 0; c < channels_; ++c) out[c] = in[c] > out[c] ? in[c] : out[c];
    } else {
      for (std::size_t c = 0; c < channels_; ++c) out[c] += in[c];
    }
  }

  bool is_max_;
  std::size_t in_h_, in_w_, channels_, out_h_, out_w_, kernel_h_, kernel_w_, stride_h_, stride_w_;
  std::vector<float> x_, y_;
};

}  // namespace

std::unique_ptr<Kernel> make_pooling(const Workload& workload) {
  const OpKind kind = workload.op.kind;
  const bool is_known =
      kind == OpKind::kMaxPool2d || kind == OpKind::kAveragePool2d || kind == OpKind::kGlobalAveragePool;
  if (is_known && workload.op.data_type == DataType::kFloat32) return std::make_unique<Pooling>(workload);
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
