// Ops over the rows of a matrix: softmax, normalisations, means.
#include <algorithm>
#include <array>
#include <cmath>

#include "workloads/kernel.h"
#include "workloads/matrix_views.h"

namespace edgejoule::workloads {
namespace {

constexpr float kEpsilon = 1e-5F;
using ConstRow = Eigen::Map<const Eigen::ArrayXf>;
using Row = Eigen::Map<Eigen::ArrayXf>;

class RowKernel : public ParallelKernel {
 public:
  explicit RowKernel(const Workload& workload)
      : ParallelKernel(workload),
        rows_(static_cast<std::size_t>(workload.rows)),
        width_(size_of(workload, Fact::kInputElements) / rows_),
        out_width_(size_of(workload, Fact::kOutputElements) / rows_),
        x_(some_floats(rows_ * width_, 1, -4, 4)),
        parameters_(some_floats(size_of(workload, Fact::kParameters), 2, 0.5F, 1.5F)),
        y_(rows_ * out_width_) {
    if (rows_ * width_ != size_of(workload, Fact::kInputElements)) {
      cannot_run(workload, "its elements are no whole number of rows");
    }
  }

  [[nodiscard]] Operands operands() const override {
    Operands out{.inputs = {x_}, .output = y_};
    if (!parameters_.empty()) out.inputs.push_back(parameters_);
    return out;
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return rows_; }
  void execute(Range range) override {
    for (std::size_t row = range.begin; row < range.end; ++row) {
      Row y(&y_[row * out_width_], index(out_width_));
      compute(ConstRow(&x_[row * width_], index(width_)), y);
    }
  }
  virtual void compute(const ConstRow& x, Row& y) const = 0;
  [[nodiscard]] ConstRow gain() const { return {parameters_.data(), index(width_)}; }
  [[nodiscard]] ConstRow shift() const { return {parameters_.data() + width_, index(width_)}; }

 private:
  std::size_t rows_, width_, out_width_;
  std::vector<float> x_, parameters_, y_;
};

class Softmax final : public RowKernel {
  using RowKernel::RowKernel;
  void compute(const ConstRow& x, Row& y) const override {
    y = (x - x.maxCoeff()).exp();
    y *= 1 / y.sum();
  }
};

class LayerNorm final : public RowKernel {
  using RowKernel::RowKernel;
  void compute(const ConstRow& x, Row& y) const override {
    const float mean = x.mean();
    const float variance = (x - mean).square().mean();
    y = (x - mean) * (1 / std::sqrt(variance + kEpsilon)) * gain() + shift();
  }
};

class RmsNorm final : public RowKernel {
  using RowKernel::RowKernel;
  void compute(const ConstRow& x, Row& y) const override {
    y = x * (1 / std::sqrt(x.square().mean() + kEpsilon)) * gain();
  }
};

class Mean final : public RowKernel {
  using RowKernel::RowKernel;
  void compute(const ConstRow& x, Row& y) const override { y(0) = x.mean(); }
};

// Powers come from a table of the 256 distances from the largest; the output is in steps of 1/256 from -128 on, as
// TFLite has it.
class SoftmaxInt8 final : public ParallelKernel {
 public:
  explicit SoftmaxInt8(const Workload& workload)
      : ParallelKernel(workload),
        rows_(static_cast<std::size_t>(workload.rows)),
        width_(size_of(workload, Fact::kInputElements) / rows_),
        x_(some_int8(rows_ * width_, 1)),
        y_(x_.size()) {
    for (std::size_t i = 0; i < powers_.size(); ++i) powers_[i] = std::exp(-kStep * static_cast<float>(i));
  }

  [[nodiscard]] Operands operands() const override {
    return {.inputs = {as_floats(x_), {kStep}}, .output = as_floats(y_)};
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return rows_; }
  void execute(Range range) override {
    for (std::size_t row = range.begin; row < range.end; ++row) {
      const std::int8_t* const x = &x_[row * width_];
      const int most = *std::max_element(x, x + width_);
      float sum = 0;
      for (std::size_t i = 0; i < width_; ++i) sum += powers_[static_cast<std::size_t>(most - x[i])];
      const float scale = 256 / sum;
      for (std::size_t i = 0; i < width_; ++i) {
        const float value = std::nearbyint(powers_[static_cast<std::size_t>(most - x[i])] * scale) - 128;
        y_[row * width_ + i] = static_cast<std::int8_t>(std::min(value, 127.0F));
      }
    }
  }

 private:
  static constexpr float kStep = 1.0F / 16;
  std::size_t rows_, width_;
  std::vector<std::int8_t> x_, y_;
  std::array<float, 256> powers_{};
};

}  // namespace

std::unique_ptr<Kernel> make_rows(const Workload& workload) {
  const graph::OpNode& op = workload.op;
  if (workload.rows == 0) cannot_run(workload, "has no rows");
  const std::uint64_t width = op.facts[Fact::kInputElements] / workload.rows;
  const auto expect = [&](std::uint64_t parameters) {
    if (op.facts[Fact::kParameters] != parameters) cannot_run(workload, "its parameters do not fit its rows");
  };
  if (op.data_type == DataType::kFloat32) {
    switch (op.kind) {
      case OpKind::kSoftmax: return std::make_unique<Softmax>(workload);
      case OpKind::kLayerNorm: expect(2 * width); return std::make_unique<LayerNorm>(workload);
      case OpKind::kRmsNorm: expect(width); return std::make_unique<RmsNorm>(workload);
      case OpKind::kMean: return std::make_unique<Mean>(workload);
      default: break;
    }
  }
  if (op.kind == OpKind::kSoftmax && op.data_type == DataType::kInt8) return std::make_unique<SoftmaxInt8>(workload);
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
