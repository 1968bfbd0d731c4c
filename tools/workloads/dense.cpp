// Matrix products with stored weights: one row (GEMV) or many (GEMM).
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <numeric>

#include "workloads/integer_math.h"
#include "workloads/kernel.h"

namespace edgejoule::workloads {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Matrix = Eigen::Map<RowMatrix>;
using ConstMatrix = Eigen::Map<const RowMatrix>;
using ConstVector = Eigen::Map<const Eigen::VectorXf>;

Eigen::Index index(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}

// Sizes of one execution, from its facts.
struct DenseShape {
  explicit DenseShape(const Workload& workload)
      : m(size_of(workload, Fact::kBatch) * size_of(workload, Fact::kRowsM)),
        n(size_of(workload, Fact::kColsN)),
        k(size_of(workload, Fact::kDepthK)),
        bias(size_of(workload, Fact::kParameters) == n * k + n) {}
  std::size_t m, n, k;
  bool bias;
};

class DenseFloat final : public ParallelKernel {
 public:
  explicit DenseFloat(const Workload& workload)
      : ParallelKernel(workload),
        shape_(workload),
        x_(some_floats(shape_.m * shape_.k, 1)),
        w_(some_floats(shape_.n * shape_.k, 2)),
        bias_(some_floats(shape_.bias ? shape_.n : 0, 3)),
        y_(shape_.m * shape_.n) {}

  [[nodiscard]] Operands operands() const override {
    Operands out{.inputs = {x_, w_}, .output = y_};
    if (shape_.bias) out.inputs.push_back(bias_);
    return out;
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return by_rows() ? shape_.m : shape_.n; }
  void execute(Range range) override {
    const ConstMatrix x(x_.data(), index(shape_.m), index(shape_.k));
    const ConstMatrix w(w_.data(), index(shape_.n), index(shape_.k));
    Matrix y(y_.data(), index(shape_.m), index(shape_.n));
    const ConstVector bias(bias_.data(), index(bias_.size()));
    const Eigen::Index begin = index(range.begin);
    const Eigen::Index count = index(range.size());
    if (shape_.m == 1) {
      y.row(0).segment(begin, count).transpose().noalias() = w.middleRows(begin, count) * x.row(0).transpose();
      if (shape_.bias) y.row(0).segment(begin, count) += bias.segment(begin, count).transpose();
    } else if (by_rows()) {
      y.middleRows(begin, count).noalias() = x.middleRows(begin, count) * w.transpose();
      if (shape_.bias) y.middleRows(begin, count).rowwise() += bias.transpose();
    } else {
      y.middleCols(begin, count).noalias() = x * w.middleRows(begin, count).transpose();
      if (shape_.bias) y.middleCols(begin, count).rowwise() += bias.segment(begin, count).transpose();
    }
  }

 private:
  [[nodiscard]] bool by_rows() const { return shape_.m > shape_.n; }
  DenseShape shape_;
  std::vector<float> x_, w_, bias_, y_;
};

class DenseInt8 final : public ParallelKernel {
 public:
  explicit DenseInt8(const Workload& workload)
      : ParallelKernel(workload),
        shape_(workload),
        x_(some_int8(shape_.m * shape_.k, 1)),
        w_(some_int8(shape_.n * shape_.k, 2)),
        bias_(some_int32(shape_.bias ? shape_.n : 0, 3, 1000)),
        scales_(some_floats(shape_.n, 4, 0.5F * typical_scale(shape_.k), 1.5F * typical_scale(shape_.k))),
        y_(shape_.m * shape_.n) {}

  [[nodiscard]] Operands operands() const override {
    Operands out{.inputs = {as_floats(x_), as_floats(w_)}, .output = as_floats(y_)};
    if (shape_.bias) out.inputs.push_back(as_floats(bias_));
    out.inputs.push_back(scales_);
    return out;
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return shape_.n; }
  void execute(Range range) override {
    constexpr std::size_t kRows = 4;  // of x, while a row of weights is at hand
    for (std::size_t row = 0; row < shape_.m; row += kRows) {
      const std::size_t rows = std::min(kRows, shape_.m - row);
      for (std::size_t n = range.begin; n < range.end; ++n) {
        const std::int32_t start = shape_.bias ? bias_[n] : 0;
        for (std::size_t m = row; m < row + rows; ++m) {
          const std::int32_t sum = start + dot(&x_[m * shape_.k], &w_[n * shape_.k], shape_.k);
          y_[m * shape_.n + n] = rescale(sum, scales_[n]);
        }
      }
    }
  }

 private:
  DenseShape shape_;
  std::vector<std::int8_t> x_, w_;
  std::vector<std::int32_t> bias_;
  std::vector<float> scales_;
  std::vector<std::int8_t> y_;
};

// Two weights to a byte, the lower half first, 8 for zero; a float16 scale for every
// 32 of them (Q4_0 of llama.cpp, scales apart).
class DenseInt4 final : public ParallelKernel {
 public:
  explicit DenseInt4(const Workload& workload)
      : ParallelKernel(workload),
        shape_(workload),
        x_(some_floats(shape_.m * shape_.k, 1)),
        w_(shape_.n * shape_.k / 2),
        bias_(some_floats(shape_.bias ? shape_.n : 0, 3)),
        y_(shape_.m * shape_.n) {
    if (shape_.k % kBlock != 0 || size_of(workload, Fact::kScaleBytes) != shape_.n * shape_.k / kBlock * 2) {
      cannot_run(workload, "int4 weights need a float16 scale for every 32 of them");
    }
    const std::vector<std::int8_t> bytes = some_int8(w_.size(), 2);
    std::transform(bytes.begin(), bytes.end(), w_.begin(), [](std::int8_t b) { return static_cast<std::uint8_t>(b); });
    for (const float scale : some_floats(shape_.n * shape_.k / kBlock, 4, 0.05F, 0.15F)) {
      scales_.emplace_back(Eigen::half(scale));
    }
  }

  [[nodiscard]] Operands operands() const override {
    std::vector<float> weights(shape_.n * shape_.k);
    for (std::size_t n = 0; n < shape_.n; ++n) dequantise(n, &weights[n * shape_.k]);
    Operands out{.inputs = {x_, std::move(weights)}, .output = y_};
    if (shape_.bias) out.inputs.push_back(bias_);
    return out;
  }

 protected:
  [[nodiscard]] std::size_t parts() const override { return shape_.n; }
  void execute(Range range) override { shape_.m == 1 ? execute_one_row(range) : execute_rows(range); }

 private:
  static constexpr std::size_t kBlock = 32;

  void execute_one_row(Range range) {
    for (std::size_t n = range.begin; n < range.end; ++n) {
      // Lanes of their own: floating-point sums are not reordered by the compiler.
      std::array<float, kBlock / 2> sums{};
      for (std::size_t block = 0; block < shape_.k / kBlock; ++block) {
        const std::uint8_t* packed = &w_[(n * shape_.k + block * kBlock) / 2];
        const float* x = &x_[block * kBlock];
        const auto scale = static_cast<float>(scales_[n * (shape_.k / kBlock) + block]);
        for (std::size_t i = 0; i < kBlock / 2; ++i) {
          const auto low = static_cast<float>(static_cast<int>(packed[i] & 15U) - 8);
          const auto high = static_cast<float>(static_cast<int>(packed[i] >> 4U) - 8);
          sums[i] += scale * (x[i] * low + x[i + kBlock / 2] * high);
        }
      }
      y_[n] = std::accumulate(sums.begin(), sums.end(), shape_.bias ? bias_[n] : 0.0F);
    }
  }

  void execute_rows(Range range) {
    constexpr std::size_t kAtOnce = 32;
    RowMatrix weights(index(kAtOnce), index(shape_.k));
    const ConstMatrix x(x_.data(), index(shape_.m), index(shape_.k));
    const ConstVector bias(bias_.data(), index(bias_.size()));
    Matrix y(y_.data(), index(shape_.m), index(shape_.n));
    for (std::size_t begin = range.begin; begin < range.end; begin += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, range.end - begin);
      for (std::size_t i = 0; i < count; ++i) dequantise(begin + i, weights.row(index(i)).data());
      y.middleCols(index(begin), index(count)).noalias() = x * weights.topRows(index(count)).transpose();
      if (shape_.bias) {
        y.middleCols(index(begin), index(count)).rowwise() += bias.segment(index(begin), index(count)).transpose();
      }
    }
  }

  void dequantise(std::size_t n, float* out) const {
    for (std::size_t block = 0; block < shape_.k / kBlock; ++block) {
      const std::uint8_t* packed = &w_[(n * shape_.k + block * kBlock) / 2];
      const auto scale = static_cast<float>(scales_[n * (shape_.k / kBlock) + block]);
      for (std::size_t i = 0; i < kBlock / 2; ++i) {
        out[block * kBlock + i] = scale * static_cast<float>(static_cast<int>(packed[i] & 15U) - 8);
        out[block * kBlock + i + kBlock / 2] = scale * static_cast<float>(static_cast<int>(packed[i] >> 4U) - 8);
      }
    }
  }

  DenseShape shape_;
  std::vector<float> x_;
  std::vector<std::uint8_t> w_;
  std::vector<float> bias_, y_;
  std::vector<Eigen::half> scales_;
};

}  // namespace

std::unique_ptr<Kernel> make_dense(const Workload& workload) {
  const DataType type = workload.op.data_type;
  const DataType weight = workload.op.weight_type;
  if (workload.op.kind == OpKind::kDense && type == DataType::kFloat32) {
    if (weight == DataType::kFloat32) return std::make_unique<DenseFloat>(workload);
    if (weight == DataType::kInt4) return std::make_unique<DenseInt4>(workload);
  }
  if (workload.op.kind == OpKind::kDense && type == DataType::kInt8 && weight == DataType::kInt8) {
    return std::make_unique<DenseInt8>(workload);
  }
  no_kernel(workload);
}

}  // namespace edgejoule::workloads
