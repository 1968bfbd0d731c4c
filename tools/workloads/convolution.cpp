// Convolutions in two dimensions: patches gathered into a matrix and multiplied, unless
// the input is that matrix already; depthwise ones directly.
#include <algorithm>

#include "workloads/kernel.h"
#include "workloads/matrix_views.h"
#include "workloads/weighted_tensors.h"

namespace edgejoule::workloads {
namespace {

constexpr std::size_t kOutputsAtOnce = 64;  // output positions per product

// Padding is what the sizes imply, as evenly as TFLite's SAME.
struct Shape {
  explicit Shape(const Workload& w)
      : batch(size_of(w, Fact::kBatch)),
        in_h(size_of(w, Fact::kInH)),
        in_w(size_of(w, Fact::kInW)),
        in_c(size_of(w, Fact::kInC)),
        out_h(size_of(w, Fact::kOutH)),
        out_w(size_of(w, Fact::kOutW)),
        out_c(size_of(w, Fact::kOutC)),
        kernel_h(size_of(w, Fact::kKernelH)),
        kernel_w(size_of(w, Fact::kKernelW)),
        stride_h(size_of(w, Fact::kStrideH)),
        stride_w(size_of(w, Fact::kStrideW)),
        dilation_h(size_of(w, Fact::kDilationH)),
        dilation_w(size_of(w, Fact::kDilationW)),
        groups(size_of(w, Fact::kGroups)),
        pad_h(before(in_h, out_h, kernel_h, stride_h, dilation_h)),
        pad_w(before(in_w, out_w, kernel_w, stride_w, dilation_w)),
        group_in(in_c / groups),
        group_out(out_c / groups),
        patch(kernel_h * kernel_w * group_in),
        bias(size_of(w, Fact::kParameters) == out_c * patch + out_c) {}

  static std::size_t before(std::size_t in, std::size_t out, std::size_t kernel, std::size_t stride,
                            std::size_t dilation) {
    const std::size_t reach = (out - 1) * stride + (kernel - 1) * dilation + 1;
    return reach > in ? (reach - in) / 2 : 0;
  }
  [[nodiscard]] std::size_t positions() const { return batch * out_h * out_w; }
  [[nodiscard]] bool is_plain_product() const {
    return kernel_h * kernel_w * stride_h * stride_w * groups == 1 && in_h == out_h && in_w == out_w;
  }
  // Where the tap of an output position reads a pixel; past_end(): in the padding.
  [[nodiscard]] std::size_t pixel(std::size_t position, std::size_t tap_h, std::size_t tap_w) const {
    const std::size_t y = position / out_w % out_h * stride_h + tap_h * dilation_h;
    const std::size_t x = position % out_w * stride_w + tap_w * dilation_w;
    if (y < pad_h || x < pad_w || y - pad_h >= in_h || x - pad_w >= in_w) return past_end();
    return (position / (out_w * out_h) * in_h + (y - pad_h)) * in_w + (x - pad_w);
  }
  [[nodiscard]] std::size_t past_end() const { return batch * in_h * in_w; }

  // What a group's filters see of `position`, padding as zeros.
  template <class T>
  void gather(const std::vector<T>& x, std::size_t position, std::size_t group, T* out) const {
    for (std::size_t tap_h = 0; tap_h < kernel_h; ++tap_h) {
      for (std::size_t tap_w = 0; tap_w < kernel_w; ++tap_w, out += group_in) {
        const std::size_t at = pixel(position, tap_h, tap_w);
        if (at == past_end()) {
          std::fill_n(out, group_in, T{});
        } else {
          std::copy_n(&x[at * in_c + group * group_in], group_in, out);
        }
      }
    }
  }

  std::size_t batch, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w, dilation_h,
      dilation_w, groups, pad_h, pad_w, group_in, group_out, patch;
  bool bias;
};

WeightedSizes sizes_of(const Workload& workload, const Shape& shape) {
  return {.inputs = size_of(workload, Fact::kInputElements),
          .weights = shape.out_c * shape.patch,
          .channels = shape.out_c,
          .outputs = size_of(workload, Fact::kOutputElements),
          .terms = shape.patch,
          .has_bias = shape.bias};
}

template <class T>
class ConvolutionBase : public ParallelKernel {
 public:
  explicit ConvolutionBase(const Workload& workload)
      : ParallelKernel(workload), shape_(workload), tensors_(sizes_of(workload, shape_)) {}
  [[nodiscard]] Operands operands() const override { return tensors_.operands(); }

 protected:
  [[nodiscard]] std::size_t parts() const override { return shape_.positions(); }

  Shape shape_;
  WeightedTensors<T> tensors_;
};

class ConvolutionFloat final : public ConvolutionBase<float> {
 public:
  using ConvolutionBase::ConvolutionBase;

 protected:
  void execute(Range range) override {
    const std::vector<float>& x = tensors_.x;
    MatrixMap y = matrix(tensors_.y.data(), shape_.positions(), shape_.out_c);
    std::vector<float> patches(shape_.is_plain_product() ? 0 : kOutputsAtOnce * shape_.patch);
    for (std::size_t begin = range.begin; begin < range.end; begin += kOutputsAtOnce) {
      const std::size_t count = std::min(kOutputsAtOnce, range.end - begin);
      for (std::size_t group = 0; group < shape_.groups; ++group) {
        const float* left = shape_.is_plain_product() ? &x[begin * shape_.in_c] : patches.data();
        if (!shape_.is_plain_product()) {
          for (std::size_t i = 0; i < count; ++i) shape_.gather(x, begin + i, group, &patches[i * shape_.patch]);
        }
        const float* filters = &tensors_.w[group * shape_.group_out * shape_.patch];
        y.block(index(begin), index(group * shape_.group_out), index(count), index(shape_.group_out)).noalias() =
            matrix(left, count, shape_.patch) * matrix(filters, shape_.group_out, shape_.patch).transpose();
      }
      y.middleRows(index(begin), index(count)).rowwise() +=
          ConstVectorMap(tensors_.bias.data(), index(shape_.out_c)).transpose();
    }
  }
};

class ConvolutionInt8 final : public ConvolutionBase<std::int8_t> {
 public:
  using ConvolutionBase::ConvolutionBase;

 protected:
  void execute(Range range) override {
    std::vector<std::int8_t> patch(shape_.patch);
    for (std::size_t position = range.begin; position < range.end; ++position) {
      for (std::size_t group = 0; group < shape_.groups; ++group) {
        const std::int8_t* left = shape_.is_plain_product() ? &tensors_.x[position * shape_.in_c] : patch.data();
        if (!shape_.is_plain_product()) shape_.gather(tensors_.x, position, group, patch.data());
        for (std::size_t c = group * shape_.group_out; c < (group + 1) * shape_.group_out; ++c) {
          const std::int32_t sum = dot(left, &tensors_.w[c * shape_.patch], shape_.patch) + tensors_.bias[c];
          tensors_.y[position * shape_.out_c + c] = tensors_.finish(sum, c);
        }
      }
    }
  }
};

// One filter per channel; weights lie tap by tap, all channels of a tap side by side.
template <class T>
class Depthwise final : public ConvolutionBase<T> {
 public:
  using ConvolutionBase<T>::ConvolutionBase;

 protected:
  void execute(Range range) override {
    using Sum = typename WeightedTensors<T>::Sum;
    const Shape& shape = this->shape_;
    WeightedTensors<T>& tensors = this->tensors_;
    std::vector<Sum> sums(shape.out_c);
    for (std::size_t position = range.begin; position < range.end; ++position) {
      sums = tensors.bias;
      for (std::size_t tap_h = 0; tap_h < shape.kernel_h; ++tap_h) {
        for (std::size_t tap_w = 0; tap_w < shape.kernel_w; ++tap_w) {
          const std::size_t at = shape.pixel(position, tap_h, tap_w);
          if (at == shape.past_end()) continue;
          add_products(&tensors.x[at * shape.in_c], &tensors.w[(tap_h * shape.kernel_w + tap_w) * shape.out_c], sums);
        }
      }
      for (std::size_t c = 0; c < shape.out_c; ++c) {
        tensors.y[position * shape.out_c + c] = tensors.finish(sums[c], c);
      }
    }
  }

 private:
  template <class Sum>
  static void add_products(const T* x, const T* w, std::vector<Sum>& sums) {
    Sum* const out = sums.data();
    for (std::size_t c = 0; c < sums.size(); ++c) out[c] += static_cast<Sum>(x[c]) * static_cast<Sum>(w[c]);
  }
};

}  // namespace

std::unique_ptr<Kernel> make_convolution(const Workload& workload) {
  const graph::OpNode& op = workload.op;
  const bool is_float = op.data_type == DataType::kFloat32 && op.weight_type == DataType::kFloat32;
  const bool is_int8 = op.data_type == DataType::kInt8 && op.weight_type == DataType::kInt8;
  if (op.kind == OpKind::kConv2d) {
    if (is_float) return std::make_unique<ConvolutionFloat>(workload);
    if (is_int8) return std::make_unique<ConvolutionInt8>(workload);
  }
  if (op.kind == OpKind::kDepthwiseConv2d) {
    if (op.facts[Fact::kOutC] != op.facts[Fact::kInC]) cannot_run(workload, "more than one filter per channel");
    if (is_float) return std::make_unique<Depthwise<float>>(workload);
    if (is_int8) return std::make_unique<Depthwise<std::int8_t>>(workload);
  }
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
