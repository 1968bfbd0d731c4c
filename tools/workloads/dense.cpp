// Products with stored weights: of one row (GEMV) or many (GEMM).
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "workloads/kernel.h"
#include "workloads/matrix_views.h"
#include "workloads/weighted_tensors.h"

namespace edgejoule::workloads {
namespace {

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

WeightedSizes sizes_of(const DenseShape& shape) {
  return {.inputs = shape.m * shape.k,
          .weights = shape.n * shape.k,
          .channels = shape.n,
          .outputs = shape.m * shape.n,
          .terms = shape.k,
          .has_bias = shape.bias};
}

class DenseFloat final : public ParallelKernel {
 public:
  explicit DenseFloat(const Workload& workload)
      : ParallelKernel(workload), shape_(workload), tensors_(sizes_of(shape_)) {}
  [[nodiscard]] Operands operands() const override { return tensors_.operands(); }

 protected:
  [[nodiscard]] std::size_t parts() const override { return by_rows() ? shape_.m : shape_.n; }
  void execute(Range range) override {
    const ConstMatrixMap x = matrix(std::as_const(tensors_.x).data(), shape_.m, shape_.k);
    const ConstMatrixMap w = matrix(std::as_const(tensors_.w).data(), shape_.n, shape_.k);
    const ConstVectorMap bias(tensors_.bias.data(), index(shape_.n));
    MatrixMap y = matrix(tensors_.y.data(), shape_.m, shape_.n);
    const Eigen::Index begin = index(range.begin);
    const Eigen::Index count = index(range.size());
    if (shape_.m == 1) {
      y.row(0).segment(begin, count).transpose().noalias() = w.middleRows(begin, count) * x.row(0).transpose();
      y.row(0).segment(begin, count) += bias.segment(begin, count).transpose();
    } else if (by_rows()) {
      y.middleRows(begin, count).noalias() = x.middleRows(begin, count) * w.transpose();
      y.middleRows(begin, count).rowwise() += bias.transpose();
    } else {
      y.middleCols(begin, count).noalias() = x * w.middleRows(begin, count).transpose();
      y.middleCols(begin, count).rowwise() += bias.segment(begin, count).transpose();
    }
  }

 private:
  [[nodiscard]] bool by_rows() const { return shape_.m > shape_.n; }
  DenseShape shape_;
  WeightedTensors<float> tensors_;
};

class DenseInt8 final : public ParallelKernel {
 public:
  explicit DenseInt8(const Workload& workload)
      : ParallelKernel(workload), shape_(workload), tensors_(sizes_of(shape_)) {}
  [[nodiscard]] Operands operands() const override { return tensors_.operands(); }

 protected:
  [[nodiscard]] std::size_t parts() const override { return shape_.n; }
  void execute(Range range) override {
    constexpr std::size_t kRows = 4;  // of x, while a row of weights is at hand
    for (std::size_t row = 0; row < shape_.m; row += kRows) {
      const std::size_t rows = std::min(kRows, shape_.m - row);
      for (std::size_t n = range.begin; n < range.end; ++n) {
        for (std::size_t m = row; m < row + rows; ++m) {
          const std::int32_t sum = dot(&tensors_.x[m * shape_.k], &tensors_.w[n * shape_.k], shape_.k);
          tensors_.y[m * shape_.n + n] = tensors_.finish(sum + tensors_.bias[n], n);
        }
      }
    }
  }

 private:
  DenseShape shape_;
  WeightedTensors<std::int8_t> tensors_;
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
    const ConstMatrixMap x = matrix(std::as_const(x_).data(), shape_.m, shape_.k);
    const ConstVectorMap bias(bias_.data(), index(bias_.size()));
    MatrixMap y = matrix(y_.data(), shape_.m, shape_.n);
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
