// Pooling, channels last. Windows that reach beyond the input see what of them lies inside.
#include <algorithm>
#include <limits>

#include "workloads/integer_math.h"
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
        padding_h_(padding(in_h_, out_h_, kernel_h_, stride_h_)),
        padding_w_(padding(in_w_, out_w_, kernel_w_, stride_w_)),
        x_(some_floats(size_of(w, Fact::kInputElements), 1)),
        y_(size_of(w, Fact::kOutputElements)) {
    if (kernel_h_ > in_h_ || kernel_w_ > in_w_ || stride_h_ * (out_h_ - 1) >= in_h_ + padding_h_ ||
        stride_w_ * (out_w_ - 1) >= in_w_ + padding_w_) {
      cannot_run(w, "windows that see nothing of the input");
    }
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {x_}, .output = y_}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return y_.size() / channels_; }
  void execute(Range range) override {
    for (std::size_t position = range.begin; position < range.end; ++position) {
      const std::size_t image = position / (out_h_ * out_w_);
      const Range rows = window(position / out_w_ % out_h_ * stride_h_, padding_h_, kernel_h_, in_h_);
      const Range columns = window(position % out_w_ * stride_w_, padding_w_, kernel_w_, in_w_);
      const float scale = is_max_ ? 1 : 1 / static_cast<float>(rows.size() * columns.size());
      float* const out = &y_[position * channels_];
      std::fill_n(out, channels_, is_max_ ? std::numeric_limits<float>::lowest() : 0.0F);
      for (std::size_t y = rows.begin; y < rows.end; ++y) {
        for (std::size_t x = columns.begin; x < columns.end; ++x) {
          add(&x_[((image * in_h_ + y) * in_w_ + x) * channels_], out);
        }
      }
      for (std::size_t c = 0; c < channels_; ++c) out[c] *= scale;
    }
  }

 private:
  // On the near side, as evenly as TFLite's SAME.
  static std::size_t padding(std::size_t in, std::size_t out, std::size_t kernel, std::size_t stride) {
    const std::size_t reach = (out - 1) * stride + kernel;
    return reach > in ? (reach - in) / 2 : 0;
  }
  static Range window(std::size_t at, std::size_t before, std::size_t kernel, std::size_t in) {
    return {at > before ? at - before : 0, std::min(at + kernel - before, in)};
  }
  void add(const float* in, float* out) const {
    if (is_max_) {
      for (std::size_t c = 0; c < channels_; ++c) out[c] = in[c] > out[c] ? in[c] : out[c];
    } else {
      for (std::size_t c = 0; c < channels_; ++c) out[c] += in[c];
    }
  }

  bool is_max_;
  std::size_t in_h_, in_w_, channels_, out_h_, out_w_, kernel_h_, kernel_w_, stride_h_, stride_w_, padding_h_,
      padding_w_;
  std::vector<float> x_, y_;
};

// The mean of all positions, in exact sums.
class GlobalMeanInt8 final : public ParallelKernel {
 public:
  explicit GlobalMeanInt8(const Workload& w)
      : ParallelKernel(w),
        channels_(size_of(w, Fact::kInC)),
        x_(some_int8(size_of(w, Fact::kInputElements), 1)),
        sums_(channels_),
        y_(channels_) {
    if (y_.size() != size_of(w, Fact::kOutputElements)) cannot_run(w, "more than one image");
  }

  [[nodiscard]] Operands operands() const override { return {.inputs = {as_floats(x_)}, .output = as_floats(y_)}; }

 protected:
  [[nodiscard]] std::size_t parts() const override { return channels_; }
  void execute(Range range) override {
    std::fill(sums_.begin() + static_cast<std::ptrdiff_t>(range.begin),
              sums_.begin() + static_cast<std::ptrdiff_t>(range.end), 0);
    const std::size_t positions = x_.size() / channels_;
    for (std::size_t position = 0; position < positions; ++position) {
      const std::int8_t* const in = &x_[position * channels_];
      for (std::size_t c = range.begin; c < range.end; ++c) sums_[c] += in[c];
    }
    const float scale = 1 / static_cast<float>(positions);
    for (std::size_t c = range.begin; c < range.end; ++c) y_[c] = rescale(sums_[c], scale);
  }

 private:
  std::size_t channels_;
  std::vector<std::int8_t> x_;
  std::vector<std::int32_t> sums_;
  std::vector<std::int8_t> y_;
};

}  // namespace

std::unique_ptr<Kernel> make_pooling(const Workload& workload) {
  const OpKind kind = workload.op.kind;
  const bool is_known =
      kind == OpKind::kMaxPool2d || kind == OpKind::kAveragePool2d || kind == OpKind::kGlobalAveragePool;
  if (is_known && workload.op.data_type == DataType::kFloat32) return std::make_unique<Pooling>(workload);
  if (kind == OpKind::kGlobalAveragePool && workload.op.data_type == DataType::kInt8) {
    return std::make_unique<GlobalMeanInt8>(workload);
  }
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
